//! Writes that the tasks of one batch ask for at about the same time leave together. Each task has a seat until it has
//! asked for its write, calls a vendor for anything else, or ends; when no seat is taken any more, one of the
//! tasks that asked sends for all. So no task waits for what cannot come, and a single write leaves at once.

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

/// Nothing but the table is between a seat and its write; the others do not wait longer for one.
const WAIT: Duration = Duration::from_secs(1);

tokio::task_local! {
    static SEAT: Seat;
}

/// A task that may still ask for a write.
pub struct Seat {
    sits: Cell<bool>,
    /// How many sit.
    all: Arc<watch::Sender<usize>>,
}

impl Seat {
    /// For so many tasks of one batch.
    pub fn for_each(tasks: usize) -> impl Iterator<Item = Seat> {
        let all = Arc::new(watch::Sender::new(tasks));
        (0..tasks).map(move |_| Seat { sits: Cell::new(true), all: all.clone() })
    }

    /// Runs the task that sits here.
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

/// This task does something else before it writes: the others do not wait for it.
pub(crate) fn leave() {
    // Without a seat there is none to leave.
    _ = SEAT.try_with(Seat::leave);
}

/// Those who sit beside this task; `None`: it has no seat.
fn neighbours() -> Option<watch::Receiver<usize>> {
    SEAT.try_with(|seat| seat.sits.get().then(|| seat.all.subscribe())).ok().flatten()
}

/// Writes to one CRM that wait for each other: what is sent, and its answer.
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
    /// Sends this part with those of its neighbours, at most so many at once; `send` answers them in their order.
    /// `None`: it may have been sent, and there is no answer to it.
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
        // However it ends, the waiting is over.
        _ = timeout(WAIT, neighbours.wait_for(|sitting| *sitting == 0)).await;
        let (parts, answers): (Vec<P>, Vec<_>) =
            self.take(ticket, most).into_iter().map(|asked| (asked.part, asked.answer)).unzip();
        if !parts.is_empty() {
            for (answer, given) in answers.into_iter().zip(send(parts).await) {
                // The task that asked may be gone.
                _ = answer.send(given);
            }
        }
        answered.await.ok()
    }

    /// This part and others that wait; none if it is on its way.
    fn take(&self, ticket: u64, most: usize) -> Vec<Asked<P, A>> {
        let mut asked = self.asked();
        // Of tasks that were stopped: not sent, and so it never happened.
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
