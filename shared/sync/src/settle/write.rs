//! Picking and sending the next request of a link.

use super::read::Sides;
use crate::{
    deal,
    failure::{Refused, Written},
    merge::{Change, Plan, await_acceptance},
    planted::{self, Bug},
    portion::portion,
    ports::{Crm, Ports, Referrals, Seen},
    version::Version,
    work::{AUDIT_LENGTH, WHOLE, Work},
};
use mapping::{Fields, Mark, RecordId, Referral, Refusal, Side, Trim, Value, names::STATUS};
use std::collections::{BTreeMap, BTreeSet};

/// One outside request.
pub(super) struct Write {
    pub(super) side: Side,
    pub(super) units: BTreeSet<String>,
    pub(super) changes: BTreeMap<String, Change>,
    pub(super) what: What,
}

pub(super) enum What {
    Patch { audit: Option<String>, mark: Mark, name: Option<String> },
    Act(mapping::Action),
}

/// Picks the next request: the CRM's values, then Partner Center's, then the CRM's closing action, then the Audit
/// field alone. What is parked with the same inputs stays out.
pub(super) fn next_write<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan, sides: &Sides) -> Option<Write> {
    let crm = sides.crm.as_ref();
    let whole = work.link.parked.contains_key(WHOLE);
    take_portions(work, plan, sides);
    if planted::is(Bug::ParkedStopsAll) && !work.link.parked.is_empty() {
        plan.to_crm.clear();
        plan.to_partner_center.clear();
    }
    for changes in [&mut plan.to_crm, &mut plan.to_partner_center] {
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
            plan.waiting.insert(unit);
        }
        let rest: BTreeMap<&str, &Value> =
            changes.iter().map(|(unit, c)| (unit.as_str(), &c.value)).collect();
        if whole && work.link.parked[WHOLE].holds(&work.fingerprint(&rest), now) {
            plan.waiting.extend(std::mem::take(changes).into_keys());
        }
    }
    // A status that stays back keeps back what would have gone with it.
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
    let units = |changes: &BTreeMap<String, Change>| changes.keys().cloned().collect();
    let closed = crm
        .as_ref()
        .and_then(|r| r.fields.get(STATUS))
        .or(work.link.crm.images.get(STATUS))
        .is_some_and(|status| deal::is_closed_record(work.map(), status));
    note_conflicts(work, plan);
    let audit = if closed { None } else { work.link.journal.to_show(AUDIT_LENGTH) };
    let mark = if work.link.parked.is_empty() { Mark::Ok } else { Mark::Failed };
    let name = crm.as_ref().and_then(|r| work.map().shown_name(&r.shown.record).map(str::to_owned));
    if !plan.to_crm.is_empty() {
        let changes = std::mem::take(&mut plan.to_crm);
        return Some(Write {
            side: Side::Crm,
            units: units(&changes),
            changes,
            what: What::Patch { audit, mark, name },
        });
    }
    if !plan.to_partner_center.is_empty() {
        let changes = std::mem::take(&mut plan.to_partner_center);
        let what = What::Patch { audit: None, mark, name: None };
        return Some(Write { side: Side::PartnerCenter, units: units(&changes), changes, what });
    }
    if let Some(change) = plan.action.take() {
        // Nothing could be written afterwards: the Audit field first.
        if audit.is_none()
            && let Some(action) = deal::closing_action(work.map(), &change.value)
        {
            let changes = BTreeMap::from([(STATUS.to_owned(), change)]);
            return Some(Write { side: Side::Crm, units: units(&changes), changes, what: What::Act(action) });
        }
    }
    audit.map(|text| Write {
        side: Side::Crm,
        units: BTreeSet::new(),
        changes: BTreeMap::new(),
        what: What::Patch { audit: Some(text), mark, name },
    })
}

/// Of lists only what one write takes goes now. What is parked is told again by what would go, so this comes first.
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

/// The losers' words of the side that is written next: the CRM's values first, then Partner Center's.
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

/// What the answer of a write shows, whichever side it went to.
pub(super) enum Answer {
    Referral(Option<Referral>),
    Record(Option<Seen>),
}

impl Write {
    pub(super) fn is_action(&self) -> bool {
        matches!(self.what, What::Act(_))
    }

    /// Its units, for messages.
    pub(super) fn name(&self) -> String {
        self.units.iter().cloned().collect::<Vec<_>>().join(", ")
    }

    /// What the request is conditional on.
    fn condition(&self, base: &Version) -> Version {
        let token = match self.side {
            Side::Crm if planted::is(Bug::UpdateMayCreate) => "",
            Side::Crm if planted::is(Bug::Unconditional) => "*",
            _ => &base.token,
        };
        Version { token: token.to_owned(), ..base.clone() }
    }

    /// An answer that shows nothing.
    pub(super) fn unseen(&self) -> Answer {
        match self.side {
            Side::PartnerCenter => Answer::Referral(None),
            Side::Crm => Answer::Record(None),
        }
    }

    /// The one request.
    pub(super) async fn send<P: Ports>(
        &self,
        work: &Work<'_, P>,
        base: &Version,
        sides: &Sides,
        record: &RecordId,
    ) -> Written<Answer> {
        let run = &work.run;
        let base = &self.condition(base);
        let values: Fields = self.changes.iter().map(|(unit, c)| (unit.clone(), c.value.clone())).collect();
        let unfit =
            |refusal: Refusal| Written::Refused(Refused { field: Some(refusal.unit), text: refusal.text });
        match (self.side, &self.what) {
            (Side::PartnerCenter, _) => {
                let current = sides.partner_center.as_ref().map(|read| &read.shown);
                let current = current.filter(|_| {
                    self.name() != "external_reference" || !planted::is(Bug::ForeignReferenceReplaced)
                });
                match work.map().referral_patch(current, &values) {
                    Ok(mut operations) => {
                        if planted::is(Bug::ListSentBare) {
                            operations = planted::bare(operations);
                        }
                        let referral = &work.link.referral;
                        let patched = run.ports.referrals().patch(referral, &base.token, &operations).await;
                        patched.map(Answer::Referral)
                    }
                    Err(refusal) => unfit(refusal),
                }
            }
            (Side::Crm, What::Act(action)) => run.ports.crm().act(record, action).await.map(Answer::Record),
            (Side::Crm, What::Patch { audit, mark, name }) => {
                let present = sides.crm.as_ref().map(|read| read.fields.clone()).unwrap_or_default();
                let trim = Trim { mark: Some(*mark), name: name.clone(), audit: audit.clone(), present };
                match work.map().record_patch(&values, &trim) {
                    Ok(patch) => run.ports.crm().patch(record, base, &patch).await.map(Answer::Record),
                    Err(refusal) => unfit(refusal),
                }
            }
        }
    }
}
