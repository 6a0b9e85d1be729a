//! Queue -> CRM, and whatever settling a link needs. Decodes the batch, lets `sync` tell the story of each group,
//! and turns how it ended into the partial batch answer. Decides nothing itself.

mod batch;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use batch::Group;
use clients::{
    gather::Seat,
    live::Live,
    outside::{App, Outside},
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, sync::Arc};
use sync::{
    failure::{Class, Failure},
    hint::Hint,
    hold::{SYSTEMS, held_until, hold},
    ports::{Links, Ports},
    receive::{self, Rows, give_up, park_message, receive},
    run::{Decision, Ended, Run, Story},
    storm::{self, Listed},
    table::Key,
};
use tokio::task::JoinSet;

/// A message received so often is parked: the dead-letter queue holds crashes only (the queue's `maxReceiveCount` is
/// 100), and a record's hint has no sweep behind it.
const GIVE_UP_AFTER: u32 = 90;
/// A task is stopped this long before the run is killed, so that its messages are still answered.
const TAIL: SignedDuration = SignedDuration::from_secs(3);
/// How the sweep signs its hints.
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
            reason = message.why,
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
    let run = app.run(ends, 1);
    let listed = match held_until(rows.values(), run.now()) {
        Some(until) => Err(until.duration_since(run.now())),
        None => list(&run, &groups, &rows).await,
    };
    let listed = match listed {
        Ok(listed) => Arc::new(listed),
        Err(pause) => {
            for group in &groups {
                if group.received >= GIVE_UP_AFTER {
                    let words = "the system it needs was out of reach for too long";
                    park_group(app, group, ends, words, &mut answer).await?;
                } else {
                    again(app, group, pause, &mut answer).await;
                }
            }
            return Ok(answer);
        }
    };
    let rows = Arc::new(rows);
    // Tasks end with this invocation, whatever ends it.
    let mut tasks = JoinSet::new();
    let ids: Vec<_> = groups
        .iter()
        .zip(Seat::for_each(groups.len()))
        .map(|(group, seat)| {
            let task = task(app.clone(), group.clone(), (rows.clone(), listed.clone()), ends);
            tasks.spawn(seat.take(task)).id()
        })
        .collect();
    let began = run.now();
    while let Some(ended) = tasks.join_next_with_id().await {
        let id = ended.as_ref().map_or_else(|crash| crash.id(), |(id, _)| *id);
        let Some(group) = ids.iter().position(|known| *known == id).and_then(|n| groups.get(n)) else {
            continue;
        };
        let story = match ended {
            Ok((_, story)) => story,
            Err(crash) => {
                tracing::error!(group = group.name, alarm = "crash", reason = %crash, "parked");
                park_group(app, group, ends, "it crashed; see the log", &mut answer).await?;
                continue;
            }
        };
        log(app, group, &story, began);
        match story {
            Ok(Ended::Done(_)) => {}
            Ok(Ended::Later { .. }) if group.received >= GIVE_UP_AFTER => {
                park_group(app, group, ends, "it was tried too often without coming to an end", &mut answer)
                    .await?;
            }
            Ok(Ended::Later { after, .. }) => again(app, group, after, &mut answer).await,
            Err(failure) => match failure.class {
                Class::Retryable { .. } if group.received >= GIVE_UP_AFTER => {
                    park_group(app, group, ends, &failure.to_string(), &mut answer).await?;
                }
                Class::Retryable { .. } => {
                    let pause = pause(&run, &failure).await;
                    again(app, group, pause, &mut answer).await;
                }
                Class::Permanent => park_group(app, group, ends, &failure.to_string(), &mut answer).await?,
            },
        }
    }
    Ok(answer)
}

/// All rows the batch's first decisions need, the holds and the map, in one read.
async fn read_all(app: &App, groups: &[Group]) -> Result<Rows, Failure> {
    let mut keys: BTreeSet<Key> = SYSTEMS.iter().map(|system| Key::hold(system)).collect();
    keys.insert(Key::active_map());
    keys.extend(groups.iter().flat_map(|group| &group.hints).flat_map(receive::keys));
    let keys: Vec<Key> = keys.into_iter().collect();
    let rows = app.outside.links().read(&keys).await?;
    Ok(rows.into_iter().flatten().map(|row| (row.key.clone(), row)).collect())
}

