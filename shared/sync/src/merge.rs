//! Three-way merge of each unit, as a pure function of the link's images and what the sides show. Decides which value
//! goes to which side; writes nothing.

mod hold_back;
mod lists;
mod plan;
pub(crate) mod portion;
mod status;
mod view;

use crate::{
    planted::{self, Bug},
    state::{deal, image::is_digest, link::Link},
};
pub(crate) use hold_back::await_acceptance;
use hold_back::hold_back;
use lists::lists;
use mapping::{Direction, Fields, Map, RecordKind, Side, Unit, names::STATUS};
pub use plan::{Conflict, Plan, SideFields, Unfit, UnitChange};
use status::{rise, status};
use view::View;

/// Merges every unit that is kept in step after creation.
pub fn merge(map: &Map, link: &Link, shown: SideFields<'_>) -> Plan {
    let mut plan = Plan::default();
    let lead = link.record.as_ref().is_some_and(|record| record.kind == RecordKind::Lead);
    // A lead is its own contact: it has no list, however it was read.
    for unit in kept_in_step(map).filter(|unit| !(lead && unit.list)) {
        let pc = View::new(shown.partner_center, link.partner_center.images.get(&unit.name), &unit.name);
        let crm = View::new(shown.crm, link.crm.images.get(&unit.name), &unit.name);
        let rule = match link.readings.contains_key(&unit.name) {
            _ if !link.is_new_to(unit) => Rule::Known,
            true => Rule::Changed,
            false => Rule::New,
        };
        merge_unit(map, unit, rule, [pc, crm], &mut plan);
        if link.shortened.contains(&unit.name) && plan.to_partner_center.contains_key(&unit.name) {
            match pc.value {
                Some(long) => {
                    plan.kept.insert(unit.name.clone(), long.clone());
                }
                None => plan.need = Some(Side::PartnerCenter),
            }
        }
    }
    hold_back(map, link, shown, &mut plan);
    plan
}

/// The units, quoted, whose values differ although nothing is outstanding: one side would not take the other's value,
/// or was left as it is.
pub fn differing(map: &Map, link: &Link, shown: SideFields<'_>) -> Vec<String> {
    let side = |fields: Option<&Fields>, side: Side, unit: &str| {
        fields.and_then(|fields| fields.get(unit)).or(link.side(side).images.get(unit)).cloned()
    };
    let differs = |unit: &&Unit| {
        let p = side(shown.partner_center, Side::PartnerCenter, &unit.name);
        let c = side(shown.crm, Side::Crm, &unit.name);
        let (Some(p), Some(c)) = (p, c) else { return false };
        let waits = link.parked.contains_key(&unit.name) || link.awaiting.contains(&unit.name);
        let known = !is_digest(&p) && !is_digest(&c);
        unit.direction == Direction::Both
            && !unit.list
            && !unit.rise_only
            && !waits
            && known
            && !map.equal(&unit.name, &p, &c)
    };
    kept_in_step(map).filter(differs).map(|unit| format!("`{}`", unit.name)).collect()
}

/// The units that are kept in step after creation.
pub(crate) fn kept_in_step(map: &Map) -> impl Iterator<Item = &Unit> {
    map.units().filter(|unit| unit.is_kept_in_step())
}

/// Which rule read a unit before. This decides what happens to a unit without a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The present rule: the unit had a base and lost it.
    Known,
    /// Another rule: the images are no base.
    Changed,
    /// None: the link or the rule is new.
    New,
}

