//! Rules, closed rows, plug-ins, control verbs and labels.

use super::*;
use crate::dataverse::SYSTEM;

#[test]
fn a_rule_refuses_writes_that_touch_its_column() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    bench.org.rule("opportunity", Some("estimatedvalue"), "Discount above 20 % needs approval.");
    bench.patch(&deal, &[], json!({ "name": "fine" })).done(204);
    let text = bench.patch(&deal, &[], json!({ "estimatedvalue": 5 })).refused(400, "0x80040265");
    assert_eq!(text, "Discount above 20 % needs approval.");
    let now = bench.now;
    let refused = bench.org.act_edit("opportunities", DEAL, SELLER, json!({ "estimatedvalue": 5 }), now);
    assert!(refused.unwrap_err().contains("needs approval"));
    bench.org.clear_rules();
    bench.patch(&deal, &[], json!({ "estimatedvalue": 5 })).done(204);
    bench.org.rule("opportunitycloses", None, "no");
    let win = json!({ "Status": -1, "OpportunityClose": { "opportunityid@odata.bind": format!("/{deal}") } });
    bench.send("POST", "WinOpportunity", &[], win).refused(400, "0x80040265");
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["statecode"], 0);
}

#[test]
fn a_demanded_column_is_needed_in_new_rows_only() {
    let mut bench = Bench::with_deal();
    bench.org.demand("accounts", "telephone1", "telephone1 must be filled in");
    let text = bench.send("POST", "accounts", &[], json!({ "name": "x" })).refused(400, "0x80040265");
    assert_eq!(text, "telephone1 must be filled in");
    bench.send("POST", "accounts", &[], json!({ "name": "x", "telephone1": "1" })).done(204);
    bench.org.clear_rules();
    bench.send("POST", "accounts", &[], json!({ "name": "y" })).done(204);
}

#[test]
fn a_closed_opportunity_is_read_only_until_it_is_reopened() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    let now = bench.now;
    bench.org.act_win(DEAL, SELLER, json!({ "actualrevenue": 7 }), now).unwrap();
    bench.patch(&deal, &[], json!({ "name": "x" })).refused(400, "0x80040265");
    bench.org.switches.reopen_cancels_close = true;
    bench.org.act_reopen(DEAL, SELLER, now).unwrap();
    assert_eq!(bench.org.rows("opportunitycloses")[0]["statecode"], 2);
    bench.patch(&deal, &[], json!({ "name": "x" })).done(204);
    bench.org.act_lose(DEAL, SELLER, 4, json!({}), now).unwrap();
    bench.org.switches.closed_refuses_updates = false;
    bench.patch(&deal, &[], json!({ "name": "y" })).done(204);
}

#[test]
fn an_asynchronous_plug_in_makes_the_answered_etag_old() {
    let mut bench = Bench::with_deal();
    bench.org.switches.plugin_bump = true;
    let deal = format!("opportunities({DEAL})?$select=name");
    let saved = bench.patch(&deal, &[("prefer", "return=representation")], json!({ "name": "x" })).done(200);
    assert_ne!(bench.get(&deal).header("etag"), saved.header("etag"));
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["_modifiedby_value"], SYSTEM);
}

#[test]
fn control_verbs() {
    let mut bench = Bench::new();
    let now = bench.now;
    let mut tell = |verb: &str, body: Value| bench.org.control(verb, &body, now).expect(verb);
    let made = tell("create", json!({ "table": "opportunities", "columns": { "name": "By hand" } })).unwrap();
    let id = made["id"].clone();
    tell("edit", json!({ "table": "opportunities", "id": id, "set": { "name": "x" }, "late_seconds": 60 }))
        .unwrap();
    tell("win", json!({ "id": id })).unwrap();
    tell("reopen", json!({ "id": id })).unwrap();
    tell("lose", json!({ "id": id, "reason": 5 })).unwrap();
    assert!(tell("edit", json!({ "table": "opportunities", "id": id, "set": { "wrong": 1 } })).is_err());
    tell("rule", json!({ "table": "opportunities", "message": "no" })).unwrap();
    assert!(tell("create", json!({ "table": "opportunities", "columns": {} })).is_err());
    assert_eq!(tell("switches", json!({ "stale_reads": 3 })).unwrap()["stale_reads"], 3);
    assert!(tell("switches", json!({ "unheard_of": 3 })).is_err());
    tell("delete", json!({ "table": "opportunities", "id": id })).unwrap();
    assert!(bench.org.control("nothing", &json!({}), now).is_none());
    assert_eq!(bench.org.state()["tables"]["opportunities"], json!({}));
}

#[test]
fn labels() {
    let label = |method: &str, path: &str, query: &str| {
        let request = Request {
            method: method.into(),
            path: format!("{ROOT}/{path}"),
            query: query.into(),
            headers: BTreeMap::new(),
            body: Default::default(),
        };
        super::super::route::label(&request)
    };
    assert_eq!(label("GET", "opportunities", ""), "GET opportunities");
    assert_eq!(label("GET", "opportunities", "$select=a&$deltatoken=1"), "GET opportunities delta");
    assert_eq!(label("PATCH", &format!("opportunities({DEAL})"), ""), "PATCH opportunities/{id}");
    assert_eq!(label("PATCH", "opportunities(a='b')", ""), "PATCH opportunities/{key}");
    assert_eq!(label("POST", "$batch", ""), "POST $batch");
    assert_eq!(
        label("POST", &format!("leads({DEAL})/Microsoft.Dynamics.CRM.QualifyLead"), ""),
        "POST leads/{id}/QualifyLead"
    );
    assert_eq!(
        label("GET", "EntityDefinitions(LogicalName='x')/Keys", ""),
        "GET EntityDefinitions/{key}/Keys"
    );
}