/// What the list shows of many referrals that changed at once. `Err`: it is out of reach for everybody, for so long.
async fn list(run: &Run<'_, Outside>, groups: &[Group], rows: &Rows) -> Result<Listed, SignedDuration> {
    let hints = groups.iter().flat_map(|group| &group.hints);
    match storm::list(run, hints, rows, storm::MANY).await {
        Ok(listed) => Ok(listed),
        Err(failure) => {
            tracing::warn!(reason = %failure, error.class = failure.class.as_str(), "the batch waits");
            Err(pause(run, &failure).await)
        }
    }
}

/// How long those wait who met it.
async fn pause(run: &Run<'_, Outside>, failure: &Failure) -> SignedDuration {
    hold(run, failure).await.unwrap_or(SignedDuration::from_secs(30))
}

async fn task(
    app: Arc<App>,
    group: Group,
    (rows, listed): (Arc<Rows>, Arc<Listed>),
    ends: Timestamp,
) -> Story {
    let run = app.run(ends, group.received);
    let left = ends.duration_since(run.now()) - TAIL;
    let left = std::time::Duration::try_from(left).unwrap_or_default();
    tokio::time::timeout(left, receive(&run, &group.hints, &rows, &listed))
        .await
        .unwrap_or_else(|_| Ok(Ended::later(30, "the run's time is up")))
}

async fn park_group(
    app: &App,
    group: &Group,
    ends: Timestamp,
    words: &str,
    answer: &mut SqsBatchResponse,
) -> Result<(), Failure> {
    let run = app.run(ends, group.received);
    for hint in &group.hints {
        if let Ended::Later { after, .. } = give_up(&run, hint, words).await? {
            again(app, group, after, answer).await;
            break;
        }
    }
    Ok(())
}

/// The group comes again after a pause: hidden for that long, and reported so that SQS keeps it.
async fn again(app: &App, group: &Group, after: SignedDuration, answer: &mut SqsBatchResponse) {
    for message in &group.messages {
        if let Err(failure) = app.outside.queue.change_visibility(&message.receipt, after).await {
            // It comes again anyway, by the queue's own visibility.
            tracing::warn!(reason = %failure, "visibility not changed");
        }
        let mut item = BatchItemFailure::default();
        item.item_identifier.clone_from(&message.id);
        answer.batch_item_failures.push(item);
    }
}

/// Who sent a group's hints. `sweep` only where nobody else did: then no webhook had told of the change.
fn told_by(hints: &[Hint]) -> &str {
    hints.iter().map(|hint| hint.from.as_str()).find(|from| *from != SWEEP).unwrap_or(SWEEP)
}

fn log(app: &App, group: &Group, story: &Story, began: Timestamp) {
    let duration_ms = app.outside.clock().now().duration_since(began).as_millis();
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
                reason,
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
                reason = why,
                after_s,
                duration_ms
            );
        }
        Err(failure) => {
            let class = failure.class.as_str();
            tracing::warn!(referral.id = referral, record.id = record, crm.kind = crm, told_by, decision = "failed", reason = %failure, error.class = class, duration_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::hint::Subject;

    #[test]
    fn the_sweep_has_told_only_where_nobody_else_did() {
        let subject = Subject::parked("5da33122-1f0c-4b57-9d3a-6f2f3c1b7a10").unwrap();
        let hint = |from: &str| Hint::new(subject.clone(), from, Timestamp::UNIX_EPOCH);
        assert_eq!(told_by(&[hint("sweep"), hint("sweep")]), "sweep");
        assert_eq!(told_by(&[hint("sweep"), hint("referral-updated")]), "referral-updated");
        assert_eq!(told_by(&[hint("retry")]), "retry");
    }
}
