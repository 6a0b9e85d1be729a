//! Partner Center -> CRM.

use super::open;
use crate::deal::{SOLUTION, text};
use serde_json::json;
use simulators::partner_center::Deal;

crate::faults::whatever_fails! {
    t31_a_new_referral_becomes_an_opportunity_on_hold_of_the_matching_account,
    t32_two_referrals_of_one_new_customer_make_one_account,
    t33_of_several_matching_accounts_the_oldest_is_taken_and_the_choice_is_told,
    t33_an_account_that_only_reads_alike_is_taken_and_that_is_told,
    the_owner_is_the_first_of_our_team_who_is_a_user,
    t34_leaving_on_hold_accepts_the_referral,
    t37_accepted_in_partner_center_moves_to_in_progress,
    t38_a_change_touches_the_changed_fields_and_nothing_else,
    t39_an_equal_state_writes_nothing,
    t46_events_out_of_order_end_in_partner_centers_state,
    t61_a_new_deal_made_in_partner_center_becomes_one_open_opportunity,
    t45_a_referral_that_names_no_record_of_ours_is_parked_or_taken_as_if_it_named_none,
    t36_edits_made_on_hold_are_sent_after_acceptance,
    an_address_or_number_that_does_not_fit_is_left_out_and_keeps_nothing_back,
}

#[tokio::test]
async fn t31_a_new_referral_becomes_an_opportunity_on_hold_of_the_matching_account() {
    let stage = open().await;
    let account = stage.sell(
        "accounts",
        json!({ "name": "harbor line logistics ag", "postal_code": "4057", "country": "Switzerland" }),
    );
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["state"], "on hold", "until accepted");
    assert_eq!(deal["sync"], true);
    assert_eq!(deal["referral_id"], referral);
    assert_eq!(deal["account"], account);
    assert_eq!(stage.rows("accounts").len(), 1, "no second account");
    assert!(!text(&stage.rows("accounts")[0], "key").is_empty(), "the matched account gets the key");
    assert_eq!(stage.rows("accounts")[0]["name"], "harbor line logistics ag", "and nothing else");
    assert_eq!(text(&deal, "name"), "✔ Harbor Line – multi-site tracking");
    assert_eq!(deal["deal_value"], 84000.0);
    assert_eq!(text(&deal, "closing_date"), "2026-09-30");
    assert_eq!(text(&deal, "notes"), "Warehouse visibility project, 14 sites.");
    assert!(text(&deal, "referral_link").ends_with(&referral));
    assert!(text(&deal, "audit").contains("created"), "{deal:#?}");
    assert_eq!(stage.rows("solutions").len(), 1);
    assert_eq!(stage.rows("solution_details")[0]["solution_id"], SOLUTION);
    assert_eq!(stage.referral(&referral)["externalReferenceId"], deal["id"]);
    assert_eq!(stage.rows("contacts")[0]["email"], "nadia.keller@harborline.example");
    stage.close().await;
}

#[tokio::test]
async fn t32_two_referrals_of_one_new_customer_make_one_account() {
    let stage = open().await;
    stage.partner_center.system().switches.duplicate_deliveries = true;
    let one = stage.refer(json!({}));
    let two = stage.refer(json!({ "name": "Harbor Line – customs" }));
    stage.rest().await;
    let deals = stage.opportunities();
    assert_eq!(deals.len(), 2);
    assert_eq!(stage.rows("accounts").len(), 1);
    assert_eq!(stage.rows("contacts").len(), 1);
    for id in [one, two] {
        assert!(deals.iter().any(|deal| deal["referral_id"] == id));
    }
    stage.close().await;
}

#[tokio::test]
async fn t33_of_several_matching_accounts_the_oldest_is_taken_and_the_choice_is_told() {
    let stage = open().await;
    let account = || {
        let columns = json!({ "name": "Harbor Line Logistics AG", "postal_code": "4057" });
        stage.advance(60);
        stage.sell("accounts", columns)
    };
    let accounts = [account(), account(), account()];
    stage.edit("accounts", &accounts[2], json!({ "phone": "+41 61 555 01 10" }));
    stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "account"), accounts[0], "the oldest");
    let audit = text(&deal, "audit").to_lowercase();
    assert!(audit.contains("several accounts"), "{audit}");
    assert_eq!(stage.rows("accounts").len(), 3);
    stage.close().await;
}

