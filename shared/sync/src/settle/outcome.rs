//! What becomes of a link where a plan needs no write, where a write was refused, and where nothing is left to do.

use super::{
    sides::{Read, Sides},
    write::Write,
};
use crate::{
    merge::{Plan, Unfit},
    planted::{self, Bug},
    ports::Ports,
    rows::work::{AUDIT_LENGTH, WHOLE, Work},
    state::{failure::Refused, link::State, parked::Parked},
};
use mapping::{
    Fields, Referral, Side, Value,
    names::{HELP, STATUS},
};
use std::collections::BTreeMap;

/// The unit that holds the customer's people.
const CONTACTS: &str = "contacts";

/// A contact that was shared with Microsoft can no longer be changed in Partner Center: its change is refused, nothing
/// waits.
pub(super) fn freeze_contacts<P: Ports>(work: &Work<'_, P>, sides: &Sides, plan: &mut Plan) {
    let shared = |read: &Read<Referral>| {
        let filled = read.fields.get(CONTACTS).is_some_and(|list| !list.is_null());
        filled && read.shown.body().get("type").is_some_and(|kind| kind == "Shared")
    };
    if !work.run.map.vendor().contact_frozen_once_shared || !sides.partner_center.as_ref().is_some_and(shared)
    {
        return;
    }
    let side = |fields: Option<&Fields>| fields.and_then(|fields| fields.get(CONTACTS)).cloned();
    let shown = sides.shown();
    if plan.to_partner_center.remove(CONTACTS).is_some()
        && let (Some(p), Some(c)) = (side(shown.partner_center), side(shown.crm))
    {
        let words = "`contacts`: not sent, the contact was shared with Microsoft and stays as it is there";
        plan.refused.insert(CONTACTS.to_owned(), words.to_owned());
        plan.agree.insert(CONTACTS.to_owned(), (p, c));
        plan.conflicts.remove(CONTACTS);
    }
}

/// Takes from the plan what needs no write: units that both sides agree on, changes refused by rule, values that cannot
/// be converted.
pub(super) fn take_plan<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan) {
    for (unit, (p, c)) in &plan.agree {
        work.link.agree(unit, p, c);
        work.heal(unit);
    }
    for (unit, words) in &plan.refused {
        work.note("refused", words.clone(), true);
        tracing::debug!(unit, reason = words, "refused by rule");
    }
    for (unit, Unfit { words, value, target }) in std::mem::take(&mut plan.unfit) {
        let print = work.fingerprint(&BTreeMap::from([(unit.as_str(), &value)]));
        if !work.link.parked.get(&unit).is_some_and(|p| p.holds(&print, work.run.now())) {
            work.park(&unit, &words, print, Some(target));
        }
        plan.waiting.insert(unit);
    }
}

/// Heals parked units that are no longer planned for the side that would not take them: a user took the change back, or
/// the other side's value stands now. `true`: there were some.
pub(super) fn heal_over<P: Ports>(work: &mut Work<'_, P>, plan: &Plan, sides: &Sides) -> bool {
    if !sides.both_read() || plan.incomplete || work.link.parked.is_empty() {
        return false;
    }
    let on_its_way = |unit: &str, side: Side| match side {
        Side::Crm => plan.to_crm.contains_key(unit) || plan.action.is_some() && unit == STATUS,
        Side::PartnerCenter => plan.to_partner_center.contains_key(unit),
    };
    let unfit = |unit: &str, side| plan.unfit.get(unit).is_some_and(|unfit| unfit.target == side);
    let any = |side: Side| match side {
        Side::Crm => !plan.to_crm.is_empty(),
        Side::PartnerCenter => !plan.to_partner_center.is_empty(),
    };
    let both = [Side::Crm, Side::PartnerCenter];
    let is_over = |(unit, parked): &(&String, &Parked)| {
        let sides = both.into_iter().filter(|side| parked.side.is_none_or(|only| only == *side));
        !sides.into_iter().any(|side| match unit.as_str() {
            WHOLE => any(side),
            unit => on_its_way(unit, side) || unfit(unit, side),
        })
    };
    let over: Vec<String> = work.link.parked.iter().filter(is_over).map(|(unit, _)| unit.clone()).collect();
    for unit in &over {
        work.heal(unit);
    }
    !over.is_empty()
}

/// Parks what the vendor refused: the unit that it names, else the whole link.
pub(super) fn park_refused<P: Ports>(work: &mut Work<'_, P>, write: &Write, refused: Refused) {
    if write.changes.is_empty() {
        // The Audit field alone was refused: it only repeats the audit and is not tried again by itself. Parked units
        // stay parked.
        work.note("parked", format!("the Audit field was refused: {}", refused.text), false);
        work.link.journal.shown(AUDIT_LENGTH);
        return;
    }
    // The vendor names its column or path, our own converter names the unit.
    let field = refused.field.as_deref().unwrap_or_default();
    let named = work.map().unit_of(write.side, field).unwrap_or(field);
    let unit = match write.units.get(named) {
        Some(unit) => Some(unit.clone()),
        // If the request holds one unit, that is the refused one.
        None if write.units.len() == 1 => write.units.iter().next().cloned(),
        None => None,
    };
    let values: BTreeMap<&str, &Value> = write.changes.iter().map(|(n, c)| (n.as_str(), &c.value)).collect();
    match unit {
        Some(unit) => {
            let print = work.fingerprint(&values.into_iter().filter(|(name, _)| *name == unit).collect());
            work.park(&unit, &refused.text, print, Some(write.side));
        }
        None => {
            let print = work.fingerprint(&values);
            work.park(WHOLE, &refused.text, print, Some(write.side));
        }
    }
}

/// Nothing is left to write: settles what may be settled.
pub(super) fn finish<P: Ports>(work: &mut Work<'_, P>, sides: &Sides, plan: &Plan) {
    // A unit that was awaiting and that this row of the CRM does not show is still awaiting.
    let unseen = |unit: &String| {
        unit.as_str() != HELP && sides.crm.as_ref().is_some_and(|read| !read.fields.contains_key(unit))
    };
    let forgets = planted::is(Bug::WaitingForgotten);
    let still = work.link.awaiting.iter().filter(|unit| unseen(unit) && !forgets).cloned();
    work.link.awaiting = plan.waiting.iter().cloned().chain(still.collect::<Vec<_>>()).collect();
    let outstanding = !work.link.parked.is_empty()
        || !work.link.awaiting.is_empty()
        || plan.action.is_some()
        || plan.incomplete;
    let mut won = None;
    if let Some(read) = &sides.partner_center {
        work.link.partner_center.settled = Some(read.version.clone());
        work.link.engagement = work.link.engagement.take().or_else(|| read.shown.engagement().cloned());
        if read.shown.is_terminal() && !outstanding && work.link.state != State::Closed {
            work.link.state = State::Closed;
            won = work.map().registration_when_won(&read.shown, work.run.now());
        }
    }
    if let Some(words) = won {
        work.note("registration", words, false);
    }
    if let Some(read) = &sides.crm {
        work.link.crm.settled = Some(read.version.clone());
    }
    if outstanding && !planted::is(Bug::SettledOutstanding) {
        work.link.partner_center.settled = None;
        work.link.crm.settled = None;
    }
}
