//! What Salesforce refuses: parked with the field and Salesforce's own words, the rest goes out, and it heals by itself
//! once it is mended.

use super::{mapped, open};
use crate::deal::{Stage, text};
use serde_json::json;

crate::faults::whatever_fails! {
    a_missing_permission_is_parked_with_its_field_and_heals,
    an_unknown_stage_is_parked_with_its_field_and_heals,
    a_validation_rule_is_parked_with_its_field_and_heals,
    a_required_field_of_the_organisations_own_is_parked_with_its_name_and_heals,
    a_locked_row_is_tried_again,
    an_alert_of_a_duplicate_rule_does_not_stop_a_deal,
    what_a_duplicate_rule_finds_is_adopted_where_the_map_says_so,
    a_duplicate_rule_that_blocks_is_parked_in_its_words_and_heals,
}

/// What is parked is tried after a quarter of an hour, then after an hour.
async fn later(stage: &Stage) {
    stage.advance(if stage.calm() { 16 } else { 61 } * 60);
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
}

#[tokio::test]
async fn a_missing_permission_is_parked_with_its_field_and_heals() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.salesforce.system().deny_field("Opportunity", "Amount", "edit");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000, "/details/notes": "17 sites." }));
    stage.rest().await;
    stage.poll().await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("Amount") && parked.contains("security settings"), "{parked}");
    assert_eq!(text(&stage.opportunity(), "notes"), "17 sites.", "the other field goes out");
    stage.salesforce.system().allow_all();
    later(&stage).await;
    assert_eq!(stage.opportunity()["deal_value"], 97000.0);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn an_unknown_stage_is_parked_with_its_field_and_heals() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    let now = stage.now();
    stage.salesforce.system().rename_stage("Closed Lost", "Gone", now);
    stage.edit_referral(&referral, json!({ "/details/notes": "Last words." }));
    stage.act(&referral, "lost");
    stage.rest().await;
    stage.poll().await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("bad value for restricted picklist field: Closed Lost"), "{parked}");
    assert_eq!(text(&stage.opportunity(), "notes"), "Last words.", "the other field goes out");
    let now = stage.now();
    stage.salesforce.system().rename_stage("Gone", "Closed Lost", now);
    later(&stage).await;
    assert_eq!(stage.opportunity()["state"], "lost");
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn a_validation_rule_is_parked_with_its_field_and_heals() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.rule("opportunities", "deal_value", "the budget is frozen");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000, "/details/notes": "17 sites." }));
    stage.rest().await;
    stage.poll().await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("the budget is frozen"), "{parked}");
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains("the budget is frozen (`Amount`)"), "{audit}");
    assert_eq!(text(&stage.opportunity(), "notes"), "17 sites.", "the other field goes out");
    stage.clear_rules();
    later(&stage).await;
    assert_eq!(stage.opportunity()["deal_value"], 97000.0);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn a_required_field_of_the_organisations_own_is_parked_with_its_name_and_heals() {
    let stage = open().await;
    let column = stage.demand_rating();
    let referral = stage.refer(json!({}));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    let parked = stage.parked_words().await;
    assert!(parked.contains(&format!("Required fields are missing: [{column}]")), "{parked}");
    // The admin gives it a value by a flow that runs before the row is saved.
    stage.salesforce.system().flow("Opportunity", json!({ column: "Hot" }));
    later(&stage).await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn a_locked_row_is_tried_again() {
    for status in [400, 500] {
        let stage = open().await;
        let (referral, id) = stage.inbound_in_step().await;
        stage.salesforce.system().switches.lock_status = status;
        stage.salesforce.system().lock(&id, 2);
        stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
        stage.rest().await;
        assert_eq!(stage.opportunity()["deal_value"], 97000.0);
        assert_eq!(stage.parked_words().await, "");
        stage.close().await;
    }
}

/// The contact is known, by another address, and a rule finds her by her name.
fn namesake(stage: &Stage) -> String {
    stage.salesforce.system().duplicate_rule("Contact", &["FirstName", "LastName"], false);
    stage.sell(
        "contacts",
        json!({ "first_name": "Nadia", "last_name": "Keller", "email": "n.keller@private.example" }),
    )
}

#[tokio::test]
async fn an_alert_of_a_duplicate_rule_does_not_stop_a_deal() {
    let stage = open().await;
    namesake(&stage);
    stage.refer(json!({}));
    stage.rest().await;
    assert_eq!((stage.opportunities().len(), stage.rows("contacts").len()), (1, 2));
    stage.close().await;
}

#[tokio::test]
async fn what_a_duplicate_rule_finds_is_adopted_where_the_map_says_so() {
    for member in ["duplicateResut", "duplicateResult"] {
        let stage = mapped(["", "[vendor]\nduplicates = \"adopt\"\n"]).await;
        stage.salesforce.system().switches.duplicate_member = member.to_owned();
        let contact = namesake(&stage);
        stage.refer(json!({}));
        stage.rest().await;
        let audit = text(&stage.opportunity(), "audit");
        assert!(audit.contains("by a duplicate rule") && audit.contains(&contact), "{audit}");
        let contacts = stage.rows("contacts");
        assert_eq!(contacts.len(), 1, "no second one");
        assert!(!text(&contacts[0], "key").is_empty(), "the adopted one gets our key");
        assert_eq!(contacts[0]["email"], "n.keller@private.example", "and nothing else");
        assert_eq!(stage.rows("OpportunityContactRole")[0]["ContactId"], contact);
        stage.close().await;
    }
}

#[tokio::test]
async fn a_duplicate_rule_that_blocks_is_parked_in_its_words_and_heals() {
    let stage = open().await;
    stage.sell(
        "contacts",
        json!({ "first_name": "Nadia", "last_name": "Keller", "email": "n.keller@private.example" }),
    );
    stage.salesforce.system().duplicate_rule("Contact", &["FirstName", "LastName"], true);
    stage.refer(json!({}));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    let parked = stage.parked_words().await;
    assert!(parked.contains("Use one of these records?"), "{parked}");
    stage.clear_rules();
    later(&stage).await;
    assert_eq!(stage.opportunities().len(), 1);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}
