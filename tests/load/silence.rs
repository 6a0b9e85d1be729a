//! No webhook arrives for a day: the sweep finds everything.

use crate::storm::Storm;

const MINUTES: usize = 1_440;
const EVENTS: usize = 5_000;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.furnish(storm.share(EVENTS / 10).max(12)).await?;
    storm.begin();
    let (events, began) = (storm.share(EVENTS), storm.events as usize);
    for minute in 1..=MINUTES {
        while (storm.events as usize - began) * MINUTES < events * minute {
            match storm.dice.below(50) {
                0 => storm.refer(true).map(drop)?,
                1 if storm.dice.below(4) == 0 => storm.sell().map(drop)?,
                _ => storm.edit_any(None)?,
            }
        }
        storm.world.partner_center.system().lose();
        storm.minute().await?;
        storm.world.partner_center.system().lose();
        storm.progress(&format!("minute {minute} of {MINUTES}"));
    }
    Ok(())
}
