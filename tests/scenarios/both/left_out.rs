//! What others write and the CRM cannot take: one word, address, person or amount never keeps a deal out.

use super::{CRM, open};
use crate::deal::{Stage, text};
use mapping::CrmKind;
use serde_json::{Value, json};

crate::faults::whatever_fails! {
    k3_3_what_fits_nowhere_is_left_out_of_a_new_record_and_told_and_heals,
    k3_2_a_contact_without_an_address_that_can_be_is_a_contact_without_one,
    k3_2_a_lead_that_names_nobody_becomes_a_lead,
    k3_8_a_lead_without_a_closing_date_becomes_an_opportunity,
    k3_9_text_with_control_characters_is_stored_without_them,
    k4_9_the_owner_is_found_where_the_team_is_an_object,
    k4_11_the_street_is_both_lines,
    k4_12_entities_are_read_wherever_text_comes_from_partner_center,
    k4_15_an_account_of_another_country_is_no_match,
    k9_4_an_amount_that_is_taken_away_is_taken_away,
    k9_9_likenesses_are_found_whatever_their_first_word_is,
}

fn audit(stage: &Stage) -> String {
    text(&stage.opportunity(), "audit")
}

#[tokio::test]
async fn k3_3_what_fits_nowhere_is_left_out_of_a_new_record_and_told_and_heals() {
    let stage = open().await;
    let referral = stage.refer(json!({
        "details": { "currency": null },
        "inviteContext": { "assistanceRequestCode": "AzureCapacity" },
        "customerProfile": { "address": { "country": "AN" } },
    }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(deal["referral_id"], referral);
    assert!(deal["deal_value"].is_null() && deal["help"].is_null(), "{deal:#}");
    for what in ["an amount without a currency", "`AzureCapacity`", "`AN`"] {
        assert!(audit(&stage).contains(what), "{what} is told: {}", audit(&stage));
    }
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/currency": "CHF" }));
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.opportunity()["deal_value"], 84000.0, "it goes in once it fits");
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(84000.0));
    stage.close().await;
}

#[tokio::test]
async fn k3_2_a_contact_without_an_address_that_can_be_is_a_contact_without_one() {
    let stage = open().await;
    let team = |email: &str| json!({ "team": [{ "firstName": "Max", "lastName": null, "email": email }] });
    for (n, email) in ["n/a", "none@none", "a@b.example; c@d.example"].iter().enumerate() {
        stage.refer(json!({ "name": format!("Harbor {n}"), "customerProfile": team(email) }));
    }
    stage.rest().await;
    let deals = stage.opportunities();
    assert_eq!(deals.len(), 3, "{}", stage.parked_words().await);
    for deal in &deals {
        assert!(text(deal, "audit").contains("is no address"), "{deal:#}");
    }
    let contacts = stage.rows("contacts");
    assert_eq!(contacts.len(), 1, "one customer's Max is one Max");
    assert_eq!((text(&contacts[0], "last_name"), &contacts[0]["email"]), ("Max".into(), &Value::Null));
    stage.close().await;
}

#[tokio::test]
async fn k3_2_a_lead_that_names_nobody_becomes_a_lead() {
    let stage = open().await;
    let referral = stage.refer_lead(json!({ "customerProfile": { "team": [] } }));
    stage.rest().await;
    assert_eq!(stage.lead()["referral_id"], referral, "{}", stage.parked_words().await);
    stage.close().await;
}

#[tokio::test]
async fn k3_8_a_lead_without_a_closing_date_becomes_an_opportunity() {
    let stage = open().await;
    let referral = stage.refer_lead(json!({ "details": { "closingDateTime": null } }));
    stage.rest().await;
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.poll().await;
    let deal = stage.opportunity();
    let shown = |stage: &Stage| stage.referral(&referral)["details"]["closingDateTime"].clone();
    assert!(shown(&stage).is_null(), "nobody set it there");
    if CRM == CrmKind::Salesforce {
        let date = text(&deal, "closing_date");
        assert!(date.ends_with("-12-31"), "the end of the quarter: {date}");
        assert!(text(&deal, "audit").contains(&format!("`{date}` stands here")), "{deal:#}");
    }
    stage.edit("opportunities", &text(&deal, "id"), json!({ "closing_date": "2027-02-28" }));
    stage.poll().await;
    assert!(shown(&stage).as_str().is_some_and(|at| at.starts_with("2027-02-28")), "{}", shown(&stage));
    stage.close().await;
}

