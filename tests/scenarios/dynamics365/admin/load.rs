//! The first load: everything that was there before the connector, without a duplicate, whatever interrupts it.

use super::{command, told};
use crate::deal::Stage;
use local::world::World;
use serde_json::json;

/// Calls it until it is over, working off what it sends; how many calls that took.
async fn to_its_end(stage: &World) -> usize {
    for n in 1..400 {
        let answer = stage.call(json!({ "command": "backfill" })).await;
        assert_eq!(answer["ok"], true, "{answer:#}");
        if answer["data"]["done"] == true {
            return n;
        }
        stage.quiet().await.unwrap();
    }
    panic!("it does not end")
}

#[tokio::test]
async fn what_was_there_before_is_brought_and_linked_pairs_are_adopted() {
    let stage = Stage::open().await;
    let outbound = stage.cosell_deal();
    let new = stage.refer(json!({ "name": "Harbor Line – rail" }));
    // A pair that another connector made: each carries the other's id.
    let pair = stage.refer(json!({ "name": "Juniper" }));
    let record = stage.deal(json!({ "name": "Juniper", "cosell_referralid": pair }));
    stage.edit_referral(&pair, json!({ "/externalReferenceId": record }));
    stage.partner_center.system().lose();
    to_its_end(&stage).await;
    stage.rest().await;
    stage.settle().await.unwrap();
    let deals = stage.opportunities();
    assert_eq!(deals.len(), 3, "{deals:#?}");
    for id in [&new, &pair] {
        assert_eq!(deals.iter().filter(|deal| deal["cosell_referralid"] == **id).count(), 1);
    }
    let made = deals.iter().find(|deal| deal["opportunityid"] == *outbound).unwrap();
    assert!(made["cosell_referralid"].is_string(), "{made:#}");
    let (_, status) = told(&stage, json!({ "command": "backfill", "action": "status" })).await;
    assert!(status.contains("is over"), "{status}");
    // Once more from the beginning: nothing is written.
    let writes = stage.writes();
    to_its_end(&stage).await;
    stage.quiet().await.unwrap();
    assert_eq!(stage.writes(), writes);
    stage.close().await;
}

#[tokio::test]
async fn it_waits_while_many_messages_wait_and_can_be_stopped() {
    let stage = Stage::open().await;
    for n in 0..130 {
        stage.refer(json!({ "name": format!("Deal {n}") }));
    }
    stage.partner_center.system().lose();
    let answer = command(&stage, json!({ "command": "backfill" })).await;
    assert_eq!((&answer["data"]["done"], stage.messages()), (&json!(false), 100), "{answer:#}");
    // The schedule finds as many waiting and sends no more.
    command(&stage, json!({ "command": "watch" })).await;
    assert_eq!(stage.messages(), 100);
    command(&stage, json!({ "command": "backfill", "action": "stop" })).await;
    stage.quiet().await.unwrap();
    command(&stage, json!({ "command": "watch" })).await;
    assert_eq!((stage.messages(), stage.opportunities().len()), (0, 100));
    to_its_end(&stage).await;
    stage.quiet().await.unwrap();
    assert_eq!(stage.opportunities().len(), 130);
    stage.close().await;
}

#[tokio::test]
async fn two_calls_at_once_each_say_how_far_it_is_and_what_is_stopped_stays_so() {
    let stage = Stage::open().await;
    for n in 0..130 {
        stage.refer(json!({ "name": format!("Deal {n}") }));
    }
    stage.partner_center.system().lose();
    let start = json!({ "command": "backfill" });
    let (one, other) = tokio::join!(stage.call(start.clone()), stage.call(start));
    for answer in [one, other] {
        assert!(answer["ok"] == true && answer["data"]["done"].is_boolean(), "{answer:#}");
    }
    stage.quiet().await.unwrap();
    let stop = stage.call(json!({ "command": "backfill", "action": "stop" }));
    let (_, stopped) = tokio::join!(stage.call(json!({ "command": "watch" })), stop);
    assert_eq!(stopped["ok"], true, "{stopped:#}");
    let status = command(&stage, json!({ "command": "backfill", "action": "status" })).await;
    assert_eq!(status["data"]["done"], true, "{status:#}");
    stage.quiet().await.unwrap();
}
