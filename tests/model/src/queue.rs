//! The FIFO queue: one message of a group at a time, hidden while it is worked on, seen again if nobody took it away.

use crate::{
    faults::Kind,
    step::step,
    trace::say,
    world::{State, World},
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc};
use sync::{
    failure::{Failure, System},
    hint::Hint,
    ports::Hints,
};

/// The queue's own visibility timeout.
const HIDDEN: SignedDuration = SignedDuration::from_secs(360);
/// Messages told twice within this time are one.
const DEDUPLICATED: SignedDuration = SignedDuration::from_secs(300);

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) hint: Hint,
    /// The FIFO group, [`Hint::group`]; nothing more of it is received while one of its messages is hidden.
    group: Arc<str>,
    /// When it can be received (again).
    pub(crate) visible: Timestamp,
    pub(crate) received: u32,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) messages: Vec<Message>,
    told: BTreeMap<String, Timestamp>,
    next: u64,
    /// Webhooks on their way.
    pub(crate) coming: Vec<(Timestamp, Hint)>,
}

impl Queue {
    /// A webhook reaches the ingress at this instant.
    pub(crate) fn arrive(&mut self, hint: Hint, at: Timestamp) {
        self.coming.push((at, hint));
    }

    /// Webhooks whose instant has come.
    pub(crate) fn land(&mut self, now: Timestamp) {
        if self.coming.iter().all(|(at, _)| *at > now) {
            return;
        }
        let (here, coming): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.coming).into_iter().partition(|(at, _)| *at <= now);
        self.coming = coming;
        for (_, hint) in here {
            self.put(hint, now);
        }
    }

    pub(crate) fn put(&mut self, hint: Hint, now: Timestamp) {
        self.told.retain(|_, at| *at > now);
        let deduplication = hint.deduplication();
        if self.told.contains_key(&deduplication) {
            return;
        }
        self.told.insert(deduplication, now + DEDUPLICATED);
        self.next += 1;
        self.messages.push(Message {
            id: self.next,
            group: hint.group().into(),
            hint,
            visible: now,
            received: 0,
        });
    }

    /// Groups with a message that can be received now.
    pub(crate) fn ready(&self, now: Timestamp) -> Vec<Arc<str>> {
        let mut ready: Vec<Arc<str>> = vec![];
        for message in &self.messages {
            let blocked = self.messages.iter().any(|m| m.visible > now && m.group == message.group);
            if !blocked && !ready.contains(&message.group) {
                ready.push(message.group.clone());
            }
        }
        ready
    }

    /// The first `most` messages of a group, hidden from now on.
    pub(crate) fn receive(&mut self, group: &str, most: usize, now: Timestamp) -> Vec<Message> {
        let mut taken = vec![];
        for message in self.messages.iter_mut().filter(|m| *m.group == *group).take(most) {
            message.visible = now + HIDDEN;
            message.received += 1;
            taken.push(message.clone());
        }
        taken
    }

    pub(crate) fn delete(&mut self, ids: &[u64]) {
        self.messages.retain(|m| !ids.contains(&m.id));
    }

    pub(crate) fn hide(&mut self, ids: &[u64], until: Timestamp) {
        for message in self.messages.iter_mut().filter(|m| ids.contains(&m.id)) {
            message.visible = until;
        }
    }

    /// What tells one state of it from another: ids are only names.
    pub(crate) fn told(&self, to: &mut impl std::fmt::Write) {
        for message in &self.messages {
            _ = write!(to, "{:?}{:?}{}", message.hint, message.visible, message.received);
        }
        // What a webhook told is never told again; what we tell may be.
        let ours = self.told.keys().filter(|key| !key.contains("referral-"));
        ours.for_each(|key| _ = write!(to, "{key}"));
    }

    /// Where a message stands.
    pub(crate) fn place(&self, id: u64) -> Option<usize> {
        self.messages.iter().position(|message| message.id == id)
    }

    /// The next instant at which something can be received.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let messages = self.messages.iter().map(|m| m.visible).filter(|at| *at > now);
        messages.chain(self.coming.iter().map(|(at, _)| *at)).min()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.coming.is_empty()
    }
}

impl Hints for World {
    async fn send(&self, hints: &[Hint]) -> Result<(), Failure> {
        step().await;
        let answer = self.lock().take_in(hints);
        self.after().await;
        answer
    }
}

impl State {
    fn take_in(&mut self, hints: &[Hint]) -> Result<(), Failure> {
        let now = self.now;
        if self.strikes(Kind::QueueDown) {
            say!(self, self.runs.name, "the queue takes no hints");
            return Err(crate::world::unknown(System::Queue, "send hints"));
        }
        for hint in hints {
            say!(self, self.runs.name, "hint {} {:?}", hint.from, hint.subject);
            self.queue.put(hint.clone(), now);
        }
        match self.strikes(Kind::QueueLost) {
            true => Err(crate::world::unknown(System::Queue, "send hints")),
            false => Ok(()),
        }
    }
}
