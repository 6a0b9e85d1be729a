//! After something broke: explain, retry, redrive, relink, disconnect, preview, rebase.

use super::{command, told, words};
use crate::deal::{Stage, text};
use local::world::{DEAD, Options, QUEUE};
use serde_json::json;
use simulators::server::{Fault, FaultKind};
use sync::{
    ports::Links,
    table::{Change, Expect, Row},
};

#[tokio::test]
async fn a_stack_beside_production_writes_its_crm_only_and_a_preview_shows_the_rest() {
    let stage = Stage::with(Options { staging: true, ..Options::default() }).await;
    let written =
        || stage.partner_center.count(|log| matches!(log.method.as_str(), "POST" | "PATCH" | "PUT"));
    let referral = stage.refer(json!({}));
    stage.partner_center.system().lose();
    stage.poll().await;
    assert_eq!(text(&stage.opportunity(), "cosell_referralid"), referral);
    let deal = stage.cosell_deal();
    stage.poll().await;
    let shown = command(&stage, json!({ "command": "preview", "record": deal })).await;
    assert!(words(&shown).contains("a new referral of type Shared"), "{}", words(&shown));
    let shown = command(&stage, json!({ "command": "preview", "referral": referral })).await;
    assert!(words(&shown).contains("/externalReferenceId"), "{}", words(&shown));
    assert_eq!(written(), 0);
}

#[tokio::test]
async fn a_deals_timeline_is_told_from_either_end() {
    let stage = Stage::open().await;
    let (record, referral) = stage.in_step().await;
    for event in [
        json!({ "command": "explain", "referral": referral }),
        json!({ "command": "explain", "record": record }),
    ] {
        let told = words(&command(&stage, event).await);
        assert!(told.contains("kept in step") && told.contains("created"), "{told}");
    }
    let nothing = "11111111-2222-4333-8444-555555555555";
    let told = words(&command(&stage, json!({ "command": "explain", "referral": nothing })).await);
    assert!(told.contains("knows nothing"), "{told}");
    stage.close().await;
}

#[tokio::test]
async fn what_a_record_lacks_is_explained_and_a_retry_tries_it_at_once() {
    let stage = Stage::open().await;
    let deal = stage.deal(json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    let told = words(&command(&stage, json!({ "command": "explain", "record": deal })).await);
    assert!(told.contains("Microsoft Solutions"), "{told}");
    let other = json!({ "command": "retry", "filter": "no such reason" });
    assert_eq!(command(&stage, other).await["data"]["sent"], 0);
    let answer = command(&stage, json!({ "command": "retry", "filter": "Microsoft Solutions" })).await;
    assert_eq!(answer["data"]["sent"], 1, "{answer}");
    assert_eq!(stage.messages(), 1);
    stage.rest().await;
    assert!(stage.parked_words().await.contains("Microsoft Solutions"));
}

#[tokio::test]
async fn a_refused_field_is_tried_at_once_after_its_cause_was_mended() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    stage.dataverse.system().rule("opportunities", Some("estimatedvalue"), "the budget is frozen");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.rest().await;
    let told = words(&command(&stage, json!({ "command": "explain", "referral": referral })).await);
    assert!(told.contains("the budget is frozen") && told.contains("`retry`"), "{told}");
    stage.dataverse.system().clear_rules();
    command(&stage, json!({ "command": "retry" })).await;
    stage.rest().await;
    let deal = stage.rows("opportunities").into_iter().find(|d| text(d, "opportunityid") == record).unwrap();
    assert_eq!(deal["estimatedvalue"], 97000.0);
    stage.close().await;
}

