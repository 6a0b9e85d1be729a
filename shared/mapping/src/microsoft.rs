//! Reads Microsoft's own half of an engagement: its opportunity, its answer, its sellers.

use crate::{Map, Referral, Value, names::HELP, scalar, shape::Shape, text::without_entities};
use serde_json::Value as Json;

/// The rule of the number that Microsoft gives the deal.
const MICROSOFT_CRM_ID: &str = "microsoft_crm_id";

/// What Microsoft's half says, for sellers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MicrosoftSaid {
    /// The id of Microsoft's opportunity, once Microsoft has accepted.
    pub crm_id: Option<String>,
    /// Microsoft's answer in one sentence; `None`: it has not answered.
    pub words: Option<String>,
}

impl Map {
    /// The unit with the number that Microsoft gives the deal, if the map has it.
    pub fn microsoft_crm_id(&self) -> Option<&str> {
        self.unit(MICROSOFT_CRM_ID).map(|unit| unit.name.as_str())
    }

    /// What Microsoft's half says.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Referral};
    ///
    /// let half = Referral::parse(serde_json::json!({
    ///     # "id": "d1f6b3c8-77aa-4d0b-b6a3-2e9f10c4d303", "updatedDateTime": "2026-04-15T09:31:00Z",
    ///     "organizationId": "msft", "status": "Active", "substatus": "Accepted",
    ///     "trackingInfo": { "microsoftMsxId": "7-3QXZ1" },
    ///     "team": [{ "firstName": "Sam", "lastName": "Ortiz", "email": "sam.ortiz@microsoft.example" }],
    /// }))?;
    /// let said = Map::standard(CrmKind::Dynamics365).microsoft_said(&half).words.unwrap();
    /// assert_eq!(said, "Microsoft accepted as `7-3QXZ1`; its sellers: Sam Ortiz (sam.ortiz@microsoft.example)");
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn microsoft_said(&self, half: &Referral) -> MicrosoftSaid {
        let crm_id = self.referral_field(MICROSOFT_CRM_ID, half);
        let crm_id = crm_id.as_ref().and_then(Value::text).map(str::to_owned);
        let reason = half.body().get("statusReason").and_then(Json::as_str).unwrap_or_default();
        let reason = without_entities(reason).trim().to_owned();
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let words = match (half.status(), half.substatus()) {
            ("New", _) => None,
            ("Active", _) => {
                let mut words = "Microsoft accepted".to_owned();
                if let Some(id) = &crm_id {
                    words += &format!(" as `{id}`");
                }
                let sellers: Vec<String> =
                    half.body()["team"].as_array().into_iter().flatten().filter_map(seller).collect();
                if !sellers.is_empty() {
                    words += &format!("; its sellers: {}", sellers.join(", "));
                }
                Some(words)
            }
            (_, "Declined") => Some(format!("Microsoft declined{because}")),
            (_, "Expired") => Some("Microsoft did not answer in time".to_owned()),
            (_, substatus) => {
                Some(format!("Microsoft closed its side as {}{because}", substatus.to_lowercase()))
            }
        };
        MicrosoftSaid { crm_id, words }
    }

    /// The help that a request for a new referral asks for, in the CRM's form.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let request = serde_json::json!({ "inviteContext": { "assistanceRequestCode": "QuotesOrLicensing" } });
    /// let help = Map::standard(CrmKind::Dynamics365).help_asked(&request);
    /// assert_eq!(help, Some(Value::of_text("100000004")));
    /// ```
    pub fn help_asked(&self, request: &Json) -> Option<Value> {
        let Shape::Plain(rule) = &self.rule(HELP).ok()?.shape else { return None };
        let shown = scalar::from_partner_center(rule, rule.referral.as_ref()?.read(request)?);
        self.to_crm(HELP, &shown).ok()
    }
}

/// A seller's name and e-mail address.
fn seller(person: &Json) -> Option<String> {
    let text = |name: &str| {
        let text = person.get(name).and_then(Json::as_str).unwrap_or_default();
        without_entities(text).trim().to_owned()
    };
    let name = [text("firstName"), text("lastName")].join(" ").trim().to_owned();
    match (name.is_empty(), text("email").as_str()) {
        (true, "") => None,
        (true, email) => Some(email.to_owned()),
        (false, "") => Some(name),
        (false, email) => Some(format!("{name} ({email})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CrmKind;
    use serde_json::json;

    fn said(status: &str, substatus: &str, reason: &str) -> Option<String> {
        let text = include_str!("../tests/fixtures/referral-related-microsoft-accepted.json");
        let mut body: Json = serde_json::from_str(text).unwrap();
        (body["status"], body["substatus"], body["statusReason"]) =
            (json!(status), json!(substatus), json!(reason));
        body["team"] = json!([{ "firstName": "Se&#225;n", "lastName": "O&#39;Neil", "email": "" }]);
        Map::standard(CrmKind::Dynamics365).microsoft_said(&Referral::parse(body).unwrap()).words
    }

    #[test]
    fn what_microsoft_says_is_read_without_entities() {
        let declined = said("Closed", "Declined", " R&amp;D has no budget&nbsp;");
        assert_eq!(declined.as_deref(), Some("Microsoft declined: R&D has no budget"));
        let accepted = said("Active", "Engaged", "").unwrap();
        assert!(accepted.ends_with("its sellers: Seán O'Neil"), "{accepted}");
    }
}
