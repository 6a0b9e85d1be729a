//! A server that answers shorter pages than it was asked for.

use super::*;
use crate::dataverse::SALES_TEAM_ROLE;

/// Seven opportunities, and pages of two rows.
fn seven() -> Bench {
    let mut bench = Bench::with_deal();
    for n in 1..7 {
        bench.later(1);
        let now = bench.now;
        bench.org.act_create("opportunities", SELLER, json!({ "name": format!("D{n}") }), now).unwrap();
    }
    bench.org.switches.page_rows = Some(2);
    bench
}

/// The names on each page, and the last answer.
fn pages(bench: &mut Bench, path: &str, headers: &[(&str, &str)]) -> (Vec<Vec<String>>, Answer) {
    let (mut found, mut path) = (vec![], path.to_owned());
    loop {
        let page = bench.send("GET", &path, headers, Value::Null).done(200);
        found.push(page.names().into_iter().map(str::to_owned).collect());
        match page.body["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return (found, page),
        }
    }
}

fn sizes(pages: &[Vec<String>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

#[test]
fn a_list_comes_in_short_pages_whatever_is_asked() {
    let mut bench = seven();
    let path = "opportunities?$select=name&$orderby=createdon,opportunityid&$count=true";
    for headers in [&[][..], &[("prefer", "odata.maxpagesize=500")], &[("prefer", "odata.maxpagesize=3")]] {
        let (found, last) = pages(&mut bench, path, headers);
        assert_eq!(sizes(&found), [2, 2, 2, 1]);
        assert_eq!(found.concat(), ["Deal", "D1", "D2", "D3", "D4", "D5", "D6"]);
        assert_eq!(last.body["@odata.count"], 7);
    }
    let (found, _) = pages(&mut bench, path, &[("prefer", "odata.maxpagesize=1")]);
    assert_eq!(sizes(&found), [1; 7]);
    let (found, _) =
        pages(&mut bench, "opportunities?$select=name&$filter=startswith(name,'D') and name ne 'D6'", &[]);
    assert_eq!(sizes(&found), [2, 2, 2]);
}

#[test]
fn a_link_works_again_and_again() {
    let mut bench = seven();
    let first = bench.get("opportunities?$select=name&$orderby=name").done(200);
    let link = first.body["@odata.nextLink"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let next = bench.get(&link).done(200);
        assert_eq!(next.names(), ["D3", "D4"]);
        assert!(next.body["@odata.nextLink"].is_string());
    }
}

#[test]
fn pages_go_on_until_top_is_reached() {
    let mut bench = seven();
    let path = |top: usize| format!("opportunities?$select=name&$orderby=name&$top={top}");
    for (top, expected) in [
        (1, &[1][..]),
        (2, &[2]),
        (3, &[2, 1]),
        (4, &[2, 2]),
        (5, &[2, 2, 1]),
        (7, &[2, 2, 2, 1]),
        (50, &[2, 2, 2, 1]),
    ] {
        let (found, _) = pages(&mut bench, &path(top), &[]);
        assert_eq!(sizes(&found), expected, "{top}");
    }
    // A page size makes `$top` void.
    let (found, _) = pages(&mut bench, &path(3), &[("prefer", "odata.maxpagesize=5")]);
    assert_eq!(sizes(&found), [2, 2, 2, 1]);
    bench.org.switches.page_rows = None;
    let (found, _) = pages(&mut bench, &path(3), &[]);
    assert_eq!(sizes(&found), [3]);
}

#[test]
fn change_tracking_comes_in_short_pages() {
    let mut bench = seven();
    let track = [("prefer", "odata.track-changes,odata.maxpagesize=500")];
    let (found, last) = pages(&mut bench, "opportunities?$select=name", &track);
    assert_eq!(sizes(&found), [2, 2, 2, 1]);
    let since = last.body["@odata.deltaLink"].as_str().unwrap().to_owned();
    let now = bench.now;
    let ids: Vec<String> = bench
        .org
        .rows("opportunities")
        .iter()
        .map(|row| row["opportunityid"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids[..3] {
        bench.org.act_edit("opportunities", id, SELLER, json!({ "name": "Edited" }), now).unwrap();
    }
    for id in &ids[3..5] {
        bench.org.act_delete("opportunities", id, SELLER, now).unwrap();
    }
    for _ in 0..2 {
        let (found, last) = pages(&mut bench, &since, &[]);
        assert_eq!(sizes(&found), [2, 2, 1]);
        assert_eq!(found.concat(), ["Edited", "Edited", "Edited", "-", "-"]);
        assert!(last.body["@odata.deltaLink"].is_string());
    }
}

#[test]
fn connections_and_batches_have_short_pages_too() {
    let mut bench = seven();
    bench.org.control("switches", &json!({ "page_rows": 1 }), bench.now).unwrap().unwrap();
    let now = bench.now;
    for _ in 0..3 {
        let row = json!({ "record1id_opportunity@odata.bind": format!("/opportunities({DEAL})"),
            "record2id_systemuser@odata.bind": format!("/systemusers({SELLER})"),
            "record2roleid@odata.bind": format!("/connectionroles({SALES_TEAM_ROLE})") });
        bench.org.act_create("connections", SELLER, row, now).unwrap();
    }
    let path = format!(
        "connections?$select=_record2id_value&$expand=record2id_systemuser($select=fullname)&$filter=_record1id_value eq {DEAL}"
    );
    let (found, last) = pages(&mut bench, &path, &[]);
    assert_eq!(sizes(&found), [1, 1, 1]);
    assert_eq!(last.body["value"][0]["record2id_systemuser"]["fullname"], "Sara Klein");
    let line = format!("GET {ROOT}/opportunities?$select=name HTTP/1.1");
    let part = ["--batch_5e0a", "Content-Type: application/http", "Content-Transfer-Encoding: binary", ""];
    let mut lines = part.to_vec();
    lines.extend([line.as_str(), "Accept: application/json", "", "", "--batch_5e0a--", ""]);
    let answer = bench.batch(&[], &lines);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains("@odata.nextLink"), "{text}");
}