#[tokio::test]
async fn dead_letters_go_back_and_a_second_redrive_finds_none() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    let now = stage.now();
    let hint =
        json!({ "v": 1, "kind": "referral", "referral": referral, "from": "sweep", "at": now.to_string() });
    for (n, body) in [hint.to_string(), "no hint".to_owned()].iter().enumerate() {
        stage.aws.system().send(DEAD, &format!("g{n}"), &format!("d{n}"), body, now).unwrap();
    }
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.partner_center.system().lose();
    let other = command(&stage, json!({ "command": "redrive", "filter": "somebody else's" })).await;
    assert_eq!((&other["data"]["sent"], &other["data"]["left"]), (&json!(0), &json!(2)), "{other}");
    stage.advance(61);
    let answer = command(&stage, json!({ "command": "redrive" })).await;
    assert_eq!(answer["data"]["sent"], 1, "{answer:#}");
    assert!(words(&answer).contains("unusable"), "{answer:#}");
    assert_eq!((stage.dead_letters(), stage.aws.system().messages(QUEUE).len()), (0, 1));
    stage.rest().await;
    let deal = stage.rows("opportunities").into_iter().find(|d| text(d, "opportunityid") == record).unwrap();
    assert_eq!(deal["estimatedvalue"], 97000.0);
    stage.advance(61);
    assert_eq!(command(&stage, json!({ "command": "redrive" })).await["data"]["sent"], 0);
    stage.close().await;
}

#[tokio::test]
async fn one_rows_failure_is_a_line_and_what_time_does_not_allow_is_told() {
    let stage = Stage::open().await;
    for _ in 0..2 {
        stage.deal(json!({ "cosell_syncwithpartnercenter": true }));
    }
    stage.poll().await;
    let retry = || json!({ "command": "retry", "filter": "Microsoft Solutions" });
    // An answer is given 20 seconds before the run is killed.
    let late = stage.call_for(retry(), 20).await;
    assert!(late["data"]["sent"] == 0 && words(&late).contains("no time for 2 more"), "{late:#}");
    let body = r#"{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"no"}"#.to_owned();
    let refused = || FaultKind::Answer { status: 400, headers: [].into(), body: body.clone() };
    stage.aws.fault(Fault { route: "SendMessageBatch".into(), skip: 0, times: 1, kind: refused() });
    let answer = stage.call(retry()).await;
    assert!(answer["ok"] == false && answer["data"]["sent"] == 1, "{answer:#}");
    stage.rest().await;
    // The same of dead letters.
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let now = stage.now();
    for n in 0..2 {
        let body = json!({ "v": 1, "kind": "referral", "referral": referral, "from": "sweep", "at": now.to_string() });
        stage.aws.system().send(DEAD, "g", &format!("d{n}"), &body.to_string(), now).unwrap();
    }
    stage.aws.fault(Fault { route: "DeleteMessage".into(), skip: 0, times: 1, kind: refused() });
    let answer = stage.call(json!({ "command": "redrive" })).await;
    assert!(answer["ok"] == false && answer["data"]["sent"] == 1, "{answer:#}");
    assert!(words(&answer).contains("still in the dead-letter queue: 1"), "{answer:#}");
    stage.advance(61);
    let answer = command(&stage, json!({ "command": "redrive" })).await;
    assert!(answer["data"]["sent"] == 1 && !words(&answer).contains("still in"), "{answer:#}");
    assert_eq!(stage.dead_letters(), 0);
    stage.rest().await;
}

