//! Many referrals changed at once.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};
use simulators::server::{Fault, FaultKind};

crate::faults::whatever_fails! {
    ten_changed_at_once_are_one_read_and_one_write,
    one_of_ten_was_edited_meanwhile_and_only_that_one_is_settled_again,
    one_of_ten_is_refused_by_a_rule_and_only_that_one_is_parked,
    ten_that_are_throttled_wait_as_long_as_it_says,
    ten_whose_answer_is_lost_are_judged_and_not_written_again,
    ten_that_never_arrived_are_written,
    a_request_that_is_refused_as_a_whole_is_sent_one_by_one,
    a_list_that_fails_by_itself_is_no_matter,
    a_list_that_is_throttled_lets_the_batch_wait,
    ten_that_meet_the_same_trouble_make_one_pause,
}

/// The new value of the `n`-th.
fn value(n: usize) -> f64 {
    90_000.0 + n as f64
}

/// The value of each changes, and the hints of all come to the writer in one batch.
pub(super) async fn change_all(stage: &Stage, referrals: &[String]) {
    change_all_and(stage, referrals, |_| json!({})).await;
}

/// ... and what else changes of the `n`-th.
async fn change_all_and(stage: &Stage, referrals: &[String], also: impl Fn(usize) -> Value) {
    for (n, referral) in referrals.iter().enumerate() {
        let mut set = also(n);
        set["/details/dealValue"] = json!(value(n));
        stage.edit_referral(referral, set);
    }
    stage.webhooks().await;
    assert_eq!(stage.batch().await.expect("a batch"), referrals.len());
}

/// The opportunity of each shows the new value.
fn assert_all(stage: &Stage, referrals: &[String]) {
    assert_eq!(stage.opportunities().len(), referrals.len());
    for (n, referral) in referrals.iter().enumerate() {
        assert_eq!(deal_of(stage, referral)["deal_value"].as_f64(), Some(value(n)), "of {referral}");
    }
}

fn deal_of(stage: &Stage, referral: &str) -> Value {
    let deal = stage.opportunities().into_iter().find(|deal| deal["referral_id"] == referral);
    deal.expect("its opportunity")
}

fn once(route: &str, kind: FaultKind) -> Fault {
    Fault { route: route.into(), skip: 0, times: 1, kind }
}

/// How often each opportunity was written, whatever came of it, by the referrals' order.
fn written(stage: &Stage, referrals: &[String]) -> Vec<usize> {
    let logs = [stage.dataverse.requests(), stage.salesforce.requests()].concat();
    let of = |id: String| {
        let alone = logs.iter().filter(|log| log.method == "PATCH" && log.path.contains(&id)).count();
        let part =
            stage.by(format!("PATCH /api/data/v9.2/opportunities({id})"), format!("/Opportunity/{id}\""));
        alone + logs.iter().map(|log| log.body.matches(&part).count()).sum::<usize>()
    };
    referrals.iter().map(|referral| of(text(&deal_of(stage, referral), "id"))).collect()
}

/// The request with all ten changes.
fn together(stage: &Stage) -> &'static str {
    stage.by("$batch", "POST composite")
}

fn failed(status: u16) -> FaultKind {
    FaultKind::Answer { status, headers: [].into(), body: "<html>error</html>".into() }
}

fn throttled() -> FaultKind {
    let headers = [("retry-after".to_owned(), "57".to_owned())].into();
    FaultKind::Answer { status: 429, headers, body: String::new() }
}

#[tokio::test]
async fn ten_changed_at_once_are_one_read_and_one_write() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_all(&stage, &referrals);
        assert_eq!(
            stage.calls(),
            ["GET referrals?".to_owned(), stage.by("POST $batch", "POST composite").into()]
        );
        assert_eq!(written(&stage, &referrals), [1; 10]);
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    stage.close().await;
}

#[tokio::test]
async fn one_of_ten_was_edited_meanwhile_and_only_that_one_is_settled_again() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    let notes = json!({ "notes": "Only the northern sites for now." });
    stage.edit("opportunities", &text(&deal_of(&stage, &referrals[3]), "id"), notes);
    stage.advance(3);
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_all(&stage, &referrals);
        let mut times = [1; 10];
        times[3] = 2;
        assert_eq!(written(&stage, &referrals), times);
        assert_eq!(stage.sent("PATCH referrals").len(), 1, "what its seller wrote");
    }
    stage.rest().await;
    stage.poll().await;
    for (n, referral) in referrals.iter().enumerate() {
        let (shown, deal) = (stage.referral(referral)["details"].clone(), deal_of(&stage, referral));
        assert_eq!(shown["dealValue"].as_f64(), deal["deal_value"].as_f64(), "both sides agree");
        // Of a write that was cut off, and met an edit, nobody knows: then the CRM's value stands.
        assert!(n == 3 && !stage.calm() || deal["deal_value"] == value(n), "{deal:#?}");
    }
    assert_eq!(stage.referral(&referrals[3])["details"]["notes"], "Only the northern sites for now.");
    stage.close().await;
}

