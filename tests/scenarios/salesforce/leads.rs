//! Leads: from Microsoft into Salesforce, and what becomes of them on either side. Salesforce's leads have no name but
//! their person's, no amount and no date, and only its own dialogue converts them: what differs from Dynamics 365.

use super::{mapped, open};
use crate::deal::text;
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    t42_an_unaccepted_lead_becomes_a_lead,
    t43_once_accepted_it_is_one_opportunity_of_the_same_link,
    t44_cosell_only_skips_leads,
    t41_declined_and_expired_leads_are_disqualified,
    a_seller_who_converts_accepts,
    a_seller_who_converts_without_opportunity_accepts_and_gets_none,
    a_seller_who_disqualifies_declines,
    edits_of_a_lead_are_sent_after_acceptance,
    many_events_at_once_make_one_lead,
    accepted_before_it_was_seen_it_is_an_opportunity_at_once,
    a_deleted_lead_is_left_alone,
    a_lead_of_ones_own_goes_nowhere,
}

fn status(referral: &Value) -> (String, String) {
    (text(referral, "status"), text(referral, "substatus"))
}

fn is(status: &str, substatus: &str) -> (String, String) {
    (status.to_owned(), substatus.to_owned())
}

#[tokio::test]
async fn t42_an_unaccepted_lead_becomes_a_lead() {
    let stage = open().await;
    let referral = stage.refer_lead(json!({}));
    stage.rest().await;
    let lead = stage.lead();
    assert!(stage.opportunities().is_empty(), "no opportunity before it is accepted");
    assert!(stage.rows("accounts").is_empty() && stage.rows("contacts").is_empty(), "nor a customer");
    assert_eq!(text(&lead, "Status"), "Open - Not Contacted", "the organisation's own first status");
    assert_eq!(text(&lead, "Company"), "Harbor Line Logistics AG");
    assert_eq!((text(&lead, "FirstName"), text(&lead, "LastName")), ("Nadia".into(), "Keller".into()));
    assert_eq!(text(&lead, "Email"), "nadia.keller@harborline.example");
    let country = if stage.places_are_picklists() { "Switzerland" } else { "CH" };
    assert_eq!((text(&lead, "City"), text(&lead, "Country")), ("Basel".into(), country.into()));
    assert_eq!(text(&lead, "Description"), "Warehouse visibility project, 14 sites.");
    assert_eq!(lead["Referral_Identifier__c"], referral);
    assert_eq!(lead["Sync_with_Partner_Center__c"], true);
    assert!(text(&lead, "Referral_Link__c").ends_with(&referral));
    assert!(text(&lead, "Audit__c").contains("created"), "{lead:#?}");
    let shown = stage.referral(&referral);
    assert_eq!(shown["externalReferenceId"], lead["Id"]);
    assert_eq!(status(&shown), is("New", "Pending"), "nobody has accepted it");
    stage.close().await;
}

