//! Merged leads, accounts and contacts: what is left of the loser, and where its children are.

use super::*;
use crate::dataverse::STAKEHOLDER_ROLE;

fn make(bench: &mut Bench, set: &str, columns: Value) -> String {
    let now = bench.now;
    bench.org.act_create(set, SELLER, columns, now).unwrap()
}

fn merge(bench: &mut Bench, set: &str, master: &str, loser: &str) -> Result<(), String> {
    let now = bench.now;
    bench.org.act_merge(set, master, loser, SELLER, now)
}

fn lookup(bench: &Bench, set: &str, id: &str, property: &str) -> Value {
    bench.org.row(set, id).unwrap()[property].clone()
}

#[test]
fn a_merged_lead_is_disqualified_and_names_its_master() {
    let mut bench = Bench::new();
    let lead = |key: &str| json!({ "subject": "Lead", "cosell_referralid": key });
    let (master, loser) =
        (make(&mut bench, "leads", lead("ref-1")), make(&mut bench, "leads", lead("ref-2")));
    let track = [("prefer", "odata.track-changes")];
    let path = "leads?$select=statecode,statuscode,merged,_masterid_value";
    let start = bench.send("GET", path, &track, Value::Null).done(200);
    let note = json!({ "notetext": "n", "objectid_lead@odata.bind": format!("/leads({loser})") });
    let note = make(&mut bench, "annotations", note);
    let kept = bench.get(&format!("leads({master})")).header("etag").to_owned();
    merge(&mut bench, "leads", &master, &loser).unwrap();
    let changes = bench.get(start.body["@odata.deltaLink"].as_str().unwrap()).done(200);
    assert_eq!(changes.body["value"].as_array().unwrap().len(), 1);
    let row = &changes.body["value"][0];
    assert_eq!((&row["leadid"], &row["merged"]), (&json!(loser), &json!(true)));
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(2), &json!(7)));
    assert_eq!(row["_masterid_value"], master);
    assert_eq!(bench.get(&format!("leads({master})")).header("etag"), kept);
    let found = bench.get("leads(cosell_referralid='ref-2')?$expand=masterid($select=subject)").done(200);
    assert_eq!((&found.body["leadid"], &found.body["masterid"]["leadid"]), (&json!(loser), &json!(master)));
    assert_eq!(lookup(&bench, "annotations", &note, "_objectid_value"), master);
    bench.patch(&format!("leads({master})"), &[], json!({ "merged": true })).done(204);
    assert_eq!(lookup(&bench, "leads", &master, "merged"), false);
}

#[test]
fn the_reason_of_a_merged_lead_is_a_switch() {
    let mut bench = Bench::new();
    let ids = [1, 2].map(|n| make(&mut bench, "leads", json!({ "subject": format!("L{n}") })));
    bench.org.switches.merged_lead_reason = 1;
    assert!(merge(&mut bench, "leads", &ids[0], &ids[1]).unwrap_err().contains("0x80048408"));
    assert_eq!(lookup(&bench, "leads", &ids[1], "statecode"), 0);
    bench.org.switches.merged_lead_reason = 4;
    merge(&mut bench, "leads", &ids[0], &ids[1]).unwrap();
    assert_eq!(lookup(&bench, "leads", &ids[1], "statuscode"), 4);
}

