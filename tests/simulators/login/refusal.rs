//! What Entra refuses a token with: one body for all, and the refusals by number that a switch asks for.

use jiff::Timestamp;
use serde_json::{Value, json};

/// AADSTS number, HTTP status, `error`, text (Entra's list of error codes).
const DOCUMENTED: &[(u32, u16, &str, &str)] = &[
    (
        650_057,
        400,
        "invalid_resource",
        "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration.",
    ),
    (
        500_011,
        400,
        "invalid_resource",
        "The resource principal named https://api was not found in the tenant.",
    ),
    (700_016, 400, "unauthorized_client", "Application with identifier was not found in the directory."),
    (7_000_112, 400, "unauthorized_client", "Application is disabled."),
    (90_002, 400, "invalid_request", "Tenant not found."),
    (
        65_001,
        400,
        "invalid_grant",
        "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
    ),
    (65_004, 400, "consent_required", "User declined to consent to access the app."),
    (
        70_043,
        400,
        "invalid_grant",
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
    ),
    (
        50_076,
        400,
        "interaction_required",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication.",
    ),
    (53_003, 400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    (70_011, 400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    (90_033, 503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    (
        50_196,
        400,
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop.",
    ),
];

/// HTTP status, `error`, AADSTS number, text.
pub(super) struct LoginRefusal(pub(super) u16, pub(super) &'static str, pub(super) u32, pub(super) String);

impl LoginRefusal {
    /// What Entra says of a number, for refusals that no state here leads to.
    pub(super) fn documented(number: u32) -> Option<Self> {
        let (_, status, error, text) = DOCUMENTED.iter().find(|known| known.0 == number)?;
        Some(LoginRefusal(*status, error, number, (*text).to_owned()))
    }

    pub(super) fn body(&self, now: Timestamp) -> Value {
        let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let at = now.strftime("%Y-%m-%d %H:%M:%SZ");
        let text = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            self.2, self.3
        );
        json!({
            "error": self.1, "error_description": text, "error_codes": [self.2], "timestamp": at.to_string(),
            "trace_id": trace.to_string(), "correlation_id": correlation.to_string(),
        })
    }
}
