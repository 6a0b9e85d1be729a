//! `POST referrals`: the content a deal needs, the own half and Microsoft's half of an engagement.

use super::{
    PartnerCenter,
    answer::{PartnerCenterRefusal, invalid},
    referral::{MICROSOFT, ORGANIZATION_ID, complete, empty, etag, instant, merge, state_of, text},
    schema::{self, MemberKind, check},
    switches::MicrosoftHalf,
};
use crate::server::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

/// Whose half a body asks for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Half {
    Own,
    Microsoft,
}

impl PartnerCenter {
    pub(super) fn post(
        &mut self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response, PartnerCenterRefusal> {
        let body = json_body(request)?;
        check(&body, MemberKind::Object(schema::CREATE), "referral")?;
        let Some(half) = half(&body) else {
            return Ok(Response::unknown(request, "a target that is neither a solution nor Microsoft"));
        };
        for (rule, message) in broken(&body, half) {
            if !self.switches.unenforced.iter().any(|r| r == rule) {
                return Err(invalid(rule, message));
            }
        }
        if self.switches.solution_area_required && lacks_solution_area(&body) {
            return Ok(Response::new(400));
        }
        let engagement = text(&body, "engagementId");
        if (half == Half::Microsoft || !engagement.is_empty()) && !self.is_own(engagement) {
            return Err(invalid(
                "engagementNotFound",
                format!("no engagement `{engagement}` of this organization"),
            ));
        }
        let repeat =
            request.header("ms-requestid").filter(|_| self.switches.honour_request_id).map(str::to_owned);
        let id = match repeat.as_ref().and_then(|r| self.requests.get(r)) {
            Some(id) => id.clone(),
            None => self.create(&body, half, now),
        };
        if let Some(repeat) = repeat {
            self.requests.insert(repeat, id.clone());
        }
        let entity = self.entity(&self.referrals[&id]);
        Ok(Response::json(self.switches.create_status, &entity).with("etag", text(&entity, "eTag")))
    }

    /// Stores a new deal, with Microsoft's half if the service makes it by itself.
    pub(super) fn create(&mut self, body: &Value, half: Half, now: Timestamp) -> String {
        let at = self.tick(now);
        let mut referral = empty();
        merge(&mut referral, body);
        let stamp = instant(at);
        let (status, substatus) = if half == Half::Own { ("Active", "Accepted") } else { ("New", "Pending") };
        merge(&mut referral, &json!({ "status": status, "substatus": substatus, "statusReason": null }));
        if half == Half::Own {
            let (direction, stage) = (&self.switches.own_direction, &self.switches.first_sales_stage);
            merge(&mut referral, &json!({ "direction": direction, "acceptedDateTime": stamp }));
            if referral["salesStage"].is_null() {
                referral["salesStage"] = json!(stage);
            }
        } else {
            let until = (at + SignedDuration::from_hours(14 * 24)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let owner = json!({
                "organizationId": MICROSOFT, "organizationName": "Microsoft", "expirationDateTime": until,
                "team": [], "campaignId": null, "salesStage": null,
            });
            merge(&mut referral, &owner);
        }
        let id = self.store(referral, at);
        if half == Half::Microsoft && self.switches.invited_own_is_shared {
            self.share_own(&id, now);
        }
        let asks =
            !["", "Unknown"].contains(&body["inviteContext"]["assistanceRequestCode"].as_str().unwrap_or(""));
        let automatic = self.switches.microsoft_half == MicrosoftHalf::Automatic;
        if half == Half::Own && automatic && asks && text(body, "type") == "Shared" {
            self.invite_microsoft(&id, now);
        }
        id
    }

    /// The own half of an engagement in which Microsoft takes part is no deal of one's own any more.
    fn share_own(&mut self, half: &str, now: Timestamp) {
        let own = |r: &&Value| text(r, "organizationId") == ORGANIZATION_ID && text(r, "type") != "Shared";
        let own: Vec<Value> = self.siblings(&self.referrals[half]).filter(own).cloned().collect();
        for mut changed in own {
            let (id, before) = (text(&changed, "id").to_owned(), state_of(&changed));
            changed["type"] = json!("Shared");
            self.commit(&id, changed, &before, now);
        }
    }

    /// Microsoft's half for an own deal, as step two of the documented pair of POSTs would make it.
    pub(super) fn invite_microsoft(&mut self, own: &str, now: Timestamp) -> String {
        let own = &self.referrals[own];
        let mut body = json!({
            "type": "Shared", "target": [{ "type": "BusinessProfileLocation", "id": MICROSOFT }],
        });
        for name in [
            "name",
            "engagementId",
            "qualification",
            "customerProfile",
            "consent",
            "details",
            "inviteContext",
        ] {
            body[name] = own[name].clone();
        }
        self.create(&body, Half::Microsoft, now)
    }

    /// Gives a new referral its ids and version, and tells the world.
    pub(super) fn store(&mut self, mut referral: Value, at: Timestamp) -> String {
        complete(&mut referral);
        let id = Uuid::new_v4().to_string();
        self.changes += 1;
        referral["id"] = json!(id);
        if text(&referral, "engagementId").is_empty() {
            referral["engagementId"] = json!(Uuid::new_v4().to_string());
        }
        referral["createdDateTime"] = json!(instant(at));
        referral["updatedDateTime"] = json!(instant(at));
        referral["eTag"] = json!(etag(self.changes, at));
        self.hidden.insert(id.clone(), self.switches.consistency_lag_reads);
        self.expires(&referral);
        self.keep(referral);
        self.raise(&id, "created", at);
        id
    }
}

/// The JSON body of a write.
pub(super) fn json_body(request: &Request) -> Result<Value, PartnerCenterRefusal> {
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return Err(PartnerCenterRefusal::new(
            415,
            "invalidRequest",
            "Content-Type must be application/json.",
        ));
    }
    request.json().filter(|b| !b.is_null()).ok_or_else(|| invalid("malformedBody", "the body is not JSON"))
}

fn lacks_solution_area(body: &Value) -> bool {
    let attributes = &body["details"]["requirements"]["additionalRequirements"]["attributes"];
    let says = |wanted: &str| {
        let mut all = attributes.as_array().into_iter().flatten();
        all.any(|one| one["type"] == wanted && one["id"].as_str().is_some_and(|id| !id.is_empty()))
    };
    body["type"] == "Shared" && !(says("SolutionArea") && says("SolutionPlay"))
}

fn half(body: &Value) -> Option<Half> {
    let targets = body["target"].as_array().map(Vec::as_slice).unwrap_or_default();
    match targets {
        [one] if one["type"] == "BusinessProfileLocation" => {
            (one["id"] == MICROSOFT).then_some(Half::Microsoft)
        }
        all => all.iter().all(|t| t["type"] == "SolutionProfile").then_some(Half::Own),
    }
}

/// Partner solutions `SOL-...`, Microsoft's own GUIDs, legacy category words.
fn solution_id(solution: &Value) -> bool {
    let id = text(solution, "id");
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric());
    match id.strip_prefix("SOL-").map(|rest| rest.split('-').collect::<Vec<_>>()) {
        Some(parts) => parts.len() <= 2 && parts.iter().all(|p| part(p)),
        None => Uuid::parse_str(id).is_ok() || (solution["type"] == "Category" && part(id)),
    }
}

