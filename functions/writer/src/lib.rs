//! The function `Writer`: queue -> CRM, and the calls to Partner Center that settling a link needs. Decodes the batch,
//! has `sync` work off each group, and turns the verdicts into the partial batch answer. Decides nothing itself. Start
//! at [`handle`]; what becomes of a hint is decided from [`sync::receive`] on.
//!
//! - `batch`: one batch of messages as groups of hints

mod batch;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use batch::Group;
use clients::{gather::Seat, live::Live, outside::App};
use jiff::{SignedDuration, Timestamp};
use mapping::one_line;
use std::sync::Arc;
use sync::{
    batch::{Verdict, begin, crashed, judge, keys, stopped, stops_at, wait},
    failure::Failure,
    hint::Hint,
    in_log::in_log,
    ports::{Links, Ports},
    receive::{Rows, park_message, receive},
    run::{Decision, Ended, Story},
    storm::{self, Listed},
    table::Key,
};
use tokio::task::JoinSet;

/// Characters of a parser's or a panic's words that are logged.
const LOGGED: usize = 300;
/// The sender's name in hints of the sweep.
const SWEEP: &str = "sweep";

/// Works off one batch. `ends`: the instant this run is killed.
pub async fn handle(live: &Live, event: SqsEvent, ends: Timestamp) -> Result<SqsBatchResponse, Failure> {
    let app = live.last();
    let run = app.run(ends, 1);
    let (groups, unusable) = batch::group(event);
    for message in unusable {
        tracing::error!(
            message.id = message.id,
            error.class = "poison",
            alarm = "poison",
            reason = logged(&message.why),
            "parked"
        );
        park_message(&run, &message.id, &message.body, &message.why).await?;
    }
    let mut answer = SqsBatchResponse::default();
    if groups.is_empty() {
        return Ok(answer);
    }
    let rows = read_all(&app, &groups).await?;
    let app = &live.with(rows.get(&Key::active_map()))?;
    let hints = groups.iter().flat_map(|group| &group.hints);
    match begin(&app.run(ends, 1), hints, &rows, storm::MANY).await {
        Ok(listed) => work_off(app, &groups, (Arc::new(rows), Arc::new(listed)), ends, &mut answer).await?,
        Err(pause) => {
            for group in &groups {
                let verdict = wait(&app.run(ends, group.received), &group.hints, pause).await?;
                reply(app, group, verdict, &mut answer).await;
            }
        }
    }
    Ok(answer)
}

/// Works off the groups concurrently, each as a whole, and adds each group's verdict to the answer.
async fn work_off(
    app: &Arc<App>,
    groups: &[Group],
    read: (Arc<Rows>, Arc<Listed>),
    ends: Timestamp,
    answer: &mut SqsBatchResponse,
) -> Result<(), Failure> {
    // Dropping the set ends its tasks: none outlives this invocation.
    let mut tasks = JoinSet::new();
    let ids: Vec<_> = groups
        .iter()
        .zip(Seat::for_each(groups.len()))
        .map(|(group, seat)| {
            let task = task(app.clone(), group.clone(), read.clone(), ends);
            tasks.spawn(seat.take(task)).id()
        })
        .collect();
    let began = app.outside.clock().now();
    while let Some(ended) = tasks.join_next_with_id().await {
        let id = ended.as_ref().map_or_else(|crash| crash.id(), |(id, _)| *id);
        let Some(group) = ids.iter().position(|known| *known == id).and_then(|n| groups.get(n)) else {
            continue;
        };
        let run = app.run(ends, group.received);
        let verdict = match ended {
            Ok((_, story)) => {
                log(app, group, &story, began);
                judge(&run, &group.hints, story).await?
            }
            Err(crash) => {
                let reason = logged(&crash.to_string());
                tracing::error!(group = group.name, alarm = "crash", reason, "parked");
                crashed(&run, &group.hints).await?
            }
        };
        reply(app, group, verdict, answer).await;
    }
    Ok(())
}

/// Reads in one call all rows that the batch's first decisions need, with the holds and the active map.
async fn read_all(app: &App, groups: &[Group]) -> Result<Rows, Failure> {
    let mut keys = keys(groups.iter().flat_map(|group| &group.hints));
    keys.insert(Key::active_map());
    let keys: Vec<Key> = keys.into_iter().collect();
    let rows = app.outside.links().read(&keys).await?;
    Ok(rows.into_iter().flatten().map(|row| (row.key.clone(), row)).collect())
}

