//! Many referrals changed at once.

use super::open;
use crate::deal::Stage;
use serde_json::json;
use simulators::server::{Fault, FaultKind};

crate::faults::whatever_fails! {
    ten_changed_at_once_are_read_by_one_page,
    a_list_that_fails_by_itself_is_no_matter,
    a_list_that_is_throttled_lets_the_batch_wait,
}

/// The new value of the `n`-th.
fn value(n: usize) -> f64 {
    90_000.0 + n as f64
}

/// The value of each changes, and the hints of all come to the writer in one batch.
async fn change_all(stage: &Stage, referrals: &[String]) {
    for (n, referral) in referrals.iter().enumerate() {
        stage.edit_referral(referral, json!({ "/details/dealValue": value(n) }));
    }
    stage.webhooks().await;
    assert_eq!(stage.batch().await.expect("a batch"), referrals.len());
}

/// The opportunity of each shows the new value.
fn assert_all(stage: &Stage, referrals: &[String]) {
    let deals = stage.opportunities();
    assert_eq!(deals.len(), referrals.len());
    for (n, referral) in referrals.iter().enumerate() {
        let deal = deals.iter().find(|deal| deal["referral_id"] == **referral).expect("its opportunity");
        assert_eq!(deal["deal_value"].as_f64(), Some(value(n)), "of {referral}");
    }
}

fn once(route: &str, kind: FaultKind) -> Fault {
    Fault { route: route.into(), skip: 0, times: 1, kind }
}

#[tokio::test]
async fn ten_changed_at_once_are_read_by_one_page() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    change_all(&stage, &referrals).await;
    if stage.calm() {
        let reads: Vec<_> = stage.calls().into_iter().filter(|call| call.contains("referrals")).collect();
        assert_eq!(reads, ["GET referrals?"]);
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    stage.close().await;
}

#[tokio::test]
async fn a_list_that_fails_by_itself_is_no_matter() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    let failed = FaultKind::Answer { status: 500, headers: [].into(), body: "<html>error</html>".into() };
    stage.partner_center.fault(once("GET referrals?", failed));
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_all(&stage, &referrals);
        assert_eq!(stage.sent("GET referrals/{id}").len(), referrals.len());
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    stage.close().await;
}

#[tokio::test]
async fn a_list_that_is_throttled_lets_the_batch_wait() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    let headers = [("retry-after".to_owned(), "57".to_owned())].into();
    let throttled = FaultKind::Answer { status: 429, headers, body: String::new() };
    stage.partner_center.fault(once("GET referrals?", throttled));
    let before = stage.now();
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_eq!(stage.calls(), ["GET referrals?"], "nobody else asks");
        assert_eq!(stage.messages(), referrals.len());
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    assert!(stage.now().duration_since(before).as_secs() >= 57, "as long as it says");
    stage.close().await;
}
