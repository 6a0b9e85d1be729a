//! The one story of a link: read, merge, claim, write, save. Every caller (webhook, sweep, poll, retry) only says
//! where to look.

use crate::{
    deal,
    failure::{Failure, Refused, Written},
    hold::hold,
    identity::look_up,
    link::{Claim, LOST_RACES_AN_HOUR, State},
    merge::{self, Plan, STATUS, Shown, merge},
    ports::{Crm, Links, Ports, Referrals, Seen},
    run::{Ended, Run, Story},
    table::{Change, Expect, Item, Key, Row},
    version::{Age, Version},
    work::{AUDIT_LENGTH, Overtaken, WHOLE, Work},
};
use jiff::Timestamp;
use mapping::{Fields, Mark, Referral, ReferralId, Side, Trim, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Races lost in one run before the queue takes over.
const ROUNDS: u32 = 3;
/// Outside writes of one run: each side's values, the steps of a status, an action, the Audit field.
const WRITES: u32 = 8;

/// Where the caller says to look.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The referral changed, as somebody says.
    pub referral: bool,
    /// ... at this instant: an older read is looked at again.
    pub since: Option<Timestamp>,
    /// The record changed, as somebody says.
    pub record: bool,
    /// A row of the record that was just read (own columns only).
    pub row: Option<Seen>,
    /// The referral as it was just read.
    pub body: Option<Referral>,
}

/// One side as this run knows it.
struct Read<T> {
    shown: T,
    fields: Fields,
    version: Version,
}

/// Settles the link of a referral, starting from `row` if the caller has just read it.
pub async fn settle<P: Ports>(
    run: &Run<'_, P>,
    referral: &ReferralId,
    row: Option<Row>,
    mut look: Look,
) -> Story {
    let mut row = row;
    for _ in 0..ROUNDS {
        let current = match row.take() {
            Some(row) => Some(row),
            None => run.ports.links().read(&[Key::link(referral)]).await?.pop().flatten(),
        };
        let Some(Row { rev, item: Item::Link(link), .. }) = current else {
            return Ok(Ended::done("skipped", "the link is gone"));
        };
        match Box::pin(settle_once(Work::loaded(run, *link, rev), &mut look)).await? {
            Ok(ended) => return Ok(ended),
            Err(Overtaken) => {
                // Somebody else saved: what was read stays a reason to look, not a state to decide on.
                look.referral |= look.body.take().is_some();
                look.record |= look.row.take().is_some();
            }
        }
    }
    Ok(Ended::later(2, "others are working on this link"))
}

/// Continues with a link that was just made, in the same run.
pub(crate) async fn settle_on<P: Ports>(work: Work<'_, P>, mut look: Look) -> Story {
    let run = work.run.clone();
    let referral = work.link.referral.clone();
    // The end of an intent and the way from a sibling hold whoever saves the link.
    let own = |change: &&Change| {
        matches!(change.key.sk.as_str(), "CREATE" | "ALIAS") && change.expect != Expect::Absent
    };
    let besides: Vec<Change> = work.besides.iter().filter(own).cloned().collect();
    match Box::pin(settle_once(work, &mut look)).await? {
        Ok(ended) => Ok(ended),
        Err(Overtaken) => {
            for change in besides {
                run.ports.links().commit(vec![change]).await?;
            }
            settle(&run, &referral, None, Look { referral: true, record: true, ..Look::default() }).await
        }
    }
}

type Attempt = Result<Result<Ended, Overtaken>, Failure>;

macro_rules! save {
    ($work:expr) => {
        if let Err(overtaken) = $work.save().await? {
            return Ok(Err(overtaken));
        }
    };
}

