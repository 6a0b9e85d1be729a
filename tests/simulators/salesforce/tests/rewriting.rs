//! Flows of the customer's that store something else than was sent.

use super::*;

#[test]
fn a_flow_rewrites_what_a_write_sets() {
    let mut bench = Bench::new();
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({ "Name": "Sites & more" })));
    for (field, rewrite, sent, stored) in [
        ("NextStep", FlowRewrite::Upper, json!("Demo"), json!("DEMO")),
        ("NextStep", FlowRewrite::SingleBlanks, json!("a  b   c d"), json!("a b c d")),
        ("NextStep", FlowRewrite::Prefix("DE: ".into()), json!("Demo"), json!("DE: Demo")),
        ("NextStep", FlowRewrite::Prefix("DE: ".into()), json!("DE: Demo"), json!("DE: Demo")),
        ("NextStep", FlowRewrite::Upper, Value::Null, Value::Null),
        ("Amount", FlowRewrite::Round(0), json!(1234.56), json!(1235.0)),
        ("Amount", FlowRewrite::Round(1), json!(1234.56), json!(1234.6)),
        ("Amount", FlowRewrite::Upper, json!(1234.56), json!(1234.56)),
        ("StageName", FlowRewrite::Upper, json!("Qualification"), json!("Qualification")),
    ] {
        bench.org.clear_rules();
        bench.org.rewrite("Opportunity", field, rewrite.clone());
        bench.patch(&path, json!({ field: sent })).done(204);
        assert_eq!(bench.get(&path).done(200).body[field], stored, "{field} {rewrite:?}");
    }
    bench.org.switches.trims_text = false;
    bench.org.clear_rules();
    bench.org.rewrite("Opportunity", "Description", FlowRewrite::TrimEnd);
    bench.patch(&path, json!({ "Description": " text \r\n", "NextStep": "x " })).done(204);
    let row = bench.get(&path).done(200).body;
    assert_eq!((&row["Description"], &row["NextStep"]), (&json!(" text"), &json!("x ")));
    assert_eq!(row["Name"], "Sites & more");
}

#[test]
fn it_runs_for_people_and_new_rows_too_until_it_is_cleared() {
    let mut bench = Bench::new();
    let now = bench.now;
    let flow = json!({ "object": "Opportunity", "field": "Name", "rewrite": { "prefix": "DE: " } });
    bench.org.control("rewrite", &flow, now).unwrap().unwrap();
    let flow = json!({ "object": "Opportunity", "field": "Name", "rewrite": "upper" });
    bench.org.control("rewrite", &flow, now).unwrap().unwrap();
    assert!(bench.org.control("rewrite", &json!({ "object": "x", "field": "y" }), now).unwrap().is_err());
    let deal = bench.deal(json!({}));
    let name = |bench: &Bench| bench.org.row("Opportunity", &deal).unwrap()["Name"].clone();
    assert_eq!(name(&bench), "DE: DEAL", "one after the other");
    let path = format!("sobjects/Opportunity/{deal}");
    bench.patch(&path, json!({ "Name": "N".repeat(119) })).refused(400, "STRING_TOO_LONG");
    bench.org.clear_rules();
    bench.edited("Opportunity", &deal, json!({ "NextStep": "x" }));
    assert_eq!(name(&bench), "DE: DEAL");
    bench.patch(&path, json!({ "Name": "Deal" })).done(204);
    assert_eq!(name(&bench), "Deal");
    bench.org.rewrite("Opportunity", "Name", FlowRewrite::Upper);
    bench.edited("Opportunity", &deal, json!({ "NextStep": "y" }));
    assert_eq!(name(&bench), "Deal", "only where the write sets it");
    bench.edited("Opportunity", &deal, json!({ "Name": "Other" }));
    assert_eq!(name(&bench), "OTHER");
}
