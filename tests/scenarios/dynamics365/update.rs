//! Dynamics 365 -> Partner Center: changes of a record that has its referral.

use crate::deal::{SOLUTION, Stage, text};
use serde_json::json;
use simulators::dataverse::{INTEGRATION_USER, OTHER_SELLER, SALES_TEAM_ROLE, STAKEHOLDER_ROLE};

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
    t25_a_colleague_of_the_sales_team_joins_the_referral_and_leaves_it,
    t25_the_contact_shared_with_microsoft_stays_and_the_seller_reads_why,
    t27_a_value_of_zero_is_never_sent,
    t40_our_own_write_coming_back_costs_nothing,
}

#[tokio::test]
async fn t18_a_new_value_is_one_patch_of_the_value() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "estimatedvalue": 72000 }));
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
    let stage = Stage::open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "closeprobability": 35 }));
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
    let stage = Stage::open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "name": "✖ Kestrel Foods - demand planning" }));
    stage.poll().await;
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t21_made_visible_the_consent_is_given() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    stage.edit("opportunities", &id, json!({ "cosell_visibletomicrosoft": true }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.close().await;
}

#[tokio::test]
async fn t22_visibility_turned_off_is_refused_and_restored() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step_without_help(true).await;
    stage.edit("opportunities", &id, json!({ "cosell_visibletomicrosoft": false }));
    stage.poll().await;
    let deal = stage.opportunity();
    assert_eq!(deal["cosell_visibletomicrosoft"], true, "restored");
    assert!(text(&deal, "cosell_audit").contains("cannot be turned off"), "{}", deal["cosell_audit"]);
    assert_eq!(stage.referral(&referral)["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.close().await;
}

/// Another row in Microsoft Solutions.
fn add_another(stage: &Stage, opportunity: &str) -> String {
    let detail = stage.sell(
        "cosell_solutiondetails",
        json!({ "cosell_solutionid": "SOL-77777-XYZ", "cosell_name": "Peak Forecast", "cosell_type": "3P" }),
    );
    stage.sell(
        "cosell_solutions",
        json!({ "cosell_name": "Peak Forecast",
                "cosell_OpportunityId@odata.bind": format!("/opportunities({opportunity})"),
                "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
    )
}

fn solutions(stage: &Stage, referral: &str) -> Vec<String> {
    let referral = stage.referral(referral);
    let solutions = referral["details"]["requirements"]["solutions"].as_array().expect("a list").clone();
    solutions.iter().map(|solution| text(solution, "id")).collect()
}

#[tokio::test]
async fn t24_a_solution_added_later_is_added_to_the_referral() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    add_another(&stage, &id);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), [SOLUTION, "SOL-77777-XYZ"]);
    stage.close().await;
}

#[tokio::test]
async fn t24_a_solution_removed_leaves_the_referral_and_the_last_one_stays() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    let first = text(&stage.rows("cosell_solutions")[0], "cosell_solutionid");
    let second = add_another(&stage, &id);
    stage.poll().await;
    stage.delete("cosell_solutions", &first);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), ["SOL-77777-XYZ"]);
    stage.delete("cosell_solutions", &second);
    stage.poll().await;
    assert_eq!(solutions(&stage, &referral), ["SOL-77777-XYZ"], "Partner Center needs at least one");
    let audit = text(&stage.opportunity(), "cosell_audit");
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
        json!({ "firstname": "Liam", "lastname": "Reed", "telephone1": "+441135550178",
                "emailaddress1": "liam.reed@kestrelfoods.example" }),
    )
}

#[tokio::test]
async fn t25_another_owner_and_another_contact_replace_those_of_the_referral() {
    let stage = Stage::open().await;
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
    stage.edit(
        "opportunities",
        &id,
        json!({ "ownerid@odata.bind": format!("/systemusers({OTHER_SELLER})"),
                "parentcontactid@odata.bind": format!("/contacts({contact})") }),
    );
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
    let stage = Stage::open().await;
    let (_, referral) = stage.in_step_without_help(false).await;
    let contact = text(&stage.rows("contacts")[0], "contactid");
    stage.edit("contacts", &contact, json!({ "telephone1": "+44 113 555 0180", "lastname": "Shah-Lee" }));
    stage.poll().await;
    let person = || stage.referral(&referral)["customerProfile"]["team"][0].clone();
    assert_eq!(
        (text(&person(), "lastName"), text(&person(), "phoneNumber")),
        ("Shah-Lee".to_owned(), "+44 113 555 0180".to_owned())
    );
    stage.edit("contacts", &contact, json!({ "telephone1": null, "firstname": "Priya M." }));
    stage.poll().await;
    assert_eq!(
        (text(&person(), "firstName"), text(&person(), "phoneNumber")),
        ("Priya M.".to_owned(), "+44 113 555 0180".to_owned())
    );
    stage.close().await;
}

#[tokio::test]
async fn t25_a_colleague_of_the_sales_team_joins_the_referral_and_leaves_it() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step_without_help(false).await;
    let joins = |user: &str, role: &str| {
        let columns = json!({ "record1id_opportunity@odata.bind": format!("/opportunities({id})"),
                              "record2id_systemuser@odata.bind": format!("/systemusers({user})"),
                              "record2roleid@odata.bind": format!("/connectionroles({role})") });
        stage.sell("connections", columns)
    };
    let colleague = joins(OTHER_SELLER, SALES_TEAM_ROLE);
    joins(INTEGRATION_USER, STAKEHOLDER_ROLE);
    stage.poll().await;
    let team = || addresses(&stage.referral(&referral)["team"]);
    assert_eq!(team(), ["sara.klein@partner.example", "tom.abara@partner.example"]);
    stage.delete("connections", &colleague);
    // Connections are not tracked as they come: the daily round finds who was taken off.
    stage.advance(24 * 60 * 60);
    stage.poll().await;
    stage.poll().await;
    assert_eq!(team(), ["sara.klein@partner.example"]);
    stage.close().await;
}

#[tokio::test]
async fn t25_the_contact_shared_with_microsoft_stays_and_the_seller_reads_why() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    let contact = another_contact(&stage);
    let columns =
        json!({ "parentcontactid@odata.bind": format!("/contacts({contact})"), "estimatedvalue": 64000 });
    stage.edit("opportunities", &id, columns);
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(addresses(&shown["customerProfile"]["team"]), ["priya.shah@kestrelfoods.example"]);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(64000.0), "the rest goes out");
    let audit = text(&stage.opportunity(), "cosell_audit");
    assert!(audit.contains("the contact was shared with Microsoft"), "{audit}");
    assert_eq!(stage.parked_words().await, "", "it keeps nothing back");
    stage.close().await;
}

#[tokio::test]
async fn t27_a_value_of_zero_is_never_sent() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    stage.edit(
        "opportunities",
        &id,
        json!({ "estimatedvalue": 0, "description": "Value is being recalculated." }),
    );
    stage.poll().await;
    let shown = stage.referral(&referral);
    assert_eq!(shown["details"]["dealValue"].as_f64(), Some(61000.5));
    assert_eq!(shown["details"]["notes"], "Value is being recalculated.", "the other fields go out");
    stage.edit("opportunities", &id, json!({ "estimatedvalue": 62000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(62000.0));
    stage.close().await;
}

#[tokio::test]
async fn t40_our_own_write_coming_back_costs_nothing() {
    let stage = Stage::open().await;
    let (id, _) = stage.in_step().await;
    stage.edit("opportunities", &id, json!({ "description": "Now with customs." }));
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
