//! What Dataverse's change tracking can do to us.

use super::{healing::heals_on, open};
use serde_json::json;
use simulators::server::{Fault, FaultKind};

crate::faults::whatever_fails! {
    an_expired_delta_is_walked_anew_and_loses_no_edit,
    a_place_that_is_not_known_any_more_is_walked_anew_whatever_is_said_of_it,
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
async fn a_place_that_is_not_known_any_more_is_walked_anew_whatever_is_said_of_it() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    for (n, (status, body)) in [(410, ""), (404, "<html>gone</html>"), (400, "{}")].into_iter().enumerate() {
        let kind = FaultKind::Answer { status, headers: Default::default(), body: body.to_owned() };
        stage.crm_fault(Fault { route: "GET opportunities".into(), skip: 0, times: 1, kind });
        let value = 70_000.0 + n as f64;
        stage.edit("opportunities", &id, json!({ "deal_value": value }));
        for _ in 0..3 {
            stage.poll().await;
        }
        assert_eq!(stage.pending_crm_faults(), 0, "{status} was met");
        assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(value), "{status}");
        assert_eq!(stage.parked_words().await, "");
    }
    stage.close().await;
}

#[tokio::test]
async fn t66_an_organisation_that_does_not_track_contacts_is_asked_by_time() {
    let stage = open().await;
    stage.dataverse.system().switches.untracked.push("contact".to_owned());
    heals_on(stage, "contacts", "phone", "+441135550177").await;
}
