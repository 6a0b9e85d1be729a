//! One run of the poller: what is due goes to the queue, the CRM's changes are settled, and a sweep of Partner Center
//! finds what no webhook told. Watermarks overlap, use `>=`, and are saved only over the revision that was read:
//! reading twice is free, skipping is a loss. One record never stops a page; only system-wide failures stop a run.

use crate::{
    engagement::create_engagement,
    failure::{Failure, System},
    hint::{Hint, Subject},
    hold::{held_until, tells_nothing_new},
    ports::{Changed, Changes, Crm, Feed, Hints, Links, Ports, Position, Referrals, Seen},
    receive::link,
    run::{Ended, Run},
    settle::Look,
    table::{Change, Expect, Item, Key, Row, Walk, Watermark},
    version::Age,
};
use jiff::{SignedDuration, Timestamp};
use mapping::{RecordId, RecordKind, ReferralId};
use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

/// A run stops this long before it is killed and goes on at the next tick.
const TAIL: SignedDuration = SignedDuration::from_secs(20);
/// `modifiedon` is set before the commit: a slow transaction appears with an older stamp (dataverse.md §8).
const CRM_OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// The sweep's overlap.
const SWEEP_OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// The sweep's watermark.
const SWEEP: &str = "referrals";

/// What a run did, for its log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the CRM's feeds.
    pub rows: u32,
    /// Rows settled or created here.
    pub settled: u32,
    /// Referrals listed by the sweep.
    pub listed: u32,
    /// Hints sent: by the sweep, for parked items, for rows that need another look.
    pub hints: u32,
    /// What each row came to: record or referral id, decision, reason.
    pub decisions: Vec<(String, String, String)>,
    /// Why the run stopped early, if it did.
    pub stopped: Option<String>,
}

/// One tick. `Err`: a system is out of reach; what was done is saved, the rest comes at the next tick.
pub async fn poll<P: Ports>(run: &Run<'_, P>, report: &mut Report) -> Result<(), Failure> {
    let began = run.now();
    let keys = [Key::lease(), Key::hold("partner_center"), Key::hold("crm")];
    let rows = run.ports.links().read(&keys).await?;
    let (expect, busy) = match rows.first().and_then(Option::as_ref) {
        Some(Row { rev, item: Item::Lease { until }, .. }) => (Expect::Rev(*rev), *until > began),
        Some(Row { rev, .. }) => (Expect::Rev(*rev), false),
        None => (Expect::Absent, false),
    };
    // Thrift, not safety: two pollers harm nothing.
    let lease = Change::put(Key::lease(), expect, Item::Lease { until: run.ends });
    if busy || !run.ports.links().commit(vec![lease]).await? {
        report.stopped = Some("another poller is running".into());
        return Ok(());
    }
    let held = |n: usize| held_until(rows.get(n).and_then(Option::as_ref).into_iter(), began);
    let (partner_center, crm) = (held(1), held(2));
    let result = Box::pin(work(run, began, partner_center, crm, report)).await;
    let end = Change::put(Key::lease(), Expect::Any, Item::Lease { until: run.now() });
    let _ = run.ports.links().commit(vec![end]).await;
    result
}

async fn work<P: Ports>(
    run: &Run<'_, P>,
    began: Timestamp,
    partner_center: Option<Timestamp>,
    crm: Option<Timestamp>,
    report: &mut Report,
) -> Result<(), Failure> {
    let held = partner_center.max(crm);
    if held.is_none() {
        due(run, began, report).await?;
    }
    let fed = match held {
        Some(until) => {
            report.stopped = Some(format!("on hold until {until}"));
            Ok(())
        }
        None => feeds(run, began, report).await,
    };
    // A CRM that is out of reach keeps nobody from looking at Partner Center: the hints wait in the queue.
    let reached = !matches!(&fed, Err(failure) if failure.system != System::Crm);
    if partner_center.is_none() && reached {
        sweep(run, began, report).await?;
    }
    fed
}

async fn feeds<P: Ports>(run: &Run<'_, P>, began: Timestamp, report: &mut Report) -> Result<(), Failure> {
    for which in [Feed::Opportunities, Feed::Solutions] {
        Box::pin(feed(run, which, began, report)).await?;
    }
    Ok(())
}

fn out_of_time<P: Ports>(run: &Run<'_, P>, report: &mut Report) -> bool {
    let over = run.now() + TAIL > run.ends;
    if over {
        report.stopped = Some("no time left; goes on at the next tick".into());
    }
    over
}

