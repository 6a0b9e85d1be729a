//! An intent in the table: its first save, and every further save over the revision that was read. Only the holder of
//! its claim POSTs.

use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, Seen},
    rows::run::Run,
    state::{
        failure::Failure,
        intent::Intent,
        parked::Parked,
        table::{Change, Expect, Item, Key, Row},
    },
};

/// The first save of an intent. Its record is parked with it, as it was parked `before` or with a reason of its own: if
/// this run does not end the intent, `retry` takes it up when the next try is due.
pub(crate) fn first_save(intent: &Intent, before: Option<Parked>) -> Vec<Change> {
    let put = Item::Intent(Box::new(intent.clone()));
    let mut begun = vec![Change::put(Key::intent(&intent.record), Expect::Absent, put)];
    let words = "its referral is being created".to_owned();
    let new = Parked::again(words, None, String::new(), intent.began, None);
    let parked = before.map_or(new.clone(), |parked| Parked { next_try: new.next_try, ..parked });
    if !planted::is(Bug::IntentForgotten) {
        let wait = Item::Parked(parked);
        begun.push(Change::put(Key::parked(&intent.record.to_string()), Expect::Any, wait));
    }
    begun
}

/// An intent to invite Microsoft that was saved together with its link, and the record as it was read.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) intent: Intent,
    pub(crate) seen: Seen,
}

/// An intent whose claim this run holds; every save is conditional on the revision that was read.
pub(crate) struct Held<'a, P: Ports> {
    pub(crate) run: &'a Run<'a, P>,
    pub(crate) intent: Intent,
    pub(crate) rev: u64,
    /// This run has saved `unknown` for a POST that it has not sent yet.
    pub(crate) about_to_post: bool,
}

impl<P: Ports> Held<'_, P> {
    pub(crate) fn key(&self) -> Key {
        Key::intent(&self.intent.record)
    }

    /// Saves the intent, with other changes in the same transaction. `false`: another run saved it first.
    pub(crate) async fn save(&mut self, besides: Vec<Change>) -> Result<bool, Failure> {
        let mut changes =
            vec![Change::put(self.key(), Expect::Rev(self.rev), Item::Intent(Box::new(self.intent.clone())))];
        changes.extend(besides);
        let saved = self.run.ports.links().commit(changes).await?;
        if saved {
            self.rev += 1;
        } else {
            // The usual reason is that the run of the referral's own webhook noted its id meanwhile. Our claim is still
            // valid.
            let row = self.run.ports.links().read(&[self.key()]).await?.pop().flatten();
            if let Some(Row { rev, item: Item::Intent(other), .. }) = row
                && other.claim_until == self.intent.claim_until
            {
                self.rev = rev;
                self.intent.referral = self.intent.referral.take().or(other.referral);
                self.intent.engagement = self.intent.engagement.take().or(other.engagement);
            }
        }
        Ok(saved)
    }

    /// Ends the claim, so that the next run can continue at once.
    pub(crate) async fn release(&mut self) -> Result<(), Failure> {
        self.intent.claim_until = self.run.now();
        self.save(vec![]).await.map(drop)
    }
}
