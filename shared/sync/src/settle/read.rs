//! Reading the sides of a link, and what a read is worth.

use super::{Look, merged, save};
use crate::{
    failure::Failure,
    help,
    identity::look_up,
    link::State,
    merge::Shown,
    microsoft,
    planted::{self, Bug},
    ports::{Crm, Ports, Seen},
    run::{Ended, Run},
    table::{Change, Expect, Item, Key},
    version::{Age, Version},
    work::{Overtaken, WHOLE, Work},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{Fields, Map, Record, RecordId, Referral, Side, Value};
use std::collections::BTreeSet;

/// The way back from a child row outlives it so long: a feed may be that far behind.
const CHILD_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The fingerprint of a referral that cannot be read: it is over when it can.
const GONE: &str = "gone";

/// In a list's row: its own id.
const ROW: &str = "@id";

/// One side as this run knows it.
pub(super) struct Read<T> {
    pub(super) shown: T,
    pub(super) fields: Fields,
    pub(super) version: Version,
}

/// Both sides, as far as they were read.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) partner_center: Option<Read<Referral>>,
    pub(super) crm: Option<Read<Seen>>,
    /// The CRM's side was read by id, lists included, not taken from a page.
    pub(super) crm_fetched: bool,
    /// To be read by id, whatever is known.
    forced: BTreeSet<Side>,
}

/// Nothing in the way, the story's end, or somebody else's save.
type Reading = Result<Result<Option<Ended>, Overtaken>, Failure>;

