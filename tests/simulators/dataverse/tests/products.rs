//! An amount that follows products, and one that does not any more.

use super::*;

fn amount(bench: &mut Bench) -> (Value, Value) {
    let path = format!("opportunities({DEAL})?$select=estimatedvalue,isrevenuesystemcalculated");
    let row = bench.get(&path).done(200).body;
    (row["estimatedvalue"].clone(), row["isrevenuesystemcalculated"].clone())
}

#[test]
fn an_amount_is_what_is_written_until_products_own_it() {
    let mut bench = Bench::with_deal();
    let (deal, now) = (format!("opportunities({DEAL})"), bench.now);
    assert_eq!(amount(&mut bench), (json!(1000.0), json!(false)));
    bench.org.act_products(DEAL, SELLER, 4200.5, now).unwrap();
    assert_eq!(amount(&mut bench), (json!(4200.5), json!(true)));
    let before = bench.get(&deal).header("etag").to_owned();
    let wish = [("prefer", "return=representation")];
    let body = json!({ "estimatedvalue": 7, "name": "Other" });
    let answered = bench.patch(&deal, &wish, body).done(200);
    assert_eq!((&answered.body["estimatedvalue"], &answered.body["name"]), (&json!(4200.5), &json!("Other")));
    assert_eq!(answered.body["estimatedvalue_base"], 4200.5);
    assert_ne!(answered.header("etag"), before);
    bench.patch(&deal, &[], json!({ "estimatedvalue": null })).done(204);
    bench.org.act_edit("opportunities", DEAL, SELLER, json!({ "estimatedvalue": 8 }), now).unwrap();
    assert_eq!(amount(&mut bench).0, 4200.5);
    bench.patch(&deal, &[], json!({ "estimatedvalue": "7" })).refused(400, "0x80048d19");
    bench.org.act_products(DEAL, SELLER, 10.0, now).unwrap();
    assert_eq!(amount(&mut bench).0, 10.0);
}

#[test]
fn without_products_the_amount_stays_and_may_be_written() {
    let mut bench = Bench::with_deal();
    let (deal, now) = (format!("opportunities({DEAL})"), bench.now);
    bench.org.act_products(DEAL, SELLER, 50.0, now).unwrap();
    bench.org.act_no_products(DEAL, SELLER, now).unwrap();
    assert_eq!(amount(&mut bench), (json!(50.0), json!(false)));
    bench.patch(&deal, &[], json!({ "estimatedvalue": 60 })).done(204);
    assert_eq!(amount(&mut bench).0, 60.0);
    bench.org.act_products(DEAL, SELLER, 70.0, now).unwrap();
    let own = json!({ "isrevenuesystemcalculated": false, "estimatedvalue": 80 });
    bench.patch(&deal, &[], own).done(204);
    assert_eq!(amount(&mut bench), (json!(80.0), json!(false)));
}

#[test]
fn products_obey_the_rules_of_a_write() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    assert!(bench.org.act_products(COMPANY, SELLER, 1.0, now).unwrap_err().starts_with("404"));
    let tell = |bench: &mut Bench, verb: &str, body: Value| bench.org.control(verb, &body, now).unwrap();
    tell(&mut bench, "products", json!({ "id": DEAL, "total": 30 })).unwrap();
    assert_eq!(amount(&mut bench), (json!(30.0), json!(true)));
    tell(&mut bench, "no-products", json!({ "id": DEAL })).unwrap();
    assert!(tell(&mut bench, "products", json!({ "id": DEAL })).is_err());
    bench.org.act_win(DEAL, SELLER, json!({}), now).unwrap();
    assert!(bench.org.act_products(DEAL, SELLER, 1.0, now).unwrap_err().contains("closed"));
    assert_eq!(amount(&mut bench), (json!(30.0), json!(false)));
}
