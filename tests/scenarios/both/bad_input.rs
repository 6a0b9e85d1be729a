//! Input that cannot be used: nothing is lost, neighbours are unharmed, and it heals by itself.

use super::open;
use crate::{answers::told, deal::text};
use serde_json::json;

crate::faults::whatever_fails! {
    t54_a_message_that_is_not_ours_is_parked_and_its_neighbours_are_unharmed,
    a_message_that_is_not_ours_is_left_to_redrive_by_a_retry,
    a_referral_that_lacks_what_the_crm_needs_is_parked_and_heals,
    t50_a_currency_the_crm_does_not_have_is_parked,
    t49_a_mandatory_column_without_a_rule_is_parked_with_its_name_and_replayed_after_the_map_names_it,
    a_column_a_rule_refuses_is_parked_alone_and_heals,
}

#[tokio::test]
async fn t54_a_message_that_is_not_ours_is_parked_and_its_neighbours_are_unharmed() {
    let stage = open().await;
    stage.plant("stranger", "hello");
    stage.plant("stranger", r#"{"v":7,"kind":"referral"}"#);
    let referral = stage.refer(json!({}));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    // Messages stay parked: there is nothing to try again, and their bodies are all that is left of them.
    stage.advance(25 * 60 * 60);
    stage.poll().await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("hello") && parked.contains("version `7`"), "{parked}");
    assert_eq!(stage.dead_letters(), 0);
    stage.close().await;
}

#[tokio::test]
async fn a_message_that_is_not_ours_is_left_to_redrive_by_a_retry() {
    let stage = open().await;
    stage.plant("stranger", "hello");
    stage.rest().await;
    let (ok, told) = told(&stage, json!({ "command": "retry" })).await;
    assert!(ok && told.contains("`redrive`"), "{told}");
    stage.rest().await;
    assert!(stage.parked_words().await.contains("hello"), "{}", stage.parked_words().await);
    assert!(stage.sent("GET referrals/{id}").is_empty(), "its id is no referral's");
    stage.close().await;
}

#[tokio::test]
async fn a_referral_that_lacks_what_the_crm_needs_is_parked_and_heals() {
    let stage = open().await;
    let referral = stage.refer(json!({ "name": null, "customerProfile": { "name": null } }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    let parked = stage.parked_words().await;
    let name = stage.by("Topic", "Opportunity Name");
    assert!(parked.contains(name) && parked.contains("Account Name"), "everything at once: {parked}");
    stage.edit_referral(
        &referral,
        json!({ "/name": "Harbor Line", "/customerProfile/name": "Harbor Line AG" }),
    );
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "name"), "✔ Harbor Line");
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn t50_a_currency_the_crm_does_not_have_is_parked() {
    let stage = open().await;
    // Salesforce's has yen.
    let unknown = stage.by("JPY", "SEK");
    let referral = stage.refer(json!({ "details": { "currency": unknown } }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    assert!(stage.parked_words().await.contains(unknown));
    stage.edit_referral(&referral, json!({ "/details/currency": "CHF" }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["deal_value"], 84000.0);
    stage.close().await;
}

#[tokio::test]
async fn a_column_a_rule_refuses_is_parked_alone_and_heals() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.rule("opportunities", "notes", "description must not mention Friday");
    stage.edit_referral(
        &referral,
        json!({ "/details/dealValue": 91000, "/details/notes": "Call on Friday." }),
    );
    stage.rest().await;
    stage.poll().await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("Friday"), "{parked}");
    stage.clear_rules();
    // It is tried after 15 minutes, then after an hour.
    stage.advance(if stage.calm() { 16 } else { 61 } * 60);
    stage.poll().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "notes"), "Call on Friday.");
    assert_eq!(deal["deal_value"], 91000.0);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn t49_a_mandatory_column_without_a_rule_is_parked_with_its_name_and_replayed_after_the_map_names_it() {
    let mut stage = open().await;
    let column = stage.demand_rating();
    let referral = stage.refer(json!({}));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    let parked = stage.parked_words().await;
    assert!(parked.contains(column), "{parked}");
    let kind = stage.by("choice", "text");
    let (constant, rating) = stage.by(("2", json!(2)), ("\"Hot\"", json!("Hot")));
    stage.remap(&format!(
        "[fields.rating]\nkind = \"{kind}\"\ncrm = \"{column}\"\nconstant = {constant}\n\
         direction = \"to_crm\"\non = \"create\"\n"
    ));
    stage.edit_referral(&referral, json!({ "/favorite": true }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((&deal["referral_id"], &deal[column]), (&json!(referral), &rating));
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}
