//! The writer: creates, changes, echoes, bursts, replays; one by one and ten by ten, with prompt and with usual upstreams.

use crate::{figure::Figure, play::Play, stage::Latency};
use serde_json::json;

/// Hints of one referral that come together.
const BURST: usize = 8;

pub(crate) async fn measure(play: &mut Play, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![];
    for latency in [Latency::NONE, Latency::USUAL] {
        // Usual upstreams take their time: a tenth of the rounds tells as much.
        let rounds = if latency.crm > 0 { rounds.div_ceil(10) } else { rounds };
        for batch in [1, 10] {
            figures.push(changed(play, rounds, batch, latency).await?);
        }
        figures.push(bursts(play, rounds, latency).await?);
    }
    figures.push(unchanged(play, rounds).await?);
    figures.push(told_again(play, rounds).await?);
    for batch in [1, 10] {
        figures.push(created(play, rounds.div_ceil(10), batch).await?);
    }
    Ok(figures)
}

/// Another value, in `rounds` batches at most of as many links as there are.
pub(crate) async fn changed(
    play: &mut Play,
    rounds: usize,
    batch: usize,
    latency: Latency,
) -> anyhow::Result<Figure> {
    let mut figure =
        Figure::new("writer", format!("changed, batch of {batch}, upstreams {}", latency.name()));
    for _ in 0..rounds {
        play.change(batch)?;
        play.enqueue().await?;
        play.stage.slow(latency);
        play.measured(&mut figure, batch).await?;
        play.stage.slow(Latency::NONE);
    }
    Ok(figure)
}

/// Eight edits of one referral in a row.
async fn bursts(play: &mut Play, rounds: usize, latency: Latency) -> anyhow::Result<Figure> {
    let mut figure =
        Figure::new("writer", format!("burst of {BURST} on one referral, upstreams {}", latency.name()));
    for _ in 0..rounds.div_ceil(4) {
        let id = play.next();
        for _ in 0..BURST {
            let value = 50_000 + play.number();
            play.stage.edit_referral(&id, json!({ "/details/dealValue": value }))?;
        }
        play.enqueue().await?;
        play.stage.slow(latency);
        play.measured(&mut figure, 10).await?;
        play.stage.slow(Latency::NONE);
    }
    Ok(figure)
}

/// Something the map does not name.
pub(crate) async fn unchanged(play: &mut Play, rounds: usize) -> anyhow::Result<Figure> {
    let mut figure = Figure::new("writer", "nothing mapped changed, batch of 1");
    for _ in 0..rounds {
        let id = play.next();
        let before = play.stage.partner_center.system().referrals()[&id]["favorite"] == true;
        play.stage.edit_referral(&id, json!({ "/favorite": !before }))?;
        play.enqueue().await?;
        play.measured(&mut figure, 1).await?;
    }
    Ok(figure)
}

/// What was worked off comes again.
async fn told_again(play: &mut Play, rounds: usize) -> anyhow::Result<Figure> {
    play.change(rounds.min(play.referrals.len()))?;
    play.enqueue().await?;
    let batches = play.measured(&mut Figure::new("writer", ""), 1).await?;
    let mut figure = Figure::new("writer", "told again after it was settled, batch of 1");
    for (round, batch) in batches.iter().enumerate() {
        play.stage.tell_again(batch, round)?;
        play.measured(&mut figure, 1).await?;
    }
    Ok(figure)
}

/// A new deal of a customer this CRM knows.
async fn created(play: &mut Play, rounds: usize, batch: usize) -> anyhow::Result<Figure> {
    let mut figure = Figure::new("writer", format!("created, batch of {batch}"));
    for _ in 0..rounds {
        play.refer(batch)?;
        play.enqueue().await?;
        play.measured(&mut figure, batch).await?;
        // Our own write of the record's id comes back.
        play.enqueue().await?;
        play.work(10).await?;
    }
    play.accept().await?;
    Ok(figure)
}
