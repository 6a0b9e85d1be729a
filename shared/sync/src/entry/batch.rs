//! What becomes of a batch of messages: whether it may begin, how a story's end is answered to the queue, and when a
//! message is given up.

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

/// A message received so often is parked: the dead-letter queue holds crashes only (the queue's `maxReceiveCount` is
/// 100), and a record's hint has no sweep behind it.
const GIVE_UP_AFTER: u32 = 90;
/// A group's work stops this long before the run is killed, so that its messages are still answered.
const TAIL: SignedDuration = SignedDuration::from_secs(3);
/// The pause where a hold could not be saved.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// What becomes of a group's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are done.
    Acknowledge,
    /// They come again after this pause.
    Again(SignedDuration),
}

/// The rows that a batch's first decisions need, the holds among them.
pub fn keys<'a>(hints: impl IntoIterator<Item = &'a Hint>) -> BTreeSet<Key> {
    let holds = SYSTEMS.iter().map(|system| Key::hold(system));
    holds.chain(hints.into_iter().flat_map(keys_of)).collect()
}

/// What the list shows of many referrals that changed at once, at least `many`. `Err`: a system is out of reach, and every
/// group of the batch waits so long.
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

/// A group of a batch that may not begin. `run`: its attempt is how often the group was received.
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

/// When a group's work stops.
pub fn stops_at<P: Ports>(run: &Run<'_, P>) -> Timestamp {
    run.ends - TAIL
}

/// The end of a group's story that was stopped then.
pub fn stopped() -> Story {
    Ok(Ended::later(30, "the run's time is up"))
}

/// How a group's story is answered. `run`: its attempt is how often the group was received.
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

/// A group whose work crashed.
pub async fn crashed<P: Ports>(run: &Run<'_, P>, hints: &[Hint]) -> Result<Verdict, Failure> {
    park(run, hints, "it crashed; see the log").await
}

fn is_last<P: Ports>(run: &Run<'_, P>) -> bool {
    run.attempt >= GIVE_UP_AFTER
}

/// How long those wait who met a failure.
async fn pause<P: Ports>(run: &Run<'_, P>, failure: &Failure) -> SignedDuration {
    hold(run, failure).await.unwrap_or(PAUSE)
}

/// Sets a group aside; it comes again if that cannot be saved yet.
async fn park<P: Ports>(run: &Run<'_, P>, hints: &[Hint], words: &str) -> Result<Verdict, Failure> {
    for hint in hints {
        if let Ended::Later { after, .. } = give_up(run, hint, words).await? {
            return Ok(Verdict::Again(after));
        }
    }
    Ok(Verdict::Acknowledge)
}
