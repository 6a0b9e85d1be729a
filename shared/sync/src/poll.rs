//! One run of the poller: what is due goes to the queue, the CRM's changes are settled, and a sweep of Partner Center
//! finds what no webhook told. Watermarks overlap, use `>=`, and are saved only over the revision that was read:
//! reading twice is free, skipping is a loss. One record never stops a page; only system-wide failures stop a run.

mod engagements;
mod feed;
mod page;
mod sweep;

use crate::{
    failure::{Failure, System},
    hint::{Hint, Subject},
    hold::{answered, held_until},
    in_log::in_log,
    planted::{self, Bug},
    ports::{Crm, Feed, Hints, Links, Ports},
    run::Run,
    table::{Change, Expect, Item, Key, Row, Walk, Watermark},
};
use engagements::{ROUND, engagements};
use feed::feed;
use jiff::{SignedDuration, Timestamp};
pub use sweep::SWEEP;
use sweep::sweep;

/// A run stops this long before it is killed and goes on at the next tick.
const TAIL: SignedDuration = SignedDuration::from_secs(20);

/// A part that has not caught up for so long is told of by an alarm.
pub const BEHIND: SignedDuration = SignedDuration::from_mins(30);

/// What a run did, for its log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the CRM's feeds.
    pub rows: u32,
    /// Rows settled or created here.
    pub settled: u32,
    /// Referrals listed by the sweep.
    pub listed: u32,
    /// Referrals whose change no webhook had told, or not brought to its end yet.
    pub found: u32,
    /// How old the oldest of these changes is.
    pub lag: SignedDuration,
    /// Hints sent: by the sweep, for parked items, for rows that need another look.
    pub hints: u32,
    /// What each row came to: record or referral id, decision, reason.
    pub decisions: Vec<(String, String, String)>,
    /// The parts that this run had no time left for: they go on at the next tick where they are.
    pub unfinished: Vec<&'static str>,
    /// Why the run stopped early, or which of its parts failed.
    pub stopped: Option<String>,
}

/// One tick. `Err`: a system is out of reach; what was done is saved, the rest comes at the next tick.
pub async fn poll<P: Ports>(run: &Run<'_, P>, report: &mut Report) -> Result<(), Failure> {
    let began = run.now();
    let keys = [Key::lease(), Key::hold("partner_center"), Key::hold("crm"), Key::watermark(ROUND)];
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
    let held = [held(1), held(2)];
    let round = rows.get(3).cloned().flatten();
    let mut tick = Tick { began, until: run.ends - TAIL, report };
    let result = Box::pin(work(run, held, round, &mut tick)).await;
    let end = Change::put(Key::lease(), Expect::Any, Item::Lease { until: run.now() });
    let _ = run.ports.links().commit(vec![end]).await;
    if result.is_ok() && report.stopped.is_none() {
        answered(run, rows.iter().flatten()).await;
    }
    result
}

/// One tick in work.
struct Tick<'a> {
    /// Before anything was read.
    began: Timestamp,
    /// The present part goes on until then.
    until: Timestamp,
    report: &'a mut Report,
}

impl Tick<'_> {
    fn is_over<P: Ports>(&self, run: &Run<'_, P>) -> bool {
        run.now() > self.until
    }
}

/// What a tick consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Feed(Feed),
    Sweep,
    Round,
}

impl Part {
    /// Its watermark's name.
    fn name(self) -> &'static str {
        match self {
            Part::Feed(feed) => feed.as_str(),
            Part::Sweep => SWEEP,
            Part::Round => ROUND,
        }
    }
}

/// How far a part came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// To the end of what there was.
    Through,
    /// Its time was up; where it is, is saved.
    PartWay,
}

async fn work<P: Ports>(
    run: &Run<'_, P>,
    [partner_center, crm]: [Option<Timestamp>; 2],
    round: Option<Row>,
    tick: &mut Tick<'_>,
) -> Result<(), Failure> {
    let held = partner_center.max(crm);
    match held {
        Some(until) => tick.report.stopped = Some(format!("on hold until {until}")),
        None => due(run, tick).await?,
    }
    let leads = run.map.has_leads() && !run.map.switches().cosell_only;
    let feeds = run.ports.crm().feeds().iter().filter(|feed| leads || **feed != Feed::Leads);
    let feeds = feeds.copied().map(Part::Feed).filter(|_| held.is_none());
    // A CRM that is out of reach keeps nobody from looking at Partner Center: the hints wait in the queue.
    let center = [Part::Sweep, Part::Round].into_iter().filter(|_| partner_center.is_none());
    let mut parts: Vec<Part> = feeds.chain(center).collect();
    let mut round = Some(round);
    let mut lost: Option<Failure> = None;
    // Each has its share of the time, so that no bulk edit starves the others; what is left goes to those that need more.
    while !parts.is_empty() && run.now() <= run.ends - TAIL {
        let mut unfinished = vec![];
        for (nth, part) in parts.iter().copied().enumerate() {
            if lost.as_ref().is_some_and(|lost| lost.system != System::Crm || matches!(part, Part::Feed(_))) {
                continue;
            }
            tick.until = share(run.now(), run.ends - TAIL, parts.len() - nth);
            let came = match part {
                Part::Feed(which) => Box::pin(feed(run, which, tick)).await,
                Part::Sweep => sweep(run, tick).await,
                Part::Round => engagements(run, round.take(), tick).await,
            };
            match came {
                Ok(Came::Through) => {}
                Ok(Came::PartWay) => unfinished.push(part),
                Err(failure) if stops_a_run(&failure) => lost = Some(failure),
                Err(failure) => fails_alone(run, part, &failure, tick).await?,
            }
        }
        parts = unfinished;
    }
    for part in parts.into_iter().filter(|_| lost.is_none()) {
        tick.report.unfinished.push(part.name());
        let behind = Mark::read(run, part.name(), tick.began).await?.is_behind(tick.began);
        if behind {
            tracing::error!(
                alarm = "behind",
                part = part.name(),
                "it is slow, not out of reach: its changes take longer than a tick, and it goes on where it is"
            );
        }
    }
    lost.map_or(Ok(()), Err)
}

