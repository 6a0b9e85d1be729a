//! Partner Center -> Dynamics 365.

use crate::deal::{SOLUTION, Stage, text};
use serde_json::json;
use simulators::{
    dataverse::{INTEGRATION_USER, SELLER},
    partner_center::Deal,
};

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
    t45_a_referral_that_names_a_record_is_linked_with_it,
    t36_edits_made_on_hold_are_sent_after_acceptance,
}

#[tokio::test]
async fn t31_a_new_referral_becomes_an_opportunity_on_hold_of_the_matching_account() {
    let stage = Stage::open().await;
    let account = stage.sell(
        "accounts",
        json!({ "name": "harbor line logistics ag", "address1_postalcode": "4057", "address1_country": "CH" }),
    );
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["statecode"], 0);
    assert_eq!(deal["statuscode"], 2, "on hold until accepted");
    assert_eq!(deal["cosell_syncwithpartnercenter"], true);
    assert_eq!(deal["cosell_referralid"], referral);
    assert_eq!(deal["_parentaccountid_value"], account);
    assert_eq!(stage.rows("accounts").len(), 1, "no second account");
    assert!(
        !text(&stage.rows("accounts")[0], "cosell_customerkey").is_empty(),
        "the matched account gets the key"
    );
    assert_eq!(stage.rows("accounts")[0]["name"], "harbor line logistics ag", "and nothing else");
    assert_eq!(text(&deal, "name"), "✔ Harbor Line – multi-site tracking");
    assert_eq!(deal["estimatedvalue"], 84000.0);
    assert_eq!(text(&deal, "estimatedclosedate"), "2026-09-30");
    assert_eq!(text(&deal, "description"), "Warehouse visibility project, 14 sites.");
    assert!(text(&deal, "cosell_referrallink").ends_with(&referral));
    assert!(text(&deal, "cosell_audit").contains("created"), "{deal:#?}");
    assert_eq!(stage.rows("cosell_solutions").len(), 1);
    assert_eq!(stage.rows("cosell_solutiondetails")[0]["cosell_solutionid"], SOLUTION);
    assert_eq!(stage.referral(&referral)["externalReferenceId"], deal["opportunityid"]);
    assert_eq!(stage.rows("contacts")[0]["emailaddress1"], "nadia.keller@harborline.example");
    stage.close().await;
}

#[tokio::test]
async fn t32_two_referrals_of_one_new_customer_make_one_account() {
    let stage = Stage::open().await;
    stage.partner_center.system().switches.duplicate_deliveries = true;
    let one = stage.refer(json!({}));
    let two = stage.refer(json!({ "name": "Harbor Line – customs" }));
    stage.rest().await;
    let deals = stage.opportunities();
    assert_eq!(deals.len(), 2);
    assert_eq!(stage.rows("accounts").len(), 1);
    assert_eq!(stage.rows("contacts").len(), 1);
    for id in [one, two] {
        assert!(deals.iter().any(|deal| deal["cosell_referralid"] == id));
    }
    stage.close().await;
}

#[tokio::test]
async fn t33_of_several_matching_accounts_the_oldest_is_taken_and_the_choice_is_told() {
    let stage = Stage::open().await;
    let account = || {
        let columns = json!({ "name": "Harbor Line Logistics AG", "address1_postalcode": "4057" });
        stage.advance(60);
        stage.sell("accounts", columns)
    };
    let accounts = [account(), account(), account()];
    stage.edit("accounts", &accounts[2], json!({ "telephone1": "+41 61 555 01 10" }));
    stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "_parentaccountid_value"), accounts[0], "the oldest");
    let audit = text(&deal, "cosell_audit");
    assert!(audit.contains("several accounts"), "{audit}");
    assert_eq!(stage.rows("accounts").len(), 3);
    stage.close().await;
}

#[tokio::test]
async fn t33_an_account_that_only_reads_alike_is_taken_and_that_is_told() {
    let stage = Stage::open().await;
    let account = |name: &str, postal_code: &str| {
        stage.sell("accounts", json!({ "name": name, "address1_postalcode": postal_code }))
    };
    account("Harbor Line Logistics", "4057");
    account("Harbor Line Logistics AG", "4058");
    let alike = account("HARBOR LINE LOGISTICS, A.G.", "40 57");
    stage.refer(json!({}));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "_parentaccountid_value"), alike);
    let audit = text(&deal, "cosell_audit");
    assert!(audit.contains("reads alike"), "{audit}");
    assert_eq!(stage.rows("accounts").len(), 3);
    stage.close().await;
}

#[tokio::test]
async fn the_owner_is_the_first_of_our_team_who_is_a_user() {
    let stage = Stage::open().await;
    stage.sell("systemusers", json!({ "internalemailaddress": "left@partner.example", "isdisabled": true }));
    let person =
        |email: &str| json!({ "firstName": "A", "lastName": "B", "phoneNumber": "1", "email": email });
    let team = |emails: &[&str]| emails.iter().map(|email| person(email)).collect::<Vec<_>>();
    let owned = stage.refer(json!({ "team": team(&["left@partner.example", "Sara.Klein@partner.example"]) }));
    let orphan = stage.refer(json!({ "name": "Nobody's", "team": team(&["gone@partner.example"]) }));
    stage.rest().await;
    let deals = stage.opportunities();
    let of = |id: &str| deals.iter().find(|deal| deal["cosell_referralid"] == id).expect("its opportunity");
    assert_eq!(text(of(&owned), "_ownerid_value"), SELLER);
    assert_eq!(text(of(&orphan), "_ownerid_value"), INTEGRATION_USER);
    let audit = text(of(&orphan), "cosell_audit");
    assert!(audit.contains("nobody here is `gone@partner.example`"), "{audit}");
    assert!(!text(of(&owned), "cosell_audit").contains("nobody here"));
    stage.close().await;
}