impl Sides {
    /// For the merge: a side that was not read stands at its settled version.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            partner_center: self.partner_center.as_ref().map(|read| &read.fields),
            crm: self.crm.as_ref().map(|read| &read.fields),
        }
    }

    pub(super) fn for_help(&self) -> help::Shown<'_> {
        help::Shown {
            referral: self.partner_center.as_ref().map(|read| &read.shown),
            record: self.crm.as_ref().map(|read| &read.shown),
        }
    }

    /// The version that was read.
    pub(super) fn version(&self, side: Side) -> Option<Version> {
        match side {
            Side::PartnerCenter => self.partner_center.as_ref().map(|read| read.version.clone()),
            Side::Crm => self.crm.as_ref().map(|read| read.version.clone()),
        }
    }

    /// What a side shows, as far as it was read.
    pub(super) fn fields(&self, side: Side) -> Fields {
        let shown = self.shown();
        let fields = if side == Side::Crm { shown.crm } else { shown.partner_center };
        fields.cloned().unwrap_or_default()
    }

    /// Has this side read anew; whether that was not asked for before.
    pub(super) fn force(&mut self, side: Side) -> bool {
        match side {
            Side::PartnerCenter => self.partner_center = None,
            Side::Crm => self.crm = None,
        }
        self.forced.insert(side)
    }

    /// Has this side read by id, once; `false`: it was, and shows what it shows.
    pub(super) fn read_anew(&mut self, side: Side) -> bool {
        !self.forced.contains(&side) && self.force(side)
    }

    /// A write's answer stands for a read.
    pub(super) fn answered(&mut self, side: Side) {
        self.forced.remove(&side);
    }

    /// Both sides as they were read by id; else what is missing will be.
    pub(super) fn whole(&mut self) -> Option<(Referral, Seen)> {
        match (&self.partner_center, &self.crm) {
            (Some(referral), Some(seen)) if self.crm_fetched => {
                return Some((referral.shown.clone(), seen.shown.clone()));
            }
            (None, _) => self.force(Side::PartnerCenter),
            _ => self.force(Side::Crm),
        };
        None
    }

    pub(super) fn both_read(&self) -> bool {
        self.partner_center.is_some() && self.crm.is_some()
    }

    /// Reads each side that has no settled version, that the hint is about, or that a dead write left unjudged.
    pub(super) async fn read<P: Ports>(
        &mut self,
        work: &mut Work<'_, P>,
        look: &mut Look,
        record: &RecordId,
    ) -> Reading {
        let due = |sides: &Self, work: &Work<'_, P>, side: Side, hinted: bool| {
            let judging = work.link.claim.as_ref().is_some_and(|claim| claim.side == side);
            hinted || judging || work.link.side(side).settled.is_none() || sides.forced.contains(&side)
        };
        if self.crm.is_none() && due(self, work, Side::Crm, look.record || look.row.is_some()) {
            match self.read_crm(work, look, record).await? {
                Ok(None) => {}
                other => return Ok(other),
            }
        }
        let stopped = work.link.state == State::Stopped;
        if let Some(seen) = &self.crm
            && let Some(ended) = stop_or_go(work, seen)
        {
            return Ok(Ok(Some(ended)));
        }
        // What Microsoft said meanwhile passed by.
        look.engagement |= stopped && work.link.state == State::Linked;
        let hinted = look.referral || look.body.is_some();
        if self.partner_center.is_none() && due(self, work, Side::PartnerCenter, hinted) {
            return self.read_partner_center(work, look).await;
        }
        Ok(Ok(None))
    }

    async fn read_crm<P: Ports>(
        &mut self,
        work: &mut Work<'_, P>,
        look: &mut Look,
        record: &RecordId,
    ) -> Reading {
        let judging = work.link.claim.as_ref().is_some_and(|claim| claim.side == Side::Crm);
        // A row shows its own columns only: what is outstanding, or was left undone by a run that did not end, may be
        // something else.
        let undone = work.link.crm.settled.is_none() && !work.is_fresh();
        let outstanding = !work.link.awaiting.is_empty() || !work.link.parked.is_empty();
        let forgets = planted::is(Bug::WaitingForgotten);
        let by_id = judging || outstanding && !forgets || self.forced.contains(&Side::Crm);
        look.at_least = look.at_least.max(look.row.as_ref().and_then(|row| row.version.order));
        let rested = matches!(work.link.state, State::Stopped | State::Detached);
        let row = look.row.take().filter(|row| {
            let memory = &work.link.crm;
            // What happened to its lists while it rested was acknowledged unseen.
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
        });
        look.record = true;
        self.crm_fetched = row.is_none();
        let seen = match row {
            Some(row) => row,
            None => {
                if work.claim_is_over() {
                    save!(work);
                }
                match work.run.ports.crm().fetch(record).await? {
                    Some(seen) => seen,
                    None if planted::is(Bug::DeletedMadeAgain) => {
                        work.link.state = State::Creating;
                        save!(work);
                        return Ok(Ok(Some(Ended::later(1, "made again"))));
                    }
                    None => {
                        let merged = merged::follow(work, record).await?;
                        return Ok(Ok(Some(merged.unwrap_or_else(|| not_shown(work, look)))));
                    }
                }
            }
        };
        let late = older_than_seen(&work.run, look.at_least, &seen.version);
        if let Some(again) = late.or_else(|| stale(work, Side::Crm, &seen.version)) {
            return Ok(Ok(Some(again)));
        }
        if work.link.state == State::Detached {
            if let Some(again) = just_gone(work) {
                return Ok(Ok(Some(again)));
            }
            work.link.state = State::Linked;
            work.link.partner_center.settled = None;
            work.note("revived", "the record is back in the CRM", false);
        }
        work.link.gone = None;
        remember_related(work, &seen.record);
        let fields = work.map().kept_record_fields(&seen.record);
        judge(work, Side::Crm, &seen.version, &fields);
        // A basis of decisions from here on: whatever is older is late.
        let now = work.run.now();
        work.link.crm.saw(&seen.version, now);
        self.crm = Some(Read { fields, version: seen.version.clone(), shown: seen });
        Ok(Ok(None))
    }

    async fn read_partner_center<P: Ports>(&mut self, work: &mut Work<'_, P>, look: &mut Look) -> Reading {
        look.referral = true;
        let believed = look.body.is_some() && planted::is(Bug::OldPageBelieved);
        if look.engagement {
            if work.claim_is_over() {
                save!(work);
            }
            microsoft::look(work, look).await?;
        }
        let by_id = work.link.claim.is_some() || self.forced.contains(&Side::PartnerCenter);
        // Nobody knows when a body that is older than what was seen was read.
        let memory = &work.link.partner_center;
        let fits = |referral: &Referral| believed || !memory.is_stale(&Version::of_referral(referral));
        let referral = match look.body.take().filter(|body| !by_id && fits(body)) {
            Some(referral) => Some(referral),
            None => {
                if work.claim_is_over() {
                    save!(work);
                }
                look_up(&work.run, &work.link.referral).await?
            }
        };
        let Some(referral) = referral else {
            if planted::is(Bug::ForbiddenDropped) {
                return Ok(Ok(Some(Ended::done("skipped", "it cannot be read"))));
            }
            let words = "Partner Center does not show this referral any more";
            work.park(WHOLE, words, GONE.to_owned(), Some(Side::PartnerCenter));
            // What the other side showed was not compared: a child row's change has no version to come back by.
            work.link.partner_center.settled = None;
            work.link.crm.settled = None;
            return Ok(Ok(Some(Ended::done("parked", words))));
        };
        let version = Version::of_referral(&referral);
        let again = stale(work, Side::PartnerCenter, &version);
        let again = again.or_else(|| older_than_hint(&work.run, look.since, &referral));
        if let Some(again) = again.filter(|_| !believed) {
            return Ok(Ok(Some(again)));
        }
        let referral = renamed(work, referral);
        let fields = referral_fields(work, &referral);
        judge(work, Side::PartnerCenter, &version, &fields);
        let now = work.run.now();
        work.link.partner_center.saw(&version, now);
        if work.link.parked.get(WHOLE).is_some_and(|parked| parked.fingerprint == GONE) {
            work.heal(WHOLE);
        }
        self.partner_center = Some(Read { fields, version, shown: referral });
        Ok(Ok(None))
    }
}

