//! What a map that is not in effect yet would do to linked deals: which fields it reads otherwise than they were read, and
//! what would be written. The same code as `preview`.

use crate::{dry::Dry, preview, report::Report, walk::One};
use clients::outside::App;
use jiff::Timestamp;
use mapping::{Map, RecordKind};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use sync::{failure::Failure, link::State, ports::Links, table::Item};

/// So many deals are looked at from both sides.
const LOOKED_AT: usize = 25;

/// Tells it. Reads every link, and of some deals both sides.
pub(crate) async fn tell(
    report: &mut Report,
    worker: &App,
    map: Map,
    ends: Timestamp,
) -> Result<(), Failure> {
    let (mut units, mut deals) = (BTreeMap::<String, u32>::new(), vec![]);
    let mut cursor = None;
    loop {
        let (rows, next) = worker.outside.links.page(cursor.as_deref()).await?;
        for row in rows {
            let Item::Link(link) = row.item else { continue };
            let kind = link.record.as_ref().map_or(RecordKind::Opportunity, |record| record.kind);
            let before = deals.len();
            for unit in link.read_otherwise(map.of(kind)).filter(|_| link.state == State::Linked) {
                *units.entry(unit.name.clone()).or_default() += 1;
                deals.truncate(before);
                deals.push(link.referral.clone());
            }
        }
        cursor = next;
        if cursor.is_none() || worker.outside.clock.now() >= ends {
            break;
        }
    }
    for (unit, count) in &units {
        let text = format!("`{unit}` of {count} linked deals is read otherwise and will be compared anew");
        report.warn(
            text,
            "equal agrees, an empty side is filled, of two values the owner's stands and the other is told",
        );
    }
    if deals.is_empty() {
        return Ok(());
    }
    let dry = Dry::new(Arc::new(worker.with_map(Arc::new(map))));
    let mut writes = BTreeMap::<String, u32>::new();
    let mut looked = 0;
    for referral in
        deals.iter().take(LOOKED_AT).take_while(|_| worker.outside.clock.now() + preview::ONE < ends)
    {
        looked += 1;
        for write in preview::writes(&dry, One::Referral(referral.clone()), ends).await? {
            *writes.entry(write.of).or_default() += 1;
        }
    }
    for (what, count) in &writes {
        report.good(format!("of {looked} looked at, {count} would be written: {what}"));
    }
    if writes.is_empty() {
        report.good(format!("of {looked} looked at, nothing would be written"));
    }
    report.data = json!({ "compared_anew": units, "looked_at": looked, "would_write": writes });
    Ok(())
}
