//! What it costs: an idle tick as much as ever, no item near the table's limit, nothing that circles.

use crate::{stage::Stage, story::Story};
use jiff::SignedDuration;
use local::world::QUEUE;

/// No item of the table is larger.
const LARGEST: usize = 350_000;
/// Calls more than an idle tick's that a tick may cost in which nobody did anything.
const MORE_CALLS: usize = 2;
const MORE_BYTES: usize = 20_000;
/// What was changed a quarter of an hour ago may be listed once more.
const SETTLES: usize = 4;

/// More messages do not wait when nobody does anything.
const MOST_MESSAGES: usize = 200;

/// Ticks in which nothing was written, and nothing waits, after which the next ones are like them.
const STILL: usize = 10;

/// An hour of ticks in which nobody does anything.
pub async fn hour(stage: &mut Stage) -> anyhow::Result<()> {
    let mut quiet = 0;
    let mut dear = vec![];
    let over = stage.world.now() + SignedDuration::from_mins(60);
    while stage.world.now() < over {
        // Once nothing has happened for a while only every fifth tick is played: the others would be like it.
        if quiet >= STILL {
            stage.world.advance(4 * 60);
        }
        stage.world.forget_calls();
        let before = stage.world.writes();
        stage.minute().await?;
        let (calls, bytes) = (stage.calls(), stage.bytes());
        let wrote = stage.world.writes() != before || stage.world.messages() > 0;
        if stage.world.messages() > MOST_MESSAGES + stage.deals.len() {
            stage.wrong("queue-grows", format!("{} messages wait", stage.world.messages()));
        }
        quiet = if wrote { 0 } else { quiet + 1 };
        if quiet > SETTLES && (calls > stage.idle.0 + MORE_CALLS || bytes > stage.idle.1 + MORE_BYTES) {
            dear.push((calls, bytes, stage.world.calls().join(", ")));
        }
    }
    // Retries at their times are none of it.
    if dear.len() > 5 {
        let (calls, bytes, routes) = &dear[dear.len() / 2];
        let what = if *calls > stage.idle.0 + MORE_CALLS { "calls" } else { "bytes" };
        stage.wrong(
            format!("idle-tick:{what}"),
            format!(
                "{} idle ticks cost more than {:?}, such as {calls} calls and {bytes} bytes: {routes}",
                dear.len(),
                stage.idle
            ),
        );
    }
    Ok(())
}

pub(super) async fn sizes(stage: &Stage) -> anyhow::Result<()> {
    let (bytes, key) = stage.world.largest_item().await?;
    if bytes > LARGEST {
        stage.wrong("item-too-large", format!("{key}: {bytes} bytes"));
    }
    Ok(())
}

/// Nothing is left in the queue, nothing crashed.
pub(super) fn queue(stage: &Stage, story: &Story) {
    if stage.world.messages() > 0 {
        let messages = stage.world.aws.system().messages(QUEUE);
        let often = messages.iter().filter_map(|m| m["receive_count"].as_u64()).max().unwrap_or_default();
        if often > 5 {
            let first: String = format!("{messages:?}").chars().take(300).collect();
            stage.wrong(
                format!("queue-left:{}", super::circumstances(story)),
                format!("received {often} times: {first}"),
            );
        }
    }
    if stage.world.dead_letters() > 0 {
        stage.wrong("dead-letters", format!("{} dead letters", stage.world.dead_letters()));
    }
}
