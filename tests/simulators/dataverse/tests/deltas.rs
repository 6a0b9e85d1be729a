//! Change tracking: initial load, changes, deletions, expiry.

use super::*;

const TRACK: [(&str, &str); 1] = [("prefer", "odata.track-changes")];

fn link(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("{name} in {:?}", answer.body)).to_owned()
}

fn deals(n: usize) -> Bench {
    let mut bench = Bench::with_deal();
    for i in 1..n {
        let now = bench.now;
        bench.org.act_create("opportunities", SELLER, json!({ "name": format!("D{i}") }), now).unwrap();
    }
    bench
}

#[test]
fn an_initial_load_is_paged_and_ends_with_a_link() {
    let mut bench = deals(3);
    let prefer = [("prefer", "odata.track-changes,odata.maxpagesize=2")];
    let first = bench.send("GET", "opportunities?$select=name,statecode", &prefer, Value::Null).done(200);
    assert_eq!(first.header("preference-applied"), "odata.track-changes,odata.maxpagesize=2");
    assert_eq!(first.names().len(), 2);
    assert!(first.body.get("@odata.deltaLink").is_none());
    let last = bench.send("GET", &link(&first, "@odata.nextLink"), &prefer, Value::Null).done(200);
    assert_eq!(last.names().len(), 1);
    assert!(last.body.get("@odata.nextLink").is_none());
    assert!(link(&last, "@odata.deltaLink").contains("opportunities?$select=name,statecode&$deltatoken="));
}

#[test]
fn changes_come_once_then_deletions_and_links_repeat() {
    let mut bench = deals(3);
    let start = bench.send("GET", "opportunities?$select=name", &TRACK, Value::Null).done(200);
    let since = link(&start, "@odata.deltaLink");
    let empty = bench.get(&since).done(200);
    assert_eq!(empty.body["value"], json!([]));
    assert!(link(&empty, "@odata.context").ends_with("#opportunities(name)/$delta"));
    let now = bench.now;
    bench.org.act_edit("opportunities", DEAL, SELLER, json!({ "name": "Edited" }), now).unwrap();
    let gone = bench.org.act_create("opportunities", SELLER, json!({ "name": "Short" }), now).unwrap();
    bench.org.act_delete("opportunities", &gone, SELLER, now).unwrap();
    let own = bench.patch("opportunities(cosell_referralid='own')", &[], json!({ "name": "Ours" })).done(204);
    assert_ne!(own.header("odata-entityid"), "");
    bench.org.act_edit("opportunities", DEAL, SELLER, json!({ "name": "Edited twice" }), now).unwrap();
    for _ in 0..2 {
        let changes = bench.get(&since).done(200);
        assert_eq!(changes.names(), ["Ours", "Edited twice", "-"]);
        let deleted = &changes.body["value"][2];
        assert_eq!((&deleted["id"], &deleted["reason"]), (&json!(gone), &json!("deleted")));
        assert!(deleted["@odata.context"].as_str().unwrap().ends_with("#opportunities/$deletedEntity"));
    }
    let token = since.split("$deltatoken=").nth(1).unwrap();
    assert_eq!(bench.get(&format!("opportunities/$count?$deltatoken={token}")).body, 3);
    let paged = [("prefer", "odata.maxpagesize=2")];
    let first = bench.send("GET", &since, &paged, Value::Null).done(200);
    assert_eq!(first.names().len(), 2);
    let last = bench.send("GET", &link(&first, "@odata.nextLink"), &paged, Value::Null).done(200);
    let next = link(&last, "@odata.deltaLink");
    assert_eq!(bench.get(&next).body["value"], json!([]));
}

#[test]
fn query_options_are_refused() {
    let mut bench = deals(1);
    for option in ["$filter=statecode eq 0", "$orderby=name", "$expand=owninguser", "$top=1"] {
        let refused = bench.send("GET", &format!("opportunities?$select=name&{option}"), &TRACK, Value::Null);
        let text = refused.refused(400, "0x80060888");
        let name = option.split('=').next().unwrap();
        assert_eq!(
            text,
            format!("The \"{name}\" query parameter isn't supported when Change Tracking is enabled.")
        );
    }
    assert_eq!(bench.send("GET", "connections", &TRACK, Value::Null).status, 400);
}

#[test]
fn tokens_expire() {
    let mut bench = deals(1);
    let start = |bench: &mut Bench| {
        let answer = bench.send("GET", "opportunities?$select=name", &TRACK, Value::Null).done(200);
        link(&answer, "@odata.deltaLink")
    };
    let since = start(&mut bench);
    bench.later(7 * 86_400 + 1);
    bench.get(&since).refused(400, "0x80044352");
    let since = start(&mut bench);
    bench.get(&since).done(200);
    bench.org.expire_delta_tokens();
    bench.get(&since).refused(400, "0x80044352");
    let since = start(&mut bench);
    bench.get(&since).done(200);
    let column = json!({ "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "new_X", "MaxLength": 5 });
    bench.send("POST", "EntityDefinitions(LogicalName='opportunity')/Attributes", &[], column).done(204);
    bench.get(&since).refused(400, "0x80044352");
    assert_eq!(bench.get("opportunities?$deltatoken=12").status, 400);
}

#[test]
fn a_change_during_the_initial_load_is_missed_by_the_token() {
    let mut bench = deals(3);
    let prefer = [("prefer", "odata.track-changes,odata.maxpagesize=1")];
    for missed in [true, false] {
        bench.org.switches.delta_token_from_last_page = missed;
        let mut page = bench.send("GET", "opportunities?$select=name", &prefer, Value::Null).done(200);
        let id = page.body["value"][0]["opportunityid"].as_str().unwrap().to_owned();
        let now = bench.now;
        bench.org.act_edit("opportunities", &id, SELLER, json!({ "name": "During" }), now).unwrap();
        while page.body.get("@odata.nextLink").is_some() {
            page = bench.send("GET", &link(&page, "@odata.nextLink"), &prefer, Value::Null).done(200);
        }
        let changes = bench.get(&link(&page, "@odata.deltaLink")).done(200);
        assert_eq!(changes.body["value"].as_array().unwrap().is_empty(), missed);
    }
}

#[test]
fn a_stale_replica_shows_the_past_and_then_catches_up() {
    let mut bench = deals(1);
    let start = bench.send("GET", "opportunities?$select=name", &TRACK, Value::Null).done(200);
    let now = bench.now;
    bench.org.act_edit("opportunities", DEAL, SELLER, json!({ "name": "New" }), now).unwrap();
    bench.org.stale("opportunities", DEAL, 2);
    assert_eq!(bench.get(&format!("opportunities({DEAL})?$select=name")).body["name"], "Deal");
    let early = bench.get(&link(&start, "@odata.deltaLink")).done(200);
    assert_eq!(early.body["value"], json!([]));
    assert_eq!(bench.get(&link(&early, "@odata.deltaLink")).names(), ["New"]);
    assert_eq!(bench.get("opportunities?$select=name").names(), ["New"]);
}
