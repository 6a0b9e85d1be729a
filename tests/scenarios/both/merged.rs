//! Two leads that a seller merges.

use super::open;
use crate::deal::{Stage, text};
use mapping::CrmKind;
use serde_json::json;

crate::faults::whatever_fails! {
    a_lead_that_is_merged_into_another_hands_its_referral_on,
    a_lead_that_is_merged_into_another_referrals_is_set_aside,
}

/// A lead's columns, which only leads have by these names.
fn id(stage: &Stage) -> &'static str {
    stage.by("leadid", "Id")
}

fn identifier(stage: &Stage) -> &'static str {
    stage.by("cosell_referralid", "Referral_Identifier__c")
}

#[tokio::test]
async fn a_lead_that_is_merged_into_another_hands_its_referral_on() {
    let stage = open().await;
    let referral = stage.refer_lead(json!({}));
    stage.rest().await;
    let loser = text(&stage.lead(), id(&stage));
    let columns = stage.by(
        json!({ "subject": "Harbor Line", "lastname": "Brandt", "companyname": "Harbor Line" }),
        json!({ "LastName": "Brandt", "Company": "Harbor Line" }),
    );
    let master = stage.sell("leads", columns);
    stage.merge_leads(&master, &loser);
    stage.poll().await;
    stage.poll().await;
    assert_eq!(stage.referral(&referral)["status"], "New", "nobody declined it");
    let lead = stage.rows("leads").into_iter().find(|lead| lead[id(&stage)] == master).expect("the master");
    let words = stage.parked_words().await;
    match stage.crm() {
        // The lead that went into it keeps the identifier, which is a key: it is told, and the rest goes on.
        CrmKind::Dynamics365 => assert!(words.contains("cosell_referralid"), "{words}"),
        CrmKind::Salesforce => assert_eq!(lead[identifier(&stage)], referral),
    }
    assert!(text(&lead, stage.by("cosell_audit", "Audit__c")).contains("merged"), "{lead:#}");
    stage.act(&referral, "accept");
    stage.rest().await;
    stage.poll().await;
    assert_eq!(stage.opportunities().len(), 1, "accepted, the master becomes the opportunity");
    stage.close().await;
}

#[tokio::test]
async fn a_lead_that_is_merged_into_another_referrals_is_set_aside() {
    let stage = open().await;
    let (one, two) = (stage.refer_lead(json!({})), stage.refer_lead(json!({ "name": "Harbor Line again" })));
    stage.rest().await;
    let leads = stage.rows("leads");
    let of = |referral: &str| {
        let lead = leads.iter().find(|lead| lead[identifier(&stage)] == referral);
        text(lead.expect("a lead"), id(&stage))
    };
    stage.merge_leads(&of(&one), &of(&two));
    stage.poll().await;
    stage.poll().await;
    for referral in [&one, &two] {
        assert_eq!(stage.referral(referral)["status"], "New", "nobody declined it");
    }
    let words = stage.parked_words().await;
    assert!(words.contains("merged into") && words.contains("another referral"), "{words}");
    stage.close().await;
}