#[tokio::test]
async fn a_detached_link_takes_another_record_or_says_why_not() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    stage.delete("opportunities", &record);
    stage.poll().await;
    let (ok, told_gone) = told(&stage, json!({ "command": "relink", "referral": referral })).await;
    assert!(!ok && told_gone.contains("does not have"), "{told_gone}");
    let other = stage.deal(json!({ "name": "made by hand", "cosell_syncwithpartnercenter": false }));
    stage.poll().await;
    let event = json!({ "command": "relink", "referral": referral, "record": other });
    assert!(told(&stage, event.clone()).await.0);
    stage.edit("opportunities", &other, json!({ "cosell_syncwithpartnercenter": true }));
    stage.rest().await;
    stage.poll().await;
    stage.edit("opportunities", &other, json!({ "estimatedvalue": 91000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(91000.0));
    // Not to a record of another referral.
    let second = stage.refer(json!({ "name": "Harbor Line – rail" }));
    stage.rest().await;
    let (ok, why) = told(&stage, json!({ "command": "relink", "referral": second, "record": other })).await;
    assert!(!ok && why.contains(&referral), "{why}");
    stage.close().await;
}

#[tokio::test]
async fn a_disconnected_deal_rests_on_both_sides_until_sync_is_yes_again() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    assert!(told(&stage, json!({ "command": "disconnect", "record": record })).await.0);
    stage.rest().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.rest().await;
    stage.poll().await;
    let value = || stage.opportunity()["estimatedvalue"].as_f64();
    assert_ne!(value(), Some(97000.0));
    let told = words(&command(&stage, json!({ "command": "explain", "referral": referral })).await);
    assert!(told.contains("stopped"), "{told}");
    stage.edit("opportunities", &record, json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    assert_eq!(value(), Some(97000.0));
    stage.close().await;
}

#[tokio::test]
async fn t56_a_preview_shows_the_decisions_and_writes_nothing() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": 97000 }));
    stage.edit("opportunities", &record, json!({ "estimatedclosedate": "2027-09-30" }));
    let new = stage.refer(json!({ "name": "Harbor Line – rail" }));
    let outbound = stage.cosell_deal();
    stage.partner_center.system().lose();
    let writes = stage.writes();
    let preview = |event: serde_json::Value| {
        let stage = &stage;
        async move { words(&command(stage, event).await) }
    };
    let told = preview(json!({ "command": "preview", "referral": referral })).await;
    assert!(told.contains("estimatedvalue"), "{told}");
    let told = preview(json!({ "command": "preview", "record": record })).await;
    assert!(told.contains("/details/closingDateTime"), "{told}");
    let told = preview(json!({ "command": "preview", "referral": new })).await;
    assert!(told.contains("a new opportunity"), "{told}");
    let told = preview(json!({ "command": "preview", "record": outbound })).await;
    assert!(told.contains("a new referral of type"), "{told}");
    let all = command(&stage, json!({ "command": "preview", "all": "yes" })).await;
    for part in ["a new opportunity", "a new referral of type", "estimatedvalue", "nothing written"] {
        assert!(words(&all).contains(part), "{part}: {all:#}");
    }
    assert_eq!(stage.writes(), writes, "a preview wrote");
    assert!(stage.parked().await.unwrap().is_empty());
    // And then it happens, as shown.
    stage.poll().await;
    assert_eq!(
        stage.referral(&referral)["details"]["closingDateTime"].as_str().map(|at| &at[..10]),
        Some("2027-09-30")
    );
    stage.close().await;
}

#[tokio::test]
async fn after_a_restore_all_links_are_compared_anew_and_the_owner_wins() {
    let stage = Stage::open().await;
    let (referral, record) = stage.inbound_in_step().await;
    // What happened after the backup the table does not know.
    let before = stage.links.partition(&format!("REFERRAL#{referral}")).await.unwrap();
    stage.edit("opportunities", &record, json!({ "estimatedvalue": 91000 }));
    stage.poll().await;
    restore(&stage, &before).await;
    let answer = command(&stage, json!({ "command": "rebase" })).await;
    assert_eq!(answer["data"]["done"], true, "{answer:#}");
    assert_eq!(answer["data"]["sent"], 1, "{answer:#}");
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.opportunity()["estimatedvalue"], 91000.0);
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(91000.0));
    stage.close().await;
}

/// The table as it was.
async fn restore(stage: &Stage, rows: &[Row]) {
    let before = rows.iter().map(|row| Change::put(row.key.clone(), Expect::Any, row.item.clone())).collect();
    assert!(stage.links.commit(before).await.unwrap());
}
