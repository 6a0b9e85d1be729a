//! What sellers see: the section on a main form, and what `doctor` says where it is missing or open to typing.

use super::{command, told, words};
use crate::deal::Stage;
use serde_json::json;

async fn bare() -> Stage {
    let stage = Stage::open().await;
    stage.dataverse.system().unprovision();
    stage.dataverse.system().switches.only_administrators_customize = true;
    stage
}

#[tokio::test]
async fn the_section_is_put_on_one_main_form_of_each_table_once() {
    let stage = bare().await;
    let before = |name: &str| stage.dataverse.system().form(name, "opportunity");
    let (main, others) = (before("Main"), ["Another", "Old", "Quick"].map(before));
    let made = command(&stage, json!({ "command": "provision" })).await;
    for what in
        ["form `Main` of `opportunity`", "form `Main` of `lead`", "form `Information` of `cosell_solution`"]
    {
        assert!(words(&made).contains(what), "{what}: {}", words(&made));
    }
    let form = before("Main");
    for (column, read_only) in [
        ("cosell_syncwithpartnercenter", false),
        ("cosell_helprequested", false),
        ("cosell_referralid", true),
        ("cosell_referrallink", true),
        ("cosell_audit", true),
    ] {
        let shown = format!("datafieldname=\"{column}\" disabled=\"{read_only}\"");
        assert_eq!(form.matches(&shown).count(), 1, "{column}: {form}");
    }
    assert!(form.contains("<TargetEntityType>cosell_solution<") && form.contains("Microsoft Partner Center"));
    // What was there is there, byte for byte.
    let at = form.find("<section name=\"cosell_partnercenter\"").unwrap();
    let end = form[at..].find("</section>").unwrap() + at + "</section>".len();
    assert_eq!(format!("{}{}", &form[..at], &form[end..]), main);
    assert_eq!(["Another", "Old", "Quick"].map(before), others);
    let rows = stage.dataverse.system().form("Information", "cosell_solution");
    assert!(rows.contains("datafieldname=\"cosell_solutiondetailid\""), "{rows}");
    // Once more changes nothing and publishes nothing.
    stage.dataverse.forget_requests();
    command(&stage, json!({ "command": "provision" })).await;
    assert_eq!(stage.dataverse.count(|log| log.method == "PATCH" || log.path.ends_with("PublishXml")), 0);
    let (ok, healthy) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && healthy.contains("sellers find every column"), "{healthy}");
}

#[tokio::test]
async fn a_form_that_shows_everything_already_is_enough() {
    let stage = Stage::open().await;
    // Laid out by hand on the one form: the others stay as they are, the administrator's draft of one, too.
    let other = stage.dataverse.system().form("Another", "opportunity");
    stage.dataverse.system().draft_form("Another", "opportunity", &other.replace("General", "Draft"));
    let made = command(&stage, json!({ "command": "provision" })).await;
    assert!(!words(&made).contains("section Microsoft"), "{}", words(&made));
    assert_eq!(stage.dataverse.system().form("Another", "opportunity"), other);
}

#[tokio::test]
async fn a_form_that_somebody_is_at_work_on_is_left_alone() {
    let stage = bare().await;
    let main = stage.dataverse.system().form("Main", "opportunity");
    stage.dataverse.system().draft_form("Main", "opportunity", &main.replace("General", "Half done"));
    let made = command(&stage, json!({ "command": "provision" })).await;
    assert!(words(&made).contains("nobody has published"), "{}", words(&made));
    assert_eq!(stage.dataverse.system().form("Main", "opportunity"), main);
    stage.dataverse.system().publish_form("Main", "opportunity", &main.replace("General", "Done"));
    stage.dataverse.system().draft_form("Main", "opportunity", &main.replace("General", "Done"));
    let made = command(&stage, json!({ "command": "provision" })).await;
    let form = stage.dataverse.system().form("Main", "opportunity");
    assert!(form.contains("Done") && form.contains("cosell_partnercenter"), "{}", words(&made));
}

#[tokio::test]
async fn what_died_before_it_was_published_is_published() {
    let stage = bare().await;
    let fault = simulators::server::Fault {
        route: "POST PublishXml".into(),
        skip: 0,
        times: 1,
        kind: simulators::server::FaultKind::Answer { status: 503, headers: [].into(), body: String::new() },
    };
    stage.dataverse.fault(fault);
    assert!(!told(&stage, json!({ "command": "provision" })).await.0);
    command(&stage, json!({ "command": "provision" })).await;
    let form = stage.dataverse.system().form("Main", "opportunity");
    assert_eq!(form.matches("cosell_partnercenter").count(), 1, "{form}");
}

#[tokio::test]
async fn a_refused_form_fails_nothing_and_a_switch_keeps_us_away() {
    let stage = bare().await;
    let fault = simulators::server::Fault {
        route: "PATCH systemforms/{id}".into(),
        skip: 0,
        times: 9,
        kind: simulators::server::FaultKind::Answer {
            status: 400,
            headers: [].into(),
            body: json!({ "error": { "code": "0x80040203", "message": "no" } }).to_string(),
        },
    };
    stage.dataverse.fault(fault);
    let made = command(&stage, json!({ "command": "provision" })).await;
    assert!(words(&made).contains("0x80040203") && words(&made).contains("forms_by_api"), "{}", words(&made));
    stage.dataverse.clear_faults();
    let set = json!({ "command": "map", "action": "set", "map": "[vendor]\nforms_by_api = false\n" });
    assert_eq!(command(&stage, set).await["ok"], true);
    command(&stage, json!({ "command": "provision" })).await;
    assert!(!stage.dataverse.system().form("Main", "opportunity").contains("cosell_"));
    let (_, told) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(
        told.contains("warning on no main form of `opportunity`: ")
            && told.contains("the grid of Microsoft Solutions"),
        "{told}"
    );
}

#[tokio::test]
async fn what_only_the_connector_writes_must_not_be_open_to_typing() {
    let stage = Stage::open().await;
    let form = stage.dataverse.system().form("Main", "opportunity");
    let open = form.replace(
        "datafieldname=\"cosell_audit\" disabled=\"true\"",
        "datafieldname=\"cosell_audit\" disabled=\"false\"",
    );
    stage.dataverse.system().publish_form("Main", "opportunity", &open);
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && told.contains("form `Main` of `opportunity` lets sellers type in Audit"), "{told}");
}

#[tokio::test]
async fn without_the_right_to_see_forms_that_right_is_named() {
    let stage = Stage::open().await;
    stage.dataverse.system().deny("systemform", "read");
    let (ok, told) = told(&stage, json!({ "command": "doctor" })).await;
    assert!(ok && told.contains("read on System Form"), "{told}");
}