/// Parked items whose time has come.
async fn due<P: Ports>(run: &Run<'_, P>, began: Timestamp, report: &mut Report) -> Result<(), Failure> {
    let mut hints = vec![];
    for row in run.ports.links().parked().await? {
        let Item::Parked(parked) = &row.item else { continue };
        if parked.next_try > began {
            continue;
        }
        let subject = if let Some(record) = RecordId::parse(&row.key.sk) {
            Subject::Record { record, referral: None }
        } else if let Some(referral) = ReferralId::parse(&row.key.sk) {
            Subject::Referral { referral }
        } else {
            // A message that was no hint of ours: for `redrive`, not for another try.
            continue;
        };
        hints.push(Hint::new(subject, "retry", began));
    }
    send(run, &hints, report).await
}

async fn send<P: Ports>(run: &Run<'_, P>, hints: &[Hint], report: &mut Report) -> Result<(), Failure> {
    report.hints += u32::try_from(hints.len()).unwrap_or(u32::MAX);
    if hints.is_empty() { Ok(()) } else { run.ports.hints().send(hints).await }
}

/// A feed's watermark and the revision it was read in.
struct Mark {
    key: Key,
    expect: Expect,
    mark: Watermark,
    first: bool,
}

impl Mark {
    async fn read<P: Ports>(run: &Run<'_, P>, name: &str, began: Timestamp) -> Result<Self, Failure> {
        let key = Key::watermark(name);
        Ok(match run.ports.links().read(std::slice::from_ref(&key)).await?.pop().flatten() {
            Some(Row { rev, item: Item::Watermark(mark), .. }) => {
                Mark { key, expect: Expect::Rev(rev), mark, first: false }
            }
            _ => {
                let walk = Some(Walk { began, cursor: None });
                let map = run.map.hash().to_owned();
                let mark = Watermark { position: None, seen_until: began, since: began, walk, map };
                Mark { key, expect: Expect::Absent, mark, first: true }
            }
        })
    }

    /// `false`: another run saved it; what that one read stands.
    async fn save<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<bool, Failure> {
        let put = Change::put(self.key.clone(), self.expect, Item::Watermark(self.mark.clone()));
        let saved = run.ports.links().commit(vec![put]).await?;
        self.expect = match self.expect {
            Expect::Rev(rev) => Expect::Rev(rev + 1),
            _ => Expect::Rev(1),
        };
        Ok(saved)
    }
}

async fn feed<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    began: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut mark = Mark::read(run, feed.as_str(), began).await?;
    if mark.mark.map != run.map.hash() {
        // Another map reads other columns: live work goes on by time, the walk behind it looks at everything anew.
        mark.mark.map = run.map.hash().to_owned();
        mark.mark.position = None;
        mark.mark.walk = Some(Walk { began, cursor: None });
    }
    if !mark.first {
        let position = match mark.mark.position.clone() {
            Some(position) => Position::At(position),
            None => Position::Since((mark.mark.seen_until - CRM_OVERLAP).max(mark.mark.since)),
        };
        let delta = matches!(position, Position::At(_));
        match round(run, feed, position, true, report).await? {
            Round::Done(resume) => {
                mark.mark.seen_until = began;
                if delta {
                    mark.mark.position = resume;
                }
            }
            Round::Unfinished => return Ok(()),
            Round::Expired => {
                mark.mark.position = None;
                mark.mark.walk = Some(Walk { began, cursor: None });
                let since = Position::Since((mark.mark.seen_until - CRM_OVERLAP).max(mark.mark.since));
                match round(run, feed, since, true, report).await? {
                    Round::Done(_) => mark.mark.seen_until = began,
                    Round::Unfinished | Round::Expired => return Ok(()),
                }
            }
        }
        if !mark.save(run).await? {
            return Ok(());
        }
    }
    walk(run, feed, &mut mark, report).await
}

/// The walk over the whole table: stores the position behind it, settles known links, creates nothing.
async fn walk<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    mark: &mut Mark,
    report: &mut Report,
) -> Result<(), Failure> {
    while let Some(walk) = mark.mark.walk.clone() {
        if out_of_time(run, report) {
            return Ok(());
        }
        let position = walk.cursor.clone().map_or(Position::Start, Position::At);
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired => mark.mark.walk = Some(Walk { cursor: None, ..walk }),
            Changes::Page { rows, next, resume } => {
                if !Box::pin(page(run, rows, false, report)).await? {
                    return Ok(());
                }
                match next {
                    Some(next) => mark.mark.walk = Some(Walk { cursor: Some(next), ..walk }),
                    None => {
                        // Rows changed while the walk went by may be in neither the walk nor the changes after it.
                        match round(run, feed, Position::Since(walk.began), true, report).await? {
                            Round::Unfinished => return Ok(()),
                            Round::Done(_) | Round::Expired => {}
                        }
                        mark.mark.position = resume;
                        mark.mark.walk = None;
                    }
                }
            }
        }
        if !mark.save(run).await? {
            return Ok(());
        }
    }
    Ok(())
}