/// The record is gone: nothing is written or made again.
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

/// The record is not shown: deleted, or a read that lags is older than its making. Unless its feed says that it was
/// deleted, that is believed when it is not shown after the grace period either.
fn not_shown<P: Ports>(work: &mut Work<'_, P>, look: &Look) -> Ended {
    if look.gone || work.link.state == State::Detached || planted::is(Bug::GoneAtFirstSight) {
        return detach(work);
    }
    let since = *work.link.gone.get_or_insert(work.run.now());
    let left = work.run.settings.grace - work.began.duration_since(since);
    if left.is_negative() {
        return detach(work);
    }
    // Whoever comes next looks, too.
    work.link.crm.settled = None;
    let why = "the record is not shown: looked at again before it counts as deleted".into();
    Ended::Later { after: left + SignedDuration::from_secs(1), why }
}

/// A record that was gone a moment ago and is shown: more likely a late read than a restored record.
fn just_gone<P: Ports>(work: &Work<'_, P>) -> Option<Ended> {
    let gone = work.link.gone.filter(|_| !planted::is(Bug::RevivedByOldRead))?;
    let again = || Ended::later(60, "the record was gone a moment ago");
    (work.began.duration_since(gone) <= work.run.settings.grace).then(again)
}

/// A read older than what was seen before decides nothing: look again, until the newer one was seen so long ago that
/// no replica lags any more; then the older one is believed, and that is audited.
fn stale<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version) -> Option<Ended> {
    let memory = work.link.side(side);
    if !memory.is_stale(version) {
        return None;
    }
    if !memory.seen_long_ago(work.began, work.run.settings.grace) {
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

/// The rows a record points to, and what names elements of its lists: others, and its lists have to be read again.
fn related(map: &Map, record: &Record) -> Option<String> {
    let of = |column: &str| Some(format!("{column} {}", record.columns.get(column)?));
    let all: Vec<String> =
        ["contact", "owner"].into_iter().chain(map.text_columns()).filter_map(of).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A row without its lists, which may look different now.
fn points_elsewhere(map: &Map, record: &Record, known: Option<&str>) -> bool {
    record.lists.is_empty() && related(map, record).is_some_and(|now| Some(now.as_str()) != known)
}

/// Whom a record read with its lists points to, and the way back from its child rows.
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
        // A run that dies with it half done is told by the same feed again.
        let kept = work.run.now() + CHILD_KEPT;
        work.besides.push(Change::put(Key::child(gone), Expect::Any, parent.clone()).until(kept));
    }
    work.link.children = children;
}

fn judge<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version, fields: &Fields) {
    let map = work.map();
    if let Some(claim) = work.link.claim.as_ref().filter(|claim| claim.side == side) {
        if planted::is(Bug::ValueIsProof) {
            let units = claim.units.clone();
            planted::believe(&mut work.link, &units, side, fields, map);
            work.link.claim = None;
            return;
        }
        work.link.judge_claim(version, |unit| side == Side::Crm && map.unit(unit).is_some_and(|u| u.list));
    }
}

