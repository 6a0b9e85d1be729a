//! The base with which an opportunity takes its lead's place: a seller's edits of the lead still count as edits.

use crate::{
    planted::{self, Bug},
    ports::{Ports, Seen},
    rows::{aliases::links_back, work::Work},
    state::{
        deal,
        image::{image, is_digest},
        memory::Memory,
        table::{Change, Expect, Key},
    },
};
use mapping::{
    Direction, Fields, Map, Referral, Side, Value,
    names::{STATUS, VALUE},
};
use std::collections::BTreeMap;

/// What the seller changed in the lead; the opportunity is filled in with it too. A unit without a base counts as
/// changed: the opportunity's merge decides on it and reports the loser.
pub(super) fn edited<P: Ports>(work: &Work<'_, P>, lead: &Seen) -> Fields {
    let (agreed, map) = (&work.link.crm.images, work.run.map);
    let is_edit = |unit: &String, value: &Value| {
        let is_edit = agreed.get(unit).is_none_or(|before| *before != image(value));
        goes_both_ways(map, unit) && !is_empty(value) && is_edit
    };
    work.map()
        .kept_record_fields(&lead.record)
        .into_iter()
        .filter(|(unit, value)| is_edit(unit, value))
        .collect()
}

/// The values that differ from what was agreed with the lead and that the opportunity is filled in with: they become
/// its base, if the answer is lost.
pub(super) fn filling<P: Ports>(
    work: &Work<'_, P>,
    referral: &Referral,
    edits: &Fields,
) -> BTreeMap<String, (Value, Value)> {
    let (map, agreed) = (work.run.map, &work.link.partner_center.images);
    let told = map.referral_fields(referral).into_iter();
    told.filter(|(unit, value)| {
        let moved = agreed.get(unit).is_some_and(|agreed| *agreed != image(value));
        moved && goes_both_ways(map, unit) && !edits.contains_key(unit)
    })
    .filter_map(|(unit, value)| {
        let shows = map.to_crm(&unit, &value).ok()?;
        Some((unit, (image(&value), image(&shows))))
    })
    .collect()
}

/// Whether users on both sides may edit the unit; the status is left out.
fn goes_both_ways(map: &Map, unit: &str) -> bool {
    unit != STATUS && map.unit(unit).is_some_and(|u| u.direction == Direction::Both && !u.list)
}

/// Moves the link to the opportunity, with the base it would have had from the beginning: a seller's edits of the lead
/// still count as edits. A unit that only ever comes from Partner Center has no base.
pub(super) fn move_to<P: Ports>(work: &mut Work<'_, P>, referral: &Referral, lead: &Seen, deal: &Seen) {
    let (of_leads, map) = (work.map(), work.run.map);
    let (was, is) = (of_leads.kept_record_fields(&lead.record), map.kept_record_fields(&deal.record));
    let link = &mut work.link;
    let (before, crm) =
        (std::mem::take(&mut link.partner_center.images), std::mem::take(&mut link.crm.images));
    let (shortened, filling) = (std::mem::take(&mut link.shortened), std::mem::take(&mut link.filling));
    let told = map.referral_fields(referral);
    for (unit, agreed) in before.iter().filter(|(unit, _)| *unit != STATUS) {
        let Some(rule) = map.unit(unit).filter(|u| !u.list && !u.only_while_empty) else { continue };
        let (Some(shown), Some(based)) = (is.get(unit), crm.get(unit)) else { continue };
        if let Some(same) = told.get(unit).filter(|told| map.equal(unit, told, shown)) {
            // The value that we filled in is no edit of the seller's.
            link.agree(unit, same, shown);
        } else if let Some((agreed, filled)) = filling.get(unit) {
            link.partner_center.images.insert(unit.clone(), agreed.clone());
            link.crm.images.insert(unit.clone(), filled.clone());
        } else if was.get(unit) == Some(shown) {
            let base = if planted::is(Bug::LeadEditsSwallowed) { image(shown) } else { based.clone() };
            link.partner_center.images.insert(unit.clone(), agreed.clone());
            link.crm.images.insert(unit.clone(), base);
            link.shortened.extend(shortened.get(unit).cloned());
        } else if rule.direction == Direction::Both && !is_empty(shown) && !is_digest(agreed) {
            // The seller has edited the opportunity since.
            if let Ok(would_show) = map.to_crm(unit, agreed) {
                link.agree(unit, agreed, &would_show);
            }
        }
    }
    // What the lead could not or must not hand on has an empty base, so that Partner Center's value is written.
    for unit in map.units().filter(|u| u.direction == Direction::Both && !u.only_while_empty) {
        let empty =
            |shown: &&Value| is_empty(shown) || unit.name == VALUE && shown.member("deal_value").is_null();
        let handed_on = of_leads.unit(&unit.name).is_some() && was.get(&unit.name).is_none_or(is_empty);
        if let Some(shown) = is.get(&unit.name).filter(empty).filter(|_| !handed_on) {
            link.agree(&unit.name, &Value::Null, shown);
        }
    }
    // A default of the map, where Partner Center has nothing, is no edit of the seller's.
    let defaults = map.new_record(referral).map(|new| new.defaults).unwrap_or_default();
    let mut stands = vec![];
    for (unit, value) in defaults.iter().filter(|(unit, value)| is.get(*unit) == Some(value)) {
        if told.get(unit).is_none_or(is_empty) {
            link.agree(unit, &Value::Null, value);
            stands.extend(deal::by_default(map, unit, value));
        }
    }
    // If the referral is closed by now, its status at the time of qualifying is not known. Without a base, the merge
    // reports the opportunity's status before it is overwritten.
    let status = map.referral_field(STATUS, referral).or(before.get(STATUS).cloned());
    if let Some(now) = status.filter(|now| !deal::is_terminal(now))
        && let Ok(would_show) = map.to_crm(STATUS, &now)
    {
        link.agree(STATUS, &now, &would_show);
    }
    // Rules of leads and opportunities have the same names: these values were read by the opportunity's rules.
    link.is_read_by(map, of_leads);
    link.partner_center.settled = None;
    // The opportunity is another row: the versions of the lead say nothing about it.
    link.crm = Memory { images: std::mem::take(&mut link.crm.images), ..Memory::default() };
    link.lead = link.record.replace(deal.record.id.clone());
    link.claim = None;
    work.heal(STATUS);
    work.link.parked.retain(|_, parked| parked.side != Some(Side::Crm));
    work.besides.extend(links_back(&work.link, &deal.record.id));
    work.besides.push(Change::delete(Key::intent(&deal.record.id), Expect::Absent));
    work.note("qualified", "the lead became this opportunity", true);
    for words in stands {
        work.note("chosen", words, true);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(members) => members.values().all(Value::is_null),
        value => value.is_null(),
    }
}