enum Round {
    /// All pages; where the next round begins.
    Done(Option<String>),
    /// No time left: the same round again at the next tick.
    Unfinished,
    Expired,
}

/// All pages from a position.
async fn round<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    position: Position,
    creates: bool,
    report: &mut Report,
) -> Result<Round, Failure> {
    let mut position = position;
    loop {
        if out_of_time(run, report) {
            return Ok(Round::Unfinished);
        }
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired => return Ok(Round::Expired),
            Changes::Page { rows, next, resume } => {
                if !Box::pin(page(run, rows, creates, report)).await? {
                    return Ok(Round::Unfinished);
                }
                match next {
                    Some(next) => position = Position::At(next),
                    None => return Ok(Round::Done(resume)),
                }
            }
        }
    }
}

/// One row of a page, reduced to what has to be looked at.
struct Candidate {
    record: RecordId,
    row: Option<Seen>,
    /// The referral its own Referral Identifier names.
    names: Option<ReferralId>,
    gone: bool,
}

async fn page<P: Ports>(
    run: &Run<'_, P>,
    rows: Vec<Changed>,
    creates: bool,
    report: &mut Report,
) -> Result<bool, Failure> {
    report.rows += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut candidates: BTreeMap<RecordId, Candidate> = BTreeMap::new();
    for changed in rows {
        let candidate = match changed {
            Changed::Record(seen) => {
                let names = run.map.record_referral_id(&seen.record);
                Candidate { record: seen.record.id.clone(), row: Some(seen), names, gone: false }
            }
            Changed::Child(record) => Candidate { record, row: None, names: None, gone: false },
            Changed::Gone(id) => {
                let record = RecordId { kind: RecordKind::Opportunity, id };
                Candidate { record, row: None, names: None, gone: true }
            }
        };
        candidates.insert(candidate.record.clone(), candidate);
    }
    let (links, intents) = known_of(run, candidates.values()).await?;
    let mut hints = vec![];
    let began = run.now();
    for candidate in candidates.into_values() {
        if out_of_time(run, report) {
            send(run, &hints, report).await?;
            return Ok(false);
        }
        let intent = intents.get(&candidate.record).cloned();
        let link_row = links.get(&candidate.record);
        let referral = link_row.map(|row| row.key.clone()).and_then(|key| referral_of(&key));
        let id = candidate.record.clone();
        match guarded(look_at(run, candidate, link_row, intent, creates)).await {
            Ok(None) => {}
            Ok(Some(Ended::Done(decision))) => {
                report.settled += 1;
                report.decisions.push((id.to_string(), decision.decision.to_owned(), decision.reason));
            }
            // One record that cannot be finished now never stops the page: the queue takes it.
            Ok(Some(Ended::Later { why, .. })) => {
                report.decisions.push((id.to_string(), "later".into(), why));
                hints.push(Hint::new(Subject::Record { record: id, referral }, "poll", began));
            }
            Err(failure) if stops_a_run(&failure) => {
                send(run, &hints, report).await?;
                return Err(failure);
            }
            Err(failure) => {
                report.decisions.push((id.to_string(), "failed".into(), failure.to_string()));
                hints.push(Hint::new(Subject::Record { record: id, referral }, "poll", began));
            }
        }
    }
    send(run, &hints, report).await?;
    Ok(true)
}

/// System-wide: everybody would meet it. What only one row meets is that row's.
fn stops_a_run(failure: &Failure) -> bool {
    failure.wide || failure.is_retryable() && matches!(failure.system, System::Table | System::Queue)
}

/// A row whose work panics fails alone.
async fn guarded<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut work = Box::pin(work);
    poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or_else(|_| {
            tracing::error!(alarm = "crash", "a row's work crashed; the queue takes it");
            Poll::Ready(Err(Failure::later(System::Crm, "row", "it crashed; see the log")))
        })
    })
    .await
}

