//! Error bodies of both hosts and who may call what.

use super::PartnerCenter;
use crate::{
    login::{self, Claims, PARTNER_TENANT},
    server::{Request, Response},
};
use jiff::Timestamp;
use serde_json::json;

/// An error of the referrals host: HTTP status, code, message, inner code and message.
#[derive(Debug)]
pub(super) struct PartnerCenterRefusal {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    /// The rule that refused; stable, for tests.
    pub(super) inner: Option<(&'static str, String)>,
}

impl PartnerCenterRefusal {
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Self {
        PartnerCenterRefusal { status, code, message: message.to_owned(), inner: None }
    }

    pub(super) fn because(mut self, rule: &'static str, text: impl Into<String>) -> Self {
        self.inner = Some((rule, text.into()));
        self
    }
}

impl From<PartnerCenterRefusal> for Response {
    fn from(refusal: PartnerCenterRefusal) -> Self {
        let mut error = json!({ "code": refusal.code, "message": refusal.message, "target": "referral" });
        if let Some((code, message)) = refusal.inner {
            error["innerError"] = json!({ "code": code, "message": message });
        }
        Response::json(refusal.status, &json!({ "error": error }))
    }
}

/// 400 `invalidRequest` by a named rule.
pub(super) fn invalid(rule: &'static str, text: impl Into<String>) -> PartnerCenterRefusal {
    PartnerCenterRefusal::new(400, "invalidRequest", "One or more fields are invalid.").because(rule, text)
}

pub(super) fn not_found() -> PartnerCenterRefusal {
    PartnerCenterRefusal::new(404, "itemNotFound", "The referral could not be found.")
}

pub(super) fn denied(text: &str) -> PartnerCenterRefusal {
    PartnerCenterRefusal::new(403, "accessDenied", "Caller is not allowed to use this referral.")
        .because("unauthorizedReferralAccess", text)
}

/// An error of the webhooks host.
pub(super) fn webhook_error(status: u16, code: &str, description: &str) -> Response {
    let body = json!({ "code": code, "description": description, "data": [], "source": "PartnerCenter" });
    Response::json(status, &body)
}

/// The 429 of the Partner Center gateway.
pub(super) fn throttled(seconds: i64) -> Response {
    let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
    Response::json(429, &json!({ "statusCode": 429, "message": message }))
        .with("retry-after", seconds.to_string())
}

fn mfa(claims: &Claims) -> bool {
    claims.amr.iter().any(|a| a == "mfa")
}

impl PartnerCenter {
    /// The referrals host: a user with a second factor and a referrals role.
    pub(super) fn admit_referrals(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<(), PartnerCenterRefusal> {
        let unauthenticated =
            || PartnerCenterRefusal::new(401, "unauthenticated", "The access token is missing or not valid.");
        let claims = login::bearer(request, now).ok_or_else(unauthenticated)?;
        if claims.aud != self.switches.referrals_audience || claims.tid != PARTNER_TENANT {
            return Err(unauthenticated().because("invalidAudience", format!("aud `{}`", claims.aud)));
        }
        if claims.idtyp != "user" {
            return Err(denied("App-only access is not supported."));
        }
        if self.switches.referrals_mfa && !mfa(&claims) {
            return Err(unauthenticated().because("900421", "MFA is required for this request."));
        }
        if !self.switches.referrals_role {
            return Err(denied("The user has no referrals role for the owning location."));
        }
        Ok(())
    }

    /// The webhooks host: an application, or a user with a second factor.
    pub(super) fn admit_webhooks(&self, request: &Request, now: Timestamp) -> Result<(), Response> {
        let refused = || webhook_error(401, "400", "Access denied");
        let claims = login::bearer(request, now).ok_or_else(refused)?;
        if claims.aud != self.switches.webhooks_audience || claims.tid != PARTNER_TENANT {
            return Err(refused());
        }
        if claims.idtyp == "user" && !mfa(&claims) {
            return Err(webhook_error(401, "900421", "MFA is required for this request."));
        }
        if !self.switches.webhooks_role {
            return Err(refused());
        }
        Ok(())
    }
}
