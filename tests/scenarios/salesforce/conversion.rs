//! Leads that are converted by SOAP's `convertLead`, where the map says so: what Salesforce makes of them by itself, and
//! what is written into it afterwards. All else about leads is as without (leads.rs).

use super::mapped;
use crate::deal::{Stage, text};
use serde_json::json;
use simulators::{salesforce::SELLER, server::FaultKind};

crate::faults::whatever_fails! {
    accepted_in_partner_center_the_lead_is_converted,
    a_customer_who_is_known_is_taken,
    a_contact_of_another_account_is_left_to_salesforce,
    edits_of_the_lead_are_handed_on,
    a_lost_answer_makes_no_second_opportunity,
    a_session_that_ended_is_renewed,
    what_a_seller_wrote_since_stands,
    a_lead_that_somebody_else_just_converted_is_looked_at_again,
    a_conversion_that_a_rule_refuses_is_parked_in_its_words_and_heals,
    what_a_rule_does_not_let_in_afterwards_is_parked_and_heals,
    a_seller_converts_what_was_parked,
    a_status_the_organisation_does_not_have_gives_way_to_its_own,
}

const SOAP: &str = "[vendor]\nconvert_lead = \"soap\"\n";

async fn open() -> Stage {
    mapped(["", SOAP]).await
}

fn answer(status: u16, body: &str) -> FaultKind {
    let body = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns=\"urn:enterprise.soap.sforce.com\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    FaultKind::Answer { status, headers: [].into(), body }
}

#[tokio::test]
async fn accepted_in_partner_center_the_lead_is_converted() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    stage.accepted(&referral).await;
    let deal = stage.converted(&referral);
    if stage.calm() {
        assert_eq!(stage.conversions(), 1);
    }
    // As if it had been made of the referral: nothing of it is Salesforce's own.
    assert_eq!(
        (&deal["state"], text(&deal, "name")),
        (&json!("active"), "✔ Harbor Line – multi-site tracking".into())
    );
    assert_eq!((&deal["deal_value"], text(&deal, "closing_date")), (&json!(84000.0), "2026-09-30".into()));
    assert_eq!(text(&deal, "notes"), "Warehouse visibility project, 14 sites.");
    assert!(text(&deal, "referral_link").ends_with(&referral));
    let audit = text(&deal, "audit");
    assert!(audit.contains("lead became this opportunity") && !audit.contains("conflict"), "{audit}");
    let shown = stage.referral(&referral);
    assert!(text(&shown["details"], "closingDateTime").starts_with("2026-09-30"), "{shown:#}");
    let (accounts, contacts) = (stage.rows("accounts"), stage.rows("contacts"));
    assert_eq!((accounts.len(), contacts.len()), (1, 1));
    assert_eq!(deal["account"], accounts[0]["id"]);
    assert!(
        !accounts[0]["key"].is_null() && !contacts[0]["key"].is_null(),
        "found again by the next referral"
    );
    assert_eq!(stage.rows("OpportunityContactRole")[0]["ContactId"], contacts[0]["id"]);
    assert_eq!(stage.rows("solutions").len(), 1);

    // From here it is a deal like any other, both ways.
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["deal_value"], 90000.0);
    stage.edit("opportunities", &text(&deal, "id"), json!({ "closing_date": "2026-12-31" }));
    stage.poll().await;
    let closing = text(&stage.referral(&referral)["details"], "closingDateTime");
    assert!(closing.starts_with("2026-12-31"), "{closing}");
    stage.converted(&referral);
    stage.finish().await;
}

#[tokio::test]
async fn a_customer_who_is_known_is_taken() {
    let stage = open().await;
    stage.refer(json!({ "name": "An earlier deal" }));
    stage.rest().await;
    let referral = stage.refer_lead(json!({}));
    stage.rest().await;
    stage.accepted(&referral).await;
    let (deals, lead) = (stage.opportunities(), stage.lead());
    let deal = deals.iter().find(|deal| deal["id"] == lead["ConvertedOpportunityId"]).expect("converted");
    assert_eq!((deals.len(), &deal["referral_id"]), (2, &json!(referral)));
    assert_eq!((stage.rows("accounts").len(), stage.rows("contacts").len()), (1, 1), "the known ones");
    stage.finish().await;
}

#[tokio::test]
async fn a_contact_of_another_account_is_left_to_salesforce() {
    let stage = open().await;
    stage.salesforce.system().switches.standard_duplicate_rules = false;
    let other = stage.sell("accounts", json!({ "name": "Juniper Peak Software" }));
    let (first, email) = ("Nadia", "nadia.keller@harborline.example");
    let contact = json!({ "FirstName": first, "LastName": "Keller", "Email": email, "AccountId": other });
    let now = stage.now();
    stage.salesforce.system().act_create("Contact", SELLER, contact, now).expect("created");
    let (referral, _) = stage.salesforce_lead().await;
    stage.accepted(&referral).await;
    let deal = stage.converted(&referral);
    assert_ne!(deal["account"], json!(other));
    assert_eq!(stage.rows("contacts").len(), 2, "Salesforce takes a contact of the same account only");
    stage.finish().await;
}

