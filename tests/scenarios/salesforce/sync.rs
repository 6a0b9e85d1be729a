//! A deal both ways.

use super::deal::{SOLUTION, open};
use crate::deal::text;
use serde_json::json;

crate::faults::whatever_fails! {
    t31_a_new_referral_becomes_an_opportunity_on_hold_with_its_account,
    t32_two_referrals_of_one_new_customer_make_one_account,
    t34_leaving_the_on_hold_stage_accepts_and_t28_a_won_stage_wins,
    t38_a_change_in_partner_center_touches_what_changed_and_nothing_else,
    t18_a_change_in_salesforce_is_one_patch_of_what_changed,
    t26_the_same_field_on_both_sides_goes_to_its_owner_and_the_loser_is_audited,
    t07_without_help_and_invisible_it_is_private_and_t24_a_solution_added_later_is_added,
    t06_help_makes_one_engagement_of_two_referrals,
    t41_lost_in_partner_center_closes_the_opportunity,
    a_deleted_opportunity_detaches_and_leaves_the_referral_alone,
}

#[tokio::test]
async fn t31_a_new_referral_becomes_an_opportunity_on_hold_with_its_account() {
    let stage = open().await;
    let referral = stage.refer(json!({ "name": "Harbor Line – rail", "details": { "currency": "EUR" } }));
    stage.rest().await;
    let deal = stage.one("Opportunity");
    assert_eq!(text(&deal, "StageName"), "Qualification", "{deal:#}");
    assert_eq!(text(&deal, "Name"), "✔ Harbor Line – rail");
    assert_eq!(text(&deal, "Referral_Identifier__c"), referral);
    assert_eq!(deal["Sync_with_Partner_Center__c"], true);
    let account = stage.one("Account");
    assert_eq!(deal["AccountId"], account["Id"]);
    assert!(account["Partner_Center_Customer_Key__c"].is_string(), "{account:#}");
    let role = stage.one("OpportunityContactRole");
    assert_eq!((&role["OpportunityId"], &role["ContactId"]), (&deal["Id"], &stage.one("Contact")["Id"]));
    assert_eq!(stage.one("Microsoft_Solution__c")["Opportunity__c"], deal["Id"]);
    assert_eq!(stage.referral(&referral)["externalReferenceId"], deal["Id"]);
    stage.close().await;
}

#[tokio::test]
async fn t32_two_referrals_of_one_new_customer_make_one_account() {
    let stage = open().await;
    for name in ["One", "Two"] {
        stage.refer(json!({ "name": name, "details": { "currency": "EUR" } }));
    }
    stage.rest().await;
    assert_eq!((stage.objects("Opportunity").len(), stage.objects("Account").len()), (2, 1));
    stage.close().await;
}

#[tokio::test]
async fn t34_leaving_the_on_hold_stage_accepts_and_t28_a_won_stage_wins() {
    let stage = open().await;
    let referral = stage.refer(json!({ "details": { "currency": "EUR" } }));
    stage.rest().await;
    let deal = text(&stage.one("Opportunity"), "Id");
    stage.advance(5);
    stage.change("Opportunity", &deal, json!({ "StageName": "Needs Analysis" }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!((text(&shown, "status"), text(&shown, "substatus")), ("Active".into(), "Accepted".into()));
    assert_eq!(
        text(&stage.one("Opportunity"), "StageName"),
        "Needs Analysis",
        "any open stage means accepted"
    );
    stage.change("Opportunity", &deal, json!({ "StageName": "Closed Won" }));
    stage.poll().await;
    assert_eq!(text(&stage.referral(&referral), "substatus"), "Won");
    stage.close().await;
}

#[tokio::test]
async fn t38_a_change_in_partner_center_touches_what_changed_and_nothing_else() {
    let stage = open().await;
    let (referral, deal) = stage.inbound_opportunity().await;
    stage.change("Opportunity", &deal, json!({ "NextStep": "call" }));
    stage.poll().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000, "/details/notes": "17 sites." }));
    stage.rest().await;
    stage.poll().await;
    let row = stage.one("Opportunity");
    assert_eq!((row["Amount"].as_f64(), text(&row, "Description")), (Some(97000.0), "17 sites.".into()));
    assert_eq!(text(&row, "NextStep"), "call");
    stage.close().await;
}