async fn settle_once<P: Ports>(mut work: Work<'_, P>, look: &mut Look) -> Attempt {
    let now = work.run.now();
    if work.link.state == State::Detached && !look.record && look.row.is_none() {
        return Ok(Ok(Ended::done("skipped", "detached: the record is gone")));
    }
    if work.is_braked() {
        return Ok(Ok(Ended::done("skipped", "set aside: it oscillates")));
    }
    if let Some(claim) = work.link.claim.as_ref().filter(|c| now <= c.deadline) {
        let after = claim.deadline.duration_since(now) + jiff::SignedDuration::from_secs(1);
        return Ok(Ok(Ended::Later { after, why: "a write is in flight".into() }));
    }
    let Some(record_id) = work.link.record.clone() else {
        return Ok(Ok(Ended::later(30, "the record is being created")));
    };
    if work.link.state == State::Stopped && !look.record && look.row.is_none() {
        return Ok(Ok(Ended::done("skipped", "Sync with Partner Center is set to No")));
    }

    let mut pc: Option<Read<Referral>> = None;
    let mut crm: Option<Read<Seen>> = None;
    let mut lost = 0;
    let mut must_read: BTreeSet<&'static str> = BTreeSet::new();
    let mut writes = 0;
    let mut crm_fetched = false;
    loop {
        // Read each side that has no settled version, that the hint is about, or that a dead write left unjudged.
        let judging = work.link.claim.as_ref().map(|c| c.side);
        let unsettled = |side: Side| work.link.side(side).settled.is_none() || judging == Some(side);
        if crm.is_none()
            && (look.record || look.row.is_some() || unsettled(Side::Crm) || must_read.contains("crm"))
        {
            // A row shows its own columns only: what is outstanding may be something else.
            let outstanding = !work.link.awaiting.is_empty() || !work.link.parked.is_empty();
            let row = look.row.take().filter(|row| {
                let memory = &work.link.crm;
                judging != Some(Side::Crm)
                    && !outstanding
                    && !must_read.contains("crm")
                    && !memory.is_stale(&row.version)
                    && memory.seen.as_ref().is_none_or(|s| row.version.against(&s.version) != Age::Unknown)
            });
            look.record = true;
            crm_fetched = row.is_none();
            if crm_fetched && work.claim_is_over() {
                save!(work);
            }
            let seen = match row {
                Some(row) => row,
                None => match work.run.ports.crm().fetch(&record_id).await? {
                    Some(seen) => seen,
                    None => {
                        if work.link.state != State::Detached {
                            let words = "the record was deleted in the CRM; the referral is left alone";
                            work.note("detached", words, false);
                        }
                        work.link.state = State::Detached;
                        work.link.claim = None;
                        work.link.parked.clear();
                        save!(work);
                        return Ok(Ok(Ended::done("detached", "the record is gone")));
                    }
                },
            };
            if let Some(again) = stale(&mut work, Side::Crm, &seen.version) {
                save!(work);
                return Ok(Ok(again));
            }
            if work.link.state == State::Detached {
                work.link.state = State::Linked;
                work.link.partner_center.settled = None;
                work.note("revived", "the record is back in the CRM", false);
            }
            judge(&mut work, Side::Crm, &seen.version);
            crm = Some(Read {
                fields: work.run.map.record_fields(&seen.record),
                version: seen.version.clone(),
                shown: seen,
            });
        }
        if let Some(seen) = &crm
            && let Some(ended) = stop_or_go(&mut work, seen)
        {
            save!(work);
            return Ok(Ok(ended));
        }
        let unsettled = work.link.partner_center.settled.is_none() || judging == Some(Side::PartnerCenter);
        if pc.is_none() && (look.referral || look.body.is_some() || unsettled || must_read.contains("pc")) {
            look.referral = true;
            let body = look.body.take().filter(|_| judging.is_none() && !must_read.contains("pc"));
            if body.is_none() && work.claim_is_over() {
                save!(work);
            }
            let referral = match body {
                Some(referral) => Some(referral),
                None => look_up(&work.run, &work.link.referral).await?,
            };
            let Some(referral) = referral else {
                let words = "Partner Center does not show this referral any more";
                work.park(WHOLE, words, "gone".to_owned());
                save!(work);
                return Ok(Ok(Ended::done("parked", words)));
            };
            let version = Version::of_referral(referral.etag().unwrap_or_default(), referral.updated());
            if let Some(again) = stale(&mut work, Side::PartnerCenter, &version) {
                save!(work);
                return Ok(Ok(again));
            }
            if let Some(again) = older_than_hint(&work.run, look.since, &referral) {
                save!(work);
                return Ok(Ok(again));
            }
            judge(&mut work, Side::PartnerCenter, &version);
            pc = Some(Read { fields: referral_fields(&work.run, &referral), version, shown: referral });
        }

        let shown =
            Shown { partner_center: pc.as_ref().map(|r| &r.fields), crm: crm.as_ref().map(|r| &r.fields) };
        let mut plan = merge(work.run.map, &work.link, shown);
        if let Some(side) = plan.need {
            // A page's row does not show everything: fetch the whole.
            let name = if side == Side::Crm { "crm" } else { "pc" };
            if must_read.insert(name) {
                match side {
                    Side::Crm => crm = None,
                    Side::PartnerCenter => pc = None,
                }
                continue;
            }
            plan.incomplete = true;
        }
        take_plan(&mut work, &mut plan);

        let write = next_write(&mut work, &mut plan, &crm);
        if write.is_none() && heal_over(&mut work, &plan, pc.is_some() && crm.is_some()) {
            // What waited for it may go now.
            continue;
        }
        let Some(write) = write else {
            finish(&mut work, &pc, &crm, &plan);
            save!(work);
            let reason =
                if writes == 0 { "both sides agree".to_owned() } else { format!("{writes} written") };
            return Ok(Ok(Ended::done(if writes == 0 { "unchanged" } else { "settled" }, reason)));
        };
        if writes >= WRITES || !work.run.may_write() {
            save!(work);
            return Ok(Ok(Ended::later(0, "this run has no time left for another write")));
        }
        if !work.brake_allows(&write.units.iter().cloned().collect::<Vec<_>>().join(", ")) {
            save!(work);
            return Ok(Ok(Ended::done("parked", "oscillates")));
        }
        let base = match write.side {
            Side::PartnerCenter => pc.as_ref().map(|r| r.version.clone()),
            Side::Crm => crm.as_ref().map(|r| r.version.clone()),
        };
        let Some(base) = base.or_else(|| work.link.side(write.side).settled.clone()) else {
            must_read.insert(if write.side == Side::Crm { "crm" } else { "pc" });
            continue;
        };
        if matches!(write.what, What::Act(_)) && !crm_fetched {
            // An action takes no version: read the state just before.
            must_read.insert("crm");
            crm = None;
            continue;
        }
        // Claim: binds everyone from here to its deadline. The loser of a conflict was noted when the write was
        // chosen and is saved in the same transaction, before it is overwritten.
        work.link.claim = Some(Claim {
            side: write.side,
            units: write.units.clone(),
            base: Some(base.clone()),
            deadline: work.run.deadline(),
        });
        save!(work);
        writes += 1;
        let result = send(
            &work,
            &write,
            &base,
            pc.as_ref().map(|r| &r.shown),
            crm.as_ref().map(|r| &r.fields),
            &record_id,
        )
        .await;
        match result {
            Written::Done(answer) => {
                work.link.claim = None;
                must_read.remove(if write.side == Side::Crm { "crm" } else { "pc" });
                done(&mut work, &write, base, answer, &mut pc, &mut crm);
            }
            Written::Lost | Written::Exists => {
                work.link.claim = None;
                lost += 1;
                if work.link.lost_races.add(work.run.now()) > LOST_RACES_AN_HOUR {
                    let units = write.units.iter().cloned().collect::<Vec<_>>().join(", ");
                    work.brake(&units);
                    save!(work);
                    return Ok(Ok(Ended::done("parked", "oscillates")));
                }
                match write.side {
                    Side::Crm => {
                        crm = None;
                        must_read.insert("crm");
                    }
                    Side::PartnerCenter => {
                        pc = None;
                        must_read.insert("pc");
                    }
                }
                work.link.side_mut(write.side).settled = None;
                if lost >= ROUNDS {
                    save!(work);
                    return Ok(Ok(Ended::later(5, "the other side keeps changing")));
                }
            }
            Written::Later(failure) => {
                work.link.claim = None;
                save!(work);
                return Err(failure);
            }
            Written::Refused(refused) => {
                work.link.claim = None;
                park_refused(&mut work, &write, refused);
            }
            Written::Unknown(failure) => {
                if failure.wide {
                    hold(&work.run, &failure).await?;
                }
                let after = work.run.deadline().duration_since(work.run.now());
                let why = format!("it is not known whether the write happened: {failure}");
                return Ok(Ok(Ended::Later { after: after + jiff::SignedDuration::from_secs(1), why }));
            }
        }
    }
}