#[tokio::test]
async fn edits_of_the_lead_are_handed_on() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.edit("leads", &id, json!({ "Description": "Called them." }));
    stage.poll().await;
    stage.accepted(&referral).await;
    stage.poll().await;
    let (deal, shown) = (stage.converted(&referral), stage.referral(&referral));
    assert_eq!(text(&deal, "notes"), "Called them.", "though a conversion does not copy it");
    assert_eq!(text(&shown["details"], "notes"), "Called them.");
    stage.finish().await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_opportunity() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    stage.next_conversion(FaultKind::DropAfter);
    stage.accepted(&referral).await;
    stage.much_later().await;
    let deal = stage.converted(&referral);
    assert_eq!((&deal["deal_value"], text(&deal, "closing_date")), (&json!(84000.0), "2026-09-30".into()));
    let closing = text(&stage.referral(&referral)["details"], "closingDateTime");
    assert!(closing.starts_with("2026-09-30"), "Salesforce's own date goes nowhere: {closing}");
    if stage.calm() {
        assert_eq!(stage.conversions(), 1);
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_session_that_ended_is_renewed() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    let ended = "<soapenv:Fault><faultcode xmlns:sf=\"urn:fault.enterprise.soap.sforce.com\">\
                 sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Invalid Session ID found in \
                 SessionHeader: Illegal Session</faultstring></soapenv:Fault>";
    stage.next_conversion(answer(500, ended));
    let before = stage.salesforce.system().sign_ins();
    stage.accepted(&referral).await;
    stage.converted(&referral);
    if stage.calm() {
        assert_eq!((stage.conversions(), stage.salesforce.system().sign_ins()), (2, before + 1));
    }
    stage.finish().await;
}

#[tokio::test]
async fn what_a_seller_wrote_since_stands() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    // Converted, and not filled in for a while.
    stage.rule("opportunities", "deal_value", "the budget is frozen");
    stage.accepted(&referral).await;
    let deal = stage.opportunity();
    assert!(deal["referral_id"].is_null(), "{deal:#}");
    stage.clear_rules();
    let edit = json!({ "closing_date": "2026-11-15", "deal_value": 99000 });
    stage.edit("opportunities", &text(&deal, "id"), edit);
    stage.much_later().await;
    stage.poll().await;
    let (deal, shown) = (stage.converted(&referral), stage.referral(&referral));
    assert_eq!((&deal["deal_value"], text(&deal, "closing_date")), (&json!(99000.0), "2026-11-15".into()));
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(99000.0));
    assert!(text(&shown["details"], "closingDateTime").starts_with("2026-11-15"));
    let notes = "Warehouse visibility project, 14 sites.";
    assert_eq!(text(&deal, "notes"), notes, "what it has not is filled in");
    stage.finish().await;
}

#[tokio::test]
async fn a_lead_that_somebody_else_just_converted_is_looked_at_again() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    let said = "<convertLeadResponse><result><errors><message>cannot reference converted lead</message>\
                <statusCode>CANNOT_UPDATE_CONVERTED_LEAD</statusCode></errors><success>false</success></result>\
                </convertLeadResponse>";
    stage.next_conversion(answer(200, said));
    stage.accepted(&referral).await;
    stage.converted(&referral);
    assert_eq!(stage.parked_words().await, "", "a lost race is no refusal");
    stage.finish().await;
}

#[tokio::test]
async fn a_conversion_that_a_rule_refuses_is_parked_in_its_words_and_heals() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.salesforce.system().rule("Opportunity", Some("Name"), "no deals this week", &["Name"]);
    stage.accepted(&referral).await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("FIELD_CUSTOM_VALIDATION_EXCEPTION: no deals this week"), "{parked}");
    assert!(stage.opportunities().is_empty());
    let audit = text(&stage.lead(), "Audit__c");
    assert!(audit.contains("no deals this week"), "and the lead says why: {audit}");
    stage.clear_rules();
    stage.much_later().await;
    assert_eq!(text(&stage.lead(), "Id"), id);
    stage.converted(&referral);
    assert_eq!(
        (stage.rows("accounts").len(), stage.rows("contacts").len()),
        (1, 1),
        "those of the first try"
    );
    assert_eq!(stage.parked_words().await, "");
    stage.finish().await;
}

#[tokio::test]
async fn what_a_rule_does_not_let_in_afterwards_is_parked_and_heals() {
    let stage = open().await;
    let (referral, _) = stage.salesforce_lead().await;
    stage.rule("opportunities", "deal_value", "the budget is frozen");
    stage.accepted(&referral).await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("the budget is frozen"), "{parked}");
    assert_eq!(stage.opportunities().len(), 1, "the lead is converted already");
    stage.clear_rules();
    stage.much_later().await;
    assert_eq!(stage.converted(&referral)["deal_value"], 84000.0);
    assert_eq!(stage.parked_words().await, "");
    stage.finish().await;
}

#[tokio::test]
async fn a_seller_converts_what_was_parked() {
    let stage = open().await;
    let (referral, id) = stage.salesforce_lead().await;
    stage.salesforce.system().deny("Lead", "convert");
    stage.accepted(&referral).await;
    let parked = stage.parked_words().await;
    assert!(parked.contains("INSUFFICIENT_ACCESS_OR_READONLY"), "{parked}");
    let now = stage.now();
    let made = stage.salesforce.system().act_convert(&id, SELLER, None, true, now).expect("converted");
    stage.edit(
        "opportunities",
        made.opportunity.as_deref().expect("an opportunity"),
        json!({ "deal_value": 99000 }),
    );
    stage.much_later().await;
    stage.poll().await;
    assert_eq!(stage.converted(&referral)["deal_value"], 99000.0);
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(99000.0));
    assert_eq!(stage.parked_words().await, "");
    stage.finish().await;
}

#[tokio::test]
async fn a_status_the_organisation_does_not_have_gives_way_to_its_own() {
    let status = "[lead.status.crm]\n\"Active/Accepted\" = { stage = \"Qualified\" }\n";
    let stage = mapped(["", &format!("{SOAP}{status}")]).await;
    let (referral, _) = stage.salesforce_lead().await;
    stage.accepted(&referral).await;
    stage.converted(&referral);
    stage.finish().await;
}
