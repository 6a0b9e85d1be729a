//! What a page holds where rows of subqueries count towards it; and lists that have no pages.

use super::*;

const WITH_ROLES: &str = "SELECT Id, (SELECT ContactId FROM OpportunityContactRoles) FROM Opportunity";

/// So many opportunities with so many contact roles each.
fn shop(bench: &mut Bench, deals: usize, roles: usize) {
    let contact = bench.made("Contact", json!({ "LastName": "Vogel" }));
    for _ in 0..deals {
        let deal = bench.deal(json!({}));
        for _ in 0..roles {
            bench.made("OpportunityContactRole", json!({ "OpportunityId": deal, "ContactId": contact }));
        }
    }
}

/// How many records each page of a query holds, until one says that it is the last.
fn sizes(bench: &mut Bench, soql: &str, batch: usize) -> Vec<usize> {
    let (asked, mut sizes) = (format!("batchSize={batch}"), vec![]);
    let options = [("sforce-query-options", asked.as_str())];
    let mut page = bench.send("GET", &format!("query?q={soql}"), &options, Value::Null).done(200);
    loop {
        sizes.push(page.each("Id").len());
        assert_eq!(page.body["done"], page.body.get("nextRecordsUrl").is_none(), "{page:?}");
        let Some(next) = page.body["nextRecordsUrl"].as_str().map(str::to_owned) else { return sizes };
        page = Answer::of(bench.raw("GET", &next, &options, "")).done(200);
    }
}

#[test]
fn rows_of_subqueries_count_where_that_is_switched_on() {
    let mut bench = Bench::new();
    shop(&mut bench, 250, 1);
    assert_eq!(sizes(&mut bench, WITH_ROLES, 2000), [250]);
    assert_eq!(sizes(&mut bench, WITH_ROLES, 200), [200, 50]);
    bench.org.switches.child_rows_count = true;
    assert_eq!(sizes(&mut bench, WITH_ROLES, 2000), [250]);
    assert_eq!(sizes(&mut bench, WITH_ROLES, 200), [100, 100, 50]);
    assert_eq!(sizes(&mut bench, WITH_ROLES, 10), [100, 100, 50], "200 is the least");
    assert_eq!(sizes(&mut bench, "SELECT Id, Owner.Name FROM Opportunity", 200), [200, 50], "no child rows");
    bench.org.switches.page_size = Some(50);
    assert_eq!(sizes(&mut bench, WITH_ROLES, 200), [25; 10]);
}

#[test]
fn a_page_has_one_parent_at_least() {
    let mut bench = Bench::new();
    shop(&mut bench, 2, 250);
    bench.org.switches.child_rows_count = true;
    assert_eq!(sizes(&mut bench, WITH_ROLES, 200), [1, 1]);
    let none =
        "SELECT Id, (SELECT ContactId FROM OpportunityContactRoles WHERE IsPrimary = true) FROM Opportunity";
    assert_eq!(sizes(&mut bench, none, 200), [2]);
}

#[test]
fn changes_and_rows_by_id_come_in_one_piece() {
    let mut bench = Bench::new();
    shop(&mut bench, 250, 0);
    bench.org.switches.page_size = Some(2);
    bench.org.switches.child_rows_count = true;
    bench.later(120);
    let span = "start=2026-11-20T10:15:00Z&end=2026-11-20T10:17:00Z";
    let ids = bench.get(&format!("sobjects/Opportunity/updated/?{span}")).done(200).body["ids"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 250);
    let rows =
        bench.post("composite/sobjects/Opportunity", json!({ "ids": ids, "fields": ["Id"] })).done(200);
    assert_eq!(rows.body.as_array().unwrap().len(), 250);
}
