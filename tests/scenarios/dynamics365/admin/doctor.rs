//! Broken set-ups: each cause is named, with what to do.

use super::told;
use crate::deal::Stage;
use jiff::SignedDuration;
use local::world::{DEAD, EVENTS, Options};
use serde_json::json;
use simulators::{
    login,
    partner_center::Forge,
    server::{Fault, FaultKind},
};

/// The faults and warnings of a set-up that somebody broke.
async fn diagnosed(broken: impl FnOnce(&mut Stage)) -> String {
    let mut stage = Stage::open().await;
    stage.refer(json!({}));
    stage.rest().await;
    broken(&mut stage);
    let (ok, all) = told(&stage, json!({ "command": "doctor" })).await;
    let bad: Vec<&str> = all.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(ok, !all.contains("fault "), "{all}");
    assert!(!bad.is_empty(), "the doctor sees nothing: {all}");
    bad.join("\n")
}

fn names(told: &str, cause: &str, cure: &str) {
    assert!(told.contains(cause) && told.contains(cure), "`{cause}` and `{cure}` in: {told}");
}

#[tokio::test]
async fn a_good_set_up_has_no_fault() {
    let stage = Stage::open().await;
    stage.refer(json!({}));
    stage.rest().await;
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    let faults: Vec<&str> = told.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(ok && faults.is_empty(), "{faults:#?}");
    for part in [
        "with MFA",
        "registered for us",
        "are there and fit",
        "CHF",
        "0 messages wait",
        "0 days old",
        "on a main form",
        "its chain reaches a trusted root",
        "all clocks agree",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn the_refresh_token_is_revoked() {
    let told = diagnosed(|stage| {
        stage.login.system().revoke();
        stage.advance(4000);
    })
    .await;
    names(&told, "invalid_grant", "consent again");
}

#[tokio::test]
async fn the_consent_was_given_without_mfa() {
    let told = diagnosed(|stage| {
        stage.login.system().switches.mfa = false;
        stage.advance(4000);
    })
    .await;
    names(&told, "900421", "without MFA");
}

#[tokio::test]
async fn the_client_secret_is_wrong() {
    let told = diagnosed(|stage| {
        let secret = json!({ "client_secret": "old", "refresh_token": login::REFRESH_TOKEN });
        stage.aws.system().put_secret("partner-center", &secret.to_string());
        stage.advance(4000);
    })
    .await;
    names(&told, "invalid_client", "client_secret");
}

#[tokio::test]
async fn the_secret_is_no_json() {
    let told = diagnosed(|stage| {
        stage.aws.system().put_secret("partner-center", "hunter2");
        stage.advance(4000);
    })
    .await;
    names(&told, "not a JSON object", "as JSON");
    assert!(!told.contains("hunter2"));
}

#[tokio::test]
async fn the_service_account_has_lost_its_role() {
    let told = diagnosed(|stage| {
        let mut center = stage.partner_center.system();
        center.switches.referrals_role = false;
        center.switches.webhooks_role = false;
    })
    .await;
    names(&told, "403", "Referrals admin");
}

#[tokio::test]
async fn the_organisation_id_is_somebody_elses() {
    let organization = Some("a-typing-error".to_owned());
    let stage = Stage::with(Options { organization, ..Options::default() }).await;
    stage.refer(json!({}));
    let (_, told) = told(&stage, json!({ "command": "doctor" })).await;
    names(&told, "is of organisation", "PartnerCenterOrganizationId");
}

#[tokio::test]
async fn no_referral_is_visible() {
    let stage = Stage::open().await;
    let (_, told) = told(&stage, json!({ "command": "doctor" })).await;
    names(&told, "no referral at all", "company scope");
}

#[tokio::test]
async fn the_registration_is_gone_foreign_or_incomplete() {
    let told = diagnosed(|stage| stage.partner_center.system().unregister_webhook()).await;
    names(&told, "not registered", "register");
    let register = |url: &'static str, events: usize| {
        move |stage: &mut Stage| {
            let now = stage.now();
            let url = if url.is_empty() { stage.webhook_url.clone() } else { url.to_owned() };
            stage.partner_center.system().register_webhook(&url, &EVENTS[..events], false, now);
        }
    };
    names(&diagnosed(register("https://flows.example/x", 4)).await, "flows.example", "overwrite");
    names(&diagnosed(register("", 2)).await, "all four events", "register");
}

#[tokio::test]
async fn the_crms_client_secret_is_wrong() {
    let told = diagnosed(|stage| {
        stage.aws.system().put_secret("crm", &json!({ "client_secret": "old" }).to_string());
        stage.advance(4000);
    })
    .await;
    names(&told, "invalid_client", "CRM's application");
}

#[tokio::test]
async fn the_application_is_no_user_of_the_environment() {
    let told =
        diagnosed(|stage| stage.dataverse.system().disable_user(simulators::dataverse::INTEGRATION_USER))
            .await;
    names(&told, "not a member", "application user");
}

#[tokio::test]
async fn columns_keys_and_tracking() {
    let told = diagnosed(|stage| {
        let mut crm = stage.dataverse.system();
        crm.drop_column("opportunities", "cosell_microsoftcrmid");
        crm.drop_option("opportunities", "cosell_helprequested", 100_000_006);
        crm.shorten_column("leads", "cosell_referrallink", 60);
        crm.key_status("opportunities", "cosell_referralid", "Failed").unwrap();
        crm.switches.untracked.push("opportunity".into());
    })
    .await;
    names(
        &told,
        "`opportunity.cosell_microsoftcrmid` (Microsoft CRM Identifier) is not there",
        "`provision`",
    );
    names(&told, "no option 100000006 (General or other)", "values");
    names(&told, "`lead.cosell_referrallink` takes 60 characters", "lengthen");
    names(&told, "key of `opportunity.cosell_referralid` is Failed", "share a value");
    names(&told, "changes of `opportunity` are not tracked", "Track changes");
}

#[tokio::test]
async fn a_clock_goes_wrong() {
    let wrong = |seconds| move |stage: &mut Stage| stage.dataverse.skew(SignedDuration::from_secs(seconds));
    names(
        &diagnosed(wrong(-100)).await,
        "warning the clock of the CRM and ours differ by -",
        "AWS keeps ours",
    );
    names(&diagnosed(wrong(400)).await, "fault the clock of the CRM and ours differ by ", "AWS keeps ours");
    let told = diagnosed(|stage| stage.partner_center.skew(SignedDuration::from_secs(90))).await;
    names(&told, "warning the clock of Partner Center and ours", "old answers");
}

#[tokio::test]
async fn the_webhooks_certificate_is_out_of_reach_or_ends() {
    let busy = |status| Fault {
        route: "GET cert".into(),
        skip: 0,
        times: 1,
        kind: FaultKind::Answer { status, headers: [].into(), body: String::new() },
    };
    let told = diagnosed(|stage| stage.partner_center.fault(busy(503))).await;
    names(&told, "status 503", "tries again");
    let told = diagnosed(|stage| stage.partner_center.fault(busy(404))).await;
    names(&told, "status 404", "CertificateUrlPrefixes");
}

#[tokio::test]
async fn the_issuer_of_the_webhooks_certificate_is_missing_or_foreign() {
    const ISSUER: &str = "`Simulated Microsoft Azure RSA TLS Issuing CA`";
    let serving =
        |forge: Forge| move |stage: &mut Stage| stage.partner_center.system().serve_certificate(forge);
    for (forge, cause, cure) in [
        (Forge::NoAddress, ISSUER, "CertificateRootsPem"),
        (Forge::NoAddress, "names no address", "CertificateRootsPem"),
        (Forge::Elsewhere, ISSUER, "CertificateIssuerUrls"),
        (Forge::Elsewhere, "http://127.0.0.2:9/issuers/", "CertificateIssuerUrls"),
        (Forge::ThreeSteps, "`Simulated Microsoft TLS RSA Root G2`", "CertificateRootsPem"),
        (Forge::Foreign, "leads to `Foreign Root`", "CertificateRootsPem"),
        (Forge::WrongSubject, "subject is not one organisation", "selftest"),
    ] {
        let told = diagnosed(serving(forge)).await;
        assert!(told.starts_with("fault "), "{told}");
        names(&told, cause, cure);
    }
    for (status, level, cure) in [(503, "warning", "tries again"), (404, "fault", "CertificateRootsPem")] {
        let kind = FaultKind::Answer { status, headers: [].into(), body: String::new() };
        let fault = Fault { route: "GET issuers".into(), skip: 0, times: 1, kind };
        let told = diagnosed(|stage| stage.partner_center.fault(fault)).await;
        names(&told, ISSUER, cure);
        assert!(told.starts_with(level) && told.contains(&format!("status {status}")), "{told}");
    }
}

#[tokio::test]
async fn dead_letters_and_parked_deals() {
    let stage = Stage::open().await;
    stage.deal(json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    let now = stage.now();
    stage.aws.system().send(DEAD, "g", "d", "{}", now).unwrap();
    let (_, told) = told(&stage, json!({ "command": "doctor" })).await;
    names(&told, "1 messages in the dead-letter queue", "redrive");
    names(&told, "1 deals are parked", "explain");
}
