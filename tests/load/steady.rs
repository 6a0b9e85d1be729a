//! 200 events a second for ten minutes while 5 % of all calls to the vendors fail.

use crate::storm::Storm;

const SECONDS: usize = 600;
const EVENTS: usize = 200 * SECONDS;
const CHANCE: f64 = 0.05;
/// On one deal, on average: at 20 writes of ours an hour the brake parks it.
const EVENTS_ON_A_DEAL: usize = 6;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.furnish(storm.share(EVENTS / EVENTS_ON_A_DEAL).max(12)).await?;
    storm.begin();
    storm.faults(CHANCE);
    let (events, began) = (storm.share(EVENTS), storm.events as usize);
    for second in 1..=SECONDS {
        while (storm.events as usize - began) * SECONDS < events * second {
            match storm.dice.below(100) {
                0 => {
                    let accepted = storm.dice.below(2) == 0;
                    storm.refer(accepted)?;
                }
                1 if storm.dice.below(4) == 0 => {
                    storm.sell()?;
                }
                _ => storm.edit_any(None)?,
            }
        }
        storm.pass(1).await?;
        if second % 60 == 0 {
            // Sellers' work goes out, and what no webhook told comes in.
            storm.tick().await?;
            storm.learn();
        }
        storm.progress(&format!("second {second} of {SECONDS}"));
    }
    storm.fair();
    Ok(())
}
