//! Old events once more: genuine, so the door lets them in. They cost at most one read and never a write.

use super::{Headers, post};
use crate::deal::Stage;
use serde_json::json;
use simulators::partner_center::Forge;

/// Beyond what the queue itself recognises as the same message.
const LATER: i64 = 600;

/// Every event that was delivered so far, sent again; the calls to the vendors that each one cost.
async fn replay(stage: &Stage) -> Vec<usize> {
    let events: Vec<String> = stage.partner_center.system().outbox().iter().map(|e| e.body()).collect();
    let mut costs = vec![];
    for body in events {
        let headers: Headers = stage.partner_center.system().headers(body.as_bytes(), Forge::Microsoft);
        for later in [0, LATER] {
            stage.advance(later);
            stage.forget_calls();
            assert_eq!(post(stage, &headers, body.clone()).await.0, 200, "{body}");
            stage.rest().await;
            assert_eq!(stage.writes(), 0, "{body}: {:?}", stage.calls());
            costs.push(stage.calls().len());
        }
    }
    costs
}

#[tokio::test]
async fn an_old_event_of_a_deal_in_step_costs_at_most_one_read_and_no_write() {
    let stage = Stage::open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/notes": "Second thoughts" }));
    stage.rest().await;
    stage.settle().await.unwrap();
    let before = (stage.referral(&referral), stage.opportunity());
    let costs = replay(&stage).await;
    assert!(costs.len() >= 4, "{costs:?}");
    assert!(costs.iter().all(|cost| *cost <= 1), "{costs:?}");
    assert_eq!((stage.referral(&referral), stage.opportunity()), before);
    stage.close().await;
}

#[tokio::test]
async fn an_old_event_does_not_bring_back_what_a_seller_has_changed_since() {
    let stage = Stage::open().await;
    let (referral, opportunity) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/name": "The old name" }));
    stage.rest().await;
    stage.edit("opportunities", &opportunity, json!({ "name": "The seller's name" }));
    stage.poll().await;
    stage.settle().await.unwrap();
    replay(&stage).await;
    let name = |text: &serde_json::Value| text.as_str().unwrap_or_default().to_owned();
    assert!(name(&stage.opportunity()["name"]).contains("The seller's name"));
    assert!(name(&stage.referral(&referral)["name"]).contains("The seller's name"));
    stage.close().await;
}

#[tokio::test]
async fn an_old_event_of_a_referral_that_is_not_ours_costs_nothing_in_the_end() {
    let stage = Stage::open().await;
    let body = super::BODY.as_str();
    let headers = stage.partner_center.system().headers(body.as_bytes(), Forge::Microsoft);
    assert_eq!(post(&stage, &headers, body).await.0, 200);
    stage.rest().await;
    for _ in 0..5 {
        stage.advance(LATER);
        stage.forget_calls();
        assert_eq!(post(&stage, &headers, body).await.0, 200);
        stage.rest().await;
        assert_eq!(stage.calls(), Vec::<String>::new(), "its tombstone answers");
    }
    assert_eq!(stage.opportunities().len(), 0);
    stage.end().await.unwrap();
}
