//! Accepted, won, lost, gone.

use super::open;
use crate::deal::{Stage, text};
use mapping::CrmKind;
use serde_json::json;

crate::faults::whatever_fails! {
    t28_won_in_the_crm_closes_the_referral_as_won,
    t29_lost_in_the_crm_closes_the_referral_as_lost_with_the_reason,
    t41_won_in_partner_center_wins_the_opportunity,
    t41_lost_in_partner_center_loses_the_opportunity,
    t41_declined_in_partner_center_cancels_the_opportunity,
    t41_expired_in_partner_center_cancels_the_opportunity,
    t41_closed_as_error_in_partner_center_cancels_the_opportunity,
    t35_lost_on_hold_declines_the_referral,
    won_straight_from_on_hold_passes_through_accepted,
    lost_with_an_amount_of_0_the_referral_is_closed_without_it_and_the_seller_is_told,
    t30_a_closed_referral_is_never_patched_and_a_reopen_is_reported,
    a_deleted_record_is_left_alone,
    t62_sync_no_stops_both_directions_and_yes_goes_on_from_there,
}

/// A last edit and the end of a deal, in one look; its referral afterwards.
async fn closed_in_the_crm(stage: &Stage, close: impl FnOnce(&str)) -> serde_json::Value {
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "deal_value": 65000 }));
    close(&id);
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!(referral["status"], "Closed");
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(65000.0), "the last edit travels along");
    referral
}

#[tokio::test]
async fn t28_won_in_the_crm_closes_the_referral_as_won() {
    let stage = open().await;
    let referral = closed_in_the_crm(&stage, |id| stage.win(id)).await;
    assert_eq!(referral["substatus"], "Won");
    stage.close().await;
}

#[tokio::test]
async fn t29_lost_in_the_crm_closes_the_referral_as_lost_with_the_reason() {
    let stage = open().await;
    let referral = closed_in_the_crm(&stage, |id| stage.lose(id)).await;
    assert_eq!(referral["substatus"], "Lost");
    // Salesforce has no column of its own for it.
    let reason = stage.by("Customer chose another vendor", "Others");
    assert_eq!(text(&referral, "statusReason"), reason);
    stage.close().await;
}

/// A deal closed in Partner Center: the opportunity shows its last values and is closed once.
async fn closes_the_opportunity(accepted: bool, close: impl FnOnce(&Stage, &str), state: &str) {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    if accepted {
        stage.act(&referral, "accept");
    }
    stage.rest().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 91000 }));
    close(&stage, &referral);
    stage.rest().await;
    let deal = stage.opportunity();
    // One of Salesforce's stages is for all that came to nothing.
    let state = stage.by(state, if state == "won" { "won" } else { "lost" });
    assert_eq!(deal["state"], state);
    assert_eq!(deal["deal_value"], 91000.0);
    if stage.crm() == CrmKind::Dynamics365 {
        assert_eq!(stage.rows("opportunitycloses").len(), 1, "closed once");
    }
    stage.close().await;
}

#[tokio::test]
async fn t41_won_in_partner_center_wins_the_opportunity() {
    closes_the_opportunity(true, |stage, id| stage.act(id, "won"), "won").await;
}

#[tokio::test]
async fn t41_lost_in_partner_center_loses_the_opportunity() {
    closes_the_opportunity(true, |stage, id| stage.act(id, "lost"), "lost").await;
}

#[tokio::test]
async fn t41_declined_in_partner_center_cancels_the_opportunity() {
    closes_the_opportunity(false, |stage, id| stage.act(id, "decline"), "canceled").await;
}

#[tokio::test]
async fn t41_expired_in_partner_center_cancels_the_opportunity() {
    closes_the_opportunity(false, |stage, id| stage.act(id, "expire"), "canceled").await;
}

