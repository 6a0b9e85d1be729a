//! What Dataverse's change tracking can do to us.

use super::{healing::heals_on, open};
use serde_json::json;

crate::faults::whatever_fails! {
    an_expired_delta_is_walked_anew_and_loses_no_edit,
    t66_an_organisation_that_does_not_track_contacts_is_asked_by_time,
}

#[tokio::test]
async fn an_expired_delta_is_walked_anew_and_loses_no_edit() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "deal_value": 66000 }));
    stage.dataverse.system().expire_delta_tokens();
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(66000.0));
    stage.edit("opportunities", &id, json!({ "deal_value": 67000 }));
    stage.poll().await;
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(67000.0));
    stage.close().await;
}

#[tokio::test]
async fn t66_an_organisation_that_does_not_track_contacts_is_asked_by_time() {
    let stage = open().await;
    stage.dataverse.system().switches.untracked.push("contact".to_owned());
    heals_on(stage, "contacts", "phone", "+441135550177").await;
}
