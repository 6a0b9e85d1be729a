//! One page of a feed: each row is skipped, settled, created, or handed to the queue. One record never stops a page.

use super::{
    candidates::{Candidate, Known, candidates},
    tick::{Tick, send, stops_a_run},
};
use crate::{
    engagement::{conclude, create_engagement},
    entry::{
        receive::{gone, link},
        route::GONE,
    },
    planted::{self, Bug},
    ports::{Changed, Feed, Ports, Seen},
    rows::run::{Ended, Run},
    settle::Look,
    state::{
        deal,
        failure::{Failure, System},
        hint::{Hint, Subject},
        link::Link,
        table::{Item, Row},
        version::Age,
    },
};
use jiff::Timestamp;
use mapping::{RecordId, RecordKind, names::STATUS};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

/// The rows of a page, and how far an earlier run has come in it.
pub(super) struct PageRows {
    pub(super) rows: Vec<Changed>,
    pub(super) after: Option<(RecordId, i64)>,
}

/// `None`: the page is done. Otherwise how far the run came before its time was up.
pub(super) type PartWay = Option<Option<(RecordId, i64)>>;

/// Works off a page. `creates`: records without a link may get a referral.
pub(super) async fn page<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    PageRows { rows, mut after }: PageRows,
    creates: bool,
    tick: &mut Tick<'_>,
) -> Result<PartWay, Failure> {
    tick.report.rows += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let candidates = candidates(run, feed, rows).await?;
    let known = Known::read(run, &candidates, creates).await?;
    let mut hints = vec![];
    let began = run.now();
    let orders = candidates.values().filter_map(|one| one.row.as_ref()?.version.order);
    let newest = after.as_ref().map(|(_, newest)| *newest).or(orders.max());
    for candidate in candidates.into_values() {
        if tick.is_over(run) {
            send(run, &hints, tick.report).await?;
            return Ok(Some(after));
        }
        if was_worked_off(&candidate, &after) || known.has_seen(&candidate) {
            continue;
        }
        let id = candidate.record.clone();
        let hint = hint(&candidate, &known, began);
        match guarded(look_at(run, candidate, &known, creates)).await {
            Ok(None) => {}
            Ok(Some(Ended::Done(decision))) => {
                tick.report.settled += 1;
                tick.report.decisions.push((id.to_string(), decision.decision.to_owned(), decision.reason));
            }
            // A record that cannot be finished now does not stop the page: the queue takes it.
            Ok(Some(Ended::Later { .. })) if planted::is(Bug::LaterRowForgotten) => {}
            Ok(Some(Ended::Later { why, .. })) => {
                tick.report.decisions.push((id.to_string(), "later".into(), why));
                hints.push(hint);
            }
            Err(failure) if stops_a_run(&failure) => {
                send(run, &hints, tick.report).await?;
                return Err(failure);
            }
            Err(_) if planted::is(Bug::FailedRowForgotten) => {}
            Err(failure) if planted::is(Bug::OneRecordStopsPage) => return Err(failure),
            Err(failure) => {
                tick.report.decisions.push((id.to_string(), "failed".into(), failure.to_string()));
                hints.push(hint);
            }
        }
        after = newest.map(|newest| (id, newest)).or(after);
    }
    send(run, &hints, tick.report).await?;
    Ok(None)
}

/// Whether an earlier run has worked a row off and it has not changed since.
fn was_worked_off(one: &Candidate, after: &Option<(RecordId, i64)>) -> bool {
    let (Some((last, newest)), Some(row)) = (after, &one.row) else { return false };
    one.record <= *last && row.version.order.is_some_and(|order| order <= *newest)
}

/// The hint for a row that cannot be finished now.
fn hint(one: &Candidate, known: &Known, began: Timestamp) -> Hint {
    let seen = one.row.as_ref().and_then(|row| row.version.order);
    let from = if one.gone { GONE } else { "poll" };
    let (record, referral) = (one.record.clone(), known.referral(&one.record));
    Hint::new(Subject::Record { record, referral, seen }, from, began)
}

