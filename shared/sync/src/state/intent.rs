//! The intent: a create in Partner Center, written down before it is tried. Only the holder of its claim POSTs.

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

    /// `MS-RequestId`: the same for the same attempt, another one after any answer.
    pub(crate) fn request_id(&self) -> String {
        let step = if self.step == Step::Own { "own" } else { "microsoft" };
        let name = format!("{}#{}#{step}#{}", self.record, self.began, self.n);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }
}
