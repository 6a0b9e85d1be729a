//! What a link learns from the answer to a write.

use super::{
    read_referral::{referral_fields, renamed},
    send::Answer,
    sides::{Read, Sides},
    write::{What, Write},
};
use crate::{
    merge::UnitChange,
    planted::{self, Bug},
    ports::Ports,
    rows::work::{AUDIT_LENGTH, WHOLE, Work},
    state::{
        image::{image, is_image},
        version::Version,
    },
};
use mapping::{Direction, Fields, Side, Value, names::STATUS, reads_alike};
use std::collections::{BTreeMap, BTreeSet};

/// Takes images and version from the answer. Any other unit that the answer shows changed was edited by a user: it
/// still differs from its image, and the next pass of the loop merges it.
pub(super) fn done<P: Ports>(
    work: &mut Work<'_, P>,
    write: &Write,
    base: Version,
    answer: Answer,
    sides: &mut Sides,
) {
    let now = work.run.now();
    let before = sides.fields(write.side);
    let (fields, version) = take_answer(work, answer, sides);
    if planted::is(Bug::AnswerSwallowsEdits) {
        let images = fields.iter().map(|(unit, value)| (unit.clone(), image(value)));
        work.link.side_mut(write.side).images.extend(images);
    }
    for (unit, change) in &write.changes {
        let shown = fields
            .get(unit)
            .map_or_else(|| change.value.clone(), |shown| written(shown, &change.value, unit, work.map()));
        // A side that was not read stands at its settled version, so its value is its image.
        let stays = match (before.get(unit), work.link.side(write.side).images.get(unit)) {
            (Some(before), _) => *before == shown,
            (None, Some(image)) => is_image(&shown, image),
            (None, None) => false,
        };
        if stored_otherwise(work, write.side, unit, change, &shown, stays) {
            continue;
        }
        agree(work, write.side, unit, change, &shown);
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

/// Takes the answer as a read of its side; returns what it shows, and the version.
fn take_answer<P: Ports>(work: &Work<'_, P>, answer: Answer, sides: &mut Sides) -> (Fields, Option<Version>) {
    match answer {
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
            // The answer may show only the record's own columns: its lists stay as they were read before.
            let before = sides.crm.take().filter(|_| !planted::is(Bug::AnswerHidesLists));
            let mut known = before.map(|read| read.fields).unwrap_or_default();
            known.extend(fields.clone());
            sides.crm = Some(Read { fields: known, version: seen.version.clone(), shown: seen.clone() });
            (fields, Some(seen.version))
        }
        // The answer does not show the state: nothing is settled, and the version that was overwritten is known to be
        // old.
        Answer::Referral(_) => {
            sides.partner_center = None;
            (Fields::new(), None)
        }
        Answer::Record(None) => {
            sides.crm = None;
            (Fields::new(), None)
        }
    }
}

/// Both sides agree on a unit that was written; for a list, on all elements but those that still have to go in the
/// other direction.
fn agree<P: Ports>(work: &mut Work<'_, P>, side: Side, unit: &str, change: &UnitChange, shown: &Value) {
    let before = |side: Side| work.link.side(side).images.get(unit).cloned();
    let (pc_before, crm_before) = (before(Side::PartnerCenter), before(Side::Crm));
    let (pc_now, crm_now) = match side {
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
}

/// Whether a value goes back because the target did not take it. A value that the target stored differently is reported
/// to the seller; a different form (blanks, case) does not count. If the target took nothing of it (`stays`: it shows
/// what it showed before, as revenue does that the CRM computes from products) and owns the unit, its value goes back
/// once, as if it had been changed there.
fn stored_otherwise<P: Ports>(
    work: &mut Work<'_, P>,
    side: Side,
    unit: &str,
    change: &UnitChange,
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

/// Whether a person would read both values as the same.
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

/// The target's new image: what the answer shows; for a list only the elements that were written. Users added the
/// others meanwhile (a child row has no part in the record's version), and the next pass merges them.
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

/// The list, with its pending elements as they were when both sides agreed.
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
