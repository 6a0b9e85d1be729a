//! The CRM is down for an hour: everything waits, next to nothing is asked in vain, and all of it arrives afterwards.

use crate::{people::Side, storm::Storm};

const MINUTES: usize = 60;
const EVENTS: usize = 6_000;
/// Calls to the CRM while it is down, whatever the number of events: a few batches each time the hold ends.
const IN_VAIN: u64 = 1_000;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.furnish(storm.share(EVENTS / 10).max(12)).await?;
    storm.begin();
    storm.crm_down();
    let (asked, events, began) = (storm.meter.crm_calls(), storm.share(EVENTS), storm.events as usize);
    for minute in 1..=MINUTES {
        while (storm.events as usize - began) * MINUTES < events * minute {
            // Nobody can use the CRM.
            match storm.dice.below(50) {
                0 => {
                    storm.refer(true)?;
                }
                _ => storm.edit_any(Some(Side::PartnerCenter))?,
            }
        }
        storm.minute().await?;
    }
    let asked = storm.meter.crm_calls() - asked;
    println!("outage: {asked} calls to the CRM while it was down");
    if asked > IN_VAIN {
        storm.wrong.push(format!("{asked} calls to the CRM while it was down, expected at most {IN_VAIN}"));
    }
    storm.fair();
    Ok(())
}
