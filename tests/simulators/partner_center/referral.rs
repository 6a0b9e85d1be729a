//! A stored referral: the full wire shape, its instants and its eTag.

use jiff::Timestamp;
use serde_json::{Value, json};

pub const ORGANIZATION_ID: &str = "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10";
pub const ORGANIZATION_NAME: &str = "Juniper Peak Software";
pub const MICROSOFT: &str = "msft";
/// The partner's location every referral belongs to.
pub(super) const LOCATION: &str = "5550142";

/// UTC with seven fraction digits, as the service writes it.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{}.{:07}Z", at.strftime("%Y-%m-%dT%H:%M:%S"), at.subsec_nanosecond() / 100)
}

/// The event form: offset instead of `Z`.
pub(super) fn offset_instant(at: Timestamp) -> String {
    instant(at).replace('Z', "+00:00")
}

/// An eTag with its inner quotes: a change counter and the second of the change, both hexadecimal.
pub(super) fn etag(change: u32, at: Timestamp) -> String {
    format!("\"{:08x}-0000-0100-0000-{:08x}0000\"", 0x3a00_0000 + change, at.as_second())
}

/// Lays `over` on `base`, objects member by member, everything else whole.
pub(super) fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// Every member the service answers, empty.
pub(super) fn empty() -> Value {
    let mut referral = json!({
        "id": null, "engagementId": null, "name": null,
        "organizationId": ORGANIZATION_ID, "organizationName": ORGANIZATION_NAME,
        "lastModifiedVia": null, "lastRunId": null, "externalReferenceId": null,
        "createdDateTime": null, "updatedDateTime": null, "expirationDateTime": null,
        "status": "New", "substatus": "Pending", "statusReason": null,
        "qualification": "None", "type": "Independent", "referralSource": null, "eTag": null, "favorite": false,
        "campaignId": null, "salesStage": null, "quality": "Unknown", "isSpam": false, "direction": "Outgoing",
        "mpnId": LOCATION, "referralProgram": null, "dealSensitivity": "None", "createdVia": null, "tags": [],
        "acceptedDateTime": null, "closedDateTime": null, "callToAction": null, "registrationStatus": "None",
    });
    let profile = json!({
        "name": null, "size": null, "isMatchingComplete": false,
        "address": {
            "addressLine1": null, "addressLine2": null, "city": null, "state": null, "postalCode": null,
            "country": null, "region": null,
        },
        "team": [], "ids": [],
    });
    let requirements = json!({
        "industries": [], "products": [], "services": [], "solutions": [], "offers": [], "salesPlays": [],
        "additionalRequirements": {
            "iot": {
                "customerLicenseAgreementNumber": null, "deviceCategory": null, "siliconType": null,
                "azureCertifiedDevice": false, "attachServices": false,
            },
            "attributes": [],
        },
    });
    let parts = json!({
        "target": [], "customerProfile": profile, "team": [], "registrations": [],
        "consent": {
            "consentToToShareInfoWithOthers": false, "consentToContact": false,
            "consentToMicrosoftToContactSpecificPartners": null,
            "consentToShareReferralWithMicrosoftSellers": false,
        },
        "details": {
            "notes": null, "dealValue": null, "currency": null, "closingDateTime": null,
            "customerRequestedContact": null, "customerAction": null, "incentiveLevel": null,
            "requirements": requirements,
        },
        "inviteContext": {
            "notes": null, "assistanceRequestCode": "Unknown", "invitedMpnId": LOCATION,
            "invitedBy": { "organizationId": ORGANIZATION_ID, "organizationName": ORGANIZATION_NAME },
        },
        "trackingInfo": {
            "microsoftMsxId": null, "microsoftUSFedOpportunityId": null, "microsoftUSFedLeadId": null,
            "migratedPSCDealId": null, "migratedPSCPartnerDealId": null,
        },
    });
    merge(&mut referral, &parts);
    referral
}

/// A person as the service answers it: every member present.
pub(super) fn member(sent: &Value) -> Value {
    let mut member = json!({
        "firstName": null, "lastName": null, "phoneNumber": null, "email": null, "title": null,
        "contactPreference": { "locale": null, "disableNotifications": null },
    });
    merge(&mut member, sent);
    member
}

/// A solution as the service answers it.
pub(super) fn solution(sent: &Value) -> Value {
    let mut solution = json!({
        "id": null, "name": null, "type": "Name", "price": null, "quantity": null, "currency": null,
        "publisherName": null, "solutionType": null, "closingDateTime": null,
    });
    merge(&mut solution, sent);
    solution
}

/// Fills the members of people and solutions that were not sent.
pub(super) fn complete(referral: &mut Value) {
    for (at, fill) in [
        ("/team", member as fn(&Value) -> Value),
        ("/customerProfile/team", member),
        ("/details/requirements/solutions", solution),
    ] {
        if let Some(Value::Array(items)) = referral.pointer_mut(at) {
            items.iter_mut().for_each(|i| *i = fill(i));
        }
    }
    // An empty state comes back as null.
    if let Some(state) = referral.pointer_mut("/customerProfile/address/state")
        && state == ""
    {
        *state = Value::Null;
    }
}

/// A member as text; empty if absent or null.
pub(super) fn text<'a>(referral: &'a Value, member: &str) -> &'a str {
    referral[member].as_str().unwrap_or_default()
}

/// Status and substatus in one: `Active/Accepted`.
pub(super) fn state_of(referral: &Value) -> String {
    format!("{}/{}", text(referral, "status"), text(referral, "substatus"))
}