/// Turns a panic of a row's work into a failure of that row alone.
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

/// Looks at one record of the page. `None`: there is nothing to do.
async fn look_at<P: Ports>(
    run: &Run<'_, P>,
    candidate: Candidate,
    known: &Known,
    creates: bool,
) -> Result<Option<Ended>, Failure> {
    if candidate.gone && planted::is(Bug::GoneRowForgotten) {
        return Ok(None);
    }
    let link_row = known.links.get(&candidate.record);
    let intent = known.intents.get(&candidate.record).cloned();
    let at_least = candidate.row.as_ref().and_then(|seen| seen.version.order);
    // A half-made engagement is completed even if its own half is linked already.
    if intent.is_some() && !(planted::is(Bug::HalfMadeLeft) && link_row.is_some()) {
        let outcome = Box::pin(create_engagement(run, &candidate.record, intent, at_least)).await;
        return conclude(run, outcome).await.map(Some);
    }
    if let Some(row) = link_row
        && let Item::Link(known) = &row.item
    {
        return look_at_link(run, candidate, row, known).await;
    }
    if !creates || !wants_referral(run, &candidate) {
        return Ok(None);
    }
    let outcome = Box::pin(create_engagement(run, &candidate.record, None, at_least)).await;
    match conclude(run, outcome).await? {
        Ended::Done(decision) if decision.decision == "skipped" => Ok(None),
        ended => Ok(Some(ended)),
    }
}

/// Settles the link of a row's record, unless the row shows nothing new.
async fn look_at_link<P: Ports>(
    run: &Run<'_, P>,
    candidate: Candidate,
    row: &Row,
    known: &Link,
) -> Result<Option<Ended>, Failure> {
    let id = &known.referral;
    if known.lead.as_ref() == Some(&candidate.record) {
        // A lead that became an opportunity: its changes are no longer followed.
        return Ok(None);
    }
    let Some(seen) = candidate.row else {
        // A child row or a deletion: read the record itself.
        let look = Look { record: true, gone: candidate.gone, ..Look::default() };
        let ended = link(run, id, Some(row.clone()), look).await?;
        return Ok(Some(if candidate.gone { gone(ended) } else { ended }));
    };
    let same = known.crm.settled.as_ref().is_some_and(|v| v.against(&seen.version) == Age::Same);
    if same && known.read_otherwise(run.map.of(candidate.record.kind)).next().is_none() {
        return Ok(None);
    }
    if known.claim.is_some() && planted::is(Bug::ClaimedRowSkipped) {
        return Ok(None);
    }
    if known.claim.is_some() {
        return Ok(Some(Ended::later(0, "a write is in flight")));
    }
    let look = Look { record: true, row: Some(seen), ..Look::default() };
    link(run, id, Some(row.clone()), look).await.map(Some)
}

/// Whether a record without a link may become a referral. The others cost no further call.
fn wants_referral<P: Ports>(run: &Run<'_, P>, candidate: &Candidate) -> bool {
    let map = run.map.of(candidate.record.kind);
    let wants = candidate.row.as_ref().is_none_or(|seen| map.wants_referral(&seen.record) == Some(true));
    // A lead that did not come from Partner Center is not sent there.
    let comes = candidate.record.kind == RecordKind::Opportunity || candidate.names.is_some();
    if candidate.gone || !wants || !comes {
        return false;
    }
    // No new referral is made of a closed record, nor by a stack that writes nothing.
    let over = |seen: &Seen| {
        let status = map.record_field(STATUS, &seen.record);
        let closed = status.is_some_and(|status| deal::is_closed_record(map, &status));
        seen.lead.is_none() && (closed || !run.settings.writes)
    };
    candidate.names.is_some() || !candidate.row.as_ref().is_some_and(over)
}
