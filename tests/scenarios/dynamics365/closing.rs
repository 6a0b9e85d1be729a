//! Accepted, won, lost, gone.

use crate::deal::{Stage, text};
use serde_json::json;
use simulators::dataverse::SELLER;

crate::faults::whatever_fails! {
    t28_t29_won_and_lost_in_the_crm_close_the_referral,
    t41_closed_in_partner_center_closes_the_opportunity_after_its_last_values,
    t35_lost_on_hold_declines_the_referral,
    won_straight_from_on_hold_passes_through_accepted,
    t30_a_closed_referral_is_never_patched_and_a_reopen_is_reported,
    a_deleted_record_is_left_alone,
    sync_no_stops_both_directions_and_yes_goes_on_from_there,
}

#[tokio::test]
async fn t28_t29_won_and_lost_in_the_crm_close_the_referral() {
    for (won, substatus) in [(true, "Won"), (false, "Lost")] {
        let stage = Stage::open().await;
        let (id, referral) = stage.in_step().await;
        stage.edit("opportunities", &id, json!({ "estimatedvalue": 65000 }));
        if won {
            stage.win(&id)
        } else {
            stage.lose(&id)
        }
        stage.poll().await;
        let referral = stage.referral(&referral);
        assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Closed"), &json!(substatus)));
        assert_eq!(referral["details"]["dealValue"].as_f64(), Some(65000.0), "the last edit travels along");
        if !won {
            assert!(!text(&referral, "statusReason").is_empty());
        }
        stage.close().await;
    }
}

#[tokio::test]
async fn t41_closed_in_partner_center_closes_the_opportunity_after_its_last_values() {
    for (action, state) in [("won", 1), ("lost", 2)] {
        let stage = Stage::open().await;
        let (referral, _) = stage.inbound_in_step().await;
        stage.edit_referral(&referral, json!({ "/details/dealValue": 91000 }));
        stage.act(&referral, action);
        stage.rest().await;
        let deal = stage.opportunity();
        assert_eq!(deal["statecode"], state);
        assert_eq!(deal["estimatedvalue"], 91000.0);
        assert_eq!(stage.rows("opportunitycloses").len(), 1, "closed once");
        stage.close().await;
    }
}

#[tokio::test]
async fn t35_lost_on_hold_declines_the_referral() {
    let stage = Stage::open().await;
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
    let stage = Stage::open().await;
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
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    stage.win(&id);
    stage.poll().await;
    stage.forget_calls();
    let now = stage.now();
    stage.dataverse.system().act_reopen(&id, SELLER, now).unwrap();
    stage.edit("opportunities", &id, json!({ "estimatedvalue": 1 }));
    stage.poll().await;
    assert!(stage.sent("PATCH referrals").is_empty());
    assert_eq!(stage.referral(&referral)["substatus"], "Won");
    let audit = text(&stage.opportunity(), "cosell_audit");
    assert!(audit.contains("closed"), "{audit}");
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_record_is_left_alone() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    let now = stage.now();
    stage.dataverse.system().act_delete("opportunities", &id, SELLER, now).unwrap();
    stage.poll().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 12345 }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty(), "nothing is created again");
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn sync_no_stops_both_directions_and_yes_goes_on_from_there() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": false }));
    stage.poll().await;
    stage.edit("opportunities", &id, json!({ "description": "Seller, while stopped." }));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 70000 }));
    stage.poll().await;
    assert_eq!(stage.writes(), 0);
    stage.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller, while stopped.");
    assert_eq!(stage.opportunity()["estimatedvalue"], 70000.0);
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}
