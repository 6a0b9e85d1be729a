//! Answers as vendors give them: text that no text can hold, pages shorter than asked for, pauses of days.

use super::{CRM, open};
use crate::deal::{Stage, text};
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::server::{BAD_BYTE, Fault, FaultKind, LONE_SURROGATE};

crate::faults::whatever_fails! {
    k3_1_a_row_that_no_text_can_hold_hides_nobody_elses,
    k3_1_a_referral_that_no_text_can_hold_hides_nobody_elses,
    k1_2_three_deals_shared_at_once_arrive_in_one_tick_however_small_the_pages_are,
    k1_2_lists_of_a_deal_are_read_to_their_end_however_small_the_pages_are,
}

/// What such a text is read as.
fn broken(words: &str) -> (String, String) {
    (format!("{words} {LONE_SURROGATE} {BAD_BYTE}"), format!("{words} \u{fffd} \u{fffd}"))
}

/// A deal ready for co-sell under this name, Sync = Yes.
fn shared(stage: &Stage, name: &str, over: Value) -> String {
    let id = stage.deal(json!({ "name": name, "help": "ProofOfConceptOrDemo" }));
    stage.add_solution(&id);
    stage.edit("opportunities", &id, over);
    stage.edit("opportunities", &id, json!({ "sync": true }));
    id
}

fn names(stage: &Stage) -> Vec<String> {
    let system = stage.partner_center.system();
    let ours = system.referrals().values().filter(|referral| referral["externalReferenceId"].is_string());
    let mut names: Vec<String> = ours.map(|referral| text(referral, "name")).collect();
    names.sort();
    names.dedup();
    names
}

/// From now on the CRM puts one row on a page.
fn small_pages(stage: &Stage) {
    match CRM {
        CrmKind::Dynamics365 => stage.dataverse.system().switches.page_rows = Some(1),
        CrmKind::Salesforce => {
            let mut system = stage.salesforce.system();
            system.switches.page_size = Some(1);
            system.switches.child_rows_count = true;
        }
    }
}

#[tokio::test]
async fn k3_1_a_row_that_no_text_can_hold_hides_nobody_elses() {
    let stage = open().await;
    let (held, shown) = broken("Call back");
    let bad = shared(&stage, "Alder Foods", json!({ "notes": held }));
    shared(&stage, "Birch Foods", json!({}));
    stage.poll().await;
    assert_eq!(names(&stage), ["Alder Foods", "Birch Foods"]);
    let deal = stage.opportunities().into_iter().find(|deal| deal["id"] == *bad).expect("the deal");
    let referral = stage.referral(&text(&deal, "referral_id"));
    assert_eq!(text(&referral["details"], "notes"), shown);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn k3_1_a_referral_that_no_text_can_hold_hides_nobody_elses() {
    let stage = open().await;
    let (held, shown) = broken("Alder Foods");
    let bad = stage.refer(json!({ "name": held }));
    let good = stage.refer(json!({ "name": "Birch Foods" }));
    // Once by themselves, and once by the list that the sweep reads.
    stage.rest().await;
    stage.edit_referral(&good, json!({ "/details/dealValue": 97000 }));
    stage.edit_referral(&bad, json!({ "/details/dealValue": 98000 }));
    stage.partner_center.system().lose();
    stage.poll().await;
    let deals = stage.opportunities();
    let of = |id: &str| deals.iter().find(|deal| deal["referral_id"] == *id).cloned().unwrap_or_default();
    assert_eq!(text(&of(&bad), "name"), format!("✔ {shown}"));
    assert_eq!(text(&of(&good), "name"), "✔ Birch Foods");
    assert_eq!((&of(&good)["deal_value"], &of(&bad)["deal_value"]), (&json!(97000.0), &json!(98000.0)));
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn k3_1_what_cannot_be_read_is_told_without_its_text() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    let cut = |body: &str| FaultKind::Answer { status: 200, headers: [].into(), body: body.into() };
    let body = r#"{"id":"x","customerProfile":{"address":{"city":"Rapperswil"#;
    let fault = |kind| Fault { route: "GET referrals/{id}".into(), skip: 0, times: 1, kind };
    stage.partner_center.fault(fault(cut(body)));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 99000 }));
    let report = stage.call(json!({ "command": "preview", "referral": referral })).await.to_string();
    assert!(report.contains("58 bytes, no JSON at line 1 column 58"), "{report}");
    assert!(!report.contains("Rapperswil"), "{report}");
    stage.rest().await;
    assert_eq!(stage.opportunity()["deal_value"], 99000.0);
    stage.close().await;
}

#[tokio::test]
async fn k1_2_three_deals_shared_at_once_arrive_in_one_tick_however_small_the_pages_are() {
    let stage = open().await;
    small_pages(&stage);
    let wanted = ["Alder Foods", "Birch Foods", "Cedar Foods"];
    for name in wanted {
        shared(&stage, name, json!({}));
    }
    stage.poll().await;
    assert_eq!(names(&stage), wanted);
    stage.close().await;
}

