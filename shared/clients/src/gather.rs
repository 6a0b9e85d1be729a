//! Writes that the tasks of one batch ask for at about the same time are sent in one request. Each task has a seat
//! until it asks for its write, calls a vendor for anything else, or ends; once all seats are free, one of the tasks
//! that asked sends for all. So no task waits for a write that cannot come, and a single write is sent at once.

use std::{
    cell::Cell,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

/// The longest that a task waits for the others. Between taking a seat and asking for a write a task calls only the
/// table.
const WAIT: Duration = Duration::from_secs(1);

tokio::task_local! {
    static SEAT: Seat;
}

/// The place of a task that may still ask for a write.
pub struct Seat {
    sits: Cell<bool>,
    /// How many tasks have a seat.
    all: Arc<watch::Sender<usize>>,
}

impl Seat {
    /// One seat for each of the tasks of a batch.
    pub fn for_each(tasks: usize) -> impl Iterator<Item = Seat> {
        let all = Arc::new(watch::Sender::new(tasks));
        (0..tasks).map(move |_| Seat { sits: Cell::new(true), all: all.clone() })
    }

    /// Runs a task on this seat.
    pub async fn take<T>(self, task: impl Future<Output = T>) -> T {
        SEAT.scope(self, task).await
    }

    fn leave(&self) {
        if self.sits.replace(false) {
            self.all.send_modify(|sitting| *sitting -= 1);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Frees the seat of this task, which does something else before it writes, so that the others do not wait for it.
pub(crate) fn leave() {
    // A task without a seat has none to free.
    _ = SEAT.try_with(Seat::leave);
}

/// The number of tasks that have a seat, to wait on; `None`: this task has no seat.
fn neighbours() -> Option<watch::Receiver<usize>> {
    SEAT.try_with(|seat| seat.sits.get().then(|| seat.all.subscribe())).ok().flatten()
}

/// Gathers writes to one CRM: what is sent (`P`) and the answer to it (`A`).
pub(crate) struct Gather<P, A> {
    asked: Mutex<Vec<Asked<P, A>>>,
    tickets: AtomicU64,
}

struct Asked<P, A> {
    ticket: u64,
    part: P,
    answer: oneshot::Sender<A>,
}

impl<P, A> Default for Gather<P, A> {
    fn default() -> Self {
        Gather { asked: Mutex::default(), tickets: AtomicU64::default() }
    }
}

impl<P, A> Gather<P, A> {
    /// Sends this part together with those of other tasks, at most `most` in one request; `send` returns the answers
    /// in the order of the parts. `None`: the part may have been sent, and there is no answer to it.
    pub(crate) async fn send<F: Future<Output = Vec<A>>>(
        &self,
        part: P,
        most: usize,
        send: impl FnOnce(Vec<P>) -> F,
    ) -> Option<A> {
        let Some(mut neighbours) = neighbours() else { return send(vec![part]).await.pop() };
        let (answer, answered) = oneshot::channel();
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.asked().push(Asked { ticket, part, answer });
        leave();
        // The wait ends in either way: all seats are free, or the time is over.
        _ = timeout(WAIT, neighbours.wait_for(|sitting| *sitting == 0)).await;
        let (parts, answers): (Vec<P>, Vec<_>) =
            self.take(ticket, most).into_iter().map(|asked| (asked.part, asked.answer)).unzip();
        if !parts.is_empty() {
            for (answer, given) in answers.into_iter().zip(send(parts).await) {
                // The task that asked may have ended.
                _ = answer.send(given);
            }
        }
        answered.await.ok()
    }

    /// This part and others that wait; none if another task is sending this part.
    fn take(&self, ticket: u64, most: usize) -> Vec<Asked<P, A>> {
        let mut asked = self.asked();
        // Parts of tasks that were stopped are dropped: they were not sent, so they never happened.
        asked.retain(|asked| !asked.answer.is_closed());
        let Some(own) = asked.iter().position(|asked| asked.ticket == ticket) else { return vec![] };
        asked.swap(0, own);
        let count = most.min(asked.len());
        asked.drain(..count).collect()
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked<P, A>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "gather/tests.rs"]
mod tests;