#[tokio::test]
async fn t41_closed_as_error_in_partner_center_cancels_the_opportunity() {
    let error = |stage: &Stage, id: &str| {
        stage.edit_referral(id, json!({ "/status": "Closed", "/substatus": "Error" }));
    };
    closes_the_opportunity(true, error, "canceled").await;
}

#[tokio::test]
async fn t35_lost_on_hold_declines_the_referral() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.lose(&stage.opportunity_id());
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Closed"), &json!("Declined")));
    stage.close().await;
}

#[tokio::test]
async fn won_straight_from_on_hold_passes_through_accepted() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.forget_calls();
    stage.win(&stage.opportunity_id());
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["substatus"], "Won");
    if stage.calm() {
        assert_eq!(stage.sent("PATCH referrals").len(), 2, "accept, then won");
    }
    stage.close().await;
}

#[tokio::test]
async fn t30_a_closed_referral_is_never_patched_and_a_reopen_is_reported() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.win(&id);
    stage.poll().await;
    stage.forget_calls();
    stage.reopen(&id);
    stage.edit("opportunities", &id, json!({ "deal_value": 1 }));
    stage.poll().await;
    assert!(stage.sent("PATCH referrals").is_empty());
    assert_eq!(stage.referral(&referral)["substatus"], "Won");
    let audit = text(&stage.opportunity(), "audit");
    // The words about the status: that the amount is not sent is told as well.
    assert!(audit.contains("where that is final"), "{audit}");
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_record_is_left_alone() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.delete("opportunities", &id);
    stage.poll().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 12345 }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty(), "nothing is created again");
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t62_sync_no_stops_both_directions_and_yes_goes_on_from_there() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "sync": false }));
    stage.poll().await;
    stage.edit("opportunities", &id, json!({ "notes": "Seller, while stopped." }));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 70000 }));
    stage.microsoft(&referral, "accept", None);
    stage.poll().await;
    assert_eq!(stage.writes(), 0);
    stage.edit("opportunities", &id, json!({ "sync": true }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller, while stopped.");
    let deal = stage.opportunity();
    assert_eq!(deal["deal_value"], 70000.0);
    assert!(text(&deal, "audit").contains("Microsoft accepted"), "{}", deal["audit"]);
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

/// A deal whose amount Partner Center does not take is closed in the CRM: the referral is closed without it.
async fn closed_with_an_amount_that_fits_nowhere(close: impl FnOnce(&Stage, &str), substatus: &str) {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let before = stage.referral(&referral)["details"]["dealValue"].clone();
    stage.edit("opportunities", &id, json!({ "deal_value": 0 }));
    close(&stage, &id);
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!((&shown["status"], &shown["substatus"]), (&json!("Closed"), &json!(substatus)));
    assert_eq!(shown["details"]["dealValue"], before);
    let told: String = stage.notes(&id).into_iter().map(|(title, text)| title + &text).collect();
    let audit = text(&stage.opportunity(), "audit") + &told;
    assert!(audit.contains("`value`") && audit.contains("the referral is closed"), "{audit}");
    stage.close().await;
}

#[tokio::test]
async fn lost_with_an_amount_of_0_the_referral_is_closed_without_it_and_the_seller_is_told() {
    closed_with_an_amount_that_fits_nowhere(|stage, id| stage.lose(id), "Lost").await;
}

#[tokio::test]
async fn won_with_an_amount_of_0_the_referral_is_closed_without_it_and_the_seller_is_told() {
    closed_with_an_amount_that_fits_nowhere(|stage, id| stage.win(id), "Won").await;
}

#[tokio::test]
async fn closed_otherwise_after_its_referral_was_its_seller_is_told() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.lose(&id);
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["substatus"], "Lost");
    stage.reopen(&id);
    stage.win(&id);
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["substatus"], "Lost", "a closed referral stays as it is");
    let told: String = stage.notes(&id).into_iter().map(|(title, text)| title + &text).collect();
    let audit = text(&stage.opportunity(), "audit") + &told;
    assert!(audit.contains("where that is final"), "{audit}");
    stage.close().await;
}
