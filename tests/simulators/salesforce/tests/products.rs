//! Opportunities with products: their amount is not for others to write.

use super::*;

fn amount(bench: &mut Bench, deal: &str) -> Value {
    let row = bench.get(&format!("sobjects/Opportunity/{deal}?fields=Amount,ExpectedRevenue,NextStep"));
    row.done(200).body["Amount"].clone()
}

#[test]
fn their_amount_is_the_total_and_other_writes_to_it_are_ignored() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({ "Amount": 100 }));
    let path = format!("sobjects/Opportunity/{deal}");
    assert_eq!(bench.get(&path).done(200).body["HasOpportunityLineItem"], false);
    let now = bench.now;
    bench.org.act_products(&deal, SELLER, 480.0, now).unwrap();
    let row = bench.get(&path).done(200).body;
    assert_eq!(
        [&row["HasOpportunityLineItem"], &row["Amount"], &row["ExpectedRevenue"]],
        [&json!(true), &json!(480.0), &json!(48.0)]
    );
    bench.patch(&path, json!({ "Amount": 5, "NextStep": "Demo" })).done(204);
    assert_eq!(amount(&mut bench, &deal), 480.0);
    assert_eq!(bench.get(&path).done(200).body["NextStep"], "Demo", "the rest is written");
    bench.patch(&path, json!({ "Amount": null })).done(204);
    bench.edited("Opportunity", &deal, json!({ "Amount": 6 }));
    assert_eq!(amount(&mut bench, &deal), 480.0);
    bench.later(60);
    let body = json!({ "id": deal, "total": 500.5, "by": OTHER_SELLER });
    bench.org.control("products", &body, bench.now).unwrap().unwrap();
    let row = bench.query("SELECT Amount, LastModifiedById, LastModifiedDate FROM Opportunity").done(200);
    let row = &row.body["records"][0];
    assert_eq!((&row["Amount"], &row["LastModifiedById"]), (&json!(500.5), &json!(OTHER_SELLER)));
    assert_eq!(row["LastModifiedDate"], "2026-11-20T10:16:01.000+0000");
    let body = json!({ "IsClosed": true, "HasOpportunityLineItem": false });
    bench.patch(&path, body).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
}

#[test]
fn without_products_it_is_written_again() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({ "Amount": 100 }));
    let (path, now) = (format!("sobjects/Opportunity/{deal}"), bench.now);
    bench.org.act_products(&deal, SELLER, 480.0, now).unwrap();
    bench.org.control("no-products", &json!({ "id": deal }), now).unwrap().unwrap();
    assert_eq!(amount(&mut bench, &deal), 480.0);
    bench.patch(&path, json!({ "Amount": 5 })).done(204);
    assert_eq!(amount(&mut bench, &deal), 5.0);
    bench.org.rule("Opportunity", Some("Amount"), "Too much.", &["Amount"]);
    assert!(bench.org.act_products(&deal, SELLER, 9.0, now).unwrap_err().contains("Too much."));
    assert_eq!(amount(&mut bench, &deal), 5.0);
    assert!(bench.org.act_products("006Qy00000zzzzz", SELLER, 9.0, now).is_err());
}