#[tokio::test]
async fn one_of_ten_is_refused_by_a_rule_and_only_that_one_is_parked() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.rule("opportunities", "notes", "notes are written by managers");
    let notes = |n| if n == 7 { json!({ "/details/notes": "All sites." }) } else { json!({}) };
    change_all_and(&stage, &referrals, notes).await;
    stage.rest().await;
    if stage.calm() {
        let parked = stage.parked().await.expect("parked rows");
        assert_eq!(parked.len(), 1, "{parked:#?}");
        assert!(stage.parked_words().await.contains("managers"));
        let mut times = written(&stage, &referrals);
        times.remove(7);
        assert_eq!(times, [1; 9]);
    }
    stage.clear_rules();
    // Refused twice already, if something failed before: then it is tried again after an hour.
    stage.advance(61 * 60);
    stage.poll().await;
    assert_all(&stage, &referrals);
    assert_eq!(deal_of(&stage, &referrals[7])["notes"], "All sites.");
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn ten_that_are_throttled_wait_as_long_as_it_says() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    let before = stage.now();
    stage.crm_fault(once(together(&stage), throttled()));
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_eq!(stage.calls().len(), 2, "{:?}", stage.calls());
        assert_eq!(stage.messages(), referrals.len(), "all come again");
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    assert!(stage.now().duration_since(before).as_secs() >= 57);
    if stage.calm() {
        assert_eq!(written(&stage, &referrals), [2; 10], "together again: {:?}", stage.calls());
        assert_eq!(stage.calls().len(), 4, "{:?}", stage.calls());
    }
    stage.close().await;
}

#[tokio::test]
async fn ten_whose_answer_is_lost_are_judged_and_not_written_again() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.crm_fault(once(together(&stage), FaultKind::DropAfter));
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_eq!(stage.messages(), referrals.len(), "nobody knows");
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    if stage.calm() {
        assert_eq!(written(&stage, &referrals), [1; 10]);
    }
    stage.close().await;
}

#[tokio::test]
async fn ten_that_never_arrived_are_written() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.crm_fault(once(together(&stage), FaultKind::DropBefore));
    change_all(&stage, &referrals).await;
    stage.rest().await;
    assert_all(&stage, &referrals);
    stage.close().await;
}

#[tokio::test]
async fn a_request_that_is_refused_as_a_whole_is_sent_one_by_one() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    let refused = FaultKind::Answer { status: 400, headers: [].into(), body: "{}".into() };
    stage.crm_fault(once(together(&stage), refused));
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_all(&stage, &referrals);
        assert_eq!(written(&stage, &referrals), [2; 10]);
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    assert_eq!(stage.parked_words().await, "", "none of them is to blame");
    stage.close().await;
}

#[tokio::test]
async fn a_list_that_fails_by_itself_is_no_matter() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.partner_center.fault(once("GET referrals?", failed(500)));
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
    stage.partner_center.fault(once("GET referrals?", throttled()));
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

#[tokio::test]
async fn ten_that_meet_the_same_trouble_make_one_pause() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    // Of its own: each is read by id.
    stage.partner_center.fault(once("GET referrals?", failed(500)));
    stage.partner_center.fault(Fault { times: 10, ..once("GET referrals/{id}", failed(503)) });
    change_all(&stage, &referrals).await;
    if stage.calm() {
        assert_eq!(stage.messages(), referrals.len(), "all wait");
    }
    stage.advance(11);
    stage.pump().await.expect("a batch");
    if stage.calm() {
        assert_all(&stage, &referrals);
    }
    stage.rest().await;
    assert_all(&stage, &referrals);
    stage.close().await;
}

#[tokio::test]
async fn what_the_crm_stores_otherwise_does_not_come_back_however_many_changed_at_once() {
    let stage = open().await;
    let referrals = stage.ten_in_step().await;
    stage.trim_notes();
    for referral in &referrals {
        stage.edit_referral(referral, json!({ "/details/notes": "Only the northern sites.\n" }));
    }
    stage.rest().await;
    stage.poll().await;
    stage.poll().await;
    assert!(stage.sent("PATCH referrals").is_empty(), "nobody edited anything in the CRM");
    for referral in &referrals {
        assert_eq!(deal_of(&stage, referral)["notes"], "Only the northern sites.");
        assert_eq!(stage.referral(referral)["details"]["notes"], "Only the northern sites.\n");
    }
    stage.close().await;
}
