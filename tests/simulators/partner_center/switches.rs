//! Behaviour no document settles, each under a name, with the default most tests want.

use super::certificates::Forge;
use crate::login::{REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE};
use serde::{Deserialize, Serialize};

/// Who makes Microsoft's half of a co-sell engagement.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MicrosoftHalf {
    /// The partner's second POST.
    Posted,
    /// The service, when the own POST asks for help.
    Automatic,
}

/// Answer of a PATCH that asked for the representation.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchRepresentation {
    WithEtag,
    #[serde(rename = "empty_204")]
    Empty204,
}

/// Whose id a `related-...` event carries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelatedEventNames {
    Own,
    Sibling,
}

/// Answer of a POST of a registration when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PostOnExisting {
    Conflict,
    Overwrite,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnerCenterSwitches {
    pub referrals_audience: String,
    pub webhooks_audience: String,
    /// The referrals host demands the MFA claim too.
    pub referrals_mfa: bool,
    /// The user has a referrals role.
    pub referrals_role: bool,
    /// The caller has a role the webhooks host accepts.
    pub webhooks_role: bool,

    /// More calls within a minute are answered 429; none: as many as one likes.
    pub calls_per_minute: Option<u32>,
    /// ... in the error body of the referrals host instead of the plain one.
    pub throttle_as_error: bool,

    /// Rows a page, at most 100.
    pub page_size: usize,
    /// `$top` limits the whole answer (OData), not the page.
    pub top_limits_total: bool,
    /// nextLink with scheme http and without `/engagements`, as documented.
    pub odd_next_link: bool,
    pub filter_updated: bool,
    pub filter_created: bool,
    /// Lists not naming an engagement show other organizations' referrals of own engagements.
    pub list_siblings: bool,
    /// A new referral answers 404 to so many reads by id.
    pub consistency_lag_reads: u32,
    /// So many reads by id after a change still show the version before.
    pub stale_reads: u32,
    /// Answers lack `registrations` and `offers`, and an empty `team` is null.
    pub sparse: bool,

    /// What a create answers: 200 by the contract, and 201 too by one of the vendor's pages.
    pub create_status: u16,
    pub microsoft_half: MicrosoftHalf,
    /// Microsoft's half makes an own deal `Shared` that was none; its type cannot be patched.
    pub invited_own_is_shared: bool,
    /// A POST with a known `MS-RequestId` answers the first one's deal.
    pub honour_request_id: bool,
    /// Names of create rules that are not enforced.
    pub unenforced: Vec<String>,
    /// A co-sell deal without solution area or play is refused with a bare 400 (unverified; the portal demands them).
    pub solution_area_required: bool,
    /// Direction of own deals; `Incoming` was observed too.
    pub own_direction: String,
    /// `salesStage` the service gives to a new own deal that names none, and to a won one.
    pub first_sales_stage: Option<String>,
    pub won_sales_stage: Option<String>,

    /// `/name` can be patched.
    pub patch_name: bool,
    pub patch_representation: PatchRepresentation,
    /// 412 or 409 for an outdated `If-Match`.
    pub conflict_status: u16,
    pub new_to_won_or_lost: bool,
    pub close_as_error: bool,
    pub require_status_reason: bool,
    pub freeze_contact: bool,
    pub freeze_notes: bool,
    /// Unanswered referrals expire when their time is over.
    pub automatic_expiry: bool,
    /// Microsoft's acceptance fills `microsoftMsxId` on the own referral too, which changes it.
    pub msx_id_on_own: bool,

    pub related_event_names: RelatedEventNames,
    pub post_on_existing: PostOnExisting,
    /// PUT makes a registration where there is none.
    pub put_creates: bool,
    /// A registration may have no events at all (undocumented).
    pub empty_event_list: bool,
    /// GET answers camelCase with `lastModifiedTimestamp`.
    pub camel_registration: bool,
    /// Seconds from a refused delivery to the next one, doubled each time up to an hour, where there is a clock.
    /// Undocumented; the sample of a validation event shows a minute.
    pub redelivery_seconds: u32,
    /// `ResourceChangeUtcDate` lies so many microseconds after the referral's `updatedDateTime`. No document says that
    /// the two are equal.
    pub event_after_micros: i64,
    pub duplicate_deliveries: bool,
    pub reverse_deliveries: bool,
    /// `x-ms-signature` carries the bare base64.
    pub bare_ms_signature: bool,
    /// Certificate and key of deliveries.
    pub forge: Forge,
    /// Certificate URL of deliveries, if not the own one.
    pub certificate_url: Option<String>,
}

impl Default for PartnerCenterSwitches {
    fn default() -> Self {
        PartnerCenterSwitches {
            referrals_audience: REFERRALS_AUDIENCE.into(),
            webhooks_audience: WEBHOOKS_AUDIENCE.into(),
            referrals_mfa: true,
            referrals_role: true,
            webhooks_role: true,
            calls_per_minute: None,
            throttle_as_error: false,
            page_size: 100,
            top_limits_total: true,
            odd_next_link: true,
            filter_updated: true,
            filter_created: false,
            list_siblings: true,
            consistency_lag_reads: 0,
            stale_reads: 0,
            sparse: false,
            create_status: 201,
            microsoft_half: MicrosoftHalf::Posted,
            invited_own_is_shared: true,
            honour_request_id: false,
            unenforced: vec![],
            solution_area_required: false,
            own_direction: "Outgoing".into(),
            first_sales_stage: Some("10".into()),
            won_sales_stage: Some("100".into()),
            patch_name: true,
            patch_representation: PatchRepresentation::WithEtag,
            conflict_status: 412,
            new_to_won_or_lost: false,
            close_as_error: false,
            require_status_reason: true,
            freeze_contact: true,
            freeze_notes: false,
            automatic_expiry: true,
            msx_id_on_own: true,
            related_event_names: RelatedEventNames::Own,
            post_on_existing: PostOnExisting::Conflict,
            put_creates: false,
            empty_event_list: false,
            camel_registration: false,
            redelivery_seconds: 60,
            event_after_micros: 0,
            duplicate_deliveries: false,
            reverse_deliveries: false,
            bare_ms_signature: false,
            forge: Forge::Microsoft,
            certificate_url: None,
        }
    }
}
