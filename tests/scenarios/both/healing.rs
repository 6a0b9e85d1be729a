//! What was parked for something missing heals when that arrives, whichever row it arrives in.

use super::open;
use crate::deal::{Stage, text};
use serde_json::json;

crate::faults::whatever_fails! {
    a_record_that_lacks_things_is_told_all_of_them_at_once,
    t66_saved_without_a_solution_it_heals_when_one_is_added,
    t66_saved_with_half_a_contact_it_heals_when_the_contact_is_completed,
    t66_saved_without_a_country_it_heals_when_the_account_gets_one,
}

#[tokio::test]
async fn a_record_that_lacks_things_is_told_all_of_them_at_once() {
    let stage = open().await;
    // Salesforce's deals have a closing date, always.
    let (needed, label, value) = stage.by(
        ("closing_date", "Est. Close Date", json!("2027-07-31")),
        ("deal_value", "Amount", json!(61000.5)),
    );
    let id = stage.deal(json!({ "help": "ProofOfConceptOrDemo", "sync": true, needed: null }));
    let contact = text(&stage.rows("contacts")[0], "id");
    let account = text(&stage.rows("accounts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": null }));
    stage.edit("accounts", &account, json!({ "country": null }));
    stage.poll().await;
    let audit = text(&stage.opportunity(), "audit");
    for missing in ["Microsoft Solutions", label, stage.by("Business Phone", "Contact: Phone"), "Country"] {
        assert!(audit.contains(missing), "`{missing}` in: {audit}");
    }
    assert!(stage.sent("POST referrals").is_empty());
    let writes = stage.writes();
    stage.poll().await;
    assert_eq!(stage.writes(), writes, "said once");
    stage.edit("contacts", &contact, json!({ "phone": "+441135550177" }));
    stage.edit("accounts", &account, json!({ "country": "GB" }));
    stage.add_solution(&id);
    stage.edit("opportunities", &id, json!({ needed: value }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn t66_saved_without_a_solution_it_heals_when_one_is_added() {
    let stage = open().await;
    let id = stage.deal(json!({ "help": "ProofOfConceptOrDemo", "sync": true }));
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    let deal = stage.opportunity();
    assert!(text(&deal, "audit").contains("Microsoft Solutions"), "{}", deal["audit"]);
    assert!(text(&deal, "name").starts_with('✖'));
    assert!(stage.parked_words().await.contains("Microsoft Solutions"));
    stage.add_solution(&id);
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    assert!(text(&stage.opportunity(), "name").starts_with('✔'));
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

/// Only the row itself is changed, not the opportunity: the next look brings both halves.
async fn heals_with(set: &str, column: &str, value: &str) {
    heals_on(open().await, set, column, value).await;
}

pub(super) async fn heals_on(stage: Stage, set: &str, column: &str, value: &str) {
    stage.cosell_deal();
    let row = text(&stage.rows(set)[0], "id");
    stage.edit(set, &row, json!({ column: null }));
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert!(text(&stage.opportunity(), "name").starts_with('✖'));
    stage.edit(set, &row, json!({ column: value }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    assert!(text(&stage.opportunity(), "name").starts_with('✔'));
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn t66_saved_with_half_a_contact_it_heals_when_the_contact_is_completed() {
    heals_with("contacts", "phone", "+441135550177").await;
}

#[tokio::test]
async fn t66_saved_without_a_country_it_heals_when_the_account_gets_one() {
    heals_with("accounts", "country", "GB").await;
}