/// What the images become without a write, what is refused by rule, what cannot be converted.
fn take_plan<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan) {
    for (unit, (p, c)) in &plan.agree {
        work.link.agree(unit, p, c);
        work.heal(unit);
    }
    for (unit, words) in &plan.refused {
        work.note("refused", words.clone(), true);
        tracing::debug!(unit, words, "refused by rule");
    }
    for (unit, (words, value)) in std::mem::take(&mut plan.unfit) {
        let print = work.fingerprint(&BTreeMap::from([(unit.as_str(), &value)]));
        if !work.link.parked.get(&unit).is_some_and(|p| p.holds(&print, work.run.now())) {
            work.park(&unit, &words, print);
        }
        plan.waiting.insert(unit);
    }
}

/// A parked unit that is neither waiting nor unfit is in step again without a write: somebody took the change back.
fn heal_over<P: Ports>(work: &mut Work<'_, P>, plan: &Plan, both_read: bool) -> bool {
    if !both_read || plan.incomplete || work.link.parked.is_empty() {
        return false;
    }
    let over: Vec<String> = work
        .link
        .parked
        .keys()
        .filter(|unit| if *unit == WHOLE { plan.waiting.is_empty() } else { !plan.waiting.contains(*unit) })
        .cloned()
        .collect();
    for unit in &over {
        work.heal(unit);
    }
    !over.is_empty()
}

