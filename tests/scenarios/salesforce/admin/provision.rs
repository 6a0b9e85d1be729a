//! Objects, fields and rights in an org that has none of them.

use super::{bare, open, row, rows, shared_deal};
use crate::{
    answers::{command, told, words},
    deal::text,
};
use serde_json::json;
use simulators::salesforce::{CLIENT_ID, PRIVATE_KEY_PEM, USERNAME};

#[tokio::test]
async fn everything_is_made_once_and_a_deal_goes_both_ways() {
    let stage = bare(None).await;
    let (ok, missing) = told(&stage, json!({ "command": "doctor" })).await;
    for what in
        ["`Opportunity.Referral_Identifier__c`", "no object `Microsoft_Solution__c`", "Cosell_Connector"]
    {
        assert!(!ok && missing.contains(what), "{what}: {missing}");
    }
    let made = command(&stage, json!({ "command": "provision" })).await;
    for what in [
        "made object `Microsoft_Solution__c`",
        "made object `Microsoft_Solution_Detail__c`",
        "made field `Opportunity.How_can_Microsoft_help__c`",
        "made field `Microsoft_Solution__c.Opportunity__c`",
        "made field `Account.Partner_Center_Customer_Key__c`",
        "made permission set `Cosell_Connector`",
        "made rights on object `Microsoft_Solution__c`",
        "made rights on field `Opportunity.Audit__c`",
        "made the permission set's assignment to",
    ] {
        assert!(words(&made).contains(what), "{what}: {}", words(&made));
    }
    assert!(!words(&made).contains("warning"), "{}", words(&made));
    let again = command(&stage, json!({ "command": "provision" })).await;
    assert_eq!(again["data"]["made"], json!([]), "{again:#}");
    let (ok, healthy) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && healthy.contains("are there and fit"), "{healthy}");
    // The fields are what the connector writes and reads.
    let deal = shared_deal(&stage);
    stage.poll().await;
    stage.settle().await.unwrap();
    let own = text(&row(&stage, "Opportunity", "Id", &deal), "Referral_Identifier__c");
    assert_eq!(stage.referral(&own)["externalReferenceId"], deal);
    let referral = stage.refer(json!({ "details": { "currency": "EUR" } }));
    stage.rest().await;
    stage.poll().await;
    let made = row(&stage, "Opportunity", "Referral_Identifier__c", &referral);
    let solutions = rows(&stage, "Microsoft_Solution__c");
    assert!(solutions.iter().any(|row| row["Opportunity__c"] == made["Id"]), "{solutions:#?}");
    stage.close().await;
}

#[tokio::test]
async fn what_stopped_half_way_is_completed() {
    let stage = bare(None).await;
    let fault = simulators::server::Fault {
        route: "POST composite".into(),
        skip: 2,
        times: 1,
        kind: simulators::server::FaultKind::Answer {
            status: 503,
            headers: [].into(),
            body: "<html>busy</html>".into(),
        },
    };
    stage.salesforce.fault(fault);
    let (ok, told) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told.contains("503") && told.contains("made field"), "{told}");
    let rest = command(&stage, json!({ "command": "provision" })).await;
    assert!(!words(&rest).contains("made field") && words(&rest).contains("made rights"), "{}", words(&rest));
    command(&stage, json!({ "command": "doctor" })).await;
}

#[tokio::test]
async fn what_is_there_and_incomplete_is_completed_without_loss() {
    let stage = open().await;
    let now = stage.now();
    let help = "Opportunity.How_can_Microsoft_help__c";
    {
        let mut org = stage.salesforce.system();
        let values = json!([{ "valueName": "Proof of concept or demo", "label": "PoC", "default": false }]);
        let set = json!({ "restricted": true, "valueSetDefinition": { "sorted": false, "value": values } });
        org.alter_field(help, &json!({ "valueSet": set, "inlineHelpText": "ask" }), now).unwrap();
        let key = json!({ "unique": false, "externalId": false });
        org.alter_field("Account.Partner_Center_Customer_Key__c", &key, now).unwrap();
        org.grant("Opportunity", "Audit__c", true, false);
    }
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    for what in [
        "no active value `Quotes or licensing`",
        "no unique external id",
        "may not edit `Opportunity.Audit__c`",
    ] {
        assert!(!ok && told.contains(what), "{what}: {told}");
    }
    let made = words(&command(&stage, json!({ "command": "provision" })).await);
    for what in
        ["made unique external id `Account.Partner_Center_Customer_Key__c`", "values of `Opportunity.How_can"]
    {
        assert!(made.contains(what), "{what}: {made}");
    }
    command(&stage, json!({ "command": "doctor" })).await;
    let again = command(&stage, json!({ "command": "provision" })).await;
    assert_eq!(again["data"]["made"], json!([]), "{again:#}");
    let held = stage.salesforce.system().definition_of(help);
    assert_eq!(held["inlineHelpText"], "ask", "{held:#}");
    assert_eq!(held["valueSet"]["valueSetDefinition"]["value"][0]["label"], "PoC");
}

#[tokio::test]
async fn a_field_of_the_orgs_own_is_not_made_and_a_refused_deployment_makes_nothing() {
    let mut stage = bare(None).await;
    stage.remap("[fields.deal_value]\ncrm = \"Deal_Size__c\"\n");
    let (ok, first) = told(&stage, json!({ "command": "provision" })).await;
    assert!(
        !ok && first.contains("`Opportunity.Deal_Size__c` (Amount) is not there, and not ours"),
        "{first}"
    );
    assert!(first.contains("fields.deal_value.crm") && first.contains("made field"), "{first}");
    let stage = bare(None).await;
    stage.salesforce.system().switches.most_custom_fields = 3;
    let (ok, full) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && full.contains("not deployed") && full.contains("maximum"), "{full}");
    assert!(!full.contains("made "), "{full}");
}

#[tokio::test]
async fn who_may_not_customize_is_told_so_and_an_unknown_user_too() {
    let stage = bare(None).await;
    let own = json!({ "client_id": CLIENT_ID, "username": USERNAME, "private_key": PRIVATE_KEY_PEM });
    stage.aws.system().put_secret("crm-admin", &own.to_string());
    let (ok, told_so) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told_so.contains("Customize Application"), "{told_so}");
    stage.aws.system().put_secret("crm-admin", &json!({ "client_id": CLIENT_ID }).to_string());
    let (ok, told_so) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told_so.contains("no `username`"), "{told_so}");
}