/// The end of a part's share, where so many parts are still to come.
fn share(now: Timestamp, end: Timestamp, parts: usize) -> Timestamp {
    let left = end.duration_since(now).as_millis();
    let share = left / i128::try_from(parts.max(1)).unwrap_or(1);
    now + SignedDuration::from_millis(i64::try_from(share).unwrap_or(0))
}

/// Everybody would meet it. What only one row meets is that row's, what only one feed meets that feed's.
fn stops_a_run(failure: &Failure) -> bool {
    failure.wide || failure.is_retryable() && matches!(failure.system, System::Table | System::Queue)
}

/// The others go on. What is refused is told at once, what time may cure once it has not moved for a while.
async fn fails_alone<P: Ports>(
    run: &Run<'_, P>,
    part: Part,
    failure: &Failure,
    tick: &mut Tick<'_>,
) -> Result<(), Failure> {
    let name = part.name();
    tick.report.stopped = Some(format!("{name}: {failure}"));
    if !failure.is_retryable() || Mark::read(run, name, tick.began).await?.is_behind(tick.began) {
        tracing::error!(
            alarm = "feed",
            part = name,
            reason = in_log(&failure.to_string()),
            "it stands still; the others go on"
        );
    } else {
        tracing::warn!(part = name, reason = in_log(&failure.to_string()), "it failed; the others go on");
    }
    Ok(())
}

/// Parked items whose time has come.
async fn due<P: Ports>(run: &Run<'_, P>, tick: &mut Tick<'_>) -> Result<(), Failure> {
    let began = tick.began;
    let mut hints = vec![];
    for row in run.ports.links().parked().await? {
        let Item::Parked(parked) = &row.item else { continue };
        // A message that was no hint of ours: for `redrive`, not for another try. Its id has the form of a referral's.
        if parked.body.is_some() || parked.next_try > began || planted::is(Bug::ParkedForgotten) {
            continue;
        }
        hints.extend(Subject::parked(&row.key.sk).map(|subject| Hint::new(subject, "retry", began)));
    }
    send(run, &hints, tick.report).await
}

async fn send<P: Ports>(run: &Run<'_, P>, hints: &[Hint], report: &mut Report) -> Result<(), Failure> {
    report.hints += u32::try_from(hints.len()).unwrap_or(u32::MAX);
    if hints.is_empty() {
        return Ok(());
    }
    let sent = run.ports.hints().send(hints).await;
    if planted::is(Bug::AcknowledgedBeforeStored) { Ok(()) } else { sent }
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
        let row = run.ports.links().read(std::slice::from_ref(&key)).await?.pop().flatten();
        Ok(Mark::of(run, name, row, began))
    }

    fn of<P: Ports>(run: &Run<'_, P>, name: &str, row: Option<Row>, began: Timestamp) -> Self {
        let key = Key::watermark(name);
        match row {
            Some(Row { rev, item: Item::Watermark(mark), .. }) => {
                Mark { key, expect: Expect::Rev(rev), mark, first: false }
            }
            _ => {
                let walk = Some(Walk::at(began, None));
                let mark = Watermark { walk, ..Watermark::since(began, run.map.hash()) };
                Mark { key, expect: Expect::Absent, mark, first: true }
            }
        }
    }

    /// Whether it has not caught up for so long that somebody should know.
    fn is_behind(&self, now: Timestamp) -> bool {
        // A daily round is up to date for a day; what is late is one under way.
        let since = match self.key == Key::watermark(ROUND) {
            true => self.mark.walk.as_ref().map_or(now, |walk| walk.began),
            false => self.mark.seen_until,
        };
        now.duration_since(since) > BEHIND
    }

    /// `false`: another run saved it; what that one read stands.
    async fn save<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<bool, Failure> {
        let expect = if planted::is(Bug::MarkOverAnothers) { Expect::Any } else { self.expect };
        let put = Change::put(self.key.clone(), expect, Item::Watermark(self.mark.clone()));
        let saved = run.ports.links().commit(vec![put]).await?;
        self.expect = match self.expect {
            Expect::Rev(rev) => Expect::Rev(rev + 1),
            _ => Expect::Rev(1),
        };
        Ok(saved)
    }
}
