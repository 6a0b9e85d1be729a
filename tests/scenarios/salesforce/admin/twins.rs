//! Orgs that have Microsoft's package, or its fields made by hand from the page of 2020.

use super::{bare, row};
use crate::{
    answers::{command, told, words},
    deal::text,
};
use serde_json::json;

#[tokio::test]
async fn the_packages_fields_are_found_an_override_is_ready_and_none_is_doubled() {
    let stage = bare(Some("MSPC")).await;
    let (ok, told_so) = told(&stage, json!({ "command": "provision" })).await;
    let cause = "`Opportunity.Audit__c` is not there, but `Opportunity.MSPC__Audit__c` looks like it";
    assert!(!ok && told_so.contains(cause) && told_so.contains("made field"), "{told_so}");
    let seen = stage.call(json!({ "command": "doctor" })).await;
    assert!(words(&seen).contains("MSPC__Referral_Identifier__c"), "{}", words(&seen));
    let toml = seen["data"]["override"].as_str().expect("an override").to_owned();
    assert!(toml.contains("fields.referral_id.crm = \"MSPC__Referral_Identifier__c\"\n"), "{toml}");
    assert!(toml.contains("audit.crm = \"MSPC__Audit__c\"\n"), "{toml}");
    // As it stands it is a map; but a key that is not unique would not keep deals single.
    let refused = stage.call(json!({ "command": "map", "action": "set", "map": toml })).await;
    let faults = words(&refused);
    assert!(faults.contains("is no unique external id") && faults.contains("one of your own"), "{faults}");
    let now = stage.now();
    {
        // The admin makes a key of the org's own.
        let key = json!({ "type": "Text", "label": "Referral key", "length": 100, "externalId": true,
                          "unique": true, "caseSensitive": false });
        stage.salesforce.system().add_custom_field("Opportunity.Referral_Key__c", &key, true, now).unwrap();
    }
    let own = toml.replace("MSPC__Referral_Identifier__c", "Referral_Key__c");
    command(&stage, json!({ "command": "map", "action": "set", "map": own })).await;
    stage.advance(120);
    let made = words(&command(&stage, json!({ "command": "provision" })).await);
    assert!(!made.contains("made field"), "{made}");
    let names: Vec<String> = stage.salesforce.system().field_names("Opportunity");
    assert_eq!(names.iter().filter(|name| name.ends_with("Audit__c")).count(), 1, "{names:?}");
    let (ok, healthy) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok, "{healthy}");
    let referral = stage.refer(json!({ "details": { "currency": "EUR" } }));
    stage.rest().await;
    let deal = row(&stage, "Opportunity", "Referral_Key__c", &referral);
    assert_eq!(text(&deal, "StageName"), "Qualification");
    assert_eq!(deal["MSPC__Sync_with_Partner_Center__c"], true, "{deal:#}");
    stage.close().await;
}

#[tokio::test]
async fn fields_made_by_hand_in_2020_are_used_and_completed() {
    let stage = bare(Some("")).await;
    let made = words(&command(&stage, json!({ "command": "provision" })).await);
    assert!(made.contains("made unique external id `Opportunity.Referral_Identifier__c`"), "{made}");
    for theirs in ["Audit__c`", "Referral_Link__c`"] {
        assert!(!made.contains(&format!("made field `Opportunity.{theirs}")), "{made}");
    }
    command(&stage, json!({ "command": "doctor" })).await;
}