#[tokio::test]
async fn t43_once_accepted_it_is_one_opportunity_of_the_same_link() {
    let stage = open().await;
    let (referral, lead) = stage.salesforce_lead().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.became(&referral);
    assert_eq!(deal["state"], "active");
    assert_eq!(text(&deal, "name"), "✔ Harbor Line – multi-site tracking");
    assert_eq!(deal["deal_value"], 84000.0);
    assert_eq!(text(&deal, "closing_date"), "2026-09-30");
    assert_eq!(text(&deal, "notes"), "Warehouse visibility project, 14 sites.");
    assert!(text(&deal, "referral_link").ends_with(&referral));
    assert!(text(&deal, "audit").contains("lead became this opportunity"), "{deal:#?}");
    let (accounts, contacts) = (stage.rows("accounts"), stage.rows("contacts"));
    assert_eq!((accounts.len(), contacts.len()), (1, 1));
    assert_eq!(deal["account"], accounts[0]["id"]);
    assert_eq!(stage.rows("OpportunityContactRole")[0]["ContactId"], contacts[0]["id"]);
    assert_eq!(stage.rows("solutions").len(), 1);

    // From here it is a deal like any other, both ways; the lead is history.
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["deal_value"], 90000.0);
    stage.edit("opportunities", &text(&deal, "id"), json!({ "notes": "Seller's words." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller's words.");
    stage.edit("leads", &lead, json!({ "Description": "Late words." }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["notes"], "Seller's words.");
    stage.win(&text(&deal, "id"));
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("Closed", "Won"));
    stage.became(&referral);
    stage.close().await;
}

#[tokio::test]
async fn t44_cosell_only_skips_leads() {
    let stage = mapped(["", "[switches]\ncosell_only = true\n"]).await;
    let lead = stage.refer_lead(json!({}));
    let deal = stage.refer(json!({ "name": "Harbor Line – co-sell" }));
    stage.rest().await;
    assert!(stage.rows("leads").is_empty(), "leads are skipped");
    assert_eq!(stage.opportunity()["referral_id"], deal, "co-sell passes");
    assert!(stage.referral(&lead)["externalReferenceId"].is_null());
    assert!(stage.parked().await.unwrap().is_empty(), "skipped, not parked");
    stage.close().await;
}

#[tokio::test]
async fn t41_declined_and_expired_leads_are_disqualified() {
    for action in ["decline", "expire"] {
        let stage = open().await;
        let (referral, _) = stage.salesforce_lead().await;
        stage.edit_referral(&referral, json!({ "/details/notes": "Last words." }));
        stage.act(&referral, action);
        stage.rest().await;
        let lead = stage.lead();
        assert_eq!(text(&lead, "Status"), "Closed - Not Converted", "{action}");
        assert_eq!(text(&lead, "Description"), "Last words.", "its last values with it");
        assert!(stage.opportunities().is_empty() && stage.rows("accounts").is_empty());
        stage.close().await;
    }
}

#[tokio::test]
async fn a_seller_who_converts_accepts() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    let deal = stage.convert(&id, true).expect("an opportunity");
    stage.edit("opportunities", &deal, json!({ "deal_value": 99000, "closing_date": "2026-12-31" }));
    stage.poll().await;
    stage.settle().await.expect("comes to rest");
    let shown = stage.referral(&referral);
    assert_eq!(status(&shown), is("Active", "Accepted"));
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(99000.0), "with the opportunity's values");
    assert!(text(&shown["details"], "closingDateTime").starts_with("2026-12-31"));
    let row = stage.became(&referral);
    assert_eq!(text(&row, "id"), deal);
    assert_eq!(
        text(&row, "notes"),
        "Warehouse visibility project, 14 sites.",
        "what it has not is filled in"
    );
    assert_eq!((stage.rows("accounts").len(), stage.rows("contacts").len()), (1, 1), "the seller's own");
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_converts_without_opportunity_accepts_and_gets_none() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    assert_eq!(stage.convert(&id, false), None);
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("Active", "Accepted"));
    assert!(stage.opportunities().is_empty(), "the seller wanted none");
    stage.close().await;
}

#[tokio::test]
async fn a_seller_who_disqualifies_declines() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.edit("leads", &id, json!({ "Status": "Working - Contacted" }));
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("New", "Pending"), "contacted is still open");
    stage.edit("leads", &id, json!({ "Status": "Closed - Not Converted" }));
    stage.poll().await;
    assert_eq!(status(&stage.referral(&referral)), is("Closed", "Declined"));
    assert!(stage.opportunities().is_empty());
    stage.close().await;
}

#[tokio::test]
async fn edits_of_a_lead_are_sent_after_acceptance() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.edit("leads", &id, json!({ "Description": "Called them." }));
    stage.poll().await;
    let notes = || text(&stage.referral(&referral)["details"], "notes");
    assert_eq!(notes(), "Warehouse visibility project, 14 sites.", "not before");
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.poll().await;
    let deal = stage.became(&referral);
    assert_eq!((text(&deal, "notes"), notes()), ("Called them.".into(), "Called them.".into()));
    stage.close().await;
}

#[tokio::test]
async fn many_events_at_once_make_one_lead() {
    let stage = open().await;
    {
        let mut office = stage.partner_center.system();
        office.switches.duplicate_deliveries = true;
        office.switches.reverse_deliveries = true;
    }
    let referral = stage.refer_lead(json!({}));
    stage.edit_referral(&referral, json!({ "/details/notes": "One." }));
    stage.edit_referral(&referral, json!({ "/details/notes": "Two." }));
    stage.rest().await;
    assert_eq!(text(&stage.lead(), "Description"), "Two.");
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/notes": "Three." }));
    stage.rest().await;
    assert_eq!(text(&stage.became(&referral), "notes"), "Three.");
    stage.close().await;
}

#[tokio::test]
async fn accepted_before_it_was_seen_it_is_an_opportunity_at_once() {
    let stage = open().await;
    stage.partner_center.system().switches.reverse_deliveries = true;
    let referral = stage.refer_lead(json!({}));
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((&deal["referral_id"], &deal["state"]), (&json!(referral), &json!("active")));
    assert!(stage.rows("leads").is_empty());
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_lead_is_left_alone() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.delete("leads", &id);
    stage.poll().await;
    stage.edit_referral(&referral, json!({ "/details/notes": "More." }));
    stage.act(&referral, "accept");
    stage.rest().await;
    assert!(stage.rows("leads").is_empty() && stage.opportunities().is_empty(), "nothing is created again");
    stage.close().await;
}

#[tokio::test]
async fn a_lead_of_ones_own_goes_nowhere() {
    let stage = open().await;
    stage.sell(
        "leads",
        json!({ "LastName": "Reed", "Company": "Kestrel Foods Ltd", "Sync_with_Partner_Center__c": true }),
    );
    stage.poll().await;
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}
