//! Where a run can be interrupted: before and after each call to the outside.

use jiff::Timestamp;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Gives way once, so that the executor can let another task go on first.
pub(crate) fn step() -> impl Future<Output = ()> + Send {
    let first = Cell::new(true);
    poll_fn(move |_| if first.replace(false) { Poll::Pending } else { Poll::Ready(()) })
}

/// The story, unless its time is up before.
pub(crate) async fn until<F: Future>(
    now: impl Fn() -> Timestamp,
    at: Timestamp,
    story: F,
) -> Option<F::Output> {
    let mut story = pin!(story);
    poll_fn(move |cx| match now() >= at {
        true => Poll::Ready(None),
        false => story.as_mut().poll(cx).map(Some),
    })
    .await
}