#[tokio::test]
async fn t33_an_account_that_only_reads_alike_is_taken_and_that_is_told() {
    let stage = open().await;
    let account = |name: &str, postal_code: &str| {
        stage.sell("accounts", json!({ "name": name, "postal_code": postal_code }))
    };
    account("Harbor Line Logistics", "4057");
    account("Harbor Line Logistics AG", "4058");
    let alike = account("HARBOR LINE LOGISTICS, A.G.", "40 57");
    stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "account"), alike);
    let audit = text(&deal, "audit");
    assert!(audit.contains("reads alike"), "{audit}");
    assert_eq!(stage.rows("accounts").len(), 3);
    stage.close().await;
}

#[tokio::test]
async fn the_owner_is_the_first_of_our_team_who_is_a_user() {
    let stage = open().await;
    stage.user_who_left("left@partner.example");
    let person =
        |email: &str| json!({ "firstName": "A", "lastName": "B", "phoneNumber": "1", "email": email });
    let team = |emails: &[&str]| emails.iter().map(|email| person(email)).collect::<Vec<_>>();
    let owned = stage.refer(json!({ "team": team(&["left@partner.example", "Sara.Klein@partner.example"]) }));
    let orphan = stage.refer(json!({ "name": "Nobody's", "team": team(&["gone@partner.example"]) }));
    stage.rest().await;
    let deals = stage.opportunities();
    let of = |id: &str| deals.iter().find(|deal| deal["referral_id"] == id).expect("its opportunity");
    assert_eq!(text(of(&owned), "owner"), stage.seller());
    assert_eq!(text(of(&orphan), "owner"), stage.integration_user());
    let audit = text(of(&orphan), "audit");
    assert!(audit.contains("nobody here is `gone@partner.example`"), "{audit}");
    assert!(!text(of(&owned), "audit").contains("nobody here"));
    stage.close().await;
}

#[tokio::test]
async fn an_address_or_number_that_does_not_fit_is_left_out_and_keeps_nothing_back() {
    let stage = open().await;
    let people = json!([{
        "firstName": "Nadia", "lastName": "Keller", "email": format!("{}@harborline.example", "n".repeat(110)),
        "phoneNumber": "+41 61 555 01 10, reception; extension 20 on weekdays, 21 at night",
    }]);
    let referral = stage.refer(json!({ "customerProfile": { "team": people } }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    let contact = &stage.rows("contacts")[0];
    assert_eq!(text(contact, "last_name"), "Keller");
    assert_eq!((&contact["email"], &contact["phone"]), (&json!(null), &json!(null)), "whole or not at all");
    stage.act(&referral, "accept");
    stage.rest().await;
    let shown = &stage.referral(&referral)["customerProfile"]["team"][0];
    for name in ["email", "phoneNumber"] {
        assert_eq!(shown[name], people[0][name], "what the CRM does not hold stays where it is");
    }
    stage.close().await;
}

#[tokio::test]
async fn t34_leaving_on_hold_accepts_the_referral() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.edit("opportunities", &stage.opportunity_id(), json!({ "state": "active" }));
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Active"), &json!("Accepted")));
    stage.close().await;
}

#[tokio::test]
async fn t37_accepted_in_partner_center_moves_to_in_progress() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["state"], "active");
    stage.close().await;
}

