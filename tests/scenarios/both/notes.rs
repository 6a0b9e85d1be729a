//! What Microsoft says, as a note at the record beside the line in Audit.

use super::{mapped, open};
use crate::{
    answers::told,
    deal::{Stage, text},
};
use serde_json::json;

crate::faults::whatever_fails! {
    what_microsoft_accepts_is_noted_once,
    another_answer_is_another_note,
    a_reason_is_noted_as_it_was_written,
    switched_off_audit_alone_says_it,
    what_the_crm_will_not_have_noted_is_told_in_audit_and_the_deal_goes_on,
}

/// What each daily round sees must not be noted again.
async fn a_day_later(stage: &Stage) {
    stage.poll().await;
    stage.advance(24 * 60 * 60);
    stage.poll().await;
    stage.poll().await;
}

#[tokio::test]
async fn what_microsoft_accepts_is_noted_once() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let half = stage.microsoft(&referral, "accept", None);
    stage.rest().await;
    let notes = stage.notes(&id);
    let [(title, words)] = &notes[..] else { panic!("one note: {notes:#?}") };
    assert!(words.starts_with("Microsoft accepted") && words.contains("Sam Ortiz"), "{words}");
    assert!(title.starts_with("Microsoft accepted") && title.contains(&half), "{title}");
    assert!(text(&stage.opportunity(), "audit").contains(words.as_str()), "Audit says the same");
    if stage.calm() {
        // Salesforce is asked first whether it has it.
        assert_eq!(stage.calls_for_notes(), stage.by(1, 2));
    }
    a_day_later(&stage).await;
    assert_eq!(stage.notes(&id), notes);
    stage.close().await;
}

#[tokio::test]
async fn another_answer_is_another_note() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.microsoft(&referral, "accept", None);
    stage.rest().await;
    stage.microsoft(&referral, "lost", Some("Customer chose another vendor"));
    stage.rest().await;
    let notes = stage.notes(&id);
    assert_eq!(notes.len(), 2, "{notes:#?}");
    assert!(notes.iter().any(|(_, words)| words.starts_with("Microsoft accepted")), "{notes:#?}");
    assert!(
        notes.iter().any(|(_, words)| words.starts_with("Microsoft closed its side as lost")),
        "{notes:#?}"
    );
    a_day_later(&stage).await;
    assert_eq!(stage.notes(&id), notes);
    stage.close().await;
}

#[tokio::test]
async fn a_reason_is_noted_as_it_was_written() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let reason = "No \"matching\" <record> & no 'owner' – Zürich";
    stage.microsoft(&referral, "decline", Some(reason));
    stage.rest().await;
    let notes = stage.notes(&id);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert_eq!(notes[0].1, format!("Microsoft declined: {reason}"));
    stage.close().await;
}

#[tokio::test]
async fn whatever_microsoft_writes_adds_no_line_and_no_markup() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let before = text(&stage.opportunity(), "audit").lines().count();
    let reason = format!(
        "<script>a()</script>\r\n2026-03-02 09:14 - forged\u{2028}x\u{202e}y\u{0}z {}",
        "long ".repeat(2_400)
    );
    stage.microsoft(&referral, "decline", Some(&reason));
    stage.rest().await;
    let audit = text(&stage.opportunity(), "audit");
    assert_eq!(audit.lines().count(), before + 1, "{audit}");
    let line = audit.lines().find(|line| line.contains("forged")).unwrap_or_default();
    assert!(
        line.contains("Microsoft declined: <script>a()</script> 2026-03-02 09:14 - forged x y z"),
        "{line}"
    );
    let notes = stage.notes(&id);
    let [(title, words)] = &notes[..] else { panic!("one note: {notes:#?}") };
    assert!(words.lines().count() == 1 && title.lines().count() == 1, "{title}: {words}");
    assert!(
        words.starts_with("Microsoft declined: <script>a()</script> 2026") && words.ends_with('…'),
        "{words}"
    );
    stage.close().await;
}

#[tokio::test]
async fn switched_off_audit_alone_says_it() {
    let stage = mapped(["[switches]\nmicrosoft_note = false\n"; 2]).await;
    let (id, referral) = stage.in_step().await;
    stage.microsoft(&referral, "accept", None);
    stage.rest().await;
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains("Microsoft accepted") && !audit.contains("noted"), "{audit}");
    assert!(stage.notes(&id).is_empty());
    assert_eq!(stage.calls_for_notes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn what_the_crm_will_not_have_noted_is_told_in_audit_and_the_deal_goes_on() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.take_notes_away();
    let half = stage.microsoft(&referral, "accept", None);
    stage.rest().await;
    let deal = stage.opportunity();
    let audit = text(&deal, "audit");
    assert!(audit.contains("Microsoft accepted"), "{audit}");
    assert!(audit.contains("not noted at the record"), "{audit}");
    assert!(audit.contains(stage.by("necessary privileges", "Notes Settings")), "{audit}");
    assert_eq!(audit.matches("not noted").count(), 1, "told once: {audit}");
    assert_eq!(deal["microsoft_crm_id"], stage.referral(&half)["trackingInfo"]["microsoftMsxId"]);
    assert_eq!(stage.parked_words().await, "");
    stage.edit("opportunities", &id, json!({ "deal_value": 70000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(70000.0));
    a_day_later(&stage).await;
    assert_eq!(text(&stage.opportunity(), "audit").matches("not noted").count(), 1, "and not again");
    assert!(stage.notes(&id).is_empty());
    stage.close().await;
}

#[tokio::test]
async fn doctor_and_map_check_name_what_notes_lack() {
    let (cause, cure) = ("prvCreateNote is missing", "Create and Append on Note");
    let (cause_there, cure_there) = ("Notes are off", "Setup, Notes Settings, Enable Notes");
    let stage = open().await;
    stage.in_step().await;
    let check = |map: &str| json!({ "command": "map", "action": "check", "map": map });
    for command in [json!({ "command": "doctor" }), check("")] {
        let (_, before) = told(&stage, command.clone()).await;
        assert!(!before.contains(stage.by(cause, cause_there)), "{before}");
    }
    stage.take_notes_away();
    for command in [json!({ "command": "doctor" }), check("")] {
        let (ok, told) = told(&stage, command).await;
        assert!(ok, "deals go on without: {told}");
        for part in [stage.by(cause, cause_there), stage.by(cure, cure_there), "microsoft_note = false"] {
            assert!(told.contains(part), "`{part}` in: {told}");
        }
    }
    let (ok, told) = told(&stage, check("[switches]\nmicrosoft_note = false\n")).await;
    assert!(ok && !told.contains("warning "), "{told}");
    stage.close().await;
}
