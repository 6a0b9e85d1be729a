//! Hints, in time, about what Microsoft demands of a deal that the partner wants to register
//! (vendors/partner-center.md, *Deal registration*). The registration itself is done by a person in Partner Center.

use crate::{Map, Referral};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

/// The shortest time between a deal's creation and Won.
const WAIT: SignedDuration = SignedDuration::from_hours(72);
/// The lowest value, in US dollars.
const LEAST: f64 = 25_000.0;
/// The last day, counted from signing.
const DAYS: i64 = 60;

impl Map {
    /// What to observe while the deal is open; `None`: hints are switched off, the deal is private, or it is closed.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Referral};
    ///
    /// let map = Map::with_override(CrmKind::Dynamics365, "[switches]\nregistration_hints = true").unwrap();
    /// let deal = Referral::parse(serde_json::json!({
    ///     # "id": "9b7a51de-4c0e-4f3b-8a52-61c0d7aa0e02", "updatedDateTime": "2026-04-10T12:00:05Z",
    ///     # "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "type": "Shared", "status": "Active", "substatus": "Accepted", "createdDateTime": "2026-04-10T12:00:05Z",
    /// }))?;
    /// let hint = map.registration_ahead(&deal).unwrap();
    /// assert!(hint.contains("not before 2026-04-13 12:00 UTC"), "{hint}");
    /// assert_eq!(Map::standard(CrmKind::Dynamics365).registration_ahead(&deal), None, "hints are off");
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn registration_ahead(&self, referral: &Referral) -> Option<String> {
        let open = !referral.is_terminal() && self.registrable(referral);
        let created = open.then(|| referral.created())??;
        Some(format!(
            "to register it with Microsoft later, win it not before {} UTC (72 hours), at USD 25,000 or more, and \
             register it within {DAYS} days of signing",
            (created + WAIT).strftime("%Y-%m-%d %H:%M")
        ))
    }

    /// What to do once the deal is won, or what may prevent its registration; `None`: as above, or it is registered.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Referral};
    ///
    /// let map = Map::with_override(CrmKind::Dynamics365, "[switches]\nregistration_hints = true").unwrap();
    /// let deal = Referral::parse(serde_json::json!({
    ///     # "id": "9b7a51de-4c0e-4f3b-8a52-61c0d7aa0e02", "updatedDateTime": "2026-04-10T12:00:05Z",
    ///     # "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "type": "Shared", "status": "Closed", "substatus": "Won", "createdDateTime": "2026-04-10T12:00:00Z",
    /// }))?;
    /// let hint = map.registration_when_won(&deal, "2026-04-12T12:00:00Z".parse().unwrap()).unwrap();
    /// assert!(hint.ends_with("it was won 48 hours after its creation, not 72"), "{hint}");
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn registration_when_won(&self, referral: &Referral, now: Timestamp) -> Option<String> {
        let text = |path: &str| referral.body().pointer(path).and_then(Json::as_str).unwrap_or_default();
        let registered = !matches!(text("/registrationStatus"), "" | "None");
        if referral.substatus() != "Won" || registered || !self.registrable(referral) {
            return None;
        }
        let mut against = vec![];
        if let Some(after) = referral.created().map(|created| now.duration_since(created))
            && after < WAIT
        {
            against.push(format!("it was won {} hours after its creation, not 72", after.as_hours()));
        }
        let value = referral.body().pointer("/details/dealValue").and_then(Json::as_f64);
        if text("/details/currency") == "USD" && value.is_some_and(|value| value < LEAST) {
            against.push("its value is below USD 25,000".to_owned());
        }
        let until = (now + SignedDuration::from_hours(24 * DAYS)).strftime("%Y-%m-%d");
        Some(if against.is_empty() {
            format!(
                "won: it can be registered with Microsoft within {DAYS} days of signing, {until} at the latest"
            )
        } else {
            format!("won, but Microsoft may refuse to register it: {}", against.join("; "))
        })
    }

    /// Whether hints are on and the deal is not private, because private deals are not registered.
    fn registrable(&self, referral: &Referral) -> bool {
        let body = referral.body();
        let visible = body.pointer("/consent/consentToShareReferralWithMicrosoftSellers");
        let shared = body.get("type").is_some_and(|kind| kind == "Shared");
        self.switches().registration_hints && (shared || visible == Some(&Json::Bool(true)))
    }
}
