//! Microsoft in a deal: asked for help at once or later, its answer, and what can no longer be taken back.

use super::open;
use crate::deal::{Stage, text};
use serde_json::{Value, json};
use simulators::partner_center::switches::RelatedEventNames;

crate::faults::whatever_fails! {
    t23_help_added_later_invites_microsoft_into_the_existing_engagement,
    t23_help_added_to_a_visible_deal_invites_microsoft_into_the_existing_engagement,
    t23_help_without_a_complete_contact_waits_for_it_and_the_deal_goes_on,
    t47_microsofts_acceptance_fills_its_identifier_and_nothing_else,
    t47_microsofts_acceptance_is_found_by_its_own_half,
    t48_microsoft_declines_and_the_seller_reads_why,
    t48_what_no_event_told_is_found_by_the_daily_round,
    t63_help_changed_or_emptied_after_sending_is_refused_and_restored,
    t63_help_asked_later_is_kept_too,
    t64_help_makes_the_deal_visible,
    t65_a_visible_deal_converted_in_partner_center_is_shown_and_creates_nothing,
}

/// Both halves of the only engagement: our own, Microsoft's.
fn halves(stage: &Stage, own: &str) -> (Value, Value) {
    let engagement = text(&stage.referral(own), "engagementId");
    let system = stage.partner_center.system();
    assert_eq!(system.referrals().len(), 2, "two referrals in all");
    let both = system.engagement(&engagement);
    let of = |ours: bool| {
        let mut one = both.iter().filter(|half| (half["id"] == own) == ours);
        (*one.next().expect("one of each")).clone()
    };
    (of(true), of(false))
}

