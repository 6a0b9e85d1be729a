//! 10,000 events at once, 1,000 of them on one referral: its hints become one, whatever their number.

use crate::{people::Side, storm::Storm};

const EVENTS: usize = 10_000;
/// In a bounded run still so many: with fewer there is nothing to save.
const HOT: (usize, usize) = (1_000, 100);
const READS: u64 = 10;

pub(crate) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    storm.furnish(storm.share(EVENTS / 5).max(12)).await?;
    let hot = storm.deals[0].referral.clone().unwrap_or_default();
    storm.begin();
    storm.meter.follow(&hot);
    let others = storm.deals.len() - 1;
    let on_hot = storm.share(HOT.0).max(HOT.1);
    let mut events: Vec<usize> = vec![0; on_hot];
    events.extend((0..storm.share(EVENTS - HOT.0)).map(|n| 1 + n % others));
    storm.dice.shuffle(&mut events);
    for deal in events {
        let only = if deal == 0 { Some(Side::PartnerCenter) } else { None };
        storm.edit(deal, only)?;
    }
    storm.flow().await?;
    storm.rest().await?;
    let reads = storm.meter.hot_reads().unwrap_or_default();
    if reads > READS {
        storm
            .wrong
            .push(format!("referral `{hot}`: {reads} reads for {on_hot} events, expected at most {READS}"));
    }
    Ok(())
}
