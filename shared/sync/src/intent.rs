//! The intent: a create in Partner Center, written down before it is tried. Only the holder of its claim POSTs.

use crate::{
    failure::Failure,
    parked::Parked,
    planted::{self, Bug},
    ports::{Links, Ports},
    run::Run,
    table::{Change, Expect, Item, Key, Row},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{EngagementId, RecordId, Referral, ReferralId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A create in flight. Only the holder of its claim POSTs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// For which record.
    pub record: RecordId,
    /// Its holder's claim: who comes later than this may take over.
    pub claim_until: Timestamp,
    /// Which half is next.
    pub step: Step,
    /// Whether Microsoft's half is wanted.
    pub cosell: bool,
    /// The own half's request, as stored before it was sent.
    pub request: String,
    /// Grows with each definite answer: part of `MS-RequestId`.
    pub n: u32,
    /// When it began.
    pub began: Timestamp,
    /// Our referral, once known: from the answer, a look-up, or its own webhook.
    pub referral: Option<ReferralId>,
    /// Its engagement.
    pub engagement: Option<EngagementId>,
    /// Microsoft's half, once its POST was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft: Option<ReferralId>,
    /// A POST of the present step that may have left. Saved before it leaves, cleared only together with a definite
    /// answer: whoever finds it looks the referral up before posting again.
    pub unknown: Option<Unknown>,
}

/// The halves of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Our own referral.
    Own,
    /// Microsoft's.
    Microsoft,
}

/// An outcome that is being looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Since when.
    pub since: Timestamp,
    /// How often it was looked for in vain.
    pub look_ups: u32,
}

/// By how much Partner Center's clock may be behind ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

impl Intent {
    /// Whether a referral that names the record may be what came of this intent: one that was there before, or that is
    /// about another customer, is a stranger's.
    pub(crate) fn may_be(&self, referral: &Referral) -> bool {
        let customer = |body: &serde_json::Value| body["customerProfile"]["name"].as_str().map(str::to_owned);
        let asked = serde_json::from_str(&self.request).ok().as_ref().and_then(customer);
        let same = match (asked, customer(referral.body())) {
            (Some(asked), Some(shown)) => mapping::reads_alike(&asked, &shown),
            _ => true,
        };
        same && referral.created().is_none_or(|created| created >= self.began - CLOCKS)
    }

    /// Its first save. Should nobody end it, its time comes and `retry` takes it up: it is set aside, as it was
    /// `before` or as what is being done.
    pub(crate) fn begun(&self, before: Option<Parked>) -> Vec<Change> {
        let mut begun = vec![Change::put(
            Key::intent(&self.record),
            Expect::Absent,
            Item::Intent(Box::new(self.clone())),
        )];
        let words = "its referral is being created".to_owned();
        let new = Parked::again(words, None, String::new(), self.began, None);
        let parked = before.map_or(new.clone(), |parked| Parked { next_try: new.next_try, ..parked });
        if !planted::is(Bug::IntentForgotten) {
            let wait = Item::Parked(parked);
            begun.push(Change::put(Key::parked(&self.record.to_string()), Expect::Any, wait));
        }
        begun
    }

    /// `MS-RequestId`: the same for the same attempt, another one after any answer.
    pub(crate) fn request_id(&self) -> String {
        let step = if self.step == Step::Own { "own" } else { "microsoft" };
        let name = format!("{}#{}#{step}#{}", self.record, self.began, self.n);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }
}

/// A held intent: every save goes over the revision that was read.
pub(crate) struct Held<'a, P: Ports> {
    pub(crate) run: &'a Run<'a, P>,
    pub(crate) intent: Intent,
    pub(crate) rev: u64,
    /// `unknown` was saved by this run for a POST it has not sent yet.
    pub(crate) about_to_post: bool,
}

impl<P: Ports> Held<'_, P> {
    pub(crate) fn key(&self) -> Key {
        Key::intent(&self.intent.record)
    }

    /// Saves the intent, with other changes in the same transaction. `false`: somebody else saved it.
    pub(crate) async fn save(&mut self, besides: Vec<Change>) -> Result<bool, Failure> {
        let mut changes =
            vec![Change::put(self.key(), Expect::Rev(self.rev), Item::Intent(Box::new(self.intent.clone())))];
        changes.extend(besides);
        let saved = self.run.ports.links().commit(changes).await?;
        if saved {
            self.rev += 1;
        } else {
            // The normal reason: the referral's own webhook noted its id meanwhile. Our claim still stands.
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

    /// Lets the next one go on at once.
    pub(crate) async fn release(&mut self) -> Result<(), Failure> {
        self.intent.claim_until = self.run.now();
        self.save(vec![]).await.map(drop)
    }
}