#[tokio::test]
async fn t38_a_change_touches_the_changed_fields_and_nothing_else() {
    let stage = open().await;
    let (referral, id) = stage.inbound_in_step().await;
    stage.edit("opportunities", &id, json!({ "probability": 70 }));
    stage.poll().await;
    stage.forget_calls();
    stage.edit_referral(
        &referral,
        json!({ "/name": "Harbor Line – 17 sites", "/details/dealValue": 92500, "/details/currency": "EUR",
                "/details/closingDateTime": "2026-10-31T00:00:00Z", "/details/notes": "Scope grew to 17 sites." }),
    );
    let before = stage.opportunity();
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "name"), "✔ Harbor Line – 17 sites");
    assert_eq!(deal["deal_value"], 92500.0);
    assert_eq!(text(&deal, "closing_date"), "2026-10-31");
    assert_eq!(text(&deal, "notes"), "Scope grew to 17 sites.");
    let currency = stage.by("_transactioncurrencyid_value", "CurrencyIsoCode");
    assert_ne!(deal[currency], before[currency]);
    assert_eq!(deal["probability"].as_f64(), Some(70.0));
    if !stage.calm() {
        return stage.close().await;
    }
    let expected = stage.by(
        ["description", "estimatedclosedate", "estimatedvalue", "name", "transactioncurrencyid@odata.bind"],
        ["Amount", "CloseDate", "CurrencyIsoCode", "Description", "Name"],
    );
    assert_eq!(stage.patched(), [expected]);
    stage.close().await;
}

#[tokio::test]
async fn t39_an_equal_state_writes_nothing() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    let writes = stage.writes();
    stage.edit_referral(&referral, json!({ "/favorite": true }));
    stage.rest().await;
    assert_eq!(stage.writes(), writes);
    if stage.calm() {
        assert_eq!(stage.calls(), ["GET referrals/{id}"]);
    }
    stage.close().await;
}

#[tokio::test]
async fn t46_events_out_of_order_end_in_partner_centers_state() {
    let stage = open().await;
    stage.partner_center.system().switches.reverse_deliveries = true;
    let referral = stage.refer(json!({}));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 95000 }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["deal_value"], 95000.0);
    assert_eq!(deal["state"], "active");
    stage.close().await;
}

#[tokio::test]
async fn t61_a_new_deal_made_in_partner_center_becomes_one_open_opportunity() {
    for kind in [Deal::CoSell, Deal::PartnerLed] {
        let stage = open().await;
        let now = stage.now();
        let referral = stage.partner_center.system().create_deal(kind, &json!({}), now);
        stage.rest().await;
        let deal = stage.opportunity();
        assert_eq!(deal["state"], "active", "at once");
        assert_eq!(deal["referral_id"], referral);
        assert!(text(&deal, "name").starts_with("✔ Kestrel Foods"), "{deal:#?}");
        assert_eq!(deal["deal_value"], 61000.5);
        assert_eq!(deal["sync"], true);
        assert_eq!(deal["visible"], true);
        assert_eq!(deal["marketplace_intent"], "HaveNotDecided");
        let country = if stage.places_are_picklists() { "United Kingdom" } else { "GB" };
        assert_eq!(stage.rows("accounts")[0]["country"], country);
        assert_eq!(stage.rows("contacts")[0]["last_name"], "Shah");
        assert_eq!(stage.rows("solutions").len(), 1);
        let help = if kind == Deal::CoSell { json!("ProofOfConceptOrDemo") } else { json!(null) };
        assert_eq!(deal["help"], help);
        assert_eq!(stage.referral(&referral)["externalReferenceId"], deal["id"]);
        stage.close().await;
    }
}

#[tokio::test]
async fn t45_a_referral_that_names_no_record_of_ours_is_parked_or_taken_as_if_it_named_none() {
    let stage = open().await;
    let nobodys = stage.by("5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004", "006Qy00000ZzZzZIAV");
    let unknown = stage.refer(json!({ "externalReferenceId": nobodys }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty(), "a CRM id that the CRM does not have is parked");
    assert!(stage.parked_words().await.contains(nobodys));
    let foreign = stage.refer(json!({ "externalReferenceId": "OPP-2026-00417" }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], foreign, "not shaped like a record id: as if empty");
    assert_eq!(
        stage.referral(&foreign)["externalReferenceId"],
        "OPP-2026-00417",
        "a foreign one is never overwritten"
    );
    assert_ne!(unknown, foreign);
    stage.close().await;
}

#[tokio::test]
async fn t36_edits_made_on_hold_are_sent_after_acceptance() {
    let stage = open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let id = stage.opportunity_id();
    stage.edit("opportunities", &id, json!({ "deal_value": 50000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"], 84000);
    stage.edit("opportunities", &id, json!({ "state": "active" }));
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Active"), &json!("Accepted")));
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(50000.0));
    stage.close().await;
}
