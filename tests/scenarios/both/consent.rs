//! One side's word is no consent of both.

use super::{mapped, open};
use crate::deal::{Stage, text};
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    t45_a_referral_that_names_a_deal_of_the_same_customer_is_linked_with_it,
    a_stranger_who_names_a_deal_gets_nothing_of_it,
    a_deal_that_a_referral_named_in_vain_is_linked_once_its_seller_agrees,
    a_seller_who_types_a_referrals_id_gets_nothing_of_it,
}

/// A referral about the deals' customer that names this record.
fn naming(record: &str) -> Value {
    json!({ "externalReferenceId": record, "customerProfile": {
        "name": "KESTREL FOODS, Ltd.", "address": { "country": "GB" },
    } })
}

#[tokio::test]
async fn t45_a_referral_that_names_a_deal_of_the_same_customer_is_linked_with_it() {
    let stage = open().await;
    let deal = stage.deal(json!({}));
    stage.add_solution(&deal);
    let referral = stage.refer(naming(&deal));
    stage.rest().await;
    assert_eq!(
        stage.opportunity()["referral_id"],
        json!(null),
        "its seller has not given it to Partner Center"
    );
    assert!(text(&stage.opportunity(), "audit").contains(&referral), "and reads who names it");
    stage.edit("opportunities", &deal, json!({ "sync": true }));
    stage.poll().await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    assert_eq!(stage.partner_center.system().referrals().len(), 1, "none of its own");
    stage.close().await;
}

#[tokio::test]
async fn a_stranger_who_names_a_deal_gets_nothing_of_it() {
    let stage = open().await;
    let deal = stage.deal(json!({}));
    stage.add_solution(&deal);
    let referral = stage.refer(json!({ "externalReferenceId": deal }));
    let before = stage.referral(&referral);
    stage.rest().await;
    let shown = stage.referral(&referral);
    assert_eq!(shown, before);
    assert!(stage.sent("PATCH referrals").is_empty(), "nothing goes to it");
    let words = stage.parked_words().await;
    assert!(words.contains(&deal) && words.contains("is not Yes"), "{words}");
    // The day its seller gives it to Partner Center it goes there as a deal of its own.
    stage.edit("opportunities", &deal, json!({ "sync": true }));
    stage.poll().await;
    let own = text(&stage.opportunity(), "referral_id");
    assert!(!own.is_empty() && own != referral, "{own}");
    assert!(stage.sent("PATCH referrals").iter().all(|_| stage.referral(&referral) == shown));
    // And the stranger's end of it closes nothing.
    stage.act(&referral, "decline");
    stage.rest().await;
    assert_eq!(stage.opportunity()["state"], "active");
    stage.close().await;
}

#[tokio::test]
async fn a_deal_that_a_referral_named_in_vain_is_linked_once_its_seller_agrees() {
    let stage = open().await;
    let deal = stage.deal(json!({}));
    let referral = stage.refer(json!({ "externalReferenceId": deal }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], json!(null));
    // Both name each other: whoever its customer is.
    stage.edit("opportunities", &deal, json!({ "referral_id": referral, "sync": true }));
    stage.poll().await;
    let words = stage.parked_words().await;
    assert_eq!(words, "");
    stage.edit("opportunities", &deal, json!({ "closing_date": "2027-09-30" }));
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.poll().await;
    let date = text(&stage.referral(&referral)["details"], "closingDateTime");
    assert!(date.starts_with("2027-09-30"), "{date}");
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_types_a_referrals_id_gets_nothing_of_it() {
    let stage = mapped(["[switches]\ncosell_only = true\n"; 2]).await;
    // Not linked: a lead, and leads are not synchronised.
    let referral = stage.refer_lead(json!({}));
    stage.rest().await;
    assert!(stage.opportunities().is_empty());
    let deal = stage.deal(json!({}));
    stage.add_solution(&deal);
    let before = stage.referral(&referral);
    stage.edit("opportunities", &deal, json!({ "referral_id": referral, "sync": true }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral), before, "nothing goes to it");
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains(&referral) && audit.contains("customers are not the same"), "{audit}");
    let words = stage.parked_words().await;
    assert!(words.contains("which it does not name"), "said of the referral as well: {words}");
    stage.close().await;
}

/// A referral that nobody accepted, and a deal of the same customer that its seller gave to Partner Center.
async fn linked(stage: &Stage) -> (String, String) {
    let deal = stage.deal(json!({}));
    stage.add_solution(&deal);
    let referral = stage.refer(naming(&deal));
    stage.edit("opportunities", &deal, json!({ "sync": true }));
    stage.rest().await;
    stage.poll().await;
    (deal, referral)
}

#[tokio::test]
async fn linking_a_referral_does_not_accept_it() {
    let stage = open().await;
    let (deal, referral) = linked(&stage).await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    assert_eq!(stage.referral(&referral)["status"], "New");
    assert!(text(&stage.opportunity(), "audit").contains("still to be accepted"));
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.edit("opportunities", &deal, json!({ "deal_value": 62000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(62000.0));
    stage.close().await;
}

#[tokio::test]
async fn an_administrator_may_let_one_word_do_or_none() {
    let (always, never) =
        ("[switches]\ncrm_id_links = \"always\"\n", "[switches]\ncrm_id_links = \"never\"\n");
    // Where nothing is switched, and with `never`, the deal lacks nothing: its customer is the referral's.
    for (map, same, links) in [(always, false, true), ("", true, true), (never, true, false)] {
        let stage = mapped([map; 2]).await;
        let deal = stage.deal(json!({}));
        stage.add_solution(&deal);
        let over = if same { naming(&deal) } else { json!({ "externalReferenceId": deal }) };
        let referral = stage.refer(over);
        let before = stage.referral(&referral);
        stage.edit("opportunities", &deal, json!({ "sync": true }));
        stage.rest().await;
        let words = stage.parked_words().await;
        assert_eq!(words.contains("the other one has to name it"), !links, "`{map}`: {words}");
        stage.poll().await;
        let named = text(&stage.opportunity(), "referral_id");
        assert_eq!(named == referral, links, "`{map}`: {named}");
        if !links {
            assert!(!named.is_empty(), "it has a referral of its own");
            assert_eq!(stage.referral(&referral), before, "nothing goes to the one that names it");
        }
        stage.close().await;
    }
}