/// A record's read older than what its hint's sender saw: the feed will not show that again.
pub(crate) fn older_than_seen<P: Ports>(
    run: &Run<'_, P>,
    at_least: Option<i64>,
    read: &Version,
) -> Option<Ended> {
    let (Some(order), Some(least)) = (read.order, at_least) else { return None };
    if order >= least || planted::is(Bug::OlderThanFeed) {
        return None;
    }
    let again = |seconds| Some(Ended::later(seconds, "the read is older than what the feed showed"));
    match run.attempt {
        0 | 1 => again(5),
        2 => again(30),
        3 => again(120),
        _ => None,
    }
}

/// A read older than its own hint is a reason to look again, twice, never a verdict. How far the stamps of an event and
/// of its referral may lie apart is the map's to say.
pub(crate) fn older_than_hint<P: Ports>(
    run: &Run<'_, P>,
    since: Option<Timestamp>,
    referral: &Referral,
) -> Option<Ended> {
    let tolerance = SignedDuration::from_secs(run.map.vendor().event_tolerance.into());
    let since = since.filter(|since| since.duration_since(referral.updated()) > tolerance)?;
    let why = format!("the referral shows {}, the hint says {since}", referral.updated());
    match run.attempt {
        0 | 1 => Some(Ended::later(5, why)),
        2 => Some(Ended::later(30, why)),
        _ => None,
    }
}

/// A referral that still names the lead its record was: that is ours, and as good as empty.
pub(super) fn renamed<P: Ports>(work: &Work<'_, P>, referral: Referral) -> Referral {
    let lead = work.link.lead.as_ref();
    match referral.external_reference() {
        Some(named) if lead.is_some_and(|lead| lead.id.eq_ignore_ascii_case(named)) => {
            referral.without_external_reference()
        }
        _ => referral,
    }
}

/// Closed referrals hide data: there an empty field is not observed.
pub(super) fn referral_fields<P: Ports>(work: &Work<'_, P>, referral: &Referral) -> Fields {
    let mut fields = work.map().kept_referral_fields(referral);
    if referral.is_terminal() && !planted::is(Bug::HiddenIsEmpty) {
        fields.retain(|_, value| !value.is_null());
    }
    // Microsoft's own number may stand in Microsoft's half only.
    if let (Some(unit), Some(id)) = (work.map().microsoft_crm_id(), &work.link.microsoft_crm_id)
        && fields.get(unit).is_none_or(Value::is_null)
    {
        fields.insert(unit.to_owned(), Value::Text(id.clone()));
    }
    fields
}

/// Sync set to No stops both directions and keeps the link; Yes again goes on from the images.
fn stop_or_go<P: Ports>(work: &mut Work<'_, P>, seen: &Read<Seen>) -> Option<Ended> {
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