#[test]
fn what_led_to_a_merged_account_leads_to_its_master() {
    let mut bench = Bench::with_deal();
    let (deal, now) = (format!("opportunities({DEAL})"), bench.now);
    let to_loser = format!("/accounts({COMPANY})");
    bench.patch(&deal, &[], json!({ "parentaccountid@odata.bind": to_loser })).done(204);
    let master = make(&mut bench, "accounts", json!({ "name": "Fabrikam Inc." }));
    let contact = make(&mut bench, "contacts", json!({ "parentcustomerid_account@odata.bind": to_loser }));
    let team = json!({ "record1id_opportunity@odata.bind": format!("/{deal}"),
        "record2id_account@odata.bind": to_loser });
    let team = make(&mut bench, "connections", team);
    bench.org.act_win(DEAL, SELLER, json!({}), now).unwrap();
    let before = bench.org.row("opportunities", DEAL).unwrap()["versionnumber"].as_u64();
    let told = json!({ "table": "accounts", "master": master, "loser": COMPANY });
    bench.org.control("merge", &told, now).unwrap().unwrap();
    let row = bench.get(&format!("accounts({COMPANY})")).done(200).body;
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(1), &json!(2)));
    assert_eq!((&row["merged"], &row["_masterid_value"]), (&json!(true), &json!(master)));
    assert_eq!((&row["name"], &row["cosell_customerkey"]), (&json!("Fabrikam"), &json!("acct-0091")));
    for (set, id, property) in [
        ("opportunities", DEAL, "_customerid_value"),
        ("opportunities", DEAL, "_parentaccountid_value"),
        ("contacts", contact.as_str(), "_parentcustomerid_value"),
        ("connections", team.as_str(), "_record2id_value"),
    ] {
        assert_eq!(lookup(&bench, set, id, property), master, "{set} {property}");
    }
    assert!(bench.org.row("opportunities", DEAL).unwrap()["versionnumber"].as_u64() > before);
    let found = bench.get(&format!("opportunities?$select=name&$filter=_customerid_value eq {master}"));
    assert_eq!(found.names(), ["Deal"]);
    let late = make(&mut bench, "accounts", json!({ "name": "Fabrikam Group" }));
    merge(&mut bench, "accounts", &late, &master).unwrap();
    assert_eq!(lookup(&bench, "accounts", COMPANY, "_masterid_value"), master);
    assert_eq!(lookup(&bench, "opportunities", DEAL, "_customerid_value"), late);
}

#[test]
fn what_led_to_a_merged_contact_leads_to_its_master() {
    let mut bench = Bench::with_deal();
    let ids = ["A", "B"].map(|name| make(&mut bench, "contacts", json!({ "lastname": name })));
    let [master, loser] = &ids;
    let bind = format!("/contacts({loser})");
    let deal = json!({ "customerid_account@odata.bind": null, "parentcontactid@odata.bind": bind });
    bench.patch(&format!("opportunities({DEAL})"), &[], deal).done(204);
    let deal = json!({ "customerid_contact@odata.bind": bind });
    bench.patch(&format!("opportunities({DEAL})"), &[], deal).done(204);
    bench
        .patch(&format!("accounts({COMPANY})"), &[], json!({ "primarycontactid@odata.bind": bind }))
        .done(204);
    let team = json!({ "record1id_opportunity@odata.bind": format!("/opportunities({DEAL})"),
        "record2id_contact@odata.bind": bind,
        "record2roleid@odata.bind": format!("/connectionroles({STAKEHOLDER_ROLE})") });
    let team = make(&mut bench, "connections", team);
    merge(&mut bench, "contacts", master, loser).unwrap();
    for (set, id, property) in [
        ("opportunities", DEAL, "_customerid_value"),
        ("opportunities", DEAL, "_parentcontactid_value"),
        ("accounts", COMPANY, "_primarycontactid_value"),
        ("connections", team.as_str(), "_record2id_value"),
    ] {
        assert_eq!(lookup(&bench, set, id, property), **master, "{set} {property}");
    }
    assert_eq!(lookup(&bench, "contacts", loser, "_masterid_value"), **master);
}

#[test]
fn what_cannot_be_merged_stays_as_it_is() {
    let mut bench = Bench::with_deal();
    let child = json!({ "name": "Child", "parentaccountid@odata.bind": format!("/accounts({COMPANY})") });
    let child = make(&mut bench, "accounts", child);
    let deal = json!({ "customerid_account@odata.bind": format!("/accounts({COMPANY})") });
    let deal = make(&mut bench, "opportunities", deal);
    let other = make(&mut bench, "accounts", json!({ "name": "Other", "statecode": 0 }));
    let state = bench.org.state()["tables"].clone();
    for (set, master, loser, why) in [
        ("accounts", COMPANY, COMPANY, "itself"),
        ("accounts", COMPANY, DEAL, "404 0x80040217"),
        ("accounts", child.as_str(), COMPANY, "cyclical"),
        ("opportunities", DEAL, deal.as_str(), "not modelled"),
    ] {
        let refused = merge(&mut bench, set, master, loser).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(bench.org.state()["tables"], state);
    }
    merge(&mut bench, "accounts", COMPANY, &other).unwrap();
    assert!(merge(&mut bench, "accounts", COMPANY, &other).unwrap_err().contains("active"));
    assert!(merge(&mut bench, "accounts", &other, COMPANY).unwrap_err().contains("active"));
    merge(&mut bench, "accounts", COMPANY, &child).unwrap();
    assert_eq!(lookup(&bench, "accounts", &child, "_parentaccountid_value"), COMPANY);
    assert_eq!(bench.send("POST", "Merge", &[], json!({})).status, 501);
}