fn merge_unit(map: &Map, unit: &Unit, rule: Rule, [pc, crm]: [View<'_>; 2], plan: &mut Plan) {
    if unit.rise_only {
        return rise(map, unit, pc, crm, plan);
    }
    let based = pc.base.is_some() && crm.base.is_some();
    if !based {
        return without_base(map, unit, rule, [pc, crm], plan);
    }
    match (pc.changed(), crm.changed()) {
        (false, false) => {}
        (true, false) => send(map, unit, Side::Crm, pc, crm, plan),
        (false, true) => send(map, unit, Side::PartnerCenter, pc, crm, plan),
        (true, true) => both(map, unit, pc, crm, plan),
    }
}

/// Merges a unit without a base: equal values agree, different ones are a conflict. Where the present rule has not read
/// the unit before, an empty side is filled and the other side is never cleared: no user has emptied it.
fn without_base(map: &Map, unit: &Unit, rule: Rule, [pc, crm]: [View<'_>; 2], plan: &mut Plan) {
    match (pc.value, crm.value) {
        // Linking does not accept the referral: its seller accepts it.
        (Some(p), Some(c))
            if rule == Rule::New && unit.name == STATUS && deal::is_new(p) && !map.equal(STATUS, p, c) =>
        {
            let words = "linking accepts nothing: the referral is still to be accepted";
            plan.refused.insert(STATUS.to_owned(), words.into());
            plan.agree.insert(STATUS.to_owned(), (p.clone(), c.clone()));
        }
        // Only the rule's value table has changed, no user has moved the status: the status that is further on stands.
        (Some(p), Some(c)) if rule == Rule::Changed && unit.name == STATUS && !map.equal(STATUS, p, c) => {
            let onward = map.partner_center_steps(p, c).is_ok_and(|steps| !steps.is_empty());
            status(map, if onward { Side::PartnerCenter } else { Side::Crm }, pc, crm, plan);
        }
        (Some(p), Some(c))
            if rule != Rule::Known && p.is_null() != c.is_null() && !planted::is(Bug::NewRuleClears) =>
        {
            let empty = if p.is_null() { Side::PartnerCenter } else { Side::Crm };
            send(map, unit, empty, pc, crm, plan);
        }
        (Some(_), Some(_)) => both(map, unit, pc, crm, plan),
        // A side that was read and does not show the unit says nothing about it; a side that was not read is read. A
        // feed's row of the CRM shows no lists, so it does not count as a read of them.
        (Some(_), None) if !crm.read || unit.list => plan.need = Some(Side::Crm),
        (None, Some(_)) if !pc.read => plan.need = Some(Side::PartnerCenter),
        (None, None) if !pc.read && unit.list => plan.need = Some(Side::PartnerCenter),
        _ => {}
    }
}

fn both(map: &Map, unit: &Unit, pc: View<'_>, crm: View<'_>, plan: &mut Plan) {
    let (Some(p), Some(c)) = (pc.value, crm.value) else { return };
    if map.equal(&unit.name, p, c) {
        plan.agree.insert(unit.name.clone(), (p.clone(), c.clone()));
        return;
    }
    if unit.only_while_empty {
        return send(map, unit, Side::PartnerCenter, pc, crm, plan);
    }
    if unit.list && pc.base.is_some() && crm.base.is_some() {
        // Elements are merged one by one. Only the same element changed on both sides is a conflict; then the owner's
        // stands.
        return lists(map, unit, pc, crm, plan);
    }
    let winner = match unit.direction {
        Direction::ToCrm => Side::PartnerCenter,
        Direction::ToPartnerCenter => Side::Crm,
        Direction::Both => map.owner(&unit.name, Some(p)),
    };
    let (target, loser) = match winner {
        Side::PartnerCenter => (Side::Crm, c),
        Side::Crm => (Side::PartnerCenter, p),
    };
    // An empty value of a side that never decides is no loss.
    let silent = planted::is(Bug::ConflictWithoutBase) && pc.base.is_none();
    if !silent && (unit.direction == Direction::Both || !loser.is_null()) {
        plan.conflicts.insert(unit.name.clone(), Conflict { winner, loser: loser.clone() });
    }
    send(map, unit, target, pc, crm, plan);
}

/// Plans that the source's value goes to `target`, if the unit goes in that direction at all.
fn send(map: &Map, unit: &Unit, target: Side, pc: View<'_>, crm: View<'_>, plan: &mut Plan) {
    let (source, other) = match target {
        Side::Crm => (pc, crm),
        Side::PartnerCenter => (crm, pc),
    };
    let Some(value) = source.value else { return };
    let name = &unit.name;
    let as_it_is = |plan: &mut Plan| {
        if let (Some(p), Some(c)) = (pc.present(), crm.present()) {
            plan.agree.insert(name.clone(), (p.clone(), c.clone()));
        }
    };
    let goes = match target {
        Side::Crm => unit.direction != Direction::ToPartnerCenter,
        // A unit that a PATCH does not take stays as it is.
        Side::PartnerCenter => unit.direction != Direction::ToCrm && unit.patchable,
    };
    let keeps = unit.only_while_empty && !planted::is(Bug::ForeignReferenceReplaced);
    if !goes || (keeps && other.present().is_some_and(|v| !v.is_null())) {
        return as_it_is(plan);
    }
    if target == Side::PartnerCenter && map.leaves_alone(name, value) {
        return as_it_is(plan);
    }
    if name == STATUS {
        return status(map, target, pc, crm, plan);
    }
    if unit.list {
        return lists(map, unit, pc, crm, plan);
    }
    let converted = match target {
        Side::Crm => map.to_crm(name, value),
        Side::PartnerCenter => map.to_partner_center(name, value),
    };
    match converted {
        Ok(wanted) if other.value == Some(&wanted) => as_it_is(plan),
        Ok(wanted) if target == Side::Crm && unit.required_by_crm && wanted.is_null() => {
            let words = "is needed in the CRM".to_owned();
            plan.unfit.insert(name.clone(), Unfit { target, words, value: value.clone() });
        }
        Ok(mut wanted) => {
            if planted::is(Bug::MembersApart) {
                wanted = planted::apart(wanted, value, source.base, other.value);
            }
            let change = UnitChange::new(wanted, value.clone());
            match target {
                Side::Crm => plan.to_crm.insert(name.clone(), change),
                Side::PartnerCenter => plan.to_partner_center.insert(name.clone(), change),
            };
        }
        Err(refusal) => {
            let unfit = Unfit { target, words: refusal.text, value: value.clone() };
            plan.unfit.insert(name.clone(), unfit);
        }
    }
}
