//! Reads the CRM's side of a link: from a page's row where that is enough, else by id. Decides what it means if the CRM
//! does not return the record.

use super::{
    judge::{judge, stale},
    look::Look,
    merged,
    sides::{Read, Sides},
};
use crate::{
    planted::{self, Bug},
    ports::{Crm, Ports, Seen},
    rows::{late::older_than_seen, run::Ended, stop::Stop, work::Work},
    state::{
        link::State,
        table::{Change, Expect, Item, Key},
        version::{Age, Version},
    },
};
use jiff::SignedDuration;
use mapping::{Map, Record, RecordId, Side};
use std::collections::BTreeSet;

/// How long the alias of a child row is kept after the row was deleted: a feed may be that far behind.
const CHILD_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The key of a list's row that holds the row's own id.
const ROW: &str = "@id";

impl Sides {
    /// Reads the CRM's side, judges its claim, and remembers the version as seen.
    pub(super) async fn read_crm<P: Ports>(
        &mut self,
        work: &mut Work<'_, P>,
        look: &mut Look,
        record: &RecordId,
    ) -> Result<(), Stop> {
        let row = self.usable_row(work, look);
        look.record = true;
        self.crm_fetched = row.is_none();
        let seen = match row {
            Some(row) => row,
            None => fetch(work, look, record).await?,
        };
        let late = older_than_seen(&work.run, look.at_least, &seen.version);
        if let Some(again) = late.or_else(|| stale(work, Side::Crm, &seen.version)) {
            return Err(work.end(again).await);
        }
        if work.link.state == State::Detached {
            if let Some(again) = just_gone(work) {
                return Err(work.end(again).await);
            }
            work.link.state = State::Linked;
            work.link.partner_center.settled = None;
            work.note("revived", "the record is back in the CRM", false);
        }
        work.link.gone = None;
        remember_related(work, &seen.record);
        let fields = work.map().kept_record_fields(&seen.record);
        judge(work, Side::Crm, &seen.version, &fields);
        // Decisions rest on this version from here on: a read of an older one is late.
        let now = work.run.now();
        work.link.crm.saw(&seen.version, now);
        self.crm = Some(Read { fields, version: seen.version.clone(), shown: seen });
        Ok(())
    }

    /// The row that the caller has read, if it is enough to decide on.
    fn usable_row<P: Ports>(&self, work: &Work<'_, P>, look: &mut Look) -> Option<Seen> {
        let judging = work.link.claim.as_ref().is_some_and(|claim| claim.side == Side::Crm);
        // A row shows its own columns only. What is outstanding, or was left undone by a run that did not end, may be
        // in a list.
        let undone = work.link.crm.settled.is_none() && !work.is_fresh();
        let outstanding = !work.link.awaiting.is_empty() || !work.link.parked.is_empty();
        let forgets = planted::is(Bug::WaitingForgotten);
        let by_id = judging || outstanding && !forgets || self.forced.contains(&Side::Crm);
        look.at_least = look.at_least.max(look.row.as_ref().and_then(|row| row.version.order));
        let rested = matches!(work.link.state, State::Stopped | State::Detached);
        look.row.take().filter(|row| {
            let memory = &work.link.crm;
            // Changes of its lists while the link was stopped or detached were acknowledged without a read.
            let resumes = match rested {
                true => {
                    work.map().wants_referral(&row.record) != Some(false) && !planted::is(Bug::ResumedFromRow)
                }
                false => undone && row.record.lists.is_empty() && !forgets,
            };
            let ordered = |seen: &Version| row.version.against(seen) != Age::Unknown;
            !by_id
                && !resumes
                && !points_elsewhere(work.map(), &row.record, work.link.related.as_deref())
                && !memory.is_stale(&row.version)
                && memory.seen.as_ref().is_none_or(|s| ordered(&s.version))
        })
    }
}

