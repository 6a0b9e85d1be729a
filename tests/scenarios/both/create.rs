//! CRM -> Partner Center: a record that becomes a referral, and what keeps it from becoming one.

use super::{CRM, mapped, open};
use crate::deal::{SOLUTION, Stage, text};
use mapping::CrmKind;
use serde_json::json;
use simulators::server::{Fault, FaultKind};

crate::faults::whatever_fails! {
    t05_sync_no_means_no_call,
    t06_a_cosell_deal_becomes_one_engagement_with_two_referrals,
    t07_without_help_and_invisible_it_is_private,
    t08_without_help_and_visible_it_is_partner_led,
    t09_without_a_solution_nothing_is_sent,
    t10_without_a_country_nothing_is_sent,
    t11_help_without_a_complete_contact_is_not_sent,
    t12_without_a_reachable_owner_nothing_is_sent,
    t13_the_same_record_twice_makes_one_engagement,
    t14_microsofts_half_is_tried_again_after_throttling,
    t14_microsofts_half_refused_keeps_the_own_one_and_completes_the_same_engagement_later,
    t15_an_unknown_kind_of_help_is_refused,
    t16_a_countrys_name_is_sent_as_its_code_and_no_country_is_refused,
    t17_value_currency_and_country_come_from_custom_columns,
}

