//! What `provision` made goes again: only when it is meant, only what is ours, in an order that Dataverse takes.

use super::{command, told, words};
use crate::deal::Stage;
use local::world::Options;
use serde_json::{Value, json};

/// An organisation in which everything was made by `provision`.
async fn provisioned() -> Stage {
    let stage = Stage::open().await;
    stage.dataverse.system().unprovision();
    stage.dataverse.system().switches.only_administrators_customize = true;
    command(&stage, json!({ "command": "provision" })).await;
    stage
}

fn really(stage: &Stage) -> Value {
    let host = stage.dataverse.url().trim_start_matches("http://").to_owned();
    json!({ "command": "deprovision", "delete_data": true, "confirm": host })
}

fn columns(stage: &Stage) -> usize {
    let crm = stage.dataverse.system();
    ["opportunities", "leads", "accounts", "contacts"]
        .iter()
        .map(|set| crm.columns(set).iter().filter(|name| name.starts_with("cosell_")).count())
        .sum()
}

#[tokio::test]
async fn without_the_word_nothing_changes_and_what_would_go_is_told() {
    let stage = provisioned().await;
    let before = columns(&stage);
    stage.dataverse.forget_requests();
    let answer = command(&stage, json!({ "command": "deprovision" })).await;
    for what in [
        "would give back the webhook's registration",
        "column `opportunity.cosell_referralid`",
        "table `cosell_solution` with its rows",
        "\"confirm\"",
    ] {
        assert!(words(&answer).contains(what), "{what}: {}", words(&answer));
    }
    assert_eq!(stage.dataverse.count(|log| log.method != "GET"), 0);
    assert_eq!(columns(&stage), before);
    assert_eq!(stage.partner_center.system().registration().unwrap().events.len(), 4);
}

#[tokio::test]
async fn while_the_stack_does_not_allow_it_nothing_goes() {
    let stage = Stage::with(Options { keeps_data: true, ..Options::default() }).await;
    let before = columns(&stage);
    let event = really(&stage);
    let (ok, told) = told(&stage, event).await;
    assert!(!ok && told.contains("nothing was deleted") && told.contains("AllowDataDeletion"), "{told}");
    assert_eq!(columns(&stage), before);
    assert_eq!(stage.partner_center.system().registration().unwrap().events.len(), 4);
}

#[tokio::test]
async fn without_the_environments_name_nothing_goes() {
    let stage = provisioned().await;
    for event in [
        json!({ "command": "deprovision", "delete_data": true }),
        json!({ "command": "deprovision", "delete_data": true, "confirm": "contoso.crm.dynamics.com" }),
    ] {
        let (ok, told) = told(&stage, event).await;
        assert!(!ok && told.contains("nothing was deleted"), "{told}");
    }
    assert!(columns(&stage) > 0);
    assert_eq!(stage.partner_center.system().registration().unwrap().events.len(), 4);
}

#[tokio::test]
async fn everything_of_ours_goes_and_nothing_else_and_once_more_changes_nothing() {
    let stage = provisioned().await;
    let main = stage.dataverse.system().form("Main", "opportunity");
    let named = || stage.dataverse.system().columns("opportunities");
    let foreign = named().iter().filter(|name| !name.starts_with("cosell_")).count();
    let gone = command(&stage, really(&stage)).await;
    for what in ["column `lead.cosell_audit`", "table `cosell_solutiondetail`", "the key of", "the solution"]
    {
        assert!(words(&gone).contains(what), "{what}: {}", words(&gone));
    }
    {
        let crm = stage.dataverse.system();
        assert_eq!(crm.columns("opportunities").len(), foreign, "the organisation's own columns stay");
        assert!(crm.rows("solutions").iter().all(|row| row["uniquename"] != "CosellConnector"));
        assert!(crm.rows("publishers").iter().all(|row| row["customizationprefix"] != "cosell"));
        let form = crm.form("Main", "opportunity");
        assert!(!form.contains("cosell_") && main.starts_with(&form[..form.find("</sections>").unwrap()]));
    }
    assert_eq!(columns(&stage), 0);
    stage.dataverse.forget_requests();
    let again = command(&stage, really(&stage)).await;
    assert!(words(&again).contains("nothing of ours is left"), "{}", words(&again));
    let changes = stage.dataverse.count(|log| log.method != "GET" && log.status < 300);
    assert_eq!(changes, 0);
    // And back.
    command(&stage, json!({ "command": "provision" })).await;
    command(&stage, json!({ "command": "register" })).await;
    command(&stage, json!({ "command": "doctor" })).await;
}

#[tokio::test]
async fn what_no_time_was_left_for_stays_and_is_told_as_unfinished() {
    let stage = provisioned().await;
    let before = columns(&stage);
    let cut = stage.call_for(really(&stage), 45).await;
    assert!(cut["ok"] == true && cut["data"]["done"] == false, "{cut:#}");
    assert!(!words(&cut).contains("nothing of ours is left"), "{cut:#}");
    assert_eq!(columns(&stage), before);
    let rest = command(&stage, really(&stage)).await;
    assert!(rest["data"]["done"].is_null(), "{rest:#}");
    assert_eq!(columns(&stage), 0);
}

#[tokio::test]
async fn what_something_else_refers_to_stays_and_is_named() {
    let stage = provisioned().await;
    let other = stage.dataverse.system().form("Quick", "opportunity");
    let theirs = other.replace("datafieldname=\"name\"", "datafieldname=\"cosell_referralprogram\"");
    stage.dataverse.system().publish_form("Quick", "opportunity", &theirs);
    stage.dataverse.system().switches.managed.push("lead.cosell_referralprogram".into());
    let (ok, told) = told(&stage, really(&stage)).await;
    assert!(
        !ok && told.contains("column `opportunity.cosell_referralprogram`") && told.contains("stays"),
        "{told}"
    );
    assert_eq!(columns(&stage), 2);
    stage.dataverse.system().publish_form("Quick", "opportunity", &other);
    command(&stage, really(&stage)).await;
    // What a managed solution brought goes with that solution.
    assert_eq!(columns(&stage), 1);
}

#[tokio::test]
async fn who_may_not_customize_deletes_nothing() {
    let stage = provisioned().await;
    let secret = json!({ "client_id": simulators::login::DYNAMICS_CLIENT,
                         "client_secret": simulators::login::DYNAMICS_SECRET });
    stage.aws.system().put_secret("crm-admin", &secret.to_string());
    let before = columns(&stage);
    let (ok, told) = told(&stage, really(&stage)).await;
    assert!(!ok && told.contains("System Customizer"), "{told}");
    assert_eq!(columns(&stage), before);
}