#[tokio::test]
async fn k3_9_text_with_control_characters_is_stored_without_them() {
    let stage = open().await;
    let referral = stage.refer(json!({
        "name": "Harbor\u{b}Line\u{1}", "details": { "notes": "one\u{b}two\u{c}three\u{7}" },
        "customerProfile": { "name": "Harbor Line\u{0} AG" },
    }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "notes"), "one\ntwo\nthree", "{}", stage.parked_words().await);
    assert_eq!(text(&stage.rows("accounts")[0], "name"), "Harbor Line AG");
    stage.act(&referral, "accept");
    stage.edit_referral(&referral, json!({ "/details/notes": "four\u{b}five" }));
    stage.rest().await;
    stage.poll().await;
    assert_eq!(text(&stage.opportunity(), "notes"), "four\nfive");
    assert_eq!(text(&stage.referral(&referral)["details"], "notes"), "four\u{b}five", "no echo");
    stage.close().await;
}

#[tokio::test]
async fn k4_9_the_owner_is_found_where_the_team_is_an_object() {
    let stage = open().await;
    stage.refer(json!({ "team": {
        "firstName": "Sara", "lastName": "Klein", "email": "sara.klein@partner.example", "phoneNumber": "1",
    } }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "owner"), stage.seller());
    stage.close().await;
}

#[tokio::test]
async fn k4_11_the_street_is_both_lines() {
    let stage = open().await;
    stage.refer(json!({ "customerProfile": { "address": { "addressLine2": "Hinterhaus" } } }));
    stage.rest().await;
    let account = &stage.rows("accounts")[0];
    let (first, second) = stage.by(("line1", "address1_line2"), ("line1", "line1"));
    let lines = stage.by(["Hafenstrasse 12", "Hinterhaus"], ["Hafenstrasse 12\nHinterhaus"; 2]);
    assert_eq!([text(account, first), text(account, second)], lines);
    stage.close().await;
}

#[tokio::test]
async fn k4_12_entities_are_read_wherever_text_comes_from_partner_center() {
    let stage = open().await;
    let referral = stage.refer(json!({
        "name": "M&#252;ller &amp; S&ouml;hne", "details": { "notes": "O&apos;Neil &lt;soon&gt;" },
        "customerProfile": {
            "name": "M&#252;ller AG",
            "team": [{ "firstName": "Nadia", "lastName": "O&#39;Neil", "email": "nadia@mueller.example" }],
        },
    }));
    stage.rest().await;
    let deal = stage.opportunity();
    assert_eq!(text(&deal, "name"), "✔ Müller & Söhne");
    assert_eq!(text(&deal, "notes"), "O'Neil <soon>");
    assert_eq!(text(&stage.rows("accounts")[0], "name"), "Müller AG");
    assert_eq!(text(&stage.rows("contacts")[0], "last_name"), "O'Neil");
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(text(&shown, "name"), "M&#252;ller &amp; S&ouml;hne", "no echo");
    assert_eq!(text(&shown["details"], "notes"), "O&apos;Neil &lt;soon&gt;");
    stage.close().await;
}

#[tokio::test]
async fn k4_15_an_account_of_another_country_is_no_match() {
    let stage = open().await;
    let account = |country: &str| {
        stage.sell("accounts", json!({ "name": "Harbor Line Logistics AG", "country": country }))
    };
    let german = account(if stage.places_are_picklists() { "Germany" } else { "Deutschland" });
    let referral = stage.refer(json!({ "customerProfile": { "address": { "postalCode": null } } }));
    stage.rest().await;
    assert_eq!(stage.opportunity()["referral_id"], referral);
    let accounts = stage.rows("accounts");
    assert_eq!(accounts.len(), 2, "a Swiss one of its own: {accounts:#?}");
    let own = accounts.iter().map(|row| text(row, "id")).find(|id| *id != german);
    assert_eq!(Some(text(&stage.opportunity(), "account")), own);
    stage.close().await;
}

#[tokio::test]
async fn k9_4_an_amount_that_is_taken_away_is_taken_away() {
    let stage = open().await;
    let (referral, _) = stage.inbound_in_step().await;
    stage.edit_referral(&referral, json!({ "/details/dealValue": null, "/details/currency": null }));
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.parked_words().await, "");
    assert!(stage.opportunity()["deal_value"].is_null());
    stage.close().await;
}

#[tokio::test]
async fn k9_9_likenesses_are_found_whatever_their_first_word_is() {
    let stage = open().await;
    for n in 0..60 {
        stage.sell("accounts", json!({ "name": format!("The Company {n}"), "postal_code": "4057" }));
    }
    let account =
        stage.sell("accounts", json!({ "name": "THE HARBOR-LINE LOGISTICS", "postal_code": "4057" }));
    stage.refer(json!({ "customerProfile": { "name": "The Harbor Line Logistics" } }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "account"), account, "{}", audit(&stage));
    assert!(audit(&stage).contains("reads alike"), "{}", audit(&stage));
    stage.close().await;
}
