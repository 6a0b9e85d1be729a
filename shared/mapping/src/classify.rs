//! Classifies a referral for this organisation: a deal, a lead, another organisation's half, or unclear.

use crate::{Referral, referral::MICROSOFT};

/// What a referral is for this organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Category {
    /// A co-sell or pipeline deal.
    Opportunity,
    /// A lead that is not accepted yet.
    Lead,
    /// Another organisation's referral in one of our engagements; never a record.
    Sibling,
    /// No known combination; the text says which it is.
    Unclear(String),
}

/// Decides in the documented order: first by whose referral it is, then by type, status, qualification and inviter.
/// Marketplace source and call to action are ignored, because Microsoft advises against using them.
///
/// ```
/// use mapping::{Category, Referral, classify};
///
/// let lead = Referral::parse(serde_json::json!({
///     "id": "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "updatedDateTime": "2026-03-02T09:14:21Z",
///     "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10", "type": "Independent",
///     "qualification": "MarketingQualified", "status": "New", "substatus": "Pending",
/// }))?;
/// assert_eq!(classify(&lead, "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10"), Category::Lead);
/// assert_eq!(classify(&lead, "8f6c77b0-52c1-4f5e-9a55-0d9b8b3c1e77"), Category::Sibling);
/// # Ok::<(), mapping::Malformed>(())
/// ```
pub fn classify(referral: &Referral, own_organization: &str) -> Category {
    if !referral.organization().eq_ignore_ascii_case(own_organization) {
        return Category::Sibling;
    }
    let body = referral.body();
    let text = |pointer: &str| body.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
    let (kind, qualification) = (text("/type"), text("/qualification"));
    let inviter = text("/inviteContext/invitedBy/organizationId");
    let from_microsoft = inviter.is_empty() || inviter.eq_ignore_ascii_case(MICROSOFT);
    let own = inviter.eq_ignore_ascii_case(own_organization);
    match kind {
        "Shared" => Category::Opportunity,
        "Independent" if referral.is_active() => Category::Opportunity,
        "Independent" if own || text("/direction") == "Outgoing" => Category::Opportunity,
        "Independent"
            if from_microsoft
                && matches!(qualification, "Direct" | "MarketingQualified" | "SalesQualified") =>
        {
            // A referral that was won or lost had been accepted; one that was declined, expired or closed as error had
            // not.
            if matches!(referral.substatus(), "Won" | "Lost") {
                Category::Opportunity
            } else {
                Category::Lead
            }
        }
        "Independent" if !from_microsoft && matches!(qualification, "SalesQualified" | "None") => {
            Category::Opportunity
        }
        _ => Category::Unclear(format!(
            "type `{kind}`, qualification `{qualification}`, status `{}`, invited by `{inviter}` is no known combination",
            referral.status()
        )),
    }
}