#[tokio::test]
async fn t18_a_change_in_salesforce_is_one_patch_of_what_changed() {
    let stage = open().await;
    let (referral, deal) = stage.inbound_opportunity().await;
    stage.advance(60);
    stage.change("Opportunity", &deal, json!({ "Amount": 91000, "CloseDate": "2027-09-30" }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(91000.0));
    assert_eq!(text(&shown["details"], "closingDateTime")[..10], *"2027-09-30");
    stage.close().await;
}

#[tokio::test]
async fn t26_the_same_field_on_both_sides_goes_to_its_owner_and_the_loser_is_audited() {
    let stage = open().await;
    let (referral, deal) = stage.inbound_opportunity().await;
    stage.advance(60);
    stage.change("Opportunity", &deal, json!({ "Amount": 91000 }));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.poll().await;
    stage.settle().await.unwrap();
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(91000.0));
    let row = stage.one("Opportunity");
    assert_eq!(row["Amount"].as_f64(), Some(91000.0));
    assert!(text(&row, "Audit__c").contains("97000"), "{row:#}");
    stage.close().await;
}

#[tokio::test]
async fn t07_without_help_and_invisible_it_is_private_and_t24_a_solution_added_later_is_added() {
    let stage = open().await;
    let deal = stage.shared_deal(json!({}));
    stage.poll().await;
    stage.settle().await.unwrap();
    let row = stage.one("Opportunity");
    let referral = text(&row, "Referral_Identifier__c");
    assert!(!referral.is_empty() && text(&row, "Referral_Link__c").ends_with(&referral), "{row:#}");
    let shown = stage.referral(&referral);
    assert_eq!(
        (text(&shown, "type"), shown["details"]["dealValue"].as_f64()),
        ("Independent".into(), Some(61000.5))
    );
    assert_eq!(shown["details"]["requirements"]["solutions"][0]["id"], SOLUTION);
    assert_eq!(shown["customerProfile"]["team"][0]["email"], "priya.shah@kestrelfoods.example");
    let detail = stage.make(
        "Microsoft_Solution_Detail__c",
        json!({ "Name": "Other", "Solution_Identifier__c": "SOL-2", "Type__c": "3P" }),
    );
    stage.make("Microsoft_Solution__c", json!({ "Opportunity__c": deal, "Solution_Detail__c": detail }));
    stage.poll().await;
    let count = stage.referral(&referral)["details"]["requirements"]["solutions"].as_array().map(Vec::len);
    assert_eq!(count, Some(2));
    stage.close().await;
}

#[tokio::test]
async fn t06_help_makes_one_engagement_of_two_referrals() {
    let stage = open().await;
    stage.shared_deal(json!({ "How_can_Microsoft_help__c": "Proof of concept or demo" }));
    stage.poll().await;
    stage.settle().await.unwrap();
    let count = stage.partner_center.system().referrals().len();
    assert_eq!(count, 2);
    assert!(text(&stage.one("Opportunity"), "Audit__c").contains("co-sell engagement created"));
    stage.close().await;
}

#[tokio::test]
async fn t41_lost_in_partner_center_closes_the_opportunity() {
    let stage = open().await;
    let (referral, _) = stage.inbound_opportunity().await;
    stage.act(&referral, "lost");
    stage.rest().await;
    stage.poll().await;
    assert_eq!(text(&stage.one("Opportunity"), "StageName"), "Closed Lost");
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_opportunity_detaches_and_leaves_the_referral_alone() {
    let stage = open().await;
    let (referral, deal) = stage.inbound_opportunity().await;
    let now = stage.now();
    stage.salesforce.system().act_delete("Opportunity", &deal, simulators::salesforce::SELLER, now).unwrap();
    stage.poll().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.rest().await;
    assert!(stage.objects("Opportunity").is_empty());
    let told = stage.call(json!({ "command": "explain", "referral": referral })).await;
    assert!(told.to_string().contains("detached"), "{told:#}");
    stage.close().await;
}

#[tokio::test]
async fn t49_a_validation_rule_parks_with_its_words_and_heals_once_it_is_gone() {
    let stage = open().await;
    let (referral, _) = stage.inbound_opportunity().await;
    stage.salesforce.system().rule("Opportunity", Some("Amount"), "the budget is frozen", &["Amount"]);
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000, "/details/notes": "17 sites." }));
    stage.rest().await;
    stage.poll().await;
    assert!(stage.parked_words().await.contains("the budget is frozen"), "{}", stage.parked_words().await);
    assert_eq!(text(&stage.one("Opportunity"), "Description"), "17 sites.", "the other field goes out");
    stage.salesforce.system().clear_rules();
    stage.advance(16 * 60);
    stage.poll().await;
    stage.settle().await.unwrap();
    assert_eq!(stage.one("Opportunity")["Amount"].as_f64(), Some(97000.0));
    stage.close().await;
}
