//! Dynamics 365 -> Partner Center.

use crate::deal::{Stage, text};
use serde_json::json;

crate::faults::whatever_fails! {
    t05_sync_no_means_no_call,
    t06_a_cosell_deal_becomes_one_engagement_with_two_referrals,
    t07_t08_without_help_it_is_private_or_partner_led,
    t13_the_same_record_twice_makes_one_engagement,
    t18_a_new_value_is_one_patch_of_the_value,
    t19_no_mapped_change_means_no_call,
    t20_only_the_check_mark_is_no_change,
    t40_our_own_write_coming_back_costs_nothing,
    t66_saved_without_a_solution_it_heals_when_one_is_added,
    t24_a_solution_added_later_is_added_to_the_referral,
}

#[tokio::test]
async fn t05_sync_no_means_no_call() {
    let stage = Stage::open().await;
    let deal = stage.deal(json!({ "cosell_helprequested": 100_000_003 }));
    stage.add_solution(&deal);
    stage.edit("opportunities", &deal, json!({ "cosell_syncwithpartnercenter": false }));
    stage.poll().await;
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    assert_eq!(stage.writes(), 0);
    stage.close().await;
}

#[tokio::test]
async fn t06_a_cosell_deal_becomes_one_engagement_with_two_referrals() {
    let stage = Stage::open().await;
    let id = stage.cosell_deal();
    stage.poll().await;
    let deal = stage.opportunity();
    let own = text(&deal, "cosell_referralid");
    let engagement = text(&stage.referral(&own), "engagementId");
    {
        let system = stage.partner_center.system();
        let halves = system.engagement(&engagement);
        assert_eq!(system.referrals().len(), 2, "two referrals in all");
        assert_eq!(halves.len(), 2, "of one engagement");
    }
    let referral = stage.referral(&own);
    assert_eq!(referral["externalReferenceId"], id);
    assert_eq!(referral["type"], "Shared");
    assert_eq!(referral["status"], "Active");
    assert_eq!(referral["name"], "Kestrel Foods - demand planning", "without the mark");
    assert_eq!(referral["details"]["dealValue"].as_f64(), Some(61000.5));
    assert_eq!(referral["details"]["currency"], "CHF");
    assert_eq!(referral["customerProfile"]["address"]["country"], "GB");
    assert_eq!(referral["customerProfile"]["team"][0]["email"], "priya.shah@kestrelfoods.example");
    assert_eq!(referral["details"]["requirements"]["solutions"][0]["id"], crate::deal::SOLUTION);
    assert!(text(&deal, "cosell_referrallink").ends_with(&own));
    assert!(text(&deal, "cosell_audit").contains("co-sell engagement created"), "{}", deal["cosell_audit"]);
    assert_eq!(text(&deal, "name"), "✔ Kestrel Foods - demand planning");
    assert_eq!(deal["cosell_visibletomicrosoft"], true, "help forces it on");
    stage.settle().await.unwrap();
    assert_eq!(stage.opportunities().len(), 1, "the engagement coming back makes nothing new");
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn t07_t08_without_help_it_is_private_or_partner_led() {
    for visible in [false, true] {
        let stage = Stage::open().await;
        let id = stage.deal(json!({ "cosell_visibletomicrosoft": visible }));
        stage.add_solution(&id);
        stage.edit("opportunities", &id, json!({ "cosell_syncwithpartnercenter": true }));
        stage.poll().await;
        let own = text(&stage.opportunity(), "cosell_referralid");
        let referral = stage.referral(&own);
        assert_eq!(referral["type"], "Independent");
        assert_eq!(referral["consent"]["consentToShareReferralWithMicrosoftSellers"], visible);
        assert_eq!(stage.partner_center.system().referrals().len(), 1);
        stage.close().await;
    }
}

#[tokio::test]
async fn t13_the_same_record_twice_makes_one_engagement() {
    let stage = Stage::open().await;
    let id = stage.cosell_deal();
    for n in 0..3 {
        let at = stage.now();
        let hint = json!({ "v": 1, "kind": "record", "record": format!("opportunity/{id}"), "from": "poll", "at": at });
        stage.plant(&format!("opportunity/{id}-{n}"), &hint.to_string());
    }
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    if stage.calm() {
        assert_eq!(stage.sent("POST referrals").len(), 2);
    }
    stage.close().await;
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

#[tokio::test]
async fn t66_saved_without_a_solution_it_heals_when_one_is_added() {
    let stage = Stage::open().await;
    let id = stage.deal(json!({ "cosell_helprequested": 100_000_003, "cosell_syncwithpartnercenter": true }));
    stage.poll().await;
    assert!(stage.partner_center.system().referrals().is_empty());
    let deal = stage.opportunity();
    assert!(text(&deal, "cosell_audit").contains("Microsoft Solutions"), "{}", deal["cosell_audit"]);
    assert!(text(&deal, "name").starts_with('✖'));
    assert!(stage.parked_words().await.contains("Microsoft Solutions"));
    stage.add_solution(&id);
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
    assert!(text(&stage.opportunity(), "name").starts_with('✔'));
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn t24_a_solution_added_later_is_added_to_the_referral() {
    let stage = Stage::open().await;
    let (id, referral) = stage.in_step().await;
    let detail = stage.sell(
        "cosell_solutiondetails",
        json!({ "cosell_solutionid": "SOL-77777-XYZ", "cosell_name": "Peak Forecast", "cosell_type": "3P" }),
    );
    stage.sell(
        "cosell_solutions",
        json!({ "cosell_name": "Peak Forecast",
                "cosell_OpportunityId@odata.bind": format!("/opportunities({id})"),
                "cosell_SolutionDetailId@odata.bind": format!("/cosell_solutiondetails({detail})") }),
    );
    stage.poll().await;
    let referral = stage.referral(&referral);
    let solutions = referral["details"]["requirements"]["solutions"].as_array().unwrap();
    assert_eq!(solutions.len(), 2, "{solutions:#?}");
    stage.close().await;
}