async fn task(
    app: Arc<App>,
    group: Group,
    (rows, listed): (Arc<Rows>, Arc<Listed>),
    ends: Timestamp,
) -> Story {
    let run = app.run(ends, group.received);
    let left = stops_at(&run).duration_since(app.outside.clock().now());
    let left = std::time::Duration::try_from(left).unwrap_or_default();
    let story = receive(&run, &group.hints, &rows, &listed);
    tokio::time::timeout(left, story).await.unwrap_or_else(|_| stopped())
}

/// Adds a group's verdict to the answer: a group that is not done is reported as failed, and SQS keeps its messages.
async fn reply(app: &App, group: &Group, verdict: Verdict, answer: &mut SqsBatchResponse) {
    match verdict {
        Verdict::Acknowledge => {}
        Verdict::Again(pause) => again(app, group, pause, answer).await,
    }
}

/// Returns a group to the queue: its messages are hidden for the pause, and reported as failed so that SQS keeps them.
async fn again(app: &App, group: &Group, after: SignedDuration, answer: &mut SqsBatchResponse) {
    for message in &group.messages {
        if let Err(failure) = app.outside.queue.change_visibility(&message.receipt, after).await {
            // The message is delivered again all the same, after the queue's own visibility time-out.
            tracing::warn!(reason = in_log(&failure.to_string()), "visibility not changed");
        }
        let mut item = BatchItemFailure::default();
        item.item_identifier.clone_from(&message.id);
        answer.batch_item_failures.push(item);
    }
}

/// A parser's or a panic's words as they may be logged: they may repeat what a user wrote, and at any length.
fn logged(words: &str) -> String {
    one_line(&in_log(words), LOGGED)
}

/// Who sent a group's hints: the first sender other than the sweep. `sweep` alone means that no webhook announced the
/// change; an alarm counts these.
fn told_by(hints: &[Hint]) -> &str {
    hints.iter().map(|hint| hint.from.as_str()).find(|from| *from != SWEEP).unwrap_or(SWEEP)
}

fn log(app: &App, group: &Group, story: &Story, began: Timestamp) {
    // A number of 128 bits would be written as text.
    let duration_ms = app.outside.clock().now().duration_since(began).as_millis() as i64;
    let crm = app.map.crm().as_str();
    let referral = group.hints.iter().find_map(|hint| hint.subject.referral()).map(tracing::field::display);
    let record = group.hints.iter().find_map(|hint| hint.subject.record()).map(tracing::field::display);
    let told_by = told_by(&group.hints);
    match story {
        Ok(Ended::Done(Decision { decision, reason })) => {
            tracing::info!(
                referral.id = referral,
                record.id = record,
                crm.kind = crm,
                told_by,
                decision,
                reason = in_log(reason),
                hints = group.hints.len(),
                duration_ms
            );
        }
        Ok(Ended::Later { after, why }) => {
            let after_s = after.as_secs();
            tracing::info!(
                referral.id = referral,
                record.id = record,
                crm.kind = crm,
                told_by,
                decision = "later",
                reason = in_log(why),
                after_s,
                duration_ms
            );
        }
        Err(failure) => {
            let class = failure.class.as_str();
            tracing::warn!(
                referral.id = referral,
                record.id = record,
                crm.kind = crm,
                told_by,
                decision = "failed",
                reason = in_log(&failure.to_string()),
                error.class = class,
                duration_ms
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::hint::Subject;

    #[test]
    fn a_parsers_words_are_logged_without_addresses_and_bounded() {
        let words = logged(r#"task 7 panicked with message "no column for falk@ungerbach.example""#);
        assert!(words.starts_with("task 7 panicked") && !words.contains("ungerbach"), "{words}");
        assert!(logged(&"word ".repeat(9_000)).chars().count() <= LOGGED);
    }

    #[test]
    fn the_sweep_has_told_only_where_nobody_else_did() {
        let subject = Subject::parked("5da33122-1f0c-4b57-9d3a-6f2f3c1b7a10").unwrap();
        let hint = |from: &str| Hint::new(subject.clone(), from, Timestamp::UNIX_EPOCH);
        assert_eq!(told_by(&[hint("sweep"), hint("sweep")]), "sweep");
        assert_eq!(told_by(&[hint("sweep"), hint("referral-updated")]), "referral-updated");
        assert_eq!(told_by(&[hint("retry")]), "retry");
    }
}
