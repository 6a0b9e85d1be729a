//! Writer and poller as the functions are: what a story's end does to its messages.

use crate::{queue::Message, step::until, trace::say, world::World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use sync::{
    failure::{Class, Failure},
    hold::{SYSTEMS, held_until, hold},
    poll::{Report, poll},
    ports::Links,
    receive::{self, Rows, give_up, receive},
    run::{Decision, Ended},
    table::Key,
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
    if let Some(held) = held_until(rows.values(), run.now()) {
        return match received >= GIVE_UP_AFTER {
            true => park("the system it needs was out of reach for too long").await,
            false => Ok(Verdict::Again(held.duration_since(run.now()))),
        };
    }
    let story = until(|| run.now(), ends - TAIL, receive(&run, &hints, &rows)).await;
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
            Class::Permanent | Class::Poison => park(&failure.to_string()).await,
        },
    }
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
