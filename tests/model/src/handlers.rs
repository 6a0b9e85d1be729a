//! Writer and poller as the functions are: what a story's end does to its messages.

use crate::{queue::Message, step::until, trace::say, world::World};
use jiff::{SignedDuration, Timestamp};
use mapping::ReferralId;
use std::collections::BTreeSet;
use sync::{
    failure::{Class, Failure},
    hint::{Hint, Subject},
    hold::{SYSTEMS, held_until, hold},
    link::{Link, State},
    poll::{Report, poll},
    ports::Links,
    receive::{self, Rows, give_up, receive},
    run::{Decision, Ended, Run},
    storm::{self, Listed},
    table::{Item, Key, Row},
};

const GIVE_UP_AFTER: u32 = 90;
/// A task is stopped this long before the run is killed.
const TAIL: SignedDuration = SignedDuration::from_secs(3);

/// What becomes of a group's messages.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Acknowledge,
    Again(SignedDuration),
    /// The handler failed: they come when their visibility ends.
    Failed,
    /// A tick of the poller.
    Ticked,
}

/// One group of messages.
pub(crate) async fn writer(world: &World, messages: Vec<Message>, ends: Timestamp) -> Verdict {
    work_off(world, &messages, ends).await.unwrap_or(Verdict::Failed)
}

async fn work_off(world: &World, messages: &[Message], ends: Timestamp) -> Result<Verdict, Failure> {
    let received = messages.iter().map(|m| m.received).max().unwrap_or(1);
    let hints: Vec<_> = messages.iter().map(|m| m.hint.clone()).collect();
    let mut keys: BTreeSet<Key> = SYSTEMS.iter().map(|system| Key::hold(system)).collect();
    keys.extend(hints.iter().flat_map(receive::keys));
    let keys: Vec<Key> = keys.into_iter().collect();
    let rows: Rows =
        world.read(&keys).await?.into_iter().flatten().map(|row| (row.key.clone(), row)).collect();
    let run = world.run(ends, received);
    let park = async |words: &str| -> Result<Verdict, Failure> {
        for hint in &hints {
            if let Ended::Later { after, .. } = give_up(&run, hint, words).await? {
                return Ok(Verdict::Again(after));
            }
        }
        Ok(Verdict::Acknowledge)
    };
    let stormy = world.lock().faults.sort.listed;
    let listed = match held_until(rows.values(), run.now()) {
        Some(until) => Err(until.duration_since(run.now())),
        None if stormy => match list_with_another(&run, &hints, &rows).await {
            Ok(listed) => Ok(listed),
            Err(failure) => Err(hold(&run, &failure).await?),
        },
        None => Ok(Listed::new()),
    };
    let listed = match listed {
        Ok(listed) => listed,
        Err(_) if received >= GIVE_UP_AFTER => {
            return park("the system it needs was out of reach for too long").await;
        }
        Err(pause) => return Ok(Verdict::Again(pause)),
    };
    let story = until(|| run.now(), ends - TAIL, receive(&run, &hints, &rows, &listed)).await;
    let story = story.unwrap_or_else(|| Ok(Ended::later(30, "the run's time is up")));
    told(world, &story);
    match story {
        Ok(Ended::Done(_)) => Ok(Verdict::Acknowledge),
        Ok(Ended::Later { .. }) if received >= GIVE_UP_AFTER => park("it was tried too often").await,
        Ok(Ended::Later { after, .. }) => Ok(Verdict::Again(after)),
        Err(failure) => match failure.class {
            Class::Retryable { .. } if received >= GIVE_UP_AFTER => park(&failure.to_string()).await,
            Class::Retryable { .. } => {
                let pause = hold(&run, &failure).await.unwrap_or(SignedDuration::from_secs(30));
                Ok(Verdict::Again(pause))
            }
            Class::Permanent => park(&failure.to_string()).await,
        },
    }
}

/// As if another referral had changed an hour ago: the page goes back that far, and shows late what changed since.
async fn list_with_another(run: &Run<'_, World>, hints: &[Hint], rows: &Rows) -> Result<Listed, Failure> {
    let other = ReferralId::parse("00000000-0000-4000-8000-000000000001").expect("an id");
    let subject = Subject::Referral { referral: other.clone() };
    let hint = Hint::new(subject, "referral-updated", run.now() - SignedDuration::from_hours(1));
    let link = Item::Link(Box::new(Link::new(other.clone(), None, State::Linked)));
    let mut rows = rows.clone();
    rows.insert(Key::link(&other), Row { key: Key::link(&other), rev: 1, item: link });
    storm::list(run, hints.iter().chain([&hint]), &rows, 2).await
}

fn told(world: &World, story: &Result<Ended, Failure>) {
    let mut state = world.lock();
    let state = &mut *state;
    match story {
        Ok(Ended::Done(Decision { decision, reason })) => {
            say!(state, state.runs.name, "=> {decision}: {reason}");
        }
        Ok(Ended::Later { after, why }) => say!(state, state.runs.name, "=> later ({after:?}): {why}"),
        Err(failure) => say!(state, state.runs.name, "=> failed: {failure}"),
    }
}

/// One tick.
pub(crate) async fn poller(world: &World, ends: Timestamp) -> Verdict {
    let run = world.run(ends, 1);
    let mut report = Report::default();
    let result = poll(&run, &mut report).await;
    {
        let mut state = world.lock();
        let state = &mut *state;
        for (id, decision, reason) in &report.decisions {
            say!(state, state.runs.name, "{}: {decision}: {reason}", crate::trace::short(id));
        }
    }
    if let Err(failure) = result {
        told(world, &Err(failure.clone()));
        if failure.is_retryable() {
            _ = hold(&run, &failure).await;
        }
    }
    Verdict::Ticked
}