#[tokio::test]
async fn k1_2_lists_of_a_deal_are_read_to_their_end_however_small_the_pages_are() {
    let stage = open().await;
    small_pages(&stage);
    let id = stage.deal(json!({ "help": "ProofOfConceptOrDemo" }));
    for (solution, name) in [("SOL-77777-AAA", "One"), ("SOL-77777-BBB", "Two"), ("SOL-77777-CCC", "Three")] {
        stage.add_catalogued(&id, solution, name);
    }
    stage.edit("opportunities", &id, json!({ "sync": true }));
    stage.poll().await;
    let referral = stage.referral(&text(&stage.opportunity(), "referral_id"));
    let solutions = referral["details"]["requirements"]["solutions"].as_array().expect("solutions").clone();
    let mut solutions: Vec<String> = solutions.iter().map(|solution| text(solution, "id")).collect();
    solutions.sort();
    assert_eq!(solutions, ["SOL-77777-AAA", "SOL-77777-BBB", "SOL-77777-CCC"]);
    stage.close().await;
}

#[tokio::test]
async fn k1_2_a_first_load_finds_every_deal_however_small_the_pages_are() {
    let stage = open().await;
    small_pages(&stage);
    for name in ["Alder Foods", "Birch Foods", "Cedar Foods"] {
        shared(&stage, name, json!({}));
    }
    let answer = stage.call(json!({ "command": "backfill" })).await;
    assert!(answer.to_string().contains("3 hints"), "{answer:#}");
    stage.rest().await;
    assert_eq!(names(&stage), ["Alder Foods", "Birch Foods", "Cedar Foods"]);
    stage.close().await;
}

/// How a CRM says that it no longer knows a page.
fn expired() -> FaultKind {
    let (status, body) = match CRM {
        CrmKind::Dynamics365 => (410, json!({ "error": { "code": "0x80044352", "message": "expired" } })),
        CrmKind::Salesforce => (400, json!([{ "errorCode": "INVALID_QUERY_LOCATOR", "message": "expired" }])),
    };
    FaultKind::Answer { status, headers: [].into(), body: body.to_string() }
}

#[tokio::test]
async fn a_first_load_whose_page_expired_begins_that_part_anew() {
    let stage = open().await;
    small_pages(&stage);
    for name in ["Alder Foods", "Birch Foods", "Cedar Foods"] {
        shared(&stage, name, json!({}));
    }
    let route = match CRM {
        CrmKind::Dynamics365 => "GET opportunities",
        CrmKind::Salesforce => "queryAll",
    };
    stage.crm_fault(Fault { route: route.into(), skip: 1, times: 1, kind: expired() });
    let answer = stage.call(json!({ "command": "backfill" })).await;
    assert_eq!((&answer["ok"], &answer["data"]["done"]), (&json!(true), &json!(true)), "{answer:#}");
    assert!(answer.to_string().contains("Opportunities is no longer there: all of them again"), "{answer:#}");
    stage.rest().await;
    assert_eq!(names(&stage), ["Alder Foods", "Birch Foods", "Cedar Foods"]);
    stage.close().await;
}

#[tokio::test]
async fn a_first_load_whose_list_of_referrals_expired_begins_it_anew() {
    let stage = open().await;
    for n in 0..130 {
        stage.refer(json!({ "name": format!("Deal {n}") }));
    }
    stage.partner_center.system().lose();
    stage.call(json!({ "command": "backfill" })).await;
    stage.quiet().await.expect("comes to rest");
    let gone = FaultKind::Answer { status: 400, headers: [].into(), body: "{\"code\":\"400001\"}".into() };
    stage.partner_center.fault(Fault { route: "GET referrals?".into(), skip: 0, times: 1, kind: gone });
    for _ in 0..4 {
        let answer = stage.call(json!({ "command": "backfill" })).await;
        assert_eq!(answer["ok"], true, "{answer:#}");
        stage.quiet().await.expect("comes to rest");
    }
    assert_eq!(stage.opportunities().len(), 130);
    stage.close().await;
}

#[tokio::test]
async fn k9_2_a_page_of_the_sweep_that_fails_for_half_an_hour_holds_it_no_longer() {
    let stage = open().await;
    let failing = |skip| {
        let kind = FaultKind::Answer { status: 500, headers: [].into(), body: String::new() };
        stage.partner_center.fault(Fault { route: "GET referrals?".into(), skip, times: 1, kind });
    };
    for n in 0..110 {
        stage.refer(json!({ "name": format!("Deal {n}") }));
    }
    stage.partner_center.system().lose();
    // The second page of the list.
    failing(1);
    stage.poll().await;
    assert_eq!(stage.opportunities().len(), 100);
    stage.advance(31 * 60);
    failing(0);
    stage.poll().await;
    assert_eq!(stage.opportunities().len(), 110, "its place in the list was given up");
    stage.close().await;
}

#[tokio::test]
async fn k6_11_a_pause_of_days_is_believed_for_an_hour() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let headers = [("retry-after".to_owned(), "2592000".to_owned())].into();
    let kind = FaultKind::Answer { status: 429, headers, body: "<html>busy</html>".into() };
    stage.crm_fault(Fault { route: String::new(), skip: 0, times: 1, kind });
    stage.edit("opportunities", &id, json!({ "deal_value": 72000 }));
    stage.poll().await;
    let until = stage.held_until().await.expect("the table answers").expect("held");
    assert!(until.duration_since(stage.now()).as_secs() <= 3600, "{until}");
    stage.advance(3600);
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(72000.0));
    stage.close().await;
}
