//! The messages of one FIFO queue: in the order of their sending, by id, and by group. A group with a message in flight is
//! locked until the last of them is shown again.

use super::message::Message;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Default)]
pub(super) struct Shelf {
    messages: BTreeMap<u128, Message>,
    places: HashMap<String, u128>,
    groups: HashMap<String, Group>,
    /// Groups that nothing locks, by their first message.
    open: BTreeSet<(u128, String)>,
    /// The others, by when nothing locks them any more.
    locked: BTreeSet<(Timestamp, String)>,
}

#[derive(Default)]
struct Group {
    members: BTreeSet<u128>,
    /// The key in `locked`; else it is in `open`, by the first member.
    until: Option<Timestamp>,
}

impl Shelf {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Message> {
        self.messages.get(self.places.get(id)?)
    }

    pub(super) fn push(&mut self, message: Message) {
        let (sequence, group) = (message.sequence, message.group.clone());
        self.take_out(&group);
        self.groups.entry(group.clone()).or_default().members.insert(sequence);
        self.places.insert(message.id.clone(), sequence);
        self.messages.insert(sequence, message);
        self.put_in(group);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Message> {
        let message = self.messages.remove(&self.places.remove(id)?)?;
        self.take_out(&message.group);
        if let Some(group) = self.groups.get_mut(&message.group) {
            group.members.remove(&message.sequence);
        }
        self.put_in(message.group.clone());
        Some(message)
    }

    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Message) -> T) -> Option<T> {
        let message = self.messages.get_mut(self.places.get(id)?)?;
        let (changed, group) = (change(message), message.group.clone());
        self.take_out(&group);
        self.put_in(group);
        Some(changed)
    }

    /// Takes out what was sent before this.
    pub(super) fn drop_before(&mut self, sent: Timestamp) {
        while let Some(old) = self.messages.values().next().filter(|m| m.sent_at <= sent) {
            let id = old.id.clone();
            self.remove(&id);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Shelf::default();
    }

    /// Those that may be handed out: as much of one group as there is before the next.
    pub(super) fn open(&mut self, now: Timestamp) -> impl Iterator<Item = &Message> {
        while let Some((_, group)) = self.locked.first().filter(|(until, _)| *until <= now).cloned() {
            self.take_out(&group);
            let first = self.groups.get(&group).and_then(|group| group.members.first().copied());
            self.open.extend(first.map(|first| (first, group)));
        }
        let members = self.open.iter().flat_map(|(_, group)| &self.groups[group].members);
        members.map(|sequence| &self.messages[sequence])
    }

    /// Those of locked groups: no others are in flight.
    pub(super) fn locked(&self) -> impl Iterator<Item = &Message> {
        let members = self.locked.iter().flat_map(|(_, group)| &self.groups[group].members);
        members.map(|sequence| &self.messages[sequence])
    }

    fn take_out(&mut self, group: &str) {
        let Some(known) = self.groups.get_mut(group) else { return };
        match (known.until.take(), known.members.first()) {
            (Some(until), _) => self.locked.remove(&(until, group.to_owned())),
            (None, Some(first)) => self.open.remove(&(*first, group.to_owned())),
            (None, None) => false,
        };
    }

    fn put_in(&mut self, group: String) {
        let Some(known) = self.groups.get_mut(&group) else { return };
        let Some(first) = known.members.first().copied() else {
            self.groups.remove(&group);
            return;
        };
        let members = known.members.iter().map(|sequence| &self.messages[sequence]);
        known.until = members.filter(|m| m.receipt.is_some()).map(|m| m.visible_at).max();
        match known.until {
            Some(until) => self.locked.insert((until, group)),
            None => self.open.insert((first, group)),
        };
    }
}
