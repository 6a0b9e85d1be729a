//! Columns, tables, lookups and keys in an organisation that has none of them.

use super::{command, told, words};
use crate::deal::{Stage, text};
use serde_json::json;

/// An organisation as it is before anything of ours was made; only its administrator may make it.
async fn bare() -> Stage {
    let stage = Stage::open().await;
    stage.dataverse.system().unprovision();
    stage.dataverse.system().switches.only_administrators_customize = true;
    stage
}

#[tokio::test]
async fn everything_is_made_once_and_a_deal_goes_both_ways() {
    let stage = bare().await;
    let (ok, missing) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(
        !ok && missing.contains("opportunity.cosell_referralid") && missing.contains("`cosell_solution`"),
        "{missing}"
    );
    let made = command(&stage, json!({ "command": "provision" })).await;
    for what in [
        "the solution CosellConnector",
        "table `cosell_solution`",
        "table `cosell_solutiondetail`",
        "column `opportunity.cosell_helprequested` (How can Microsoft help?)",
        "column `lead.cosell_audit` (Audit)",
        "column `account.cosell_customerkey`",
        "lookup `cosell_solution.cosell_OpportunityId`",
        "lookup `cosell_solution.cosell_SolutionDetailId`",
        "key `opportunity.cosell_referralid`",
        "key `cosell_solutiondetail.cosell_solutionid`",
    ] {
        assert!(words(&made).contains(what), "{what}: {}", words(&made));
    }
    assert!(!words(&made).contains("warning"), "{}", words(&made));
    let again = command(&stage, json!({ "command": "provision" })).await;
    assert_eq!(again["data"]["made"], json!([]), "{again:#}");
    let (ok, healthy) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && healthy.contains("are there and fit"), "{healthy}");
    // The columns are what the connector writes and reads.
    let referral = stage.refer(json!({}));
    stage.rest().await;
    stage.poll().await;
    assert_eq!(text(&stage.opportunity(), "cosell_referralid"), referral);
    assert_eq!(stage.rows("cosell_solutions").len(), 1);
    let deal = stage.cosell_deal();
    stage.poll().await;
    let deals = stage.opportunities();
    let deal = deals.iter().find(|row| row["opportunityid"] == *deal).unwrap();
    assert!(deal["cosell_referralid"].is_string(), "{deal:#}");
    stage.close().await;
}

#[tokio::test]
async fn an_organisation_that_does_not_speak_english_has_its_labels_in_its_own_language() {
    let stage = bare().await;
    stage.dataverse.system().base_language(1031);
    command(&stage, json!({ "command": "provision" })).await;
    let form = stage.dataverse.system().form("Main", "opportunity");
    assert!(form.contains("description=\"Microsoft Partner Center\" languagecode=\"1031\""), "{form}");
    command(&stage, json!({ "command": "doctor" })).await;
}

#[tokio::test]
async fn what_stopped_half_way_is_completed() {
    let stage = bare().await;
    let fault = simulators::server::Fault {
        route: "POST EntityDefinitions/{key}/Attributes".into(),
        skip: 5,
        times: 1,
        kind: simulators::server::FaultKind::Answer {
            status: 503,
            headers: [].into(),
            body: "<html>busy</html>".into(),
        },
    };
    stage.dataverse.fault(fault);
    let (ok, told) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told.contains("503") && told.contains("made column"), "{told}");
    command(&stage, json!({ "command": "provision" })).await;
    command(&stage, json!({ "command": "doctor" })).await;
}

#[tokio::test]
async fn what_no_time_was_left_for_is_told_as_unfinished_and_made_by_the_next_call() {
    let stage = bare().await;
    // 20 seconds are the answer's; no column is begun with less than half a minute before them.
    let cut = stage.call_for(json!({ "command": "provision" }), 45).await;
    assert!(cut["ok"] == true && cut["data"]["done"] == false, "{cut:#}");
    assert!(words(&cut).contains("no time left"), "{cut:#}");
    let rest = command(&stage, json!({ "command": "provision" })).await;
    assert!(rest["data"]["done"].is_null() && words(&rest).contains("made column"), "{rest:#}");
    command(&stage, json!({ "command": "doctor" })).await;
}

#[tokio::test]
async fn a_column_of_the_organisations_own_is_not_made_and_named() {
    let mut stage = bare().await;
    stage.remap("[fields.deal_value]\ncrm = \"new_nosuch\"\n");
    let (ok, told) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told.contains("`opportunity.new_nosuch` (Est. Revenue) is not there"), "{told}");
}

#[tokio::test]
async fn who_may_not_customize_is_told_so() {
    let stage = bare().await;
    let secret = json!({ "client_id": simulators::login::DYNAMICS_CLIENT,
                         "client_secret": simulators::login::DYNAMICS_SECRET });
    stage.aws.system().put_secret("crm-admin", &secret.to_string());
    let (ok, told) = told(&stage, json!({ "command": "provision" })).await;
    assert!(!ok && told.contains("privileges") && told.contains("System Customizer"), "{told}");
}
