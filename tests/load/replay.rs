//! Runs crash until their messages are dead letters. These are replayed twice, shuffled: the first replay heals
//! everything, the second writes nothing.

use crate::{check::judge, people::Side, storm::Storm};
use local::world::{DEAD, QUEUE};
use simulators::server::{Blow, Strike};

const EVENTS: usize = 5_000;
/// More than the queue's visibility: whoever died has let go.
const PAUSE: i64 = 361;
/// Rounds within which every message has been received as often as the queue allows, also behind its own group.
const ROUNDS: usize = 1_000;
/// Calls to the vendors after which a run dies, at most.
const CALLS: usize = 6;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.furnish(storm.share(EVENTS / 5).max(12)).await?;
    storm.begin();
    for n in 0..storm.share(EVENTS) {
        match n % 10 {
            0 => storm.refer(true).map(drop)?,
            1 => storm.edit_any(Some(Side::Crm))?,
            _ => storm.edit_any(Some(Side::PartnerCenter))?,
        }
    }
    storm.world.webhooks().await;
    die_at_work(storm).await?;
    // The poller finds the claims of the dead and sends what it cannot settle to the same queue.
    storm.world.advance(60);
    storm.tick().await?;
    die_at_once(storm)?;
    let letters = dead_letters(storm)?;
    println!("replay: {} dead letters", letters.len());
    if letters.is_empty() {
        storm.wrong.push("no message became a dead letter".to_owned());
    }
    redrive(storm, &letters, "first").await?;
    storm.learn();
    let verdict = judge(storm);
    storm
        .wrong
        .extend(verdict.into_lines().into_iter().map(|line| format!("after the first replay: {line}")));
    let writes = storm.meter.writes();
    redrive(storm, &letters, "second").await?;
    let more = storm.meter.writes() - writes;
    if more > 0 {
        storm.wrong.push(format!("the second replay made {more} writes"));
    }
    Ok(())
}

/// Every message is received once, and each run dies at one of its calls, before or after it took effect.
async fn die_at_work(storm: &mut Storm) -> anyhow::Result<()> {
    loop {
        let at = storm.dice.below(CALLS) as u32;
        let strike = Strike::new(at, Blow::Kill { after_commit: storm.dice.below(2) == 0 });
        storm.world.partner_center.strike(Some(strike.clone()));
        storm.world.dataverse.strike(Some(strike.clone()));
        *storm.world.strike.lock().expect("strike") = Some(strike);
        if storm.world.batch().await? == 0 {
            break;
        }
    }
    storm.world.partner_center.strike(None);
    storm.world.dataverse.strike(None);
    *storm.world.strike.lock().expect("strike") = None;
    Ok(())
}

/// From now on runs die before they do anything, until the queue has given up on every message.
fn die_at_once(storm: &mut Storm) -> anyhow::Result<()> {
    for round in 0..ROUNDS {
        storm.world.advance(PAUSE);
        let now = storm.world.now();
        while !storm.world.aws.system().receive_batch(QUEUE, 10, None, now).is_empty() {}
        if storm.left() == 0 {
            return Ok(());
        }
        storm.progress(&format!("crash {round}"));
    }
    anyhow::bail!("{} messages are still no dead letters", storm.left())
}

/// Takes all dead letters out of their queue: group and body.
fn dead_letters(storm: &Storm) -> anyhow::Result<Vec<(String, String)>> {
    let now = storm.world.now();
    let mut aws = storm.world.aws.system();
    let mut letters = vec![];
    loop {
        let received = aws.receive_batch(DEAD, 10, None, now);
        if received.is_empty() {
            return Ok(letters);
        }
        for message in received {
            let group = message.attributes.get("MessageGroupId").cloned().unwrap_or_default();
            aws.delete(DEAD, &message.receipt_handle, now).map_err(|e| anyhow::anyhow!("{}", e.code()))?;
            letters.push((group, message.body));
        }
    }
}

/// Sends them to the queue in any order, and waits until it is empty. Nobody else helps: no tick.
async fn redrive(storm: &mut Storm, letters: &[(String, String)], turn: &str) -> anyhow::Result<()> {
    let mut order: Vec<usize> = (0..letters.len()).collect();
    storm.dice.shuffle(&mut order);
    let now = storm.world.now();
    for n in order {
        let (group, body) = &letters[n];
        let sent = storm.world.aws.system().send(QUEUE, group, &format!("{turn}-{n}"), body, now);
        sent.map_err(|e| anyhow::anyhow!("{}", e.code()))?;
    }
    for _ in 0..240 {
        storm.pass(60).await?;
        if storm.left() + storm.world.partner_center.system().pending() == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("the {turn} replay does not come to an end: {} messages left", storm.left())
}
