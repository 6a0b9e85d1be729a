//! The field map's override in the table.

use super::{command, told, words};
use crate::deal::{Stage, text};
use serde_json::json;

fn set(toml: &str) -> serde_json::Value {
    json!({ "command": "map", "action": "set", "map": toml })
}

#[tokio::test]
async fn a_switch_is_changed_without_a_deployment_and_rolled_back() {
    let stage = Stage::open().await;
    command(&stage, set("[switches]\ncheck_mark = false\n")).await;
    stage.refer(json!({ "name": "Harbor Line – rail" }));
    stage.rest().await;
    assert_eq!(text(&stage.opportunity(), "name"), "Harbor Line – rail");
    let shown = command(&stage, json!({ "command": "map", "action": "show" })).await;
    assert_eq!(shown["data"]["version"], 1, "{shown}");
    command(&stage, set("[fields.notes]\noff = true\n")).await;
    command(&stage, json!({ "command": "map", "action": "rollback" })).await;
    let history = command(&stage, json!({ "command": "map", "action": "history" })).await;
    let versions = history["data"].as_array().unwrap();
    assert_eq!(versions.len(), 3, "{history:#}");
    assert_eq!(versions[2]["toml"], versions[0]["toml"]);
    command(&stage, set("")).await;
    let other = stage.refer(json!({ "name": "Juniper" }));
    stage.rest().await;
    let deals = stage.opportunities();
    let deal = deals.iter().find(|deal| deal["cosell_referralid"] == *other).unwrap();
    assert_eq!(text(deal, "name"), "✔ Juniper");
    stage.close().await;
}

#[tokio::test]
async fn a_faulty_map_is_refused_with_every_fault() {
    let stage = Stage::open().await;
    let bad = "[switches]\ncheck_marks = true\n[fields.name]\nkind = \"texts\"\n";
    for action in ["check", "set"] {
        let (ok, told) = told(&stage, json!({ "command": "map", "action": action, "map": bad })).await;
        assert!(!ok && told.contains("check_marks") && told.contains("texts"), "{told}");
        assert!(told.contains("line 2") && told.contains("line 4"), "{told}");
    }
    let (ok, told) = told(&stage, json!({ "command": "map", "action": "rollback" })).await;
    assert!(!ok && told.contains("none was ever set"), "{told}");
    let shown = command(&stage, json!({ "command": "map", "action": "show" })).await;
    assert!(words(&shown).contains("default map"));
    stage.close().await;
}