fn complete_person(person: &Value) -> bool {
    ["firstName", "lastName", "phoneNumber"].iter().all(|n| !text(person, n).trim().is_empty())
        && text(person, "email").split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains('.'))
}

pub(super) fn upper(text: &str, letters: usize) -> bool {
    text.len() == letters && text.bytes().all(|b| b.is_ascii_uppercase())
}

pub(super) fn positive(value: &Value) -> bool {
    value.as_f64().is_some_and(|v| v > 0.0)
}

/// The rules a body breaks, by name. Documented for the UI and the bulk format; assumed for the API.
fn broken(body: &Value, half: Half) -> Vec<(&'static str, String)> {
    let mut broken = vec![];
    let mut rule = |name: &'static str, holds: bool, message: &str| {
        if !holds {
            broken.push((name, message.to_owned()));
        }
    };
    let at = |pointer: &str| body.pointer(pointer).unwrap_or(&Value::Null);
    let filled = |pointer: &str| at(pointer).as_str().is_some_and(|t| !t.trim().is_empty());
    let items = |pointer: &str| at(pointer).as_array().map(Vec::as_slice).unwrap_or_default();
    let shared = body["type"] == "Shared";
    rule("typeRequired", filled("/type"), "type is required.");
    rule("customerProfileRequired", body["customerProfile"].is_object(), "customerProfile is required.");
    rule("consentRequired", body["consent"].is_object(), "consent is required.");
    rule("detailsRequired", body["details"].is_object(), "details is required.");
    rule("nameRequired", filled("/name"), "name is required.");
    rule("customerNameRequired", filled("/customerProfile/name"), "customerProfile.name is required.");
    for (name, field) in [("addressLine1Required", "addressLine1"), ("cityRequired", "city")] {
        let pointer = format!("/customerProfile/address/{field}");
        rule(name, filled(&pointer), &format!("customerProfile.address.{field} is required."));
    }
    let country = at("/customerProfile/address/country").as_str().unwrap_or_default();
    rule("countryInvalid", upper(country, 2), "customerProfile.address.country must be ISO 3166 alpha-2.");
    let contacts = items("/customerProfile/team");
    rule("customerContactRequired", !shared || !contacts.is_empty(), "customerProfile.team needs a contact.");
    rule(
        "customerContactIncomplete",
        contacts.iter().all(complete_person),
        "customerProfile.team is incomplete.",
    );
    let solutions = items("/details/requirements/solutions");
    let text = "details.requirements.solutions must contain at least one solution.";
    rule("solutionRequired", !solutions.is_empty(), text);
    rule("solutionIdInvalid", solutions.iter().all(solution_id), "a solution id is not valid.");
    rule("dealValueInvalid", positive(at("/details/dealValue")), "details.dealValue must be above 0.");
    let currency = at("/details/currency").as_str().unwrap_or_default();
    rule("currencyInvalid", upper(currency, 3), "details.currency must be ISO 4217.");
    rule(
        "closingDateTimeRequired",
        filled("/details/closingDateTime"),
        "details.closingDateTime is required.",
    );
    rule("notesRequired", filled("/details/notes"), "details.notes is required.");
    let team = items("/team");
    rule("teamMemberRequired", !team.is_empty(), "team must contain at least one member.");
    rule("teamMemberIncomplete", team.iter().all(complete_person), "team is incomplete.");
    rule("tooManyItems", team.len() <= 50 && solutions.len() <= 50, "at most 50 members and 50 solutions.");
    let attributes = items("/details/requirements/additionalRequirements/attributes");
    let intent = attributes.iter().any(|a| a["type"] == "CustomerMarketplaceIntent" && a["id"].is_string());
    rule("marketplaceIntentRequired", intent, "attribute CustomerMarketplaceIntent is required.");
    let consent = at("/consent/consentToToShareInfoWithOthers") == &json!(true);
    rule("shareContactsConsentRequired", consent, "consentToToShareInfoWithOthers must be true.");
    let state = match (body["status"].as_str(), body["substatus"].as_str()) {
        (None, None) | (Some("New"), Some("Pending")) => true,
        (Some("Active"), Some("Accepted")) => half == Half::Own,
        _ => false,
    };
    rule("statusInvalid", state, "a deal starts as New/Pending.");
    if shared {
        let sellers = at("/consent/consentToShareReferralWithMicrosoftSellers") == &json!(true);
        rule("shareWithSellersRequired", sellers, "consentToShareReferralWithMicrosoftSellers must be true.");
        let code = at("/inviteContext/assistanceRequestCode").as_str().unwrap_or("Unknown");
        rule("assistanceRequired", code != "Unknown", "inviteContext.assistanceRequestCode is required.");
        rule("targetRequired", !items("/target").is_empty(), "target is required.");
    }
    rule("sharedRequired", half == Half::Own || shared, "Microsoft's half is Shared.");
    rule("engagementRequired", half == Half::Own || filled("/engagementId"), "engagementId is required.");
    let by = at("/inviteContext/invitedBy/organizationId");
    rule(
        "invitedByInvalid",
        by.is_null() || by == ORGANIZATION_ID,
        "invitedBy must be the own organization.",
    );
    broken
}
