//! What becomes of a batch of messages: whether its work may begin, how the end of a story is answered to the queue,
//! and when a message is given up.

use super::{
    receive::{give_up, keys as keys_of},
    route::Rows,
    storm::{self, Listed},
};
use crate::{
    ports::Ports,
    rows::{
        hold::{SYSTEMS, held_until, hold},
        run::{Ended, Run, Story},
    },
    state::{
        failure::{Class, Failure},
        hint::Hint,
        in_log::in_log,
        table::Key,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A message that was received this many times is parked: the dead-letter queue is for crashes only (the queue's
/// `maxReceiveCount` is 100), and no sweep would repeat the hint of a record.
const GIVE_UP_AFTER: u32 = 90;
/// A group's work stops this long before the run is killed, so that its messages are still answered.
const TAIL: SignedDuration = SignedDuration::from_secs(3);
/// The pause if a hold could not be saved.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The answer to the queue about a group's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The messages are done.
    Acknowledge,
    /// The messages are delivered again after this pause.
    Again(SignedDuration),
}

/// The keys of the rows that a batch's first decisions need, the holds among them.
pub fn keys<'a>(hints: impl IntoIterator<Item = &'a Hint>) -> BTreeSet<Key> {
    let holds = SYSTEMS.iter().map(|system| Key::hold(system));
    holds.chain(hints.into_iter().flat_map(keys_of)).collect()
}

/// Reads the referrals that changed from one page of the list, if there are at least `many`. `Err`: a system is out of
/// reach, and every group of the batch waits for this pause.
pub async fn begin<P: Ports>(
    run: &Run<'_, P>,
    hints: impl IntoIterator<Item = &Hint>,
    rows: &Rows,
    many: usize,
) -> Result<Listed, SignedDuration> {
    if let Some(until) = held_until(rows.values(), run.now()) {
        return Err(until.duration_since(run.now()));
    }
    match storm::list(run, hints, rows, many).await {
        Ok(listed) => Ok(listed),
        Err(failure) => {
            tracing::warn!(
                reason = in_log(&failure.to_string()),
                error.class = failure.class.as_str(),
                "the batch waits"
            );
            Err(pause(run, &failure).await)
        }
    }
}

/// Answers a group of a batch that may not begin. `run.attempt`: how many times the group was received.
pub async fn wait<P: Ports>(
    run: &Run<'_, P>,
    hints: &[Hint],
    pause: SignedDuration,
) -> Result<Verdict, Failure> {
    match is_last(run) {
        true => park(run, hints, "the system it needs was out of reach for too long").await,
        false => Ok(Verdict::Again(pause)),
    }
}

/// The instant at which a group's work stops.
pub fn stops_at<P: Ports>(run: &Run<'_, P>) -> Timestamp {
    run.ends - TAIL
}

/// The end of a story that was stopped at that instant.
pub fn stopped() -> Story {
    Ok(Ended::later(30, "the run's time is up"))
}

/// Answers a group after its story. `run.attempt`: how many times the group was received.
pub async fn judge<P: Ports>(run: &Run<'_, P>, hints: &[Hint], story: Story) -> Result<Verdict, Failure> {
    match story {
        Ok(Ended::Done(_)) => Ok(Verdict::Acknowledge),
        Ok(Ended::Later { .. }) if is_last(run) => {
            park(run, hints, "it was tried too often without coming to an end").await
        }
        Ok(Ended::Later { after, .. }) => Ok(Verdict::Again(after)),
        Err(failure) => match failure.class {
            Class::Retryable { .. } if !is_last(run) => Ok(Verdict::Again(pause(run, &failure).await)),
            Class::Retryable { .. } | Class::Permanent => park(run, hints, &failure.to_string()).await,
        },
    }
}

/// Parks a group whose work crashed.
pub async fn crashed<P: Ports>(run: &Run<'_, P>, hints: &[Hint]) -> Result<Verdict, Failure> {
    park(run, hints, "it crashed; see the log").await
}

fn is_last<P: Ports>(run: &Run<'_, P>) -> bool {
    run.attempt >= GIVE_UP_AFTER
}

/// The pause of the messages that met a failure; holds the system if every call would meet it.
async fn pause<P: Ports>(run: &Run<'_, P>, failure: &Failure) -> SignedDuration {
    hold(run, failure).await.unwrap_or(PAUSE)
}

/// Parks a group; if that cannot be saved yet, the group is delivered again.
async fn park<P: Ports>(run: &Run<'_, P>, hints: &[Hint], words: &str) -> Result<Verdict, Failure> {
    for hint in hints {
        if let Ended::Later { after, .. } = give_up(run, hint, words).await? {
            return Ok(Verdict::Again(after));
        }
    }
    Ok(Verdict::Acknowledge)
}
