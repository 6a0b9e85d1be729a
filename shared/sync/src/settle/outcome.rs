//! What becomes of a link when a plan needs no write, when a write was answered, and when nothing is left to do.

use super::{
    read::{Read, Sides, referral_fields, renamed},
    write::{Answer, What, Write},
};
use crate::{
    failure::Refused,
    link::{State, image, is_image},
    merge::{Change, Plan, Unfit},
    parked::Parked,
    planted::{self, Bug},
    ports::Ports,
    version::Version,
    work::{AUDIT_LENGTH, WHOLE, Work},
};
use mapping::{
    Direction, Fields, Referral, Side, Value,
    names::{HELP, STATUS},
    reads_alike,
};
use std::collections::{BTreeMap, BTreeSet};

/// The unit of the customer's people.
const CONTACTS: &str = "contacts";

/// A contact that was shared with Microsoft can no longer be changed in Partner Center: nothing is sent, nothing waits.
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

/// What the images become without a write, what is refused by rule, what cannot be converted.
pub(super) fn take_plan<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan) {
    for (unit, (p, c)) in &plan.agree {
        work.link.agree(unit, p, c);
        work.heal(unit);
    }
    for (unit, words) in &plan.refused {
        work.note("refused", words.clone(), true);
        tracing::debug!(unit, words, "refused by rule");
    }
    for (unit, Unfit { words, value, target }) in std::mem::take(&mut plan.unfit) {
        let print = work.fingerprint(&BTreeMap::from([(unit.as_str(), &value)]));
        if !work.link.parked.get(&unit).is_some_and(|p| p.holds(&print, work.run.now())) {
            work.park(&unit, &words, print, Some(target));
        }
        plan.waiting.insert(unit);
    }
}

/// A parked unit that is no longer on its way to the side that would not take it is over: somebody took the change
/// back, or the other side's now stands.
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

/// Images and version from the answer. Any other unit that the answer shows changed is an edit of somebody else: it
/// stays a difference to its image, and the next pass of the loop merges it.
pub(super) fn done<P: Ports>(
    work: &mut Work<'_, P>,
    write: &Write,
    base: Version,
    answer: Answer,
    sides: &mut Sides,
) {
    let now = work.run.now();
    let before = sides.fields(write.side);
    let (fields, version) = match answer {
        Answer::Referral(Some(referral)) if referral.etag().is_some() => {
            let version = Version::of_referral(&referral);
            let referral = renamed(work, referral);
            let fields = referral_fields(work, &referral);
            sides.partner_center =
                Some(Read { fields: fields.clone(), version: version.clone(), shown: referral });
            (fields, Some(version))
        }
        Answer::Record(Some(seen)) => {
            let fields = work.map().kept_record_fields(&seen.record);
            // The answer may show the record's own columns only: lists stand as they were read before.
            let before = sides.crm.take().filter(|_| !planted::is(Bug::AnswerHidesLists));
            let mut known = before.map(|read| read.fields).unwrap_or_default();
            known.extend(fields.clone());
            sides.crm = Some(Read { fields: known, version: seen.version.clone(), shown: seen.clone() });
            (fields, Some(seen.version))
        }
        // No state in the answer: nothing is settled, and the version written over is known to be old.
        Answer::Referral(_) => {
            sides.partner_center = None;
            (Fields::new(), None)
        }
        Answer::Record(None) => {
            sides.crm = None;
            (Fields::new(), None)
        }
    };
    if planted::is(Bug::AnswerSwallowsEdits) {
        let images = fields.iter().map(|(unit, value)| (unit.clone(), image(value)));
        work.link.side_mut(write.side).images.extend(images);
    }
    for (unit, change) in &write.changes {
        let shown = fields
            .get(unit)
            .map_or_else(|| change.value.clone(), |shown| written(shown, &change.value, unit, work.map()));
        let shown = &shown;
        // A side that was not read stands at its settled version, and so shows its image.
        let stays = match (before.get(unit), work.link.side(write.side).images.get(unit)) {
            (Some(before), _) => before == shown,
            (None, Some(image)) => is_image(shown, image),
            (None, None) => false,
        };
        if stored_otherwise(work, write.side, unit, change, shown, stays) {
            continue;
        }
        let before = |side: Side| work.link.side(side).images.get(unit).cloned();
        let (pc_before, crm_before) = (before(Side::PartnerCenter), before(Side::Crm));
        let (pc_now, crm_now) = match write.side {
            Side::Crm => (&change.source, shown),
            Side::PartnerCenter => (shown, &change.source),
        };
        if change.pending.is_empty() {
            work.link.agree(unit, pc_now, crm_now);
        } else {
            let pc_now = keep_pending(pc_now, pc_before, &change.pending);
            let crm_now = keep_pending(crm_now, crm_before, &change.pending);
            work.link.agree(unit, &pc_now, &crm_now);
        }
        work.heal(unit);
    }
    if !write.changes.is_empty() {
        work.heal(WHOLE);
    }
    if let What::Patch { audit: Some(_), .. } = &write.what
        && !planted::is(Bug::AuditNotRemembered)
    {
        work.link.journal.shown(AUDIT_LENGTH);
    }
    sides.answered(write.side);
    let memory = work.link.side_mut(write.side);
    memory.settled = version.clone().filter(|_| planted::is(Bug::SeenIsSettled));
    match version {
        Some(version) => memory.saw(&version, now),
        None => memory.wrote_over(&base, now),
    }
}

