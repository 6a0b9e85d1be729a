//! The intent: a create in Partner Center, saved before the first POST. Only the holder of its claim POSTs.

use jiff::{SignedDuration, Timestamp};
use mapping::{EngagementId, RecordId, Referral, ReferralId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A create in Partner Center that is in flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The record that the referral is made for.
    pub record: RecordId,
    /// When the holder's claim ends; after this instant another run may take over.
    pub claim_until: Timestamp,
    /// Which half is created next.
    pub step: Step,
    /// Whether the deal is a co-sell deal, which needs Microsoft's half too.
    pub cosell: bool,
    /// The body of the POST of our own half, as stored before it was sent.
    pub request: String,
    /// How many attempts have definitely ended: part of `MS-RequestId`.
    pub n: u32,
    /// When the intent was saved first.
    pub began: Timestamp,
    /// Our referral, once known: from the answer, a look-up, or its own webhook.
    pub referral: Option<ReferralId>,
    /// The referral's engagement, once known.
    pub engagement: Option<EngagementId>,
    /// Microsoft's half, once its POST was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft: Option<ReferralId>,
    /// A POST of the present step that may have been sent. Saved before it is sent and cleared only with a definite
    /// answer; a run that finds it looks the referral up before it POSTs again.
    pub unknown: Option<Unknown>,
}

/// The halves of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Our own half, which is created first.
    Own,
    /// Microsoft's half, in the same engagement.
    Microsoft,
}

/// A POST whose outcome is unknown and is being looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// When the POST was about to be sent.
    pub since: Timestamp,
    /// How many look-ups have found nothing.
    pub look_ups: u32,
}

/// How far Partner Center's clock may be behind ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

impl Intent {
    /// Whether a referral that names the record may have been created by this intent: not if it was created before the
    /// intent, nor if it names another customer.
    pub(crate) fn may_be(&self, referral: &Referral) -> bool {
        let customer = |body: &serde_json::Value| body["customerProfile"]["name"].as_str().map(str::to_owned);
        let asked = serde_json::from_str(&self.request).ok().as_ref().and_then(customer);
        let same = match (asked, customer(referral.body())) {
            (Some(asked), Some(shown)) => mapping::reads_alike(&asked, &shown),
            _ => true,
        };
        same && referral.created().is_none_or(|created| created >= self.began - CLOCKS)
    }

    /// `MS-RequestId`: stays the same until an attempt has definitely ended, then changes.
    pub(crate) fn request_id(&self) -> String {
        let step = if self.step == Step::Own { "own" } else { "microsoft" };
        let name = format!("{}#{}#{step}#{}", self.record, self.began, self.n);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }
}
