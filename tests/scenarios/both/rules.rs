//! Another rule of a field: what one column showed says nothing of another one.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};
use sync::{
    ports::Links,
    table::{Change, Expect, Item, Key, Row},
};

crate::faults::whatever_fails! {
    a_rule_that_names_another_column_fills_it_and_clears_nothing,
    where_another_rule_finds_two_values_the_owners_stands_and_the_other_is_told,
}

/// The notes lie in a column that is empty so far.
fn elsewhere(stage: &Stage) -> &'static str {
    stage.by(
        "[fields.notes]\ncrm = \"customerneed\"\n",
        "[fields.notes]\ncrm = \"NextStep\"\nlength = 255\n[lead.fields.notes]\ncrm = \"Description\"\n",
    )
}

fn column(stage: &Stage) -> &'static str {
    stage.by("customerneed", "NextStep")
}

fn notes(stage: &Stage, referral: &str) -> Value {
    stage.referral(referral)["details"]["notes"].clone()
}

#[tokio::test]
async fn a_rule_that_names_another_column_fills_it_and_clears_nothing() {
    let mut stage = open().await;
    let (id, referral) = stage.in_step().await;
    let before = notes(&stage, &referral);
    assert!(before.is_string(), "{before}");
    let map = elsewhere(&stage);
    stage.remap(map);
    for _ in 0..4 {
        stage.poll().await;
    }
    assert_eq!(notes(&stage, &referral), before, "nobody emptied it");
    assert_eq!(stage.opportunity()[column(&stage)], before, "the empty side is filled");
    assert!(
        !text(&stage.opportunity(), "audit").contains("changed on both sides"),
        "nobody changed anything"
    );
    // From here on it is a field like any other.
    stage.edit("opportunities", &id, json!({ column(&stage): "Phase two only." }));
    stage.poll().await;
    assert_eq!(notes(&stage, &referral), "Phase two only.");
    stage.edit("opportunities", &id, json!({ column(&stage): null }));
    stage.poll().await;
    assert!(notes(&stage, &referral).as_str().unwrap_or_default().is_empty(), "now somebody emptied it");
    stage.close().await;
}

#[tokio::test]
async fn where_another_rule_finds_two_values_the_owners_stands_and_the_other_is_told() {
    let mut stage = open().await;
    let (id, referral) = stage.in_step().await;
    let before = text(&stage.referral(&referral)["details"], "notes");
    stage.edit("opportunities", &id, json!({ column(&stage): "Written there long ago." }));
    stage.poll().await;
    let map = elsewhere(&stage);
    stage.remap(map);
    for _ in 0..3 {
        stage.poll().await;
    }
    assert_eq!(notes(&stage, &referral), "Written there long ago.");
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains("`notes`") && audit.contains(&before), "{audit}");
    stage.close().await;
}

/// As a version left it that noted no readings.
async fn forget_readings(stage: &Stage, referral: &str) {
    let id = mapping::ReferralId::parse(referral).expect("an id");
    let key = Key::link(&id);
    let row = stage.links.read(std::slice::from_ref(&key)).await.expect("the table").pop().flatten();
    let Some(Row { rev, item: Item::Link(mut link), .. }) = row else { panic!("no link") };
    link.readings.clear();
    let put = Change::put(key, Expect::Rev(rev), Item::Link(link));
    assert!(stage.links.commit(vec![put]).await.expect("the table"));
}

#[tokio::test]
async fn what_links_remember_from_before_was_read_by_the_map_of_that_time() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    let before = notes(&stage, &referral);
    forget_readings(&stage, &referral).await;
    let writes = stage.writes();
    stage.poll().await;
    assert_eq!(stage.writes(), writes, "nothing is compared anew");
    let set = json!({ "command": "map", "action": "set", "map": elsewhere(&stage) });
    let answer = stage.call(set).await;
    assert_eq!(answer["ok"], true, "{answer:#}");
    for _ in 0..4 {
        stage.poll().await;
    }
    assert_eq!(notes(&stage, &referral), before, "nobody emptied it");
    assert_eq!(stage.opportunity()[column(&stage)], before);
    stage.close().await;
}
