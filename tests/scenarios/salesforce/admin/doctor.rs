//! Broken set-ups: each cause is named, with what to do.

use super::open;
use crate::{
    answers::{told, words},
    deal::Stage,
};
use local::world::{Options, World};
use mapping::CrmKind;
use serde_json::json;
use simulators::salesforce::{Approval, INTEGRATION_USER};

/// The faults and warnings of a set-up that somebody broke.
async fn diagnosed(broken: impl FnOnce(&Stage)) -> String {
    let stage = open().await;
    stage.refer(json!({ "details": { "currency": "EUR" } }));
    stage.rest().await;
    broken(&stage);
    let (ok, all) = told(&stage, json!({ "command": "doctor" })).await;
    let bad: Vec<&str> = all.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(ok, !all.contains("fault "), "{all}");
    assert!(!bad.is_empty(), "the doctor sees nothing: {all}");
    bad.join("\n")
}

fn names(told: &str, cause: &str, cure: &str) {
    assert!(told.contains(cause) && told.contains(cure), "`{cause}` and `{cure}` in: {told}");
}

/// The session of an hour ago is over.
fn signed_out(stage: &Stage) {
    stage.salesforce.system().revoke();
    stage.advance(4000);
}

#[tokio::test]
async fn a_good_set_up_has_no_fault() {
    let stage = open().await;
    stage.refer(json!({ "details": { "currency": "EUR" } }));
    stage.rest().await;
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    let faults: Vec<&str> = told.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(ok && faults.is_empty(), "{faults:#?}");
    for part in ["fields and 4 stages of the map are there and fit", "CHF", "Notes Settings", "API requests"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn the_key_is_no_key_or_anothers() {
    for (key, cause, cure) in [
        ("hunter2", "no RSA key in PEM", "PEM text"),
        (include_str!("../../../fixtures/keys/foreign.pem"), "invalid_grant", "certificate the app holds"),
    ] {
        let told = diagnosed(|stage| {
            stage.aws.system().put_secret("crm", &json!({ "private_key": key }).to_string());
            signed_out(stage);
        })
        .await;
        names(&told, cause, cure);
        assert!(!told.contains("hunter2"));
    }
}

#[tokio::test]
async fn the_user_is_not_authorised() {
    for (external, approval, cause, cure) in [
        (true, Approval::Missing, "app_not_found", "pre-authorise a permission set"),
        (true, Approval::NotByAdmin, "not admin approved", "permission set or profile"),
        (false, Approval::Missing, "hasn't approved", "pre-authorized"),
    ] {
        let told = diagnosed(|stage| {
            stage.salesforce.system().switches.external_client_app = external;
            stage.salesforce.system().approve(INTEGRATION_USER, approval);
            signed_out(stage);
        })
        .await;
        names(&told, cause, cure);
    }
}

#[tokio::test]
async fn the_app_lacks_a_scope() {
    for scope in ["api", "refresh_token"] {
        let told = diagnosed(|stage| {
            stage.salesforce.system().switches.app_scopes = vec![scope.to_owned()];
            signed_out(stage);
        })
        .await;
        names(&told, "refresh_token scope is required", "`api` and `refresh_token, offline_access` (both)");
    }
}

#[tokio::test]
async fn the_login_host_is_of_production_and_the_org_a_sandbox() {
    let told = diagnosed(|stage| {
        let mut org = stage.salesforce.system();
        (org.switches.sandbox, org.switches.own_address_is_audience) = (true, false);
        drop(org);
        signed_out(stage);
    })
    .await;
    names(&told, "audience is invalid", "sandbox.my.salesforce.com");
}

/// The simulator's listener is the login host by this name.
#[tokio::test]
async fn the_login_host_is_everybodys_and_the_app_an_external_client_app() {
    let options = Options { crm: Some(CrmKind::Salesforce), login_host: true, ..Options::default() };
    let world = World::start(options).await.expect("the world starts");
    let doctor = json!({ "command": "doctor" });
    let told = words(&world.call(doctor.clone()).await);
    names(&told, "app_not_found", "must be the org's My Domain");
    world.salesforce.system().switches.external_client_app = false;
    assert!(!words(&world.call(doctor).await).contains("app_not_found"));
}

#[tokio::test]
async fn the_days_requests_are_used_up_or_nearly() {
    let told = diagnosed(|stage| stage.salesforce.system().switches.daily_api_requests = 1).await;
    names(&told, "REQUEST_LIMIT_EXCEEDED", "used up");
    let told = diagnosed(|stage| {
        let mut org = stage.salesforce.system();
        org.switches.daily_api_requests = org.requests_today() + 14;
    })
    .await;
    names(&told, "API requests of 24 hours are left", "find who uses them");
}

#[tokio::test]
async fn a_field_is_hidden_read_only_gone_or_short() {
    let told = diagnosed(|stage| {
        let now = stage.now();
        let mut org = stage.salesforce.system();
        org.grant("Opportunity", "Referral_Link__c", false, false);
        org.grant("Opportunity", "Audit__c", true, false);
        org.drop_field("Opportunity.Referral_Program__c");
        let short = json!({ "length": 40 });
        org.alter_field("Opportunity.Microsoft_CRM_Identifier__c", &short, now).unwrap();
        let kind = json!({ "type": "Checkbox", "defaultValue": false });
        org.alter_field("Microsoft_Solution_Detail__c.Publisher__c", &kind, now).unwrap();
    })
    .await;
    names(
        &told,
        "`Opportunity.Referral_Link__c` (Referral Link) is not there, or",
        "permission set Cosell_Connector",
    );
    names(&told, "may not edit `Opportunity.Audit__c`", "field-level security");
    names(&told, "`Opportunity.Referral_Program__c`", "`provision` makes and grants it");
    names(&told, "`Opportunity.Microsoft_CRM_Identifier__c` takes 40 characters", "lengthen");
    names(&told, "`Microsoft_Solution_Detail__c.Publisher__c` (Publisher) is of type boolean", "`kind`");
}

#[tokio::test]
async fn a_stage_is_gone_or_means_something_else() {
    let told = diagnosed(|stage| {
        let now = stage.now();
        let mut org = stage.salesforce.system();
        org.deactivate_stage("Prospecting");
        org.rename_stage("Closed Lost", "Verloren", now);
    })
    .await;
    names(&told, "no active stage `Prospecting`", "status.crm.\"Active/Accepted\".stage");
    names(&told, "no active stage `Closed Lost`", "Object Manager");
    let stage = open().await;
    let map = "[status.crm]\n\"Closed/Won\" = { stage = \"Negotiation/Review\" }\n";
    let (ok, told) =
        crate::answers::told(&stage, json!({ "command": "map", "action": "check", "map": map })).await;
    assert!(!ok, "{told}");
    names(&told, "the stage `Negotiation/Review` is open", "status.crm.\"Closed/Won\".stage");
}

#[tokio::test]
async fn a_key_is_not_unique_and_a_value_is_missing() {
    let told = diagnosed(|stage| {
        let now = stage.now();
        let mut org = stage.salesforce.system();
        org.alter_field("Opportunity.Referral_Identifier__c", &json!({ "unique": false }), now).unwrap();
        let values = json!([{ "valueName": "Yes", "label": "Yes", "default": false }]);
        let set = json!({ "restricted": true, "valueSetDefinition": { "sorted": false, "value": values } });
        org.alter_field("Opportunity.Marketplace_Intent__c", &json!({ "valueSet": set }), now).unwrap();
    })
    .await;
    names(&told, "`Opportunity.Referral_Identifier__c` is no unique external id", "`provision` makes it one");
    names(&told, "`Opportunity.Marketplace_Intent__c` has no active value `No`", "`provision` adds it");
}

#[tokio::test]
async fn objects_are_hidden_or_read_only_and_settings_are_off() {
    let told = diagnosed(|stage| {
        let mut org = stage.salesforce.system();
        org.deny("Microsoft_Solution__c", "read");
        org.deny("Account", "create");
        org.switches.multi_currency = false;
    })
    .await;
    names(&told, "no object `Microsoft_Solution__c`", "Cosell_Connector");
    names(&told, "may not create `Account`", "object permission");
    names(&told, "`Opportunity.CurrencyIsoCode`", "fields.currency.constant");
}
