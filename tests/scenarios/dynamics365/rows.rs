//! Rows of a deal's solutions that sellers take elsewhere.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    k4_4_a_row_that_lost_its_deal_gets_it_back_with_the_solution,
}

/// A deal of two solutions, both sides in step: referral, deal, the second one's row, both solutions.
async fn of_two(stage: &Stage) -> (String, String, String, Value) {
    let referral = stage.refer(json!({}));
    stage.act(&referral, "accept");
    let mut both = stage.referral(&referral)["details"]["requirements"]["solutions"].clone();
    let mut second = both[0].clone();
    (second["id"], second["name"]) = (json!("SOL-99001-TWO"), json!("The second"));
    both.as_array_mut().expect("a list").push(second);
    stage.edit_referral(&referral, json!({ "/details/requirements/solutions": both }));
    stage.rest().await;
    stage.poll().await;
    let rows = stage.rows("solutions");
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let row = rows.iter().find(|row| row["cosell_name"] == "The second").expect("its row");
    (referral, text(&stage.opportunity(), "id"), text(row, "id"), both)
}

/// The seller's change of the lookup, then the solution again in Partner Center: the rows that the deal has.
async fn back_again(stage: &Stage, given: &(String, String, String, Value), elsewhere: Value) -> Vec<Value> {
    let (referral, deal, row, both) = given;
    stage.edit("solutions", row, json!({ "cosell_OpportunityId@odata.bind": elsewhere }));
    // The row's own feed, and the deal once more a day later.
    stage.edit("opportunities", deal, json!({ "probability": 20 }));
    stage.poll().await;
    stage.poll().await;
    stage.edit_referral(referral, json!({ "/details/requirements/solutions": both }));
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.parked_words().await, "");
    let rows = stage.rows("solutions").into_iter();
    rows.filter(|row| text(row, "_cosell_opportunityid_value") == *deal).collect()
}

#[tokio::test]
async fn k4_4_a_row_that_lost_its_deal_gets_it_back_with_the_solution() {
    let stage = open().await;
    let given = of_two(&stage).await;
    let rows = back_again(&stage, &given, Value::Null).await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert!(rows.iter().any(|row| text(row, "id") == given.2), "the same row");
    stage.close().await;
}