async fn help_added_later(visible: bool) {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(visible).await;
    stage.edit("opportunities", &id, json!({ "help": "ProofOfConceptOrDemo" }));
    stage.poll().await;
    let (own, microsofts) = halves(&stage, &referral);
    assert_eq!(own["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    assert_eq!((&own["status"], &own["substatus"]), (&json!("Active"), &json!("Accepted")));
    assert_eq!((&microsofts["status"], &microsofts["type"]), (&json!("New"), &json!("Shared")));
    assert_eq!(microsofts["inviteContext"]["assistanceRequestCode"], "ProofOfConceptOrDemo");
    if stage.calm() {
        assert_eq!(stage.sent("POST referrals").len(), 1, "Microsoft's half only");
    }
    let deal = stage.opportunity();
    assert_eq!(deal["visible"], true);
    assert_eq!(deal["help"], "ProofOfConceptOrDemo");
    assert!(text(&deal, "audit").contains("co-sell engagement created"), "{}", deal["audit"]);
    // It stays in step.
    stage.edit("opportunities", &id, json!({ "deal_value": 70000 }));
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(70000.0));
    stage.close().await;
}

#[tokio::test]
async fn t23_help_added_later_invites_microsoft_into_the_existing_engagement() {
    help_added_later(false).await;
}

#[tokio::test]
async fn t23_help_added_to_a_visible_deal_invites_microsoft_into_the_existing_engagement() {
    help_added_later(true).await;
}

#[tokio::test]
async fn t23_help_without_a_complete_contact_waits_for_it_and_the_deal_goes_on() {
    let stage = open().await;
    let (id, referral) = stage.in_step_without_help(true).await;
    let contact = text(&stage.rows("contacts")[0], "id");
    stage.edit("contacts", &contact, json!({ "phone": null }));
    stage.edit("opportunities", &id, json!({ "help": "ProofOfConceptOrDemo", "deal_value": 70000 }));
    stage.poll().await;
    assert_eq!(stage.partner_center.system().referrals().len(), 1);
    assert_eq!(stage.referral(&referral)["details"]["dealValue"].as_f64(), Some(70000.0));
    let audit = text(&stage.opportunity(), "audit");
    assert!(audit.contains(stage.by("Business Phone", "Contact: Phone")), "{audit}");
    stage.edit("contacts", &contact, json!({ "phone": "+441135550177" }));
    stage.poll().await;
    halves(&stage, &referral);
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

/// What a seller may write, before and after.
fn of_the_seller(deal: &Value) -> Value {
    let ours = [
        // Dynamics 365's and Salesforce's.
        ["versionnumber", "modifiedon", "_modifiedby_value", "cosell_audit", "cosell_microsoftcrmid"],
        ["SystemModstamp", "LastModifiedDate", "LastModifiedById", "Audit__c", "Microsoft_CRM_Identifier__c"],
    ];
    let ours: Vec<&str> = ours.into_iter().flatten().chain(["audit", "microsoft_crm_id"]).collect();
    let mut deal = deal.clone();
    deal.as_object_mut().expect("a row").retain(|name, _| !ours.iter().any(|ours| name.starts_with(ours)));
    deal
}

async fn microsoft_accepts(on_own: bool, names: RelatedEventNames) {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    {
        let mut system = stage.partner_center.system();
        system.switches.msx_id_on_own = on_own;
        system.switches.related_event_names = names;
    }
    let before = (stage.opportunity(), stage.referral(&referral));
    let half = stage.microsoft(&referral, "accept", None);
    stage.rest().await;
    let (deal, own) = (stage.opportunity(), stage.referral(&referral));
    assert_eq!(deal["microsoft_crm_id"], stage.referral(&half)["trackingInfo"]["microsoftMsxId"]);
    assert!(!text(&deal, "microsoft_crm_id").is_empty());
    assert_eq!(of_the_seller(&deal), of_the_seller(&before.0), "and nothing else");
    assert_eq!((&own["status"], &own["substatus"]), (&before.1["status"], &before.1["substatus"]));
    let audit = text(&deal, "audit");
    assert!(audit.contains("Microsoft accepted") && audit.contains("Sam Ortiz"), "{audit}");
    if stage.calm() {
        assert!(stage.sent("PATCH referrals").is_empty());
    }
    // What the own half does not show is not lost with its next change.
    stage.edit_referral(&referral, json!({ "/details/dealValue": 68000 }));
    stage.rest().await;
    let after = stage.opportunity();
    assert_eq!(after["deal_value"], 68000.0);
    assert_eq!(after["microsoft_crm_id"], deal["microsoft_crm_id"]);
    stage.close().await;
}

#[tokio::test]
async fn t47_microsofts_acceptance_fills_its_identifier_and_nothing_else() {
    microsoft_accepts(true, RelatedEventNames::Own).await;
}

#[tokio::test]
async fn t47_microsofts_acceptance_is_found_by_its_own_half() {
    microsoft_accepts(false, RelatedEventNames::Sibling).await;
}

#[tokio::test]
async fn t48_microsoft_declines_and_the_seller_reads_why() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    stage.microsoft(&referral, "decline", Some("No matching Microsoft customer record"));
    stage.rest().await;
    let (deal, own) = (stage.opportunity(), stage.referral(&referral));
    let audit = text(&deal, "audit");
    assert!(audit.contains("Microsoft declined: No matching Microsoft customer record"), "{audit}");
    assert_eq!((&own["status"], &own["substatus"]), (&json!("Active"), &json!("Accepted")));
    assert_eq!(deal["state"], "active");
    if stage.calm() {
        assert!(stage.sent("PATCH referrals").is_empty());
    }
    stage.close().await;
}

/// The seller chooses other help, then none.
async fn help_is_kept(stage: &Stage, opportunity: &str) {
    for choice in [json!("GeneralOrOther"), Value::Null] {
        stage.edit("opportunities", opportunity, json!({ "help": choice }));
        stage.poll().await;
        let deal = stage.opportunity();
        assert_eq!(deal["help"], "ProofOfConceptOrDemo", "restored");
        let audit = text(&deal, "audit");
        assert!(audit.contains("can no longer be changed"), "{audit}");
    }
    assert_eq!(stage.partner_center.system().referrals().len(), 2);
}

#[tokio::test]
async fn t48_what_no_event_told_is_found_by_the_daily_round() {
    let stage = open().await;
    let (_, referral) = stage.in_step().await;
    stage.poll().await;
    stage.microsoft(&referral, "decline", Some("Not our customer."));
    stage.partner_center.system().lose();
    stage.poll().await;
    let audit = || text(&stage.opportunity(), "audit");
    assert!(!audit().contains("Not our customer."), "the sweep lists our own half only: {}", audit());
    stage.advance(24 * 60 * 60);
    stage.poll().await;
    assert!(audit().contains("Not our customer."), "{}", audit());
    stage.poll().await;
    assert_eq!(stage.parked_words().await, "");
    stage.close().await;
}

#[tokio::test]
async fn t63_help_changed_or_emptied_after_sending_is_refused_and_restored() {
    let stage = open().await;
    let (id, _) = stage.in_step().await;
    help_is_kept(&stage, &id).await;
    stage.close().await;
}

#[tokio::test]
async fn t63_help_asked_later_is_kept_too() {
    let stage = open().await;
    let (id, _) = stage.in_step_without_help(true).await;
    stage.edit("opportunities", &id, json!({ "help": "ProofOfConceptOrDemo" }));
    stage.poll().await;
    help_is_kept(&stage, &id).await;
    stage.close().await;
}

#[tokio::test]
async fn t64_help_makes_the_deal_visible() {
    let stage = open().await;
    let id = stage.deal(json!({ "help": "ProofOfConceptOrDemo", "visible": false }));
    stage.add_solution(&id);
    stage.edit("opportunities", &id, json!({ "sync": true }));
    stage.poll().await;
    let deal = stage.opportunity();
    assert_eq!(deal["visible"], true);
    let referral = stage.referral(&text(&deal, "referral_id"));
    assert_eq!(referral["consent"]["consentToShareReferralWithMicrosoftSellers"], true);
    stage.edit("opportunities", &id, json!({ "visible": false }));
    stage.poll().await;
    assert_eq!(stage.opportunity()["visible"], true, "on is final");
    stage.close().await;
}

#[tokio::test]
async fn t65_a_visible_deal_converted_in_partner_center_is_shown_and_creates_nothing() {
    for names in [RelatedEventNames::Own, RelatedEventNames::Sibling] {
        let stage = open().await;
        let (id, referral) = stage.in_step_without_help(true).await;
        stage.partner_center.system().switches.related_event_names = names;
        let now = stage.now();
        stage.partner_center.system().convert(&referral, now).expect("converted");
        stage.rest().await;
        let audit = text(&stage.opportunity(), "audit");
        assert!(audit.contains("Microsoft was asked for help in Partner Center"), "{audit}");
        halves(&stage, &referral);
        stage.edit("opportunities", &id, json!({ "help": "ProofOfConceptOrDemo" }));
        stage.poll().await;
        halves(&stage, &referral);
        if stage.calm() {
            assert!(stage.sent("POST referrals").is_empty(), "no second engagement, no second half");
        }
        assert_eq!(stage.opportunity()["help"], json!(null), "nothing was asked by this record");
        stage.close().await;
    }
}
