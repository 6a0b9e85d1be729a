//! Writer and poller as the functions are: what a story's end does to its messages.

use crate::{queue::Message, step::until, trace::say, world::World};
use jiff::{SignedDuration, Timestamp};
use mapping::ReferralId;
use sync::{
    batch::{self, Verdict},
    failure::Failure,
    hint::{Hint, Subject},
    link::{Link, State},
    poll::{Report, poll, stop},
    ports::Links,
    receive::{Rows, receive},
    run::{Decision, Ended, Run},
    table::{Item, Key, Row},
};

/// What becomes of a run's messages.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// As the protocol says.
    Of(Verdict),
    /// The handler failed: they come when their visibility ends.
    Failed,
    /// A tick of the poller.
    Ticked,
}

/// One group of messages.
pub(crate) async fn writer(world: &World, messages: Vec<Message>, ends: Timestamp) -> Answer {
    work_off(world, &messages, ends).await.map_or(Answer::Failed, Answer::Of)
}

async fn work_off(world: &World, messages: &[Message], ends: Timestamp) -> Result<Verdict, Failure> {
    let received = messages.iter().map(|m| m.received).max().unwrap_or(1);
    let hints: Vec<_> = messages.iter().map(|m| m.hint.clone()).collect();
    let keys: Vec<Key> = batch::keys(&hints).into_iter().collect();
    let rows: Rows =
        world.read(&keys).await?.into_iter().flatten().map(|row| (row.key.clone(), row)).collect();
    let run = world.run(ends, received);
    let stormy = world.lock().faults.sort.listed;
    let begun = match stormy {
        true => {
            let (more, rows) = with_another(&run, &hints, &rows);
            batch::begin(&run, &more, &rows, 2).await
        }
        false => batch::begin(&run, &hints, &rows, usize::MAX).await,
    };
    let listed = match begun {
        Ok(listed) => listed,
        Err(pause) => return batch::wait(&run, &hints, pause).await,
    };
    let story = until(|| run.now(), batch::stops_at(&run), receive(&run, &hints, &rows, &listed)).await;
    let story = story.unwrap_or_else(batch::stopped);
    told(world, &story);
    batch::judge(&run, &hints, story).await
}

/// As if another referral had changed an hour ago: the page goes back that far, and shows late what changed since.
fn with_another(run: &Run<'_, World>, hints: &[Hint], rows: &Rows) -> (Vec<Hint>, Rows) {
    let other = ReferralId::parse("00000000-0000-4000-8000-000000000001").expect("an id");
    let subject = Subject::Referral { referral: other.clone() };
    let hint = Hint::new(subject, "referral-updated", run.now() - SignedDuration::from_hours(1));
    let link = Item::Link(Box::new(Link::new(other.clone(), None, State::Linked)));
    let mut rows = rows.clone();
    rows.insert(Key::link(&other), Row { key: Key::link(&other), rev: 1, item: link });
    (hints.iter().cloned().chain([hint]).collect(), rows)
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

/// Runs one tick of the poller, which `ends` when its time is up.
pub(crate) async fn poller(world: &World, ends: Timestamp) -> Answer {
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
        _ = stop(&run, &mut report, failure).await;
    }
    Answer::Ticked
}
