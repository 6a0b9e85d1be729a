//! The numbers behind the alarms, as the watch measures them, and what `doctor` says of secrets that end.

use super::{command, told};
use crate::deal::Stage;
use jiff::{ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use simulators::login;

const DAY: i64 = 24 * 60 * 60;

async fn measured(stage: &Stage) -> Value {
    command(stage, json!({ "command": "watch" })).await["data"]["metrics"].clone()
}

#[tokio::test]
async fn a_parked_referral_is_known_by_its_age_however_often_it_was_tried() {
    let stage = Stage::open().await;
    stage.refer(json!({ "details": { "currency": "JPY" } }));
    stage.rest().await;
    let before = measured(&stage).await;
    assert_eq!((&before["Watched"], &before["Parked"]), (&json!(1), &json!(1)), "{before}");
    assert!(before["ParkedReferralAge"].as_i64().unwrap() < DAY, "{before}");
    for _ in 0..3 {
        stage.advance(3 * DAY);
        stage.poll().await;
        stage.pump().await.unwrap();
    }
    let after = measured(&stage).await;
    assert!(after["ParkedReferralAge"].as_i64().unwrap() >= 9 * DAY, "{after}");
    stage.close().await;
}

#[tokio::test]
async fn what_is_late_and_what_is_held_are_numbers_and_never_both() {
    let stage = Stage::open().await;
    stage.refer(json!({}));
    stage.rest().await;
    stage.advance(2 * 60 * 60);
    let late = measured(&stage).await;
    assert!(late["ReadLateAge"].as_i64().unwrap() >= 2 * 60 * 60, "{late}");
    assert!(late["OnHoldPartnerCenter"].is_null() && late["OnHoldCrm"].is_null(), "{late}");
    stage.poll().await;
    let caught_up = measured(&stage).await;
    assert!(caught_up["ReadLateAge"].as_i64().unwrap() < 60 * 60, "{caught_up}");
    stage.login.system().revoke();
    stage.advance(4000);
    let report = stage.tick().await.unwrap();
    assert!(report.stopped.is_some());
    assert_eq!(poller::numbers(&report)["Polled"], 1, "the outage has an alarm of its own");
    let watched = stage.call(json!({ "command": "watch" })).await;
    assert_eq!(watched["ok"], false, "a sign-in that is refused is a fault, and is measured all the same");
    let held = &watched["data"]["metrics"];
    assert_eq!(held["OnHoldPartnerCenter"], 1, "{held}");
    assert!(held["ReadLateAge"].is_null() && held["OnHoldCrm"].is_null(), "{held}");
}

#[tokio::test]
async fn a_secret_that_ends_is_reported_with_its_day_and_measured() {
    let stage = Stage::open().await;
    stage.refer(json!({}));
    stage.rest().await;
    assert!(measured(&stage).await["SecretEndsInDays"].is_null());
    let today = stage.now().to_zoned(TimeZone::UTC).date();
    for (days, level) in [(200, "ok"), (20, "warning"), (0, "warning"), (-3, "warning")] {
        let day = today.checked_add(days.days()).unwrap();
        let secret = json!({ "client_secret": login::DYNAMICS_SECRET, "ends_on": day });
        stage.aws.system().put_secret("crm", &secret.to_string());
        let (_, told) = told(&stage, json!({ "command": "doctor" })).await;
        assert!(
            told.contains(&format!("{level} the client secret or certificate for crm ends on {day}")),
            "{told}"
        );
        let number = measured(&stage).await["SecretEndsInDays"].as_i64().unwrap();
        // A number that is 0 is not written.
        assert_eq!(number, if days == 0 { -1 } else { days });
    }
    let secret = json!({ "client_secret": login::DYNAMICS_SECRET, "ends_on": "next spring" });
    stage.aws.system().put_secret("crm", &secret.to_string());
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && told.contains("`ends_on` in the secret of crm is not a day"), "{told}");
    stage.close().await;
}