/// A value that the target stored as another one: told. What it merely writes otherwise (blanks, case) is no other value.
/// One that it did not take at all (`stays`: it shows what it showed before, as revenue does that the CRM computes from
/// products) goes back, once, where it is the target's to decide: as if it had been changed since.
fn stored_otherwise<P: Ports>(
    work: &mut Work<'_, P>,
    side: Side,
    unit: &str,
    change: &Change,
    shown: &Value,
    stays: bool,
) -> bool {
    let map = work.map();
    let sent = &change.value;
    let Some(rule) = map.unit(unit).filter(|unit| !unit.list && !unit.rise_only && unit.name != STATUS)
    else {
        return false;
    };
    if map.shows(unit, side, sent, shown) || !stays && is_alike(sent, shown) {
        return false;
    }
    let name = if side == Side::Crm { "the CRM" } else { "Partner Center" };
    let (sent_words, shown_words) = (serde_json::json!(sent), serde_json::json!(shown));
    let becomes = if stays { "still shows" } else { "stored" };
    work.note("stored", format!("`{unit}`: {name} accepted {sent_words} and {becomes} {shown_words}"), true);
    if !stays || rule.owner != side || rule.direction != Direction::Both {
        return false;
    }
    match side {
        Side::Crm => work.link.agree(unit, &change.source, sent),
        Side::PartnerCenter => work.link.agree(unit, sent, &change.source),
    }
    true
}

/// Whether people would read both as the same.
fn is_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => reads_alike(one, other),
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((_, one), (_, other))| is_alike(one, other))
        }
        (one, other) => one == other,
    }
}

/// What the target's image becomes: what the answer shows; of a list only the elements that were written. Others were
/// added by somebody meanwhile (a child row has no part in the record's version) and are merged next.
fn written(shown: &Value, value: &Value, unit: &str, map: &mapping::Map) -> Value {
    match (shown, value) {
        _ if planted::is(Bug::AnswerSwallowsLists) => shown.clone(),
        (Value::Map(shown), Value::Map(wrote)) if map.unit(unit).is_some_and(|u| u.list) => {
            let element =
                |(key, own): (&String, &Value)| (key.clone(), shown.get(key).unwrap_or(own).clone());
            Value::Map(wrote.iter().map(element).collect())
        }
        _ => shown.clone(),
    }
}

/// The list with the pending elements as they were when both agreed.
fn keep_pending(now: &Value, before: Option<Value>, pending: &BTreeSet<String>) -> Value {
    let elements = |value: Option<Value>| match value {
        Some(Value::Map(elements)) => elements,
        _ => BTreeMap::new(),
    };
    let (mut now, before) = (elements(Some(now.clone())), elements(before));
    for key in pending {
        match before.get(key) {
            Some(element) => now.insert(key.clone(), element.clone()),
            None => now.remove(key),
        };
    }
    Value::Map(now)
}

/// Sets aside what the vendor refused: one unit if it names one, else the link.
pub(super) fn park_refused<P: Ports>(work: &mut Work<'_, P>, write: &Write, refused: Refused) {
    if write.changes.is_empty() {
        // The Audit field alone: it is only a rendering and is not tried for its own sake. What is parked stays parked.
        work.note("parked", format!("the Audit field was refused: {}", refused.text), false);
        work.link.journal.shown(AUDIT_LENGTH);
        return;
    }
    // The vendor names its column or path, our own converter the unit.
    let field = refused.field.as_deref().unwrap_or_default();
    let named = work.map().unit_of(write.side, field).unwrap_or(field);
    let unit = match write.units.get(named) {
        Some(unit) => Some(unit.clone()),
        // One unit alone in the request is named by that.
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

/// Nothing is left to write: what may be settled is settled.
pub(super) fn finish<P: Ports>(work: &mut Work<'_, P>, sides: &Sides, plan: &Plan) {
    // What waited before and is not seen now still waits.
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