/// One outside request.
struct Write {
    side: Side,
    units: BTreeSet<String>,
    changes: BTreeMap<String, merge::Change>,
    what: What,
}

enum What {
    Patch { audit: Option<String>, mark: Mark, name: Option<String> },
    Act(mapping::Action),
}

/// Picks the next request: the CRM's values, then Partner Center's, then the CRM's closing action, then the Audit
/// field alone. What is parked with the same inputs stays out.
fn next_write<P: Ports>(work: &mut Work<'_, P>, plan: &mut Plan, crm: &Option<Read<Seen>>) -> Option<Write> {
    let whole = work.link.parked.contains_key(WHOLE);
    for changes in [&mut plan.to_crm, &mut plan.to_partner_center] {
        let now = work.run.now();
        let held: Vec<String> = changes
            .iter()
            .filter(|(unit, change)| {
                let print = work.fingerprint(&BTreeMap::from([(unit.as_str(), &change.value)]));
                work.link.parked.get(*unit).is_some_and(|p| p.holds(&print, now))
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
    if !work.run.settings.writes {
        plan.waiting.extend(std::mem::take(&mut plan.to_partner_center).into_keys());
    }
    let units = |changes: &BTreeMap<String, merge::Change>| changes.keys().cloned().collect();
    let closed = crm
        .as_ref()
        .and_then(|r| r.fields.get(STATUS))
        .or(work.link.crm.images.get(STATUS))
        .is_some_and(|status| deal::is_closed_record(work.run.map, status));
    note_conflicts(work, plan);
    let audit = if closed { None } else { work.link.journal.to_show(AUDIT_LENGTH) };
    let mark = if work.link.parked.is_empty() { Mark::Ok } else { Mark::Failed };
    let name = crm.as_ref().and_then(|r| work.run.map.shown_name(&r.shown.record).map(str::to_owned));
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
            && let Some(action) = deal::closing_action(work.run.map, &change.value)
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
enum Answer {
    Referral(Option<Referral>),
    Record(Option<Seen>),
}

async fn send<P: Ports>(
    work: &Work<'_, P>,
    write: &Write,
    base: &Version,
    current: Option<&Referral>,
    crm: Option<&Fields>,
    record: &mapping::RecordId,
) -> Written<Answer> {
    let run = &work.run;
    let values: Fields = write.changes.iter().map(|(unit, c)| (unit.clone(), c.value.clone())).collect();
    let unfit = |refusal: mapping::Refusal| {
        Written::Refused(Refused { field: Some(refusal.unit), text: refusal.text })
    };
    match (&write.side, &write.what) {
        (Side::PartnerCenter, _) => match run.map.referral_patch(current, &values) {
            Ok(operations) => {
                let patched =
                    run.ports.referrals().patch(&work.link.referral, &base.token, &operations).await;
                wrap(patched, Answer::Referral)
            }
            Err(refusal) => unfit(refusal),
        },
        (Side::Crm, What::Act(action)) => wrap(run.ports.crm().act(record, action).await, Answer::Record),
        (Side::Crm, What::Patch { audit, mark, name }) => {
            let present = crm.cloned().unwrap_or_default();
            let trim = Trim { mark: Some(*mark), name: name.clone(), audit: audit.clone(), present };
            match run.map.record_patch(&values, &trim) {
                Ok(patch) => wrap(run.ports.crm().patch(record, base, &patch).await, Answer::Record),
                Err(refusal) => unfit(refusal),
            }
        }
    }
}

fn wrap<T, U>(written: Written<T>, to: impl FnOnce(T) -> U) -> Written<U> {
    match written {
        Written::Done(answer) => Written::Done(to(answer)),
        Written::Exists => Written::Exists,
        Written::Lost => Written::Lost,
        Written::Later(failure) => Written::Later(failure),
        Written::Refused(refused) => Written::Refused(refused),
        Written::Unknown(failure) => Written::Unknown(failure),
    }
}

/// Images and version from the answer. Any other unit that the answer shows changed is an edit of somebody else: it
/// stays a difference to its image, and the next pass of the loop merges it.
fn done<P: Ports>(
    work: &mut Work<'_, P>,
    write: &Write,
    base: Version,
    answer: Answer,
    pc: &mut Option<Read<Referral>>,
    crm: &mut Option<Read<Seen>>,
) {
    let now = work.run.now();
    let (fields, version) = match answer {
        Answer::Referral(Some(referral)) if referral.etag().is_some() => {
            let version = Version::of_referral(referral.etag().unwrap_or_default(), referral.updated());
            let fields = referral_fields(&work.run, &referral);
            *pc = Some(Read { fields: fields.clone(), version: version.clone(), shown: referral });
            (fields, Some(version))
        }
        Answer::Record(Some(seen)) => {
            let fields = work.run.map.record_fields(&seen.record);
            // The answer may show the record's own columns only: lists stand as they were read before.
            let mut known = crm.take().map(|read| read.fields).unwrap_or_default();
            known.extend(fields.clone());
            *crm = Some(Read { fields: known, version: seen.version.clone(), shown: seen.clone() });
            (fields, Some(seen.version))
        }
        // No state in the answer: nothing is settled, and the version written over is known to be old.
        Answer::Referral(_) => {
            *pc = None;
            (Fields::new(), None)
        }
        Answer::Record(None) => {
            *crm = None;
            (Fields::new(), None)
        }
    };
    for (unit, change) in &write.changes {
        let shown = fields
            .get(unit)
            .map_or_else(|| change.value.clone(), |shown| written(shown, &change.value, unit, work.run.map));
        let shown = &shown;
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
    if let What::Patch { audit: Some(_), .. } = &write.what {
        work.link.journal.shown(AUDIT_LENGTH);
    }
    let memory = work.link.side_mut(write.side);
    memory.settled = None;
    match version {
        Some(version) => memory.saw(&version, now),
        None => memory.wrote_over(&base, now),
    }
}

/// What the target's image becomes: what the answer shows; of a list only the elements that were written. Others were
/// added by somebody meanwhile (a child row has no part in the record's version) and are merged next.
fn written(shown: &Value, value: &Value, unit: &str, map: &mapping::Map) -> Value {
    match (shown, value) {
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
fn park_refused<P: Ports>(work: &mut Work<'_, P>, write: &Write, refused: Refused) {
    // The vendor names its column or path, our own converter the unit.
    let field = refused.field.as_deref().unwrap_or_default();
    let named = work.run.map.unit_of(write.side, field).unwrap_or(field);
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
            work.park(&unit, &refused.text, print);
        }
        None => {
            let print = work.fingerprint(&values);
            work.park(WHOLE, &refused.text, print);
        }
    }
    if write.changes.is_empty() {
        // The Audit field itself was refused: it is only a rendering and is not tried for its own sake.
        work.link.journal.shown(AUDIT_LENGTH);
        work.link.parked.remove(WHOLE);
    }
}

/// Nothing is left to write: what may be settled is settled.
fn finish<P: Ports>(
    work: &mut Work<'_, P>,
    pc: &Option<Read<Referral>>,
    crm: &Option<Read<Seen>>,
    plan: &Plan,
) {
    let now = work.run.now();
    // What waited before and is not seen now still waits.
    let unseen = |unit: &String| crm.as_ref().is_some_and(|read| !read.fields.contains_key(unit));
    let still = work.link.awaiting.iter().filter(|unit| unseen(unit)).cloned();
    work.link.awaiting = plan.waiting.iter().cloned().chain(still.collect::<Vec<_>>()).collect();
    let outstanding = !work.link.parked.is_empty()
        || !work.link.awaiting.is_empty()
        || plan.action.is_some()
        || plan.incomplete;
    if let Some(read) = pc {
        work.link.partner_center.saw(&read.version, now);
        work.link.partner_center.settled = Some(read.version.clone());
        work.link.engagement = work.link.engagement.take().or_else(|| read.shown.engagement().cloned());
        if read.shown.is_terminal() && !outstanding {
            work.link.state = State::Closed;
        }
    }
    if let Some(read) = crm {
        work.link.crm.saw(&read.version, now);
        work.link.crm.settled = Some(read.version.clone());
    }
    if outstanding {
        work.link.partner_center.settled = None;
        work.link.crm.settled = None;
    }
}

/// A read older than what was seen before decides nothing: look again, until the newer one was seen so long ago that
/// no replica lags any more; then the older one is believed, and that is audited.
fn stale<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version) -> Option<Ended> {
    let now = work.run.now();
    let memory = work.link.side(side);
    if !memory.is_stale(version) {
        return None;
    }
    if !memory.seen_long_ago(now, work.run.settings.grace) {
        return Some(Ended::later(5, "the read is older than what was seen before"));
    }
    let name = if side == Side::Crm { "the CRM" } else { "Partner Center" };
    work.note(
        "older",
        format!("{name} shows an older version than seen before; believed after the grace period"),
        false,
    );
    let memory = work.link.side_mut(side);
    memory.replaced.clear();
    memory.seen = None;
    None
}

fn judge<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version) {
    if work.link.claim.as_ref().is_some_and(|claim| claim.side == side) {
        work.link.judge_claim(version);
    }
}

/// A read older than its own hint is a reason to look again, twice, never a verdict.
pub(crate) fn older_than_hint<P: Ports>(
    run: &Run<'_, P>,
    since: Option<Timestamp>,
    referral: &Referral,
) -> Option<Ended> {
    let since = since.filter(|since| referral.updated() < *since)?;
    let why = format!("the referral shows {}, the hint says {since}", referral.updated());
    match run.attempt {
        0 | 1 => Some(Ended::later(5, why)),
        2 => Some(Ended::later(30, why)),
        _ => None,
    }
}

/// Closed referrals hide data: there an empty field is not observed.
fn referral_fields<P: Ports>(run: &Run<'_, P>, referral: &Referral) -> Fields {
    let mut fields = run.map.referral_fields(referral);
    if referral.is_terminal() {
        fields.retain(|_, value| !value.is_null());
    }
    fields
}

/// Sync set to No stops both directions and keeps the link; Yes again goes on from the images.
fn stop_or_go<P: Ports>(work: &mut Work<'_, P>, seen: &Read<Seen>) -> Option<Ended> {
    match (work.run.map.wants_referral(&seen.shown.record), work.link.state) {
        (Some(false), state) => {
            if state != State::Stopped {
                work.link.state = State::Stopped;
                work.link.parked.clear();
                work.link.partner_center.settled = None;
                work.note("stopped", "Sync with Partner Center was set to No", false);
            }
            let now = work.run.now();
            work.link.crm.saw(&seen.version, now);
            work.link.crm.settled = None;
            Some(Ended::done("stopped", "Sync with Partner Center is set to No"))
        }
        (Some(true), State::Stopped) => {
            work.link.state = State::Linked;
            work.note("resumed", "Sync with Partner Center was set to Yes again", false);
            None
        }
        _ => None,
    }
}
