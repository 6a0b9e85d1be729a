//! The day's calls are bounded, and other clients of the org use them too.

use super::open;
use serde_json::json;

crate::faults::whatever_fails! {
    when_few_calls_are_left_changes_are_asked_for_more_seldom_and_none_is_lost,
    t52_without_calls_everything_waits_and_nothing_is_lost,
}

#[tokio::test]
async fn when_few_calls_are_left_changes_are_asked_for_more_seldom_and_none_is_lost() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    let now = stage.now();
    stage.salesforce.system().spend(90_000, now);
    stage.poll().await;
    stage.poll().await;
    stage.forget_calls();
    stage.edit("opportunities", &id, json!({ "deal_value": 70000 }));
    stage.poll().await;
    stage.poll().await;
    if stage.calm() {
        assert_eq!(stage.salesforce.count(|_| true), 0, "{:?}", stage.calls());
    }
    for _ in 0..9 {
        stage.poll().await;
    }
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(70000.0), "late, not lost");
    // A day later they count no more; the next look tells.
    stage.advance(24 * 60 * 60);
    stage.poll().await;
    stage.poll().await;
    stage.edit("opportunities", &id, json!({ "deal_value": 80000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(80000.0), "at once again");
    stage.close().await;
}

#[tokio::test]
async fn t52_without_calls_everything_waits_and_nothing_is_lost() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    let ordinary = stage.salesforce.system().switches.daily_api_requests;
    stage.salesforce.system().switches.daily_api_requests = 0;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.webhooks().await;
    stage.pump().await.unwrap();
    stage.advance(60);
    let _ = stage.tick().await;
    stage.salesforce.system().switches.daily_api_requests = ordinary;
    stage.rest().await;
    stage.settle().await.unwrap();
    assert_eq!(stage.opportunity()["deal_value"], 97000.0);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}