#[tokio::test]
async fn t34_leaving_on_hold_accepts_the_referral() {
    let stage = Stage::open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.edit("opportunities", &stage.opportunity_id(), json!({ "statuscode": 1 }));
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Active"), &json!("Accepted")));
    stage.close().await;
}

#[tokio::test]
async fn t37_accepted_in_partner_center_moves_to_in_progress() {
    let stage = Stage::open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!((&deal["statecode"], &deal["statuscode"]), (&json!(0), &json!(1)));
    stage.close().await;
}

#[tokio::test]
async fn t38_a_change_touches_the_changed_fields_and_nothing_else() {
    let stage = Stage::open().await;
    let (referral, id) = stage.inbound_in_step().await;
    stage.edit("opportunities", &id, json!({ "closeprobability": 70 }));
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
    assert_eq!(deal["estimatedvalue"], 92500.0);
    assert_eq!(text(&deal, "estimatedclosedate"), "2026-10-31");
    assert_eq!(text(&deal, "description"), "Scope grew to 17 sites.");
    assert_ne!(deal["_transactioncurrencyid_value"], before["_transactioncurrencyid_value"]);
    assert_eq!(deal["closeprobability"], 70);
    if !stage.calm() {
        return stage.close().await;
    }
    let sent = stage.sent("PATCH opportunities");
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let columns: Vec<_> = sent[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["description", "estimatedclosedate", "estimatedvalue", "name", "transactioncurrencyid@odata.bind"];
    assert_eq!(columns, expected);
    stage.close().await;
}

#[tokio::test]
async fn t39_an_equal_state_writes_nothing() {
    let stage = Stage::open().await;
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
    let stage = Stage::open().await;
    stage.partner_center.system().switches.reverse_deliveries = true;
    let referral = stage.refer(json!({}));
    stage.edit_referral(&referral, json!({ "/details/dealValue": 90000 }));
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/dealValue": 95000 }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["estimatedvalue"], 95000.0);
    assert_eq!(deal["statuscode"], 1);
    stage.close().await;
}

#[tokio::test]
async fn t61_a_new_deal_made_in_partner_center_becomes_one_open_opportunity() {
    for kind in [Deal::CoSell, Deal::PartnerLed] {
        let stage = Stage::open().await;
        let now = stage.now();
        let referral = stage.partner_center.system().create_deal(kind, &json!({}), now);
        stage.rest().await;
        let deal = stage.opportunity();
        assert_eq!((&deal["statecode"], &deal["statuscode"]), (&json!(0), &json!(1)), "active at once");
        assert_eq!(deal["cosell_referralid"], referral);
        assert!(text(&deal, "name").starts_with("✔ Kestrel Foods"), "{deal:#?}");
        assert_eq!(deal["estimatedvalue"], 61000.5);
        assert_eq!(deal["cosell_syncwithpartnercenter"], true);
        assert_eq!(deal["cosell_visibletomicrosoft"], true);
        assert_eq!(deal["cosell_marketplaceintent"], 100_000_000);
        assert_eq!(stage.rows("accounts")[0]["address1_country"], "GB");
        assert_eq!(stage.rows("contacts")[0]["lastname"], "Shah");
        assert_eq!(stage.rows("cosell_solutions").len(), 1);
        let help = if kind == Deal::CoSell { json!(100_000_003) } else { json!(null) };
        assert_eq!(deal["cosell_helprequested"], help);
        assert_eq!(stage.referral(&referral)["externalReferenceId"], deal["opportunityid"]);
        stage.close().await;
    }
}

#[tokio::test]
async fn t45_a_referral_that_names_a_record_is_linked_with_it() {
    let stage = Stage::open().await;
    let deal = stage.deal(json!({}));
    let referral = stage.refer(json!({ "externalReferenceId": deal }));
    stage.rest().await;
    assert_eq!(stage.opportunities().len(), 1);
    stage.edit("opportunities", &deal, json!({ "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    assert_eq!(stage.opportunity()["cosell_referralid"], referral);
    assert_eq!(stage.opportunities().len(), 1);
    stage.close().await;

    let stage = Stage::open().await;
    let unknown = stage.refer(json!({ "externalReferenceId": "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004" }));
    stage.rest().await;
    assert!(stage.opportunities().is_empty(), "a CRM id that the CRM does not have is parked");
    assert!(stage.parked_words().await.contains("5f4c7d8e"));
    let foreign = stage.refer(json!({ "externalReferenceId": "OPP-2026-00417" }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["cosell_referralid"], foreign, "not shaped like a record id: as if empty");
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
    let stage = Stage::open().await;
    let referral = stage.refer(json!({}));
    stage.rest().await;
    let id = stage.opportunity_id();
    stage.edit("opportunities", &id, json!({ "estimatedvalue": 50000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"], 84000);
    let now = stage.now();
    stage.dataverse.system().act_edit("opportunities", &id, SELLER, json!({ "statuscode": 1 }), now).unwrap();
    stage.poll().await;
    let referral = stage.referral(&referral);
    assert_eq!((&referral["status"], &referral["substatus"]), (&json!("Active"), &json!("Accepted")));
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(50000.0));
    stage.close().await;
}