/// Reads the record by id. If the CRM does not return it: was it merged, or is it deleted?
async fn fetch<P: Ports>(work: &mut Work<'_, P>, look: &Look, record: &RecordId) -> Result<Seen, Stop> {
    if work.claim_is_over() {
        work.save().await?;
    }
    if let Some(seen) = work.run.ports.crm().fetch(record).await? {
        return Ok(seen);
    }
    if planted::is(Bug::DeletedMadeAgain) {
        work.link.state = State::Creating;
        return Err(work.end(Ended::later(1, "made again")).await);
    }
    let ended = match merged::follow(work, record).await? {
        Some(ended) => ended,
        None => not_shown(work, look),
    };
    Err(work.end(ended).await)
}

/// Detaches the link: the record is gone, and nothing is written or made again.
fn detach<P: Ports>(work: &mut Work<'_, P>) -> Ended {
    if work.link.state != State::Detached {
        work.note("detached", "the record was deleted in the CRM; the referral is left alone", false);
    }
    work.link.state = State::Detached;
    work.link.claim = None;
    work.link.parked.clear();
    work.link.gone = Some(work.run.now());
    Ended::done("detached", "the record is gone")
}

/// The CRM does not return the record: it was deleted, or a late read is older than its creation. Unless the feed says
/// that it was deleted, it counts as deleted only if it is still not returned after the grace period.
fn not_shown<P: Ports>(work: &mut Work<'_, P>, look: &Look) -> Ended {
    if look.gone || work.link.state == State::Detached || planted::is(Bug::GoneAtFirstSight) {
        return detach(work);
    }
    let since = *work.link.gone.get_or_insert(work.run.now());
    let left = work.run.settings.grace - work.began.duration_since(since);
    if left.is_negative() {
        return detach(work);
    }
    // The next run reads the CRM as well.
    work.link.crm.settled = None;
    let why = "the record is not shown: looked at again before it counts as deleted".into();
    Ended::Later { after: left + SignedDuration::from_secs(1), why }
}

/// A record that is returned although it was gone a moment ago: more likely a late read than a restored record.
fn just_gone<P: Ports>(work: &Work<'_, P>) -> Option<Ended> {
    let gone = work.link.gone.filter(|_| !planted::is(Bug::RevivedByOldRead))?;
    let again = || Ended::later(60, "the record was gone a moment ago");
    (work.began.duration_since(gone) <= work.run.settings.grace).then(again)
}

/// The rows that a record points to and the texts that name elements of its lists: if they differ, its lists have to be
/// read again.
fn related(map: &Map, record: &Record) -> Option<String> {
    let of = |column: &str| Some(format!("{column} {}", record.columns.get(column)?));
    let all: Vec<String> =
        ["contact", "owner"].into_iter().chain(map.text_columns()).filter_map(of).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Whether a row without lists points to other rows than are known: then its lists may differ too.
fn points_elsewhere(map: &Map, record: &Record, known: Option<&str>) -> bool {
    record.lists.is_empty() && related(map, record).is_some_and(|now| Some(now.as_str()) != known)
}

/// Remembers which rows a record points to, and saves aliases of its child rows, if it was read with its lists.
fn remember_related<P: Ports>(work: &mut Work<'_, P>, record: &Record) {
    if record.lists.is_empty() {
        return;
    }
    work.link.related = related(work.map(), record);
    let rows = record.lists.values().flatten();
    let children: BTreeSet<String> =
        rows.filter_map(|row| row.get(ROW)?.as_str().map(str::to_owned)).collect();
    let parent = Item::Parent { record: record.id.clone() };
    for new in children.difference(&work.link.children) {
        work.besides.push(Change::put(Key::child(new), Expect::Any, parent.clone()));
    }
    for gone in work.link.children.difference(&children) {
        // If this run dies half-way, the feed reports the deletion again.
        let kept = work.run.now() + CHILD_KEPT;
        work.besides.push(Change::put(Key::child(gone), Expect::Any, parent.clone()).until(kept));
    }
    work.link.children = children;
}

/// Sync set to No stops both directions and keeps the link; set to Yes again, it continues from the images.
pub(super) fn stop_or_go<P: Ports>(work: &mut Work<'_, P>, seen: &Read<Seen>) -> Option<Ended> {
    match (work.map().wants_referral(&seen.shown.record), work.link.state) {
        (Some(false), _) if planted::is(Bug::StopIgnored) => None,
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
