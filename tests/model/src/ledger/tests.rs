//! What the ledger tells, and what it lets pass.

use super::*;
use crate::{
    crm::record_id,
    dice::Dice,
    faults::{Allowed, Faults},
    samples::{CUSTOMERS, incoming},
    schedule::Sort,
    world::World,
};
use mapping::{CrmKind, CrmValue, Map, RecordPatch, ReferralId};
use serde_json::json;

/// A referral and the record that was made of it.
fn deal() -> (World, ReferralId, String) {
    let mut dice = Dice::seeded(1);
    let faults = Faults::of(&Allowed::new(false), &mut dice, Sort::default());
    let world = World::new(Map::standard(CrmKind::Dynamics365), dice, faults, false);
    let (referral, record) = {
        let mut state = world.lock();
        let mut body = incoming(CUSTOMERS[0]);
        body["status"] = json!("Active");
        body["substatus"] = json!("Accepted");
        let id = state.receive_referral(body);
        let shown = state.center.now(&id).cloned().unwrap();
        let new = state.map.new_record(&shown).unwrap();
        _ = state.create_record(&new, None);
        let record = state.peer(Side::PartnerCenter, id.as_str()).unwrap();
        assert_eq!(state.violations, vec![]);
        (id, record)
    };
    (world, referral, record)
}

fn write(state: &mut State, record: &str, column: &str, value: serde_json::Value) {
    let version = state.crm.now(record).unwrap().numbered();
    let mut patch = RecordPatch::default();
    patch.columns.insert(column.to_owned(), CrmValue::Plain(value));
    _ = state.patch_record(&record_id(record), &version, &patch);
}

fn told(state: &State, words: &str) -> bool {
    state.violations.iter().any(|violation| violation.words.contains(words))
}

#[test]
fn an_unseen_edit_that_is_overwritten_without_a_word_is_told() {
    let (world, referral, record) = deal();
    let mut state = world.lock();
    state.sales(&record, "description", json!("the seller's words"));
    state.colleague(&referral, "/details/notes", json!("the colleague's words"));
    write(&mut state, &record, "description", json!("the colleague's words"));
    assert!(told(&state, "we overwrote a person's `notes`"), "{:?}", state.violations);
}

#[test]
fn an_edit_that_was_seen_may_be_superseded() {
    let (world, referral, record) = deal();
    let mut state = world.lock();
    state.sales(&record, "description", json!("the seller's words"));
    state.colleague(&referral, "/details/notes", json!("the seller's words"));
    state.colleague(&referral, "/details/notes", json!("the colleague's words"));
    write(&mut state, &record, "description", json!("the colleague's words"));
    assert_eq!(state.violations, vec![]);
}

#[test]
fn a_value_that_nobody_wrote_a_stage_moved_back_and_an_unmapped_column_are_told() {
    let (world, _, record) = deal();
    let mut state = world.lock();
    write(&mut state, &record, "description", json!("nobody's words"));
    assert!(told(&state, "which the other side never showed"), "{:?}", state.violations);
    write(&mut state, &record, "statuscode", json!(2));
    assert!(told(&state, "moved the status back"), "{:?}", state.violations);
    write(&mut state, &record, crate::crm::UNMAPPED, json!("South"));
    assert!(told(&state, "is not mapped"), "{:?}", state.violations);
}

#[test]
fn a_second_half_of_an_engagement_is_told() {
    let (world, referral, _) = deal();
    let mut state = world.lock();
    let shown = state.center.now(&referral).cloned().unwrap();
    for _ in 0..2 {
        _ = state.create_referral(&shown.body().to_string());
    }
    assert!(told(&state, "Microsoft halves of one engagement"), "{:?}", state.violations);
}
