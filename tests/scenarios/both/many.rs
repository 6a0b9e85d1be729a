//! Lists that are longer than one request of Salesforce takes: Partner Center takes fifty solutions.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

crate::faults::whatever_fails! {
    fifty_solutions_come_in_with_a_new_referral,
    thirty_solutions_more_reach_a_deal_in_step_and_leave_it_again,
    a_lead_with_fifty_solutions_becomes_an_opportunity_with_as_many,
}

const LIST: &str = "/details/requirements/solutions";

fn solutions(most: usize) -> Vec<Value> {
    let one = |n: usize| {
        json!({ "type": "Name", "id": format!("SOL-{n:05}-MNY"), "name": format!("Module {n}"),
                "publisherName": "Juniper Peak Software", "solutionType": "3P" })
    };
    (0..most).map(one).collect()
}

fn with(most: usize) -> Value {
    json!({ "details": { "requirements": { "solutions": solutions(most) } } })
}

/// Both sides show the same solutions, so many, each once in the CRM and in its catalogue.
fn same_on_both_sides(stage: &Stage, referral: &str, count: usize) {
    let shown = stage.referral(referral);
    let list = shown.pointer(LIST).and_then(Value::as_array).expect("a list");
    let there: BTreeSet<String> = list.iter().map(|solution| text(solution, "id")).collect();
    assert_eq!((list.len(), there.len()), (count, count), "Partner Center");
    let catalogue = stage.rows("solution_details");
    let name = |row: &Value| {
        let lookup = stage.by("_cosell_solutiondetailid_value", "Solution_Detail__c");
        let detail = catalogue.iter().find(|detail| detail["id"] == row[lookup]).expect("in the catalogue");
        text(detail, "solution_id")
    };
    let rows = stage.rows("solutions");
    let here: BTreeSet<String> = rows.iter().map(name).collect();
    assert_eq!((rows.len(), here), (count, there));
}

#[tokio::test]
async fn fifty_solutions_come_in_with_a_new_referral() {
    let stage = open().await;
    let referral = stage.refer(with(50));
    stage.rest().await;
    stage.opportunity();
    same_on_both_sides(&stage, &referral, 50);
    assert_eq!(stage.rows("solution_details").len(), 50);
    assert_eq!(stage.parked_words().await, "");
    if stage.calm() {
        assert_eq!(stage.sent("PATCH referrals").len(), 1, "the CRM's id; no row was taken for removed");
    }
    stage.close().await;
}

#[tokio::test]
async fn thirty_solutions_more_reach_a_deal_in_step_and_leave_it_again() {
    let stage = open().await;
    let referral = stage.refer(with(1));
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    stage.forget_calls();
    stage.edit_referral(&referral, json!({ LIST: solutions(31) }));
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    same_on_both_sides(&stage, &referral, 31);
    stage.edit_referral(&referral, json!({ LIST: solutions(1) }));
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    // A list whose write got no answer has no base: what was being taken off it then may come back.
    let left = stage.referral(&referral).pointer(LIST).and_then(Value::as_array).map_or(0, Vec::len);
    assert!(left == 1 || !stage.calm(), "{left}");
    same_on_both_sides(&stage, &referral, left);
    if stage.calm() {
        assert!(stage.sent("PATCH referrals").is_empty(), "nothing goes back");
    }
    stage.close().await;
}

#[tokio::test]
async fn a_lead_with_fifty_solutions_becomes_an_opportunity_with_as_many() {
    let stage = open().await;
    let referral = stage.refer_lead(with(50));
    stage.rest().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.settle().await.expect("comes to rest");
    stage.opportunity();
    same_on_both_sides(&stage, &referral, 50);
    stage.close().await;
}