#[tokio::test]
async fn t05_sync_no_means_no_call() {
    let stage = open().await;
    let deal = stage.deal(json!({ "help": "ProofOfConceptOrDemo" }));
    stage.add_solution(&deal);
    stage.edit("opportunities", &deal, json!({ "sync": false }));
    stage.poll().await;
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t06_a_cosell_deal_becomes_one_engagement_with_two_referrals() {
    let stage = open().await;
    let id = stage.cosell_deal();
    stage.poll().await;
    let deal = stage.opportunity();
    let own = text(&deal, "referral_id");
    let engagement = text(&stage.referral(&own), "engagementId");
    {
        let system = stage.partner_center.system();
        let halves = system.engagement(&engagement);
        assert_eq!(system.referrals().len(), 2, "two referrals in all");
        assert_eq!(halves.len(), 2, "of one engagement");
    }
    let referral = stage.referral(&own);
    assert_eq!(referral["externalReferenceId"], id);
    assert_eq!(referral["type"], "Shared");
    assert_eq!(referral["status"], "Active");
    assert_eq!(referral["name"], "Kestrel Foods - demand planning", "without the mark");
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(61000.5));
    assert_eq!(referral["details"]["currency"], "CHF");
    assert_eq!(referral["customerProfile"]["address"]["country"], "GB");
    assert_eq!(referral["customerProfile"]["team"][0]["email"], "priya.shah@kestrelfoods.example");
    assert_eq!(referral["details"]["requirements"]["solutions"][0]["id"], SOLUTION);
    assert!(text(&deal, "referral_link").ends_with(&own));
    assert!(text(&deal, "audit").contains("co-sell engagement created"), "{}", deal["audit"]);
    assert_eq!(text(&deal, "name"), "✔ Kestrel Foods - demand planning");
    assert_eq!(deal["visible"], true, "help forces it on");
    stage.settle().await.unwrap();
    assert_eq!(stage.opportunities().len(), 1, "the engagement coming back makes nothing new");
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

/// A deal without help; its referral.
async fn without_help(visible: bool) -> (Stage, serde_json::Value) {
    let stage = open().await;
    let id = stage.deal(json!({ "visible": visible }));
    stage.add_solution(&id);
    stage.edit("opportunities", &id, json!({ "sync": true }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 1);
    let referral = stage.referral(&text(&stage.opportunity(), "referral_id"));
    assert_eq!(referral["type"], "Independent");
    (stage, referral)
}

#[tokio::test]
async fn t07_without_help_and_invisible_it_is_private() {
    let (stage, referral) = without_help(false).await;
    assert_eq!(referral["consent"]["consentToShareReferralWithMicrosoftSellers"], false);
    stage.close().await;
}

#[tokio::test]
async fn t08_without_help_and_visible_it_is_partner_led() {
    let (stage, referral) = without_help(true).await;
    assert_eq!(referral["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.close().await;
}

/// Nothing is sent, and the seller reads which field is in the way.
async fn is_refused_for(stage: &Stage, field: &str) {
    stage.poll().await;
    let deal = stage.opportunity();
    assert!(text(&deal, "audit").contains(field), "`{field}` in: {}", deal["audit"]);
    assert!(text(&deal, "name").starts_with('✖'), "{}", deal["name"]);
    assert!(stage.parked_words().await.contains(field));
    assert!(stage.sent("POST referrals").is_empty());
}

#[tokio::test]
async fn t09_without_a_solution_nothing_is_sent() {
    let stage = open().await;
    stage.deal(json!({ "sync": true }));
    is_refused_for(&stage, "Microsoft Solutions").await;
    stage.close().await;
}

#[tokio::test]
async fn t10_without_a_country_nothing_is_sent() {
    let stage = open().await;
    stage.cosell_deal();
    let account = text(&stage.rows("accounts")[0], "id");
    stage.edit("accounts", &account, json!({ "country": null }));
    is_refused_for(&stage, stage.by("Account: Country/Region", "Account: Billing Country")).await;
    stage.close().await;
}

#[tokio::test]
async fn t11_help_without_a_complete_contact_is_not_sent() {
    let stage = open().await;
    let id = stage.cosell_deal();
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": null }));
    is_refused_for(&stage, stage.by("Contact: Business Phone", "Contact: Phone")).await;
    stage.edit("opportunities", &id, json!({ "help": null }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 1, "without help no contact is needed");
    stage.close().await;
}

#[tokio::test]
async fn t12_without_a_reachable_owner_nothing_is_sent() {
    let stage = open().await;
    stage.cosell_deal();
    stage.edit("users", stage.seller(), json!({ "phone": null }));
    is_refused_for(&stage, stage.by("Main Phone", "Owner: Phone")).await;
    stage.close().await;
}

#[tokio::test]
async fn t13_the_same_record_twice_makes_one_engagement() {
    let stage = open().await;
    let id = stage.cosell_deal();
    for n in 0..3 {
        let at = stage.now();
        let hint = json!({ "v": 1, "kind": "record", "record": format!("opportunity/{id}"), "from": "poll", "at": at });
        stage.plant(&format!("opportunity/{id}-{n}"), &hint.to_string());
    }
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    if stage.calm() {
        assert_eq!(stage.sent("POST referrals").len(), 2);
    }
    stage.close().await;
}

#[tokio::test]
async fn t14_microsofts_half_is_tried_again_after_throttling() {
    let stage = open().await;
    let headers = [("retry-after".to_owned(), "7".to_owned())].into();
    let kind = FaultKind::Answer { status: 429, headers, body: String::new() };
    stage.partner_center.fault(Fault { route: "POST referrals".into(), skip: 1, times: 1, kind });
    stage.cosell_deal();
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
    if !stage.calm() {
        // Two failures in a row: what is half made is taken up again after a quarter of an hour.
        stage.advance(61 * 60);
        stage.settle().await.expect("comes to rest");
    }
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn t14_microsofts_half_refused_keeps_the_own_one_and_completes_the_same_engagement_later() {
    let stage = open().await;
    let body = json!({ "error": { "code": "invalidRequest", "message": "Not today." } }).to_string();
    let kind = FaultKind::Answer { status: 400, headers: [].into(), body };
    stage.partner_center.fault(Fault { route: "POST referrals".into(), skip: 1, times: 1, kind });
    stage.cosell_deal();
    stage.advance(60);
    stage.tick().await.expect("a tick");
    stage.quiet().await.expect("comes to rest");
    if stage.calm() {
        let deal = stage.opportunity();
        assert!(text(&deal, "audit").contains("Not today."), "{}", deal["audit"]);
        assert!(!text(&deal, "referral_id").is_empty(), "the own referral is kept");
        assert_eq!(
            stage.sent("POST referrals").len(),
            2,
            "what was refused is not posted again at every touch"
        );
    }
    stage.advance(if stage.calm() { 16 } else { 61 } * 60);
    stage.poll().await;
    let own = text(&stage.opportunity(), "referral_id");
    let engagement = text(&stage.referral(&own), "engagementId");
    assert_eq!(stage.partner_center.system().engagement(&engagement).len(), 2, "the same engagement");
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    assert!(text(&stage.opportunity(), "audit").contains("co-sell engagement created"));
    stage.close().await;
}

#[tokio::test]
async fn t15_an_unknown_kind_of_help_is_refused() {
    let map = ["100000006", "\"General or other\""]
        .map(|v| format!("[fields.help.values]\nGeneralOrOther = {v}\n"));
    let stage = mapped([&map[0], &map[1]]).await;
    stage.cosell_deal();
    is_refused_for(&stage, stage.by("100000003", "Proof of concept or demo")).await;
    stage.close().await;
}

#[tokio::test]
async fn t16_a_countrys_name_is_sent_as_its_code_and_no_country_is_refused() {
    let stage = open().await;
    stage.cosell_deal();
    let account = text(&stage.rows("accounts")[0], "id");
    if !stage.places_are_picklists() {
        stage.edit("accounts", &account, json!({ "country": "XX" }));
        is_refused_for(&stage, "XX").await;
    }
    stage.edit("accounts", &account, json!({ "country": "United States" }));
    stage.poll().await;
    let own = text(&stage.opportunity(), "referral_id");
    assert_eq!(stage.referral(&own)["customerProfile"]["address"]["country"], "US");
    stage.close().await;
}

#[tokio::test]
async fn t17_value_currency_and_country_come_from_custom_columns() {
    let map = match CRM {
        CrmKind::Dynamics365 => {
            r#"
                [fields.deal_value]
                crm = "new_dealbudget"
                [fields.currency]
                crm = "new_dealcurrency"
                lookup = ""
                [fields.country]
                crm = "account.new_isocountry"
            "#
        }
        CrmKind::Salesforce => {
            r#"
                [fields.deal_value]
                crm = "Deal_Budget__c"
                [fields.currency]
                crm = "Deal_Currency__c"
                [fields.country]
                crm = "account.Iso_Country__c"
            "#
        }
    };
    let stage = Stage::with_own_columns(CRM, map).await;
    let id = stage.deal(json!({ "help": "ProofOfConceptOrDemo", "deal_value": null,
                                "budget": 43_000.5, "budget_currency": "EUR" }));
    let account = text(&stage.rows("accounts")[0], "id");
    stage.edit("accounts", &account, json!({ "country": null, "iso_country": "FR" }));
    stage.add_solution(&id);
    stage.edit("opportunities", &id, json!({ "sync": true }));
    stage.poll().await;
    let own = text(&stage.opportunity(), "referral_id");
    let referral = stage.referral(&own);
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(43_000.5));
    assert_eq!(referral["details"]["currency"], "EUR");
    assert_eq!(referral["customerProfile"]["address"]["country"], "FR");
    stage.edit_referral(&own, json!({ "/details/dealValue": 50_000, "/details/currency": "CHF" }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((deal["budget"].as_f64(), &deal["budget_currency"]), (Some(50_000.0), &json!("CHF")));
    assert_eq!(deal["deal_value"], json!(null), "the standard column is left alone");
    stage.close().await;
}
