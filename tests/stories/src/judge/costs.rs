//! What it costs: an idle tick as much as ever, no item near the table's limit, nothing that circles.

use crate::stage::Stage;
use local::world::QUEUE;

/// No item of the table is larger.
const LARGEST: usize = 350_000;
/// Calls more than an idle tick's that a tick may cost in which nobody did anything.
const MORE_CALLS: usize = 2;
const MORE_BYTES: usize = 20_000;
/// What was changed a quarter of an hour ago may be listed once more.
const SETTLES: usize = 4;

/// An hour of ticks in which nobody does anything.
pub async fn hour(stage: &mut Stage) -> anyhow::Result<()> {
    let mut quiet = 0;
    let mut dear = vec![];
    for _ in 0..60 {
        stage.world.forget_calls();
        let before = stage.world.writes();
        stage.minute().await?;
        let (calls, bytes) = (stage.calls(), stage.bytes());
        let wrote = stage.world.writes() != before || stage.world.messages() > 0;
        quiet = if wrote { 0 } else { quiet + 1 };
        if quiet > SETTLES && (calls > stage.idle.0 + MORE_CALLS || bytes > stage.idle.1 + MORE_BYTES) {
            dear.push((calls, bytes));
        }
    }
    // Retries at their times are none of it.
    if dear.len() > 12 {
        let (calls, bytes) = dear[dear.len() / 2];
        let what = if calls > stage.idle.0 + MORE_CALLS { "calls" } else { "bytes" };
        stage.wrong(
            format!("idle-tick:{what}"),
            format!("{} idle ticks cost more than {:?}, such as {calls} calls and {bytes} bytes", dear.len(), stage.idle),
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
pub(super) fn queue(stage: &Stage) {
    if stage.world.messages() > 0 {
        let messages = stage.world.aws.system().messages(QUEUE);
        let often = messages.iter().filter_map(|m| m["receive_count"].as_u64()).max().unwrap_or_default();
        if often > 5 {
            let first: String = format!("{messages:?}").chars().take(300).collect();
            stage.wrong("queue-left", format!("received {often} times: {first}"));
        }
    }
    if stage.world.dead_letters() > 0 {
        stage.wrong("dead-letters", format!("{} dead letters", stage.world.dead_letters()));
    }
}