/// The links and intents of a page's records: the Referral Identifier leads to the link, which must name the record;
/// else the record's alias does. Two batch reads, however many rows.
async fn known_of<P: Ports>(
    run: &Run<'_, P>,
    candidates: impl Iterator<Item = &Candidate>,
) -> Result<(BTreeMap<RecordId, Row>, BTreeMap<RecordId, Row>), Failure> {
    let mut keys = vec![];
    let mut owners = vec![];
    for candidate in candidates {
        let record = &candidate.record;
        let named = candidate.names.as_ref().map(Key::link);
        for key in [Key::record(record), Key::intent(record)].into_iter().chain(named) {
            keys.push(key);
            owners.push(record.clone());
        }
    }
    let (mut links, mut intents, mut aliases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    if keys.is_empty() {
        return Ok((links, intents));
    }
    for (record, row) in owners.into_iter().zip(run.ports.links().read(&keys).await?) {
        let Some(row) = row else { continue };
        match &row.item {
            Item::Link(link) if link.record.as_ref() == Some(&record) => {
                links.insert(record, row);
            }
            Item::Intent(_) => {
                intents.insert(record, row);
            }
            Item::Alias { referral } => {
                aliases.insert(record, referral.clone());
            }
            _ => {}
        }
    }
    aliases.retain(|record, _| !links.contains_key(record));
    if !aliases.is_empty() {
        let keys: Vec<_> = aliases.values().map(Key::link).collect();
        for (record, row) in aliases.into_keys().zip(run.ports.links().read(&keys).await?) {
            links.extend(row.map(|row| (record, row)));
        }
    }
    Ok((links, intents))
}

fn referral_of(key: &Key) -> Option<ReferralId> {
    key.pk.strip_prefix("REFERRAL#").and_then(ReferralId::parse)
}

/// `None`: nothing to do.
async fn look_at<P: Ports>(
    run: &Run<'_, P>,
    candidate: Candidate,
    link_row: Option<&Row>,
    intent: Option<Row>,
    creates: bool,
) -> Result<Option<Ended>, Failure> {
    // An engagement half made goes on even where its own half is linked already.
    if intent.is_some() {
        return Box::pin(create_engagement(run, &candidate.record, intent)).await.map(Some);
    }
    if let Some(row) = link_row
        && let Item::Link(known) = &row.item
    {
        let id = known.referral.clone();
        let Some(seen) = candidate.row else {
            // A child row or a deletion: the record itself is looked at.
            let look = Look { record: true, ..Look::default() };
            return link(run, &id, Some(row.clone()), look).await.map(Some);
        };
        if known.crm.settled.as_ref().is_some_and(|v| v.against(&seen.version) == Age::Same) {
            return Ok(None);
        }
        if known.claim.is_some() {
            return Ok(Some(Ended::later(0, "a write is in flight")));
        }
        let look = Look { record: true, row: Some(seen), ..Look::default() };
        return link(run, &id, Some(row.clone()), look).await.map(Some);
    }
    let wants = candidate.row.as_ref().is_none_or(|seen| run.map.wants_referral(&seen.record) == Some(true));
    if !creates || candidate.gone || !wants {
        return Ok(None);
    }
    match Box::pin(create_engagement(run, &candidate.record, None)).await? {
        Ended::Done(decision) if decision.decision == "skipped" => Ok(None),
        ended => Ok(Some(ended)),
    }
}

/// Referrals updated since the mark, minus the overlap: what no webhook told becomes hints. Newest first, so that a
/// page is never shifted by what happens meanwhile.
async fn sweep<P: Ports>(run: &Run<'_, P>, began: Timestamp, report: &mut Report) -> Result<(), Failure> {
    let mut mark = Mark::read(run, SWEEP, began).await?;
    if mark.first {
        // Older deals come when they change, or by `backfill`.
        mark.mark.walk = None;
        mark.save(run).await?;
        return Ok(());
    }
    let since = (mark.mark.seen_until - SWEEP_OVERLAP).max(mark.mark.since);
    let mut walk = mark.mark.walk.take().unwrap_or(Walk { began, cursor: None });
    loop {
        if out_of_time(run, report) {
            return Ok(());
        }
        let page = match run.ports.referrals().changed_since(since, walk.cursor.as_deref()).await {
            // The saved page is no longer there: the sweep begins anew.
            Err(failure) if !failure.is_retryable() && walk.cursor.is_some() => {
                walk.cursor = None;
                continue;
            }
            page => page?,
        };
        report.listed += u32::try_from(page.referrals.len()).unwrap_or(u32::MAX);
        let ours: Vec<_> =
            page.referrals.iter().filter(|r| r.belongs_to(&run.settings.organization)).collect();
        let keys: Vec<_> = ours.iter().map(|r| Key::link(r.id())).collect();
        let rows = if keys.is_empty() { vec![] } else { run.ports.links().read(&keys).await? };
        let mut hints = vec![];
        for (referral, row) in ours.into_iter().zip(rows) {
            let known = matches!(&row, Some(Row { item: Item::Link(link), .. }) if tells_nothing_new(link, referral.updated()));
            if !known {
                let subject = Subject::Referral { referral: referral.id().clone() };
                hints.push(Hint::new(subject, "sweep", referral.updated()));
            }
        }
        send(run, &hints, report).await?;
        match page.next {
            Some(next) => {
                walk.cursor = Some(next);
                mark.mark.walk = Some(walk.clone());
            }
            None => {
                mark.mark.seen_until = walk.began;
                mark.mark.walk = None;
            }
        }
        let done = mark.mark.walk.is_none();
        if !mark.save(run).await? || done {
            return Ok(());
        }
    }
}
