//! Plug-ins of the customer's that store something else than what was sent.

use super::*;
use crate::dataverse::PluginRewrite;

const WISH: [(&str, &str); 1] = [("prefer", "return=representation")];

#[test]
fn the_representation_shows_what_the_plug_in_stored() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    for (column, rewrite, sent, stored) in [
        ("description", PluginRewrite::TrimEnd, json!("two\nlines \n"), json!("two\nlines")),
        ("name", PluginRewrite::Upper, json!("Straße ä"), json!("STRASSE Ä")),
        ("customerneed", PluginRewrite::SingleBlanks, json!("a  b   c\n"), json!("a b c\n")),
        ("estimatedvalue", PluginRewrite::Round(0), json!(12.5), json!(13.0)),
        ("budgetamount", PluginRewrite::Round(1), json!(12.34), json!(12.3)),
        ("stepname", PluginRewrite::Prefix("P-".into()), json!("1"), json!("P-1")),
        ("stepname", PluginRewrite::Prefix("P-".into()), json!("P-1"), json!("P-1")),
        ("proposedsolution", PluginRewrite::TrimEnd, json!(" \n"), Value::Null),
        ("currentsituation", PluginRewrite::Upper, Value::Null, Value::Null),
        ("closeprobability", PluginRewrite::Upper, json!(5), json!(5)),
    ] {
        bench.org.rewrite("opportunities", column, rewrite.clone());
        let answered = bench.patch(&deal, &WISH, json!({ column: sent })).done(200);
        assert_eq!(answered.body[column], stored, "{rewrite:?}");
        assert_eq!(bench.org.row("opportunities", DEAL).unwrap()[column], stored);
        bench.org.clear_rules();
    }
    bench.patch(&deal, &[], json!({ "name": "as sent" })).done(204);
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["name"], "as sent");
}

#[test]
fn creates_upserts_and_people_are_rewritten_too() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    bench.org.rewrite("accounts", "name", PluginRewrite::SingleBlanks);
    bench.org.rewrite("accounts", "name", PluginRewrite::Upper);
    let made = bench.send("POST", "accounts", &WISH, json!({ "name": "a  b" })).done(201);
    assert_eq!(made.body["name"], "A B");
    let key = "accounts(cosell_customerkey='acct-5')";
    assert_eq!(bench.patch(key, &WISH, json!({ "name": "c" })).done(201).body["name"], "C");
    let id = bench.org.act_create("accounts", SELLER, json!({ "name": "d" }), now).unwrap();
    assert_eq!(bench.org.row("accounts", &id).unwrap()["name"], "D");
    bench.org.act_edit("accounts", &id, SELLER, json!({ "name": "e" }), now).unwrap();
    assert_eq!(bench.org.row("accounts", &id).unwrap()["name"], "E");
    let untouched = bench.patch(&format!("accounts({COMPANY})"), &WISH, json!({ "telephone1": "1" }));
    assert_eq!(untouched.done(200).body["name"], "Fabrikam");
}

#[test]
fn what_a_plug_in_makes_must_fit_its_column() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    bench.org.rewrite("opportunities", "name", PluginRewrite::Prefix("Long ".into()));
    bench.patch(&deal, &[], json!({ "name": "n".repeat(296) })).refused(400, "0x80044331");
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["name"], "Deal");
    bench.patch(&deal, &[], json!({ "name": "n".repeat(295) })).done(204);
}

#[test]
fn a_control_verb_adds_a_plug_in() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    let mut tell = |body: Value| bench.org.control("rewrite", &body, now).unwrap();
    tell(json!({ "table": "opportunities", "column": "name", "as": "trim_end" })).unwrap();
    tell(json!({ "table": "opportunities", "column": "name", "as": { "prefix": "X" } })).unwrap();
    tell(json!({ "table": "opportunities", "column": "estimatedvalue", "as": { "round": 0 } })).unwrap();
    assert!(tell(json!({ "table": "opportunities", "column": "nothing", "as": "upper" })).is_err());
    assert!(tell(json!({ "table": "opportunities", "column": "name", "as": "lower" })).is_err());
    let body = json!({ "name": "a ", "estimatedvalue": 1.4 });
    let stored = bench.patch(&format!("opportunities({DEAL})"), &WISH, body).done(200).body;
    assert_eq!((&stored["name"], &stored["estimatedvalue"]), (&json!("Xa"), &json!(1.0)));
}
