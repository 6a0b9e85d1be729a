//! CRM -> Partner Center: changes of a record that has its referral.

use super::open;
use crate::deal::{SOLUTION, Stage, text};
use serde_json::json;

crate::faults::whatever_fails! {
    t18_a_new_value_is_one_patch_of_the_value,
    t19_no_mapped_change_means_no_call,
    t20_only_the_check_mark_is_no_change,
    t21_made_visible_the_consent_is_given,
    t22_visibility_turned_off_is_refused_and_restored,
    t24_a_solution_added_later_is_added_to_the_referral,
    t24_a_solution_removed_leaves_the_referral_and_the_last_one_stays,
    t25_another_owner_and_another_contact_replace_those_of_the_referral,
    t25_a_corrected_person_is_corrected_there_and_what_is_emptied_stays,
    t25_two_people_with_one_address_stay_when_a_third_is_corrected,
    t25_the_contact_shared_with_microsoft_stays_and_the_seller_reads_why,
    t27_a_value_of_zero_is_never_sent,
    t40_our_own_write_coming_back_costs_nothing,
}

#[tokio::test]
async fn t18_a_new_value_is_one_patch_of_the_value() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "deal_value": 72000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(72000.0));
    if !stage.calm() {
        return stage.close().await;
    }
    let sent = stage.sent("PATCH referrals");
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let paths: Vec<_> = sent[0].as_array().unwrap().iter().map(|op| text(op, "path")).collect();
    assert_eq!(
        paths,
        ["/details/dealValue", "/details/currency"],
        "a value means nothing without its currency"
    );
    let patches = stage.partner_center.requests();
    let patch = patches.iter().find(|log| log.method == "PATCH").unwrap();
    assert!(patch.headers.contains_key("if-match"), "conditional");
    assert!(
        !patches.iter().any(|log| log.route == "GET referrals/{id}"),
        "without a read: its settled eTag is known"
    );
    stage.close().await;
}

#[tokio::test]
async fn t19_no_mapped_change_means_no_call() {
    let stage = open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "probability": 35 }));
    stage.advance(60);
    stage.tick().await.unwrap();
    if stage.calm() {
        let calls = stage.partner_center.requests();
        assert!(calls.iter().all(|log| log.route == "GET referrals?"), "the sweep's list only");
    }
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t20_only_the_check_mark_is_no_change() {
    let stage = open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "name": "✖ Kestrel Foods - demand planning" }));
    stage.poll().await;
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t21_made_visible_the_consent_is_given() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    stage.edit("opportunities", &id, json!({ "visible": true }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.close().await;
}

#[tokio::test]
async fn t22_visibility_turned_off_is_refused_and_restored() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(true).await;
    stage.edit("opportunities", &id, json!({ "visible": false }));
    stage.poll().await;
    let deal = stage.opportunity();
    assert_eq!(deal["visible"], true, "restored");
    assert!(text(&deal, "audit").contains("cannot be turned off"), "{}", deal["audit"]);
    assert_eq!(stage.referral(&referral)["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.close().await;
}

/// Another row in Microsoft Solutions.
fn add_another(stage: &Stage, opportunity: &str) -> String {
    stage.add_catalogued(opportunity, "SOL-77777-XYZ", "Peak Forecast")
}

fn solutions(stage: &Stage, referral: &str) -> Vec<String> {
    let referral = stage.referral(referral);
    let solutions = referral["details"]["requirements"]["solutions"].as_array().expect("a list").clone();
    solutions.iter().map(|solution| text(solution, "id")).collect()
}

#[tokio::test]
async fn t24_a_solution_added_later_is_added_to_the_referral() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    add_another(&stage, &id);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), [SOLUTION, "SOL-77777-XYZ"]);
    stage.close().await;
}

#[tokio::test]
async fn t24_a_solution_removed_leaves_the_referral_and_the_last_one_stays() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let first = text(&stage.rows("solutions")[0], "id");
    let second = add_another(&stage, &id);
    stage.poll().await;
    stage.delete("solutions", &first);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), ["SOL-77777-XYZ"]);
    stage.delete("solutions", &second);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), ["SOL-77777-XYZ"], "Partner Center needs at least one");
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains("the last one cannot be removed"), "{audit}");
    stage.close().await;
}

fn addresses(list: &serde_json::Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|person| text(person, "email")).collect()
}

/// Another person at the customer.
fn another_contact(stage: &Stage) -> String {
    stage.sell(
        "contacts",
        json!({ "first_name": "Liam", "last_name": "Reed", "phone": "+441135550178",
                "email": "liam.reed@kestrelfoods.example" }),
    )
}

