//! Takes from a plan what the state of the deal forbids.

use super::plan::{Plan, SideFields, Unfit};
use crate::{
    planted::{self, Bug},
    state::{deal, image::is_image, link::Link, parked::Parked},
};
use mapping::{Fields, Map, Side, Value, names::STATUS};
use std::collections::BTreeSet;

/// A parked unit keeps a deal open until it has failed this many times.
const TRIES: u32 = 2;

/// Takes from the plan what the state of the deal forbids: edits before acceptance wait; on a closed side both values
/// stay as they are and become the images.
pub(super) fn hold_back(map: &Map, link: &Link, shown: SideFields<'_>, plan: &mut Plan) {
    fn status<'a>(fields: Option<&'a Fields>, base: Option<&'a Value>) -> &'a Value {
        fields.and_then(|f| f.get(STATUS)).or(base).unwrap_or(&Value::Null)
    }
    let pc = status(shown.partner_center, link.partner_center.images.get(STATUS));
    let crm = status(shown.crm, link.crm.images.get(STATUS));
    let take_as_it_is = |plan: &mut Plan, unit: &str, words: &str| {
        let of = |fields: Option<&Fields>, base: Option<&Value>| {
            fields.and_then(|f| f.get(unit)).or(base).cloned().unwrap_or(Value::Null)
        };
        let p = of(shown.partner_center, link.partner_center.images.get(unit));
        let c = of(shown.crm, link.crm.images.get(unit));
        let is = |value: &Value, base: Option<&Value>| base.is_some_and(|base| is_image(value, base));
        let known = is(&p, link.partner_center.images.get(unit)) && is(&c, link.crm.images.get(unit));
        if !known {
            // Reported once: from then on both values are images.
            plan.refused.insert(unit.to_owned(), format!("`{unit}`: {words}"));
        }
        plan.agree.insert(unit.to_owned(), (p, c));
        plan.conflicts.remove(unit);
    };
    if deal::is_terminal(pc) {
        let outbound = |(_, unfit): &(&String, &Unfit)| unfit.target == Side::PartnerCenter;
        let unfit: Vec<_> = plan.unfit.iter().filter(outbound).map(|(unit, _)| unit.clone()).collect();
        let unsent = std::mem::take(&mut plan.to_partner_center).into_keys().chain(unfit);
        for unit in unsent.collect::<Vec<_>>() {
            plan.unfit.remove(&unit);
            take_as_it_is(plan, &unit, "not sent, the referral is closed");
        }
    }
    if deal::is_closed_record(map, crm) {
        let inbound = |(_, unfit): &(&String, &Unfit)| unfit.target == Side::Crm;
        let unfit: Vec<_> = plan.unfit.iter().filter(inbound).map(|(unit, _)| unit.clone()).collect();
        let unwritten = std::mem::take(&mut plan.to_crm).into_keys().chain(unfit);
        for unit in unwritten.collect::<Vec<_>>() {
            plan.unfit.remove(&unit);
            take_as_it_is(plan, &unit, "not written, the record is closed");
        }
    }
    // A terminal move waits for parked units, since nothing can be sent after it, but only until their second try has
    // failed. A unit that cannot be converted for the other side is not waited for: waiting does not help. A referral
    // that was never accepted takes no edits anyway.
    let waits = |(unit, parked): (&String, &Parked)| {
        unit != STATUS && !plan.unfit.contains_key(unit) && parked.attempts < TRIES
    };
    let parked = link.parked.iter().any(waits);
    let ends = plan.to_partner_center.get(STATUS).is_some_and(|c| deal::is_terminal(&c.value));
    let ends = ends && !deal::is_new(pc) || plan.action.is_some();
    if ends && parked && !planted::is(Bug::TerminalMoveNotWaiting) {
        plan.to_partner_center.remove(STATUS);
        plan.action = None;
        plan.conflicts.remove(STATUS);
        plan.waiting.insert(STATUS.to_owned());
    } else if ends && !parked && !link.parked.contains_key(STATUS) {
        // Reported now: once the deal is closed, the Audit field can no longer be written.
        let left: BTreeSet<&String> = plan.unfit.keys().chain(link.parked.keys()).collect();
        let left = left.into_iter().filter(|unit| map.unit(unit).is_some_and(|unit| unit.name != STATUS));
        for unit in left.cloned().collect::<Vec<_>>() {
            plan.refused.insert(unit.clone(), format!("`{unit}`: the deal is closed without it"));
        }
    }
    await_acceptance(map, pc, plan);
}

/// Edits of a referral that is not accepted wait, unless a move of its status is sent with them.
pub(crate) fn await_acceptance(map: &Map, status: &Value, plan: &mut Plan) {
    if !deal::is_new(status)
        || planted::is(Bug::EditsBeforeAcceptance)
        || plan.to_partner_center.contains_key(STATUS)
    {
        return;
    }
    let only_while_empty = |name: &str| map.unit(name).is_some_and(|u| u.only_while_empty);
    let waiting: Vec<_> = plan.to_partner_center.keys().filter(|n| !only_while_empty(n)).cloned().collect();
    for unit in waiting {
        plan.to_partner_center.remove(&unit);
        plan.conflicts.remove(&unit);
        plan.waiting.insert(unit);
    }
}
