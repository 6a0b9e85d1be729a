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
    planted::{self, Bug},
    ports::{Crm, Feed, Hints, Links, Ports},
    run::Run,
    table::{Change, Expect, Item, Key, Row, Walk, Watermark},
};
use engagements::{ROUND, engagements};
use feed::feed;
use jiff::{SignedDuration, Timestamp};
use sweep::sweep;

/// A run stops this long before it is killed and goes on at the next tick.
const TAIL: SignedDuration = SignedDuration::from_secs(20);

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
    /// Why the run stopped early, if it did.
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
    let (partner_center, crm) = (held(1), held(2));
    let round = Mark::of(run, ROUND, rows.get(3).cloned().flatten(), began);
    let result = Box::pin(work(run, began, [partner_center, crm], round, report)).await;
    let end = Change::put(Key::lease(), Expect::Any, Item::Lease { until: run.now() });
    let _ = run.ports.links().commit(vec![end]).await;
    if result.is_ok() && report.stopped.is_none() {
        answered(run, rows.iter().flatten()).await;
    }
    result
}

async fn work<P: Ports>(
    run: &Run<'_, P>,
    began: Timestamp,
    [partner_center, crm]: [Option<Timestamp>; 2],
    round: Mark,
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
        engagements(run, round, began, report).await?;
    }
    fed
}

async fn feeds<P: Ports>(run: &Run<'_, P>, began: Timestamp, report: &mut Report) -> Result<(), Failure> {
    let leads = run.map.has_leads() && !run.map.switches().cosell_only;
    for which in run.ports.crm().feeds().iter().filter(|feed| leads || **feed != Feed::Leads) {
        Box::pin(feed(run, *which, began, report)).await?;
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
        // A message that was no hint of ours: for `redrive`, not for another try. Its id has the form of a referral's.
        if parked.body.is_some() || parked.next_try > began || planted::is(Bug::ParkedForgotten) {
            continue;
        }
        hints.extend(Subject::parked(&row.key.sk).map(|subject| Hint::new(subject, "retry", began)));
    }
    send(run, &hints, report).await
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
                let walk = Some(Walk { began, cursor: None });
                let map = run.map.hash().to_owned();
                let mark = Watermark { position: None, seen_until: began, since: began, walk, map };
                Mark { key, expect: Expect::Absent, mark, first: true }
            }
        }
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
