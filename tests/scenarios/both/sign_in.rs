//! Sign-ins that are refused: what only somebody can cure is told with its cure, what passes by itself is waited for.

use super::{CRM, open};
use crate::{
    answers::{command, told},
    deal::Stage,
};
use mapping::CrmKind;
use serde_json::json;
use simulators::{
    login,
    server::{Fault, FaultKind},
};

/// Entra's numbers, and what to do at Partner Center's application and at Dataverse's.
const NUMBERS: [(u32, &str, &str); 10] = [
    (650_057, "user_impersonation", "DynamicsUrl"),
    (500_011, "PartnerCenterAudience", "DynamicsUrl"),
    (700_016, "PartnerCenterClientId", "DynamicsClientId"),
    (7_000_112, "is disabled", "is disabled"),
    (90_002, "PartnerCenterTenantId", "DynamicsTenantId"),
    (65_001, "grant admin consent", "as itself"),
    (65_004, "consent again", "as itself"),
    (70_043, "sign-in frequency", "as itself"),
    (50_076, "with MFA", "as itself"),
    (70_011, "PartnerCenterAudience", "DynamicsUrl"),
];

/// Salesforce's errors, and what to do.
const ERRORS: [(&str, &str); 6] = [
    ("app_not_found", "must be the org's My Domain"),
    ("OAUTH_EC_APP_NOT_FOUND", "must be the org's My Domain"),
    ("invalid_request", "`refresh_token, offline_access` (both)"),
    ("invalid_scope", "OAuth scopes"),
    ("unsupported_grant_type", "JWT Bearer Flow"),
    ("inactive_org", "ask Salesforce"),
];

/// An hour later no token of before is good.
fn signed_out(stage: &Stage) {
    stage.salesforce.system().revoke();
    stage.advance(4000);
}

#[tokio::test]
async fn every_refusal_of_entra_is_told_with_its_cure() {
    let stage = open().await;
    for (number, partner_center, crm) in NUMBERS {
        stage.login.system().switches.refuse = Some(number);
        signed_out(&stage);
        let (ok, words) = told(&stage, json!({ "command": "doctor" })).await;
        assert!(!ok && words.contains(&format!("AADSTS{number}")), "{words}");
        assert!(words.contains(partner_center), "{number}: `{partner_center}` in {words}");
        assert!(CRM == CrmKind::Salesforce || words.contains(crm), "{number}: `{crm}` in {words}");
        assert!(!words.contains("is Partner Center up?"), "{number}: {words}");
    }
}

#[tokio::test]
async fn every_refusal_of_salesforce_is_told_with_its_cure() {
    if CRM != CrmKind::Salesforce {
        return;
    }
    let stage = open().await;
    for (error, cure) in ERRORS {
        stage.salesforce.system().switches.refuse = Some(error.to_owned());
        signed_out(&stage);
        let (ok, words) = told(&stage, json!({ "command": "doctor" })).await;
        assert!(!ok && words.contains(error) && words.contains(cure), "`{error}` and `{cure}`: {words}");
    }
}

/// The set-up's one sentence says what to do.
#[tokio::test]
async fn a_set_up_that_cannot_sign_in_says_what_to_do() {
    let stage = open().await;
    stage.login.system().switches.refuse = Some(650_057);
    signed_out(&stage);
    let (ok, words) = told(&stage, json!({ "command": "register" })).await;
    assert!(!ok && words.contains("user_impersonation") && !words.contains("try again later"), "{words}");
}

/// A refusal of any word makes the secret be read again, and a new one is used in the same run.
#[tokio::test]
async fn a_refused_sign_in_reads_the_secret_again() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    signed_out(&stage);
    let consent = stage.login.system().consent(stage.now());
    let secret = json!({ "client_secret": login::PARTNER_SECRET, "refresh_token": consent });
    stage.aws.system().put_secret("partner-center", &secret.to_string());
    let body = json!({ "error": "invalid_resource", "error_description": "AADSTS650057: Invalid resource." });
    let kind = FaultKind::Answer { status: 400, headers: [].into(), body: body.to_string() };
    let route = "POST {tenant}/oauth2/token refresh_token".to_owned();
    stage.login.fault(Fault { route, skip: 0, times: 1, kind });
    stage.edit_referral(&referral, json!({ "/details/notes": "17 sites." }));
    stage.webhooks().await;
    stage.pump().await.expect("the writer runs");
    assert_eq!(stage.held_until().await.expect("holds"), None, "nothing has to wait");
    assert_eq!(stage.opportunity()["notes"], "17 sites.");
    stage.close().await;
}

#[tokio::test]
async fn what_passes_by_itself_needs_nobody() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/notes": "17 sites." }));
    for number in [90_033, 50_196] {
        stage.login.system().switches.refuse = Some(number);
        signed_out(&stage);
        stage.tick().await.expect("a tick that asks nothing");
    }
    stage.login.system().switches.refuse = None;
    stage.advance(3600);
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    assert_eq!(stage.opportunity()["notes"], "17 sites.");
    command(&stage, json!({ "command": "doctor" })).await;
    stage.close().await;
}
