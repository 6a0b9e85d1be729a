//! Picks the next request of a link.

use super::sides::Sides;
use crate::{
    merge::{Plan, UnitChange, await_acceptance, portion::portion},
    planted::{self, Bug},
    ports::{Crm, Ports},
    rows::work::{AUDIT_LENGTH, WHOLE, Work},
    state::deal,
};
use mapping::{Mark, Side, Value, names::STATUS};
use std::collections::{BTreeMap, BTreeSet};

/// One request that writes to one side.
pub(super) struct Write {
    pub(super) side: Side,
    pub(super) units: BTreeSet<String>,
    pub(super) changes: BTreeMap<String, UnitChange>,
    pub(super) what: What,
}

impl Write {
    fn new(side: Side, changes: BTreeMap<String, UnitChange>, what: What) -> Self {
        Write { side, units: changes.keys().cloned().collect(), changes, what }
    }

    pub(super) fn is_action(&self) -> bool {
        matches!(self.what, What::Act(_))
    }

    /// The names of its units, for messages.
    pub(super) fn name(&self) -> String {
        self.units.iter().cloned().collect::<Vec<_>>().join(", ")
    }
}

pub(super) enum What {
    Patch { audit: Option<String>, mark: Mark, name: Option<String> },
    Act(mapping::Action),
}

/// Picks the next request: the CRM's values, then Partner Center's, then the CRM's closing action, then the Audit field
/// alone. What has to wait is taken out of the plan first.
pub(super) fn next_write<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan, sides: &Sides) -> Option<Write> {
    let crm = sides.crm.as_ref();
    hold_back(work, plan, sides);
    let closed = crm
        .and_then(|r| r.fields.get(STATUS))
        .or(work.link.crm.images.get(STATUS))
        .is_some_and(|status| deal::is_closed_record(work.map(), status));
    note_conflicts(work, plan);
    let audit = if closed { None } else { work.link.journal.to_show(AUDIT_LENGTH) };
    let mark = if work.link.parked.is_empty() { Mark::Ok } else { Mark::Failed };
    let name = crm.and_then(|r| work.map().shown_name(&r.shown.record).map(str::to_owned));
    if !plan.to_crm.is_empty() {
        let changes = std::mem::take(&mut plan.to_crm);
        return Some(Write::new(Side::Crm, changes, What::Patch { audit, mark, name }));
    }
    if !plan.to_partner_center.is_empty() {
        let changes = std::mem::take(&mut plan.to_partner_center);
        let what = What::Patch { audit: None, mark, name: None };
        return Some(Write::new(Side::PartnerCenter, changes, what));
    }
    if let Some(change) = plan.action.take() {
        // After the action nothing could be written: the Audit field is written first.
        if audit.is_none()
            && let Some(action) = deal::closing_action(work.map(), &change.value)
        {
            let changes = BTreeMap::from([(STATUS.to_owned(), change)]);
            return Some(Write::new(Side::Crm, changes, What::Act(action)));
        }
    }
    audit.map(|text| {
        let what = What::Patch { audit: Some(text), mark, name };
        Write::new(Side::Crm, BTreeMap::new(), what)
    })
}

/// Takes out of a plan what has to wait: rows of a list beyond what one write takes, what is parked with the same
/// inputs, edits before acceptance, and, in a stack that writes nothing, everything that goes to Partner Center.
fn hold_back<P: Ports>(work: &Work<'_, P>, plan: &mut Plan, sides: &Sides) {
    take_portions(work, plan, sides);
    if planted::is(Bug::ParkedStopsAll) && !work.link.parked.is_empty() {
        plan.to_crm.clear();
        plan.to_partner_center.clear();
    }
    leave_parked(work, &mut plan.to_crm, &mut plan.waiting);
    leave_parked(work, &mut plan.to_partner_center, &mut plan.waiting);
    // If a move of the status has to wait, the edits that were to be sent with it wait too.
    let shown = sides.partner_center.as_ref().and_then(|read| read.fields.get(STATUS));
    if let Some(status) = shown.or(work.link.partner_center.images.get(STATUS))
        && !planted::is(Bug::StatusLeftBehind)
    {
        await_acceptance(work.map(), status, plan);
    }
    if !work.run.settings.writes && !plan.to_partner_center.is_empty() {
        let units: Vec<String> = std::mem::take(&mut plan.to_partner_center).into_keys().collect();
        let reason =
            format!("not sent, since this stack writes nothing to Partner Center: {}", units.join(", "));
        tracing::info!(referral.id = %work.link.referral, decision = "would send", reason);
        plan.waiting.extend(units);
    }
}

/// Takes out what is parked with the same inputs: single units, and the rest where the whole link is parked.
fn leave_parked<P: Ports>(
    work: &Work<'_, P>,
    changes: &mut BTreeMap<String, UnitChange>,
    waiting: &mut BTreeSet<String>,
) {
    let now = work.run.now();
    let held: Vec<String> = changes
        .iter()
        .filter(|(unit, change)| {
            let print = || work.fingerprint(&BTreeMap::from([(unit.as_str(), &change.value)]));
            work.link.parked.get(*unit).is_some_and(|p| p.holds(&print(), now))
        })
        .map(|(unit, _)| unit.clone())
        .collect();
    for unit in held {
        changes.remove(&unit);
        waiting.insert(unit);
    }
    let rest: BTreeMap<&str, &Value> = changes.iter().map(|(unit, c)| (unit.as_str(), &c.value)).collect();
    if work.link.parked.get(WHOLE).is_some_and(|parked| parked.holds(&work.fingerprint(&rest), now)) {
        waiting.extend(std::mem::take(changes).into_keys());
    }
}

/// Cuts each list to what one write takes. The fingerprint of a parked unit depends on what would be sent, so this
/// comes first.
fn take_portions<P: Ports>(work: &Work<'_, P>, plan: &mut Plan, sides: &Sides) {
    let most = work.run.ports.crm().rows_at_once();
    let shown = sides.crm.as_ref().map(|read| &read.fields);
    for (unit, change) in &mut plan.to_crm {
        let Some(shown) = shown.and_then(|fields| fields.get(unit)) else { continue };
        if work.map().unit(unit).is_some_and(|unit| unit.list) {
            let (value, later) = portion(&change.value, shown, most);
            change.value = value;
            change.pending.extend(later);
        }
    }
}

/// Notes the losers of the conflicts on the side that is written next: the CRM's values first, then Partner Center's.
fn note_conflicts<P: Ports>(work: &mut Work<'_, P>, plan: &Plan) {
    for (unit, long) in &plan.kept {
        let long = serde_json::json!(long);
        work.note(
            "kept",
            format!("`{unit}`: a seller changed the shortened text; the long one was {long}"),
            false,
        );
    }
    let next = if plan.to_crm.is_empty() { &plan.to_partner_center } else { &plan.to_crm };
    for (unit, conflict) in &plan.conflicts {
        if next.contains_key(unit) || (next.is_empty() && plan.action.is_some() && unit == STATUS) {
            let winner = if conflict.winner == Side::Crm { "the CRM" } else { "Partner Center" };
            let loser = serde_json::json!(conflict.loser);
            work.note(
                "conflict",
                format!("`{unit}` changed on both sides: {winner}'s stands, instead of {loser}"),
                true,
            );
        }
    }
}
