//! A closing date is a day: the one that was picked, wherever that was, on both sides.

use super::{mapped, open};
use crate::deal::text;
use serde_json::json;

crate::faults::whatever_fails! {
    a_day_picked_in_any_office_is_that_day_in_the_crm,
    a_new_referrals_day_is_the_one_that_was_picked,
    the_same_day_at_another_hour_is_no_change,
    a_day_goes_out_as_noon,
    with_a_zone_days_are_those_of_the_offices_far_east,
    a_date_that_means_none_is_missing_until_there_is_one,
    a_date_that_means_none_makes_a_record_without_one,
}

#[tokio::test]
async fn a_day_picked_in_any_office_is_that_day_in_the_crm() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    for (shown, picked) in [
        ("2027-06-29T23:00:00Z", "2027-06-30"),
        ("2027-03-24T18:30:00Z", "2027-03-25"),
        ("2027-07-01T00:00:00+02:00", "2027-07-01"),
        ("2027-08-31T07:00:00Z", "2027-08-31"),
    ] {
        stage.edit_referral(&referral, json!({ "/details/closingDateTime": shown }));
        stage.rest().await;
        assert_eq!(text(&stage.opportunity(), "closing_date"), picked, "{shown}");
        assert_eq!(stage.referral(&referral)["details"]["closingDateTime"], shown, "it is not sent back");
    }
    stage.close().await;
}

#[tokio::test]
async fn a_new_referrals_day_is_the_one_that_was_picked() {
    let stage = open().await;
    stage.refer(json!({ "details": { "closingDateTime": "2027-06-29T23:00:00Z" } }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2027-06-30");
    stage.close().await;
}

#[tokio::test]
async fn the_same_day_at_another_hour_is_no_change() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    assert_eq!(stage.referral(&referral)["details"]["closingDateTime"], "2026-09-30T00:00:00Z", "midnight");
    for shown in ["2026-09-30T12:00:00Z", "2026-09-29T22:00:00Z", "2026-09-30T00:00:00-05:00"] {
        stage.edit_referral(&referral, json!({ "/details/closingDateTime": shown }));
        stage.rest().await;
    }
    assert_eq!(stage.writes(), 0);
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2026-09-30");
    stage.close().await;
}

#[tokio::test]
async fn a_day_goes_out_as_noon() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let sent = || stage.referral(&referral)["details"]["closingDateTime"].clone();
    assert_eq!(sent(), "2027-07-31T12:00:00Z", "created");
    stage.edit("opportunities", &id, json!({ "closing_date": "2027-08-31" }));
    stage.poll().await;
    assert_eq!(sent(), "2027-08-31T12:00:00Z", "changed");
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2027-08-31");
    stage.close().await;
}

#[tokio::test]
async fn with_a_zone_days_are_those_of_the_offices_far_east() {
    let stage = mapped(["[vendor]\nclosing_date_zone = \"+13:00\"\n"; 2]).await;
    let (referral, id) = stage.inbound_in_step().await;
    // 1 July, picked in Auckland in winter, at UTC+12.
    stage.edit_referral(&referral, json!({ "/details/closingDateTime": "2027-06-30T12:00:00Z" }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2027-07-01");
    stage.edit("opportunities", &id, json!({ "closing_date": "2027-08-31" }));
    stage.poll().await;
    assert_eq!(
        stage.referral(&referral)["details"]["closingDateTime"],
        "2027-08-31T10:00:00Z",
        "the same day there and in UTC"
    );
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2027-08-31");
    stage.close().await;
}

#[tokio::test]
async fn a_date_that_means_none_is_missing_until_there_is_one() {
    let stage = open().await;
    let id = stage.cosell_deal();
    stage.edit("opportunities", &id, json!({ "closing_date": "9999-12-31" }));
    stage.poll().await;
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains(stage.by("Est. Close Date", "Close Date")), "{audit}");
    assert!(stage.sent("POST referrals").is_empty());
    stage.edit("opportunities", &id, json!({ "closing_date": "2027-08-31" }));
    stage.poll().await;
    let referral = text(&stage.opportunity(), "referral_id");
    assert_eq!(stage.referral(&referral)["details"]["closingDateTime"], "2027-08-31T12:00:00Z");
    stage.close().await;
}

#[tokio::test]
async fn a_date_that_means_none_makes_a_record_without_one() {
    let stage = open().await;
    let none = json!({ "details": { "closingDateTime": "9999-12-31T23:59:59Z" } });
    let referral = stage.refer(none);
    stage.rest().await;
    // Salesforce has no opportunity without a date.
    if stage.by(true, false) {
        assert_eq!(stage.opportunity()["closing_date"], json!(null));
    }
    stage.edit_referral(&referral, json!({ "/details/closingDateTime": "2027-06-29T23:00:00Z" }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "closing_date"), "2027-06-30");
    stage.close().await;
}
