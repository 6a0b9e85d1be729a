//! One run of the poller: parked items that are due go to the queue, the CRM's changes are settled, and a sweep of
//! Partner Center finds the changes that no webhook reported. Watermarks overlap, use `>=`, and are saved only over the
//! revision that was read: reading twice is free, skipping is a loss. One record never stops a page; only system-wide
//! failures stop a run.

mod candidates;
mod feed;
mod mark;
mod page;
mod report;
mod round;
mod sweep;
mod tick;

use crate::{
    planted::{self, Bug},
    ports::{Crm, Feed, Links, Ports},
    rows::{
        hold::{answered, held_until, hold},
        run::Run,
    },
    state::{
        failure::{Failure, System},
        hint::{Hint, Subject},
        in_log::in_log,
        table::{Change, Expect, Item, Key, Row},
    },
};
use feed::feed;
use jiff::{SignedDuration, Timestamp};
pub use mark::BEHIND;
use mark::Mark;
pub use report::Report;
use round::{ROUND, round};
pub use sweep::SWEEP;
use sweep::sweep;
use tick::{Came, Tick, send, stops_a_run};

/// A run stops this long before it is killed; the next tick continues there.
const TAIL: SignedDuration = SignedDuration::from_secs(20);

/// Does one tick. `Err`: a system is out of reach; what was done is saved, the rest follows at the next tick.
pub async fn poll<P: Ports>(run: &Run<'_, P>, report: &mut Report) -> Result<(), Failure> {
    let began = run.now();
    let keys = [Key::lease(), Key::hold("partner_center"), Key::hold("crm"), Key::watermark(ROUND)];
    let rows = run.ports.links().read(&keys).await?;
    let (expect, busy) = match rows.first().and_then(Option::as_ref) {
        Some(Row { rev, item: Item::Lease { until }, .. }) => (Expect::Rev(*rev), *until > began),
        Some(Row { rev, .. }) => (Expect::Rev(*rev), false),
        None => (Expect::Absent, false),
    };
    // The lease saves calls only: two pollers at a time do no harm.
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

/// Ends a tick that failed: holds the system that is out of reach; the next tick continues where this one stopped.
/// `Err`: a later try cannot succeed.
pub async fn stop<P: Ports>(run: &Run<'_, P>, report: &mut Report, failure: Failure) -> Result<(), Failure> {
    if !failure.is_retryable() {
        return Err(failure);
    }
    hold(run, &failure).await?;
    report.stopped = Some(failure.to_string());
    Ok(())
}

/// A part of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Feed(Feed),
    Sweep,
    Round,
}

impl Part {
    /// The name of its watermark.
    fn name(self) -> &'static str {
        match self {
            Part::Feed(feed) => feed.as_str(),
            Part::Sweep => SWEEP,
            Part::Round => ROUND,
        }
    }
}

async fn work<P: Ports>(
    run: &Run<'_, P>,
    [partner_center, crm]: [Option<Timestamp>; 2],
    row: Option<Row>,
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
    // A hold of the CRM does not stop the sweep of Partner Center: its hints wait in the queue.
    let center = [Part::Sweep, Part::Round].into_iter().filter(|_| partner_center.is_none());
    let mut parts: Vec<Part> = feeds.chain(center).collect();
    let mut row = Some(row);
    let mut lost: Option<Failure> = None;
    // Each part gets a share of the time, so that a bulk edit in one does not starve the others. Parts that need more
    // get the time that is left.
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
                Part::Round => round(run, row.take(), tick).await,
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

/// The end of a part's share of the time, if so many parts, this one included, are still to come.
fn share(now: Timestamp, end: Timestamp, parts: usize) -> Timestamp {
    let left = end.duration_since(now).as_millis();
    let share = left / i128::try_from(parts.max(1)).unwrap_or(1);
    now + SignedDuration::from_millis(i64::try_from(share).unwrap_or(0))
}

/// A part failed; the others continue. The alarm comes at once if a later try cannot succeed, otherwise when the part
/// has stood still for [`BEHIND`].
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

/// Sends hints for parked items whose next try is due.
async fn due<P: Ports>(run: &Run<'_, P>, tick: &mut Tick<'_>) -> Result<(), Failure> {
    let began = tick.began;
    let mut hints = vec![];
    for row in run.ports.links().parked().await? {
        let Item::Parked(parked) = &row.item else { continue };
        // A parked message is taken up by `redrive`, not here. Its id has the form of a referral's.
        if parked.body.is_some() || parked.next_try > began || planted::is(Bug::ParkedForgotten) {
            continue;
        }
        hints.extend(Subject::parked(&row.key.sk).map(|subject| Hint::new(subject, "retry", began)));
    }
    send(run, &hints, tick.report).await
}
