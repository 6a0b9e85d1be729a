//! What a map that is not in effect yet would do to linked deals: which units it reads by another rule than the present
//! map, and what would be written that the present map would not write. Uses the code of `preview`.

use crate::{
    dry::{Dry, Write},
    preview,
    report::Report,
    walk::One,
};
use clients::outside::App;
use jiff::{SignedDuration, Timestamp};
use mapping::{Map, RecordKind, ReferralId, Value};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, sync::Arc};
use sync::{
    failure::Failure,
    link::{Link, State},
    ports::Links,
    table::Item,
};

/// Deals whose two sides are read, unless all are asked for.
const LOOKED_AT: usize = 25;
/// After this time the reading of another deal is not begun, however many were asked for.
const LONGEST: SignedDuration = SignedDuration::from_secs(30);
/// Deals that the answer names with what would be written.
const SHOWN: usize = 200;

/// How it is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks {
    /// At every deal that time allows.
    pub(crate) all: bool,
    /// With the values that would be written. A map may name any column of the CRM: a caller that may only look gets
    /// names and counts.
    pub(crate) values: bool,
    pub(crate) ends: Timestamp,
}

struct Deal {
    referral: ReferralId,
    name: Option<String>,
}

/// Adds both to the report. Reads every link, and both sides of the deals with a unit that is read by another rule;
/// with `all` both sides of the other deals too.
pub(crate) async fn tell(
    report: &mut Report,
    worker: &Arc<App>,
    map: Map,
    Looks { all, values, ends }: Looks,
) -> Result<(), Failure> {
    let (units, mut deals, others) = linked(worker, &map, ends).await?;
    for (unit, count) in &units {
        let text = format!("`{unit}` of {count} linked deals is read otherwise and will be compared anew");
        report.warn(
            text,
            "equal agrees, an empty side is filled, of two values the owner's stands and the other is told",
        );
    }
    let most = if all { usize::MAX } else { LOOKED_AT };
    if all {
        deals.extend(others);
    }
    if deals.is_empty() {
        return Ok(());
    }
    // A deal that is begun is read to its end: the last one begins early enough for that.
    let begins_until = (ends - preview::ONE).min(worker.outside.clock.now() + LONGEST);
    let (present, dry) = (Dry::new(Arc::clone(worker)), Dry::new(Arc::new(worker.with_map(Arc::new(map)))));
    let mut writes = BTreeMap::<String, u32>::new();
    let (mut looked, mut told) = (0, vec![]);
    for deal in deals.iter().take(most).take_while(|_| worker.outside.clock.now() < begins_until) {
        looked += 1;
        let new = difference(&present, &dry, &deal.referral, ends).await?;
        for write in &new {
            *writes.entry(write.of.clone()).or_default() += 1;
        }
        if !new.is_empty() && told.len() < SHOWN {
            told.push(shown(deal, &new, values));
        }
    }
    for (what, count) in &writes {
        report.good(format!("of {looked} looked at, {count} would be written: {what}"));
    }
    if writes.is_empty() {
        report.good(format!("of {looked} looked at, nothing would be written"));
    }
    report.data = json!({
        "compared_anew": units, "looked_at": looked, "of": deals.len(), "would_write": writes, "deals": told,
    });
    Ok(())
}

/// In how many deals each unit is read by another rule; these deals, and all other linked deals.
async fn linked(
    worker: &App,
    map: &Map,
    ends: Timestamp,
) -> Result<(BTreeMap<String, u32>, Vec<Deal>, Vec<Deal>), Failure> {
    let (mut units, mut otherwise, mut others) = (BTreeMap::<String, u32>::new(), vec![], vec![]);
    let mut cursor = None;
    loop {
        let (rows, next) = worker.outside.links.page(cursor.as_deref()).await?;
        for row in rows {
            let Item::Link(link) = row.item else { continue };
            if link.state != State::Linked {
                continue;
            }
            let kind = link.record.as_ref().map_or(RecordKind::Opportunity, |record| record.kind);
            let names: Vec<String> =
                link.read_otherwise(map.of(kind)).map(|unit| unit.name.clone()).collect();
            let deals = if names.is_empty() { &mut others } else { &mut otherwise };
            deals.push(deal(&link));
            for name in names {
                *units.entry(name).or_default() += 1;
            }
        }
        cursor = next;
        if cursor.is_none() || worker.outside.clock.now() >= ends {
            return Ok((units, otherwise, others));
        }
    }
}

fn deal(link: &Link) -> Deal {
    let name = link.partner_center.images.get("name").or_else(|| link.crm.images.get("name"));
    Deal { referral: link.referral.clone(), name: name.and_then(Value::text).map(str::to_owned) }
}

/// What the new map would write in a deal, without what the present map would write as well.
async fn difference(
    present: &Dry,
    new: &Dry,
    referral: &ReferralId,
    ends: Timestamp,
) -> Result<Vec<Write>, Failure> {
    let mut writes = preview::writes(new, One::Referral(referral.clone()), ends).await?;
    if !writes.is_empty() {
        let due = preview::writes(present, One::Referral(referral.clone()), ends).await?;
        writes.retain(|write| !due.iter().any(|due| due.of == write.of && due.data == write.data));
    }
    Ok(writes)
}

fn shown(deal: &Deal, writes: &[Write], values: bool) -> Json {
    let one = |write: &Write| match values {
        true => json!({ "what": write.words, "data": write.data }),
        false => json!({ "what": write.of }),
    };
    let writes: Vec<Json> = writes.iter().map(one).collect();
    json!({ "referral": deal.referral, "name": deal.name, "writes": writes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_values_a_write_is_its_columns_and_nothing_else() {
        let deal =
            Deal { referral: ReferralId::parse("5da33122-1f0c-4b57-9d3a-6f2f3c1b7a10").unwrap(), name: None };
        let data = json!({ "salary": "hush" });
        let write = Write { words: "CRM: `7` gets \"hush\"".into(), of: "CRM: salary".into(), data };
        let told = |values| shown(&deal, std::slice::from_ref(&write), values).to_string();
        assert!(told(true).contains("hush"));
        assert!(told(false).contains("CRM: salary") && !told(false).contains("hush"));
    }
}
