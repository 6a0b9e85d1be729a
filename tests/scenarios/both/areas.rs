//! Solution area and play: asked of co-sell deals, chosen by sellers, and new to organisations that come from before.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    a_sellers_area_and_play_go_along_with_a_co_sell_deal,
    a_refusal_without_a_reason_names_what_the_forms_ask_for,
}

const BOTH: [&str; 2] = ["solution_area", "solution_play"];

/// What the deal's referral says of an attribute.
fn attribute(stage: &Stage, kind: &str) -> Value {
    let referral = stage.referral(&text(&stage.opportunity(), "referral_id"));
    let all = &referral["details"]["requirements"]["additionalRequirements"]["attributes"];
    let found = all.as_array().into_iter().flatten().find(|one| one["type"] == kind);
    found.map_or(Value::Null, |one| one["id"].clone())
}

fn chosen() -> Value {
    json!({ "solution_area": "Security", "solution_play": "Data Security" })
}

#[tokio::test]
async fn a_sellers_area_and_play_go_along_with_a_co_sell_deal() {
    let stage = open().await;
    let deal = stage.cosell_deal();
    stage.edit("opportunities", &deal, chosen());
    stage.poll().await;
    assert_eq!(attribute(&stage, "SolutionArea"), "Security");
    assert_eq!(attribute(&stage, "SolutionPlay"), "Data Security");
    stage.close().await;
}

#[tokio::test]
async fn a_refusal_without_a_reason_names_what_the_forms_ask_for() {
    let stage = open().await;
    stage.partner_center.system().switches.solution_area_required = true;
    let deal = stage.cosell_deal();
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 0);
    let told = text(&stage.opportunity(), "audit");
    assert!(told.contains("Its own forms ask for Solution area and Solution play"), "{told}");
    stage.edit("opportunities", &deal, chosen());
    stage.poll().await;
    assert_eq!(attribute(&stage, "SolutionPlay"), "Data Security", "chosen, and it goes");
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

/// An organisation from before these columns: nothing stops, and they are used once `provision` has made them.
#[tokio::test]
async fn columns_that_are_not_there_yet_are_not_read_until_provision_has_made_them() {
    let mut stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.drop_columns(&BOTH);
    stage.world().deploy_released().unwrap();
    stage.edit("opportunities", &id, json!({ "notes": "After the upgrade." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "After the upgrade.");
    assert_eq!(stage.parked_words().await, "");
    let doctor = stage.call(json!({ "command": "doctor" })).await.to_string();
    assert!(doctor.contains("(Solution area) is not there: its rule is not used"), "{doctor}");

    let made = stage.call(json!({ "command": "provision" })).await.to_string();
    assert!(made.contains("`solution_area` is used from now on"), "{made}");
    let again = stage.call(json!({ "command": "provision" })).await.to_string();
    assert!(!again.contains("from now on"), "{again}");
    let deal = stage.cosell_deal();
    stage.edit("opportunities", &deal, chosen());
    stage.poll().await;
    let own = stage.rows("opportunities").into_iter().find(|row| row["id"] == deal).unwrap();
    let of_deal = stage.referral(&text(&own, "referral_id")).to_string();
    assert!(of_deal.contains("SolutionArea") && of_deal.contains("Data Security"), "{of_deal}");
}

/// Whoever makes them by hand has them used as well: a map that is set looks, too.
#[tokio::test]
async fn a_map_that_is_set_finds_columns_made_by_hand() {
    let mut stage = open().await;
    stage.world().deploy_released().unwrap();
    stage.poll().await;
    let toml = "[fields.solution_play]\noff = true\n";
    let set = stage.call(json!({ "command": "map", "action": "set", "map": toml })).await;
    assert_eq!(set["ok"], true, "{set}");
    stage.cosell_deal();
    let deal = stage.opportunity_id();
    stage.edit("opportunities", &deal, chosen());
    stage.poll().await;
    assert_eq!(attribute(&stage, "SolutionArea"), "Security");
    assert_eq!(attribute(&stage, "SolutionPlay"), Value::Null, "taken off");
}