#[tokio::test]
async fn t25_another_owner_and_another_contact_replace_those_of_the_referral() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    // Somebody in Partner Center knows one more person on each side: per element, nobody's is lost.
    let (mut ours, mut theirs) = {
        let shown = stage.referral(&referral);
        (shown["team"].clone(), shown["customerProfile"]["team"].clone())
    };
    ours.as_array_mut().expect("a list").push(json!({
        "firstName": "Omar", "lastName": "Haddad", "phoneNumber": "+442075550199",
        "email": "omar.haddad@juniperpeak.example",
    }));
    theirs.as_array_mut().expect("a list").push(json!({
        "firstName": "Ada", "lastName": "Moss", "phoneNumber": "+441135550179",
        "email": "ada.moss@kestrelfoods.example",
    }));
    stage.edit_referral(&referral, json!({ "/team": ours, "/customerProfile/team": theirs }));
    stage.rest().await;
    let contact = another_contact(&stage);
    stage.set_contact(&id, &contact);
    stage.give_to(&id, stage.other_seller());
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(addresses(&shown["team"]), ["omar.haddad@juniperpeak.example", "tom.abara@partner.example"]);
    assert_eq!(
        addresses(&shown["customerProfile"]["team"]),
        ["ada.moss@kestrelfoods.example", "liam.reed@kestrelfoods.example"]
    );
    stage.close().await;
}

#[tokio::test]
async fn t25_a_corrected_person_is_corrected_there_and_what_is_emptied_stays() {
    let stage = open().await;
    let (_, referral) = stage.in_step_without_help(false).await;
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": "+44 113 555 0180", "last_name": "Shah-Lee" }));
    stage.poll().await;
    let person = || stage.referral(&referral)["customerProfile"]["team"][0].clone();
    assert_eq!(
        (text(&person(), "lastName"), text(&person(), "phoneNumber")),
        ("Shah-Lee".to_owned(), "+44 113 555 0180".to_owned())
    );
    stage.edit("contacts", &contact, json!({ "phone": null, "first_name": "Priya M." }));
    stage.poll().await;
    assert_eq!(
        (text(&person(), "firstName"), text(&person(), "phoneNumber")),
        ("Priya M.".to_owned(), "+44 113 555 0180".to_owned())
    );
    stage.close().await;
}

#[tokio::test]
async fn t25_two_people_with_one_address_stay_when_a_third_is_corrected() {
    let stage = open().await;
    let (_, referral) = stage.in_step_without_help(false).await;
    let mut people = stage.referral(&referral)["customerProfile"]["team"].clone();
    for (first, last, phone) in [("Bob", "Moss", "+441135550172"), ("Ann", "Reed", "+441135550171")] {
        people.as_array_mut().expect("a list").insert(
            0,
            json!({ "firstName": first, "lastName": last, "phoneNumber": phone, "email": "office@kestrelfoods.example",
                    "title": "Buyer", "contactPreference": { "disableNotifications": true, "locale": "en-gb" } }),
        );
    }
    stage.edit_referral(&referral, json!({ "/customerProfile/team": people }));
    stage.rest().await;
    let mut wanted = stage.referral(&referral)["customerProfile"]["team"].clone();
    assert_eq!(text(&wanted[1], "firstName"), "Bob");
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": "+44 113 555 0180" }));
    stage.poll().await;
    wanted[2]["phoneNumber"] = json!("+44 113 555 0180");
    assert_eq!(stage.referral(&referral)["customerProfile"]["team"], wanted);
    stage.close().await;
}

#[tokio::test]
async fn t25_the_contact_shared_with_microsoft_stays_and_the_seller_reads_why() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    let contact = another_contact(&stage);
    stage.set_contact(&id, &contact);
    stage.edit("opportunities", &id, json!({ "deal_value": 64000 }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(addresses(&shown["customerProfile"]["team"]), ["priya.shah@kestrelfoods.example"]);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(64000.0), "the rest goes out");
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains("the contact was shared with Microsoft"), "{audit}");
    assert_eq!(stage.parked_words().await, "", "it keeps nothing back");
    stage.close().await;
}

#[tokio::test]
async fn t27_a_value_of_zero_is_never_sent() {
    let stage = open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "deal_value": 0, "notes": "Value is being recalculated." }));
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(61000.5));
    assert_eq!(shown["details"]["notes"], "Value is being recalculated.", "the other fields go out");
    stage.edit("opportunities", &id, json!({ "deal_value": 62000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(62000.0));
    stage.close().await;
}

#[tokio::test]
async fn t40_our_own_write_coming_back_costs_nothing() {
    let stage = open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "notes": "Now with customs." }));
    stage.advance(60);
    stage.tick().await.unwrap();
    if stage.calm() {
        assert_eq!(stage.writes(), 1);
        stage.forget_calls();
    }
    stage.rest().await;
    if stage.calm() {
        assert!(stage.calls().is_empty(), "its webhook is recognised without a call: {:?}", stage.calls());
    }
    stage.close().await;
}
