//! What people do: Microsoft's sellers and the partner's users in Partner Center's own pages.

use super::{
    PartnerCenter,
    create::Half,
    referral::{LOCATION, MICROSOFT, ORGANIZATION_ID, empty, instant, merge, state_of, text},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Kinds of deals a user makes with "New deal".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deal {
    Private,
    PartnerLed,
    /// Asks Microsoft for help: both halves appear.
    CoSell,
}

impl PartnerCenter {
    /// Microsoft sends an inbound co-sell opportunity; `over` is laid over the sample.
    pub fn refer(&mut self, over: &Value, now: Timestamp) -> String {
        let at = self.tick(now);
        let mut referral = empty();
        merge(&mut referral, &harbor_line());
        let until = (at + SignedDuration::from_hours(14 * 24)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        referral["expirationDateTime"] = json!(until);
        merge(&mut referral, over);
        self.store(referral, at)
    }

    /// Microsoft sends a marketing lead.
    pub fn refer_lead(&mut self, over: &Value, now: Timestamp) -> String {
        let mut lead = json!({ "type": "Independent", "qualification": "MarketingQualified" });
        merge(&mut lead, over);
        self.refer(&lead, now)
    }

    /// A visible deal of the partner becomes co-sell in Partner Center: Microsoft's half appears. Answers that half.
    pub fn convert(&mut self, id: &str, now: Timestamp) -> Result<String, String> {
        let own = self.referrals.get(id).ok_or_else(|| format!("no referral `{id}`"))?;
        if own["consent"]["consentToShareReferralWithMicrosoftSellers"] != true {
            return Err(format!("`{id}` is not visible to Microsoft"));
        }
        if self.microsoft_half(id).is_some() || text(own, "status") != "Active" {
            return Err(format!("`{id}` is {} or shared already", state_of(own)));
        }
        Ok(self.invite_microsoft(id, now))
    }

    /// A user of the partner makes a deal; answers the own referral.
    pub fn create_deal(&mut self, deal: Deal, over: &Value, now: Timestamp) -> String {
        let mut body = kestrel_foods();
        if deal != Deal::CoSell {
            let sharing = json!({
                "type": "Independent", "target": [],
                "consent": { "consentToShareReferralWithMicrosoftSellers": deal == Deal::PartnerLed },
                "inviteContext": { "notes": null, "assistanceRequestCode": "Unknown" },
            });
            merge(&mut body, &sharing);
        }
        merge(&mut body, over);
        let id = self.create(&body, Half::Own, now);
        if deal == Deal::CoSell && self.microsoft_half(&id).is_none() {
            self.invite_microsoft(&id, now);
        }
        id
    }

    /// A user edits a referral: JSON pointer -> value. Nothing is changed unless all can be.
    pub fn edit(&mut self, id: &str, set: &Value, now: Timestamp) -> Result<(), String> {
        let current = self.referrals.get(id).ok_or_else(|| format!("no referral `{id}`"))?;
        if text(current, "status") == "Closed" {
            return Err(format!("`{id}` is final"));
        }
        let (before, mut changed) = (state_of(current), current.clone());
        for (pointer, value) in set.as_object().ok_or("`set`: expected pointers and values")? {
            let (parent, name) =
                pointer.rsplit_once('/').ok_or_else(|| format!("`{pointer}`: no JSON pointer"))?;
            match changed.pointer_mut(parent) {
                Some(Value::Object(members)) => {
                    members.insert(name.to_owned(), value.clone());
                }
                Some(Value::Array(items)) if name == "-" => items.push(value.clone()),
                Some(Value::Array(items)) => {
                    let place = name.parse().ok().and_then(|n: usize| items.get_mut(n));
                    *place.ok_or_else(|| format!("`{pointer}`: not there"))? = value.clone();
                }
                _ => return Err(format!("`{pointer}`: not there")),
            }
        }
        self.commit(id, changed, &before, now);
        Ok(())
    }

    /// A user moves an own referral on: `accept`, `decline`, `won`, `lost`, `expire`.
    pub fn act(
        &mut self,
        id: &str,
        action: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), String> {
        let current = self.referrals.get(id).ok_or_else(|| format!("no referral `{id}`"))?;
        let from = text(current, "status");
        let (status, substatus) = match (from, action) {
            ("New", "accept") => ("Active", "Accepted"),
            ("New", "decline") => ("Closed", "Declined"),
            ("New", "expire") => ("Closed", "Expired"),
            ("Active", "won") => ("Closed", "Won"),
            ("Active", "lost") => ("Closed", "Lost"),
            _ => return Err(format!("`{action}` is not possible in {}", state_of(current))),
        };
        let (before, mut changed) = (state_of(current), current.clone());
        merge(&mut changed, &json!({ "status": status, "substatus": substatus }));
        if let Some(reason) = reason {
            changed["statusReason"] = json!(reason);
        }
        self.commit(id, changed, &before, now);
        Ok(())
    }

    /// Microsoft answers the partner's call for help: `accept`, `decline`, `won`, `lost`, `expire`. `id`: either half,
    /// or the engagement. Answers Microsoft's half.
    pub fn microsoft(
        &mut self,
        id: &str,
        action: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<String, String> {
        let half = self.microsoft_half(id).ok_or_else(|| format!("Microsoft has no referral for `{id}`"))?;
        if action != "accept" {
            self.act(&half, action, reason, now)?;
            return Ok(half);
        }
        if text(&self.referrals[&half], "status") != "New" {
            return Err(format!("`{half}` is already {}", state_of(&self.referrals[&half])));
        }
        let msx = format!("7-{:010}", 1_000_000_000 + self.changes);
        let sellers = json!([{
            "firstName": "Sam", "lastName": "Ortiz", "phoneNumber": null,
            "email": "sam.ortiz@microsoft.example", "title": null,
            "contactPreference": { "locale": null, "disableNotifications": null },
        }]);
        let mut accepted = self.referrals[&half].clone();
        let before = state_of(&accepted);
        merge(&mut accepted, &json!({ "status": "Active", "substatus": "Accepted", "team": sellers }));
        accepted["trackingInfo"]["microsoftMsxId"] = json!(msx);
        let own: Vec<String> = self
            .siblings(&accepted)
            .filter(|r| text(r, "organizationId") == ORGANIZATION_ID && text(r, "status") != "Closed")
            .map(|r| text(r, "id").to_owned())
            .collect();
        self.commit(&half, accepted, &before, now);
        for id in own.iter().filter(|_| self.switches.msx_id_on_own).cloned().collect::<Vec<_>>() {
            let (mut changed, before) = (self.referrals[&id].clone(), state_of(&self.referrals[&id]));
            changed["trackingInfo"]["microsoftMsxId"] = json!(msx);
            self.commit(&id, changed, &before, now);
        }
        Ok(half)
    }

    /// Microsoft's half of the engagement that `id` is, or belongs to.
    pub fn microsoft_half(&self, id: &str) -> Option<String> {
        let engagement = self.referrals.get(id).map_or(id, |r| text(r, "engagementId"));
        let half =
            self.engagement(engagement).into_iter().find(|r| text(r, "organizationId") == MICROSOFT)?;
        Some(text(half, "id").to_owned())
    }

    /// Unanswered referrals whose fourteen days are over.
    pub(super) fn expire_due(&mut self, now: Timestamp) {
        if !self.switches.automatic_expiry {
            return;
        }
        while let Some((_, id)) = self.expiring.first().filter(|(at, _)| *at <= now).cloned() {
            self.expiring.pop_first();
            let Some(referral) = self.referrals.get(&id) else { continue };
            let over = text(referral, "expirationDateTime").parse::<Timestamp>().is_ok_and(|at| at <= now);
            if over && text(referral, "status") == "New" {
                self.act(&id, "expire", None, now).expect("a new referral expires");
            }
        }
    }

    /// Remembers when a referral runs out unanswered.
    pub(super) fn expires(&mut self, referral: &Value) {
        if let Ok(at) = text(referral, "expirationDateTime").parse() {
            self.expiring.insert((at, text(referral, "id").to_owned()));
        }
    }

    /// Any referral at all, for what no action makes: another partner's, an old one. Missing members are filled.
    pub fn insert(&mut self, over: &Value, now: Timestamp) -> String {
        let at = self.tick(now);
        let mut referral = empty();
        merge(&mut referral, over);
        let id = self.store(referral, at);
        let mut stored = self.referrals[&id].clone();
        for name in ["createdDateTime", "updatedDateTime"] {
            if let Some(given) = over[name].as_str().and_then(|t| t.parse::<Timestamp>().ok()) {
                stored[name] = json!(instant(given));
            }
        }
        self.keep(stored);
        id
    }
}

/// The documented inbound opportunity.
fn harbor_line() -> Value {
    json!({
        "name": "Harbor Line – multi-site tracking",
        "status": "New", "substatus": "Pending", "qualification": "SalesQualified", "type": "Shared",
        "direction": "Incoming",
        "target": [{ "type": "SolutionProfile", "id": "SOL-48213-KTR" }],
        "customerProfile": {
            "name": "Harbor Line Logistics AG", "size": "251to1000employees", "isMatchingComplete": true,
            "address": {
                "addressLine1": "Hafenstrasse 12", "addressLine2": null, "city": "Basel", "state": "BS",
                "postalCode": "4057", "country": "CH", "region": null,
            },
            "team": [{
                "firstName": "Nadia", "lastName": "Keller", "phoneNumber": "+41615550110",
                "email": "nadia.keller@harborline.example", "title": "Head of IT",
                "contactPreference": { "locale": "de-ch", "disableNotifications": true },
            }],
            "ids": [
                { "profileType": "Duns", "id": "480021973" },
                { "profileType": "External", "id": "6-PQ4ZX81LM" },
            ],
        },
        "consent": {
            "consentToToShareInfoWithOthers": true, "consentToContact": true,
            "consentToShareReferralWithMicrosoftSellers": true,
        },
        "details": {
            "notes": "Warehouse visibility project, 14 sites.", "dealValue": 84000, "currency": "CHF",
            "closingDateTime": "2026-09-30T00:00:00Z",
            "requirements": {
                "industries": [{ "id": "Travel & Transportation" }],
                "products": [{ "id": "Azure" }],
                "services": [{ "id": "IPServices(ISV)" }],
                "solutions": [{
                    "id": "SOL-48213-KTR", "name": "Juniper Peak Fleet Insight",
                    "publisherName": "Juniper Peak Software", "solutionType": "3P",
                }],
                "additionalRequirements": {
                    "attributes": [{ "type": "CustomerMarketplaceIntent", "id": "HaveNotDecided" }],
                },
            },
        },
        "inviteContext": {
            "notes": "Customer asked for an ISV that covers multi-site tracking. Can you take this?",
            "assistanceRequestCode": "Unknown", "invitedMpnId": LOCATION,
            "invitedBy": { "organizationId": MICROSOFT, "organizationName": "Microsoft" },
        },
    })
}

/// The documented own co-sell deal.
pub(super) fn kestrel_foods() -> Value {
    json!({
        "name": "Kestrel Foods – demand planning",
        "qualification": "SalesQualified", "type": "Shared",
        "customerProfile": {
            "name": "Kestrel Foods Ltd", "size": "1001to5000employees",
            "address": {
                "addressLine1": "4 Mill Lane", "addressLine2": "Unit 9", "city": "Leeds", "state": "",
                "postalCode": "LS1 4AB", "country": "GB",
            },
            "team": [{
                "firstName": "Priya", "lastName": "Shah", "phoneNumber": "+441135550177",
                "email": "priya.shah@kestrelfoods.example",
            }],
            "ids": [],
        },
        "consent": {
            "consentToToShareInfoWithOthers": true, "consentToContact": true,
            "consentToMicrosoftToContactSpecificPartners": true,
            "consentToShareReferralWithMicrosoftSellers": true,
        },
        "details": {
            "notes": "Need PoC support for forecasting workload.", "dealValue": 61000.5, "currency": "GBP",
            "closingDateTime": "2026-07-31T00:00:00Z",
            "requirements": {
                "solutions": [{
                    "type": "Name", "id": "SOL-48213-KTR", "name": "Juniper Peak Fleet Insight",
                    "publisherName": "Juniper Peak Software", "solutionType": "3P",
                }],
                "additionalRequirements": {
                    "iot": {},
                    "attributes": [{ "id": "HaveNotDecided", "type": "CustomerMarketplaceIntent" }],
                },
            },
        },
        "team": [{
            "firstName": "Omar", "lastName": "Haddad", "phoneNumber": "+442075550199",
            "email": "omar.haddad@juniperpeak.example",
        }],
        "target": [{ "type": "SolutionProfile", "id": "SOL-48213-KTR" }],
        "inviteContext": {
            "notes": "Please help with a proof of concept.", "assistanceRequestCode": "ProofOfConceptOrDemo",
        },
    })
}
