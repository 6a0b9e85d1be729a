//! What a poller sees: stamps, late commits, `/updated/`, `/deleted/`, the recycle bin, merges, conversions.

use super::*;

fn updated(bench: &mut Bench, which: &str, start: &str, end: &str) -> Answer {
    bench.get(&format!(
        "sobjects/Opportunity/{which}/?start=2026-11-20T{start}%2B00:00&end=2026-11-20T{end}%2B00:00"
    ))
}

#[test]
fn spans_are_whole_minutes_and_end_before_open_transactions() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({}));
    bench.later(600);
    let answer = updated(&mut bench, "updated", "10:15:59", "10:20:30").done(200);
    assert_eq!(answer.body, json!({ "ids": [deal], "latestDateCovered": "2026-11-20T10:20:00.000+0000" }));
    let later = updated(&mut bench, "updated", "10:20:00", "10:40:00").done(200);
    assert_eq!(later.body, json!({ "ids": [], "latestDateCovered": "2026-11-20T10:25:00.000+0000" }));
    let open = bench.org.act_open("Opportunity", &deal, SELLER, json!({ "NextStep": "late" }), bench.now);
    bench.later(300);
    let answer = updated(&mut bench, "updated", "10:20:00", "10:30:00").done(200);
    assert_eq!(
        (&answer.body["ids"], &answer.body["latestDateCovered"]),
        (&json!([]), &json!("2026-11-20T10:25:00.000+0000"))
    );
    bench.org.commit_open(open, bench.now).unwrap();
    let row = bench.org.row("Opportunity", &deal).unwrap();
    assert_eq!(
        (&row["NextStep"], &row["SystemModstamp"]),
        (&json!("late"), &json!("2026-11-20T10:25:01.000+0000"))
    );
    let answer = updated(&mut bench, "updated", "10:25:00", "10:30:00").done(200);
    assert_eq!(answer.body["ids"], json!([deal]));
    updated(&mut bench, "updated", "10:25:10", "10:25:50").refused(400, "INVALID_REPLICATION_DATE");
    bench
        .get("sobjects/Opportunity/deleted/?start=2026-11-01T00:00:00Z&end=2026-11-20T10:00:00Z")
        .refused(400, "INVALID_REPLICATION_DATE");
    bench
        .get("sobjects/Opportunity/updated/?start=2026-11-20T10:00:00+00:00&end=2026-11-20T10:30:00Z")
        .done(501);
    bench
        .get("sobjects/OpportunityStage/updated/?start=2026-11-20T10:00:00Z&end=2026-11-20T10:30:00Z")
        .done(501);
}

#[test]
fn deletions_stay_in_the_log_when_the_bin_is_emptied() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({}));
    bench.org.act_delete("Opportunity", &deal, SELLER, bench.now).unwrap();
    bench.later(600);
    let all = "queryAll?q=SELECT Id, IsDeleted FROM Opportunity WHERE IsDeleted = true";
    assert_eq!(bench.get(all).done(200).body["totalSize"], 1);
    assert_eq!(bench.query("SELECT Id FROM Opportunity").done(200).body["totalSize"], 0);
    bench.org.empty_bin();
    assert_eq!(bench.get(all).done(200).body["totalSize"], 0);
    let answer = updated(&mut bench, "deleted", "10:15:00", "10:20:00").done(200);
    assert_eq!(answer.body["deletedRecords"][0]["id"], *deal);
    bench.org.purge_deleted_log(bench.now);
    updated(&mut bench, "deleted", "10:15:00", "10:20:00").refused(400, "INVALID_REPLICATION_DATE");
}

#[test]
fn automated_processes_move_only_the_system_stamp() {
    let mut bench = Bench::new();
    bench.org.switches.system_process_after = Some(3);
    let made = bench.post("sobjects/Account", json!({ "Name": "Fabrikam" })).done(201);
    bench.later(5);
    let row = bench.get(&format!("sobjects/Account/{}", made.body["id"].as_str().unwrap())).done(200).body;
    assert_eq!(row["LastModifiedDate"], "2026-11-20T10:15:01.000+0000");
    assert_eq!(row["SystemModstamp"], "2026-11-20T10:15:04.000+0000");
    assert_eq!(row["LastModifiedById"], INTEGRATION_USER);
    let deal = bench.deal(json!({}));
    bench
        .org
        .act_late_edit("Opportunity", &deal, OTHER_SELLER, json!({ "NextStep": "x" }), bench.now, 90)
        .unwrap();
    let row = bench.org.row("Opportunity", &deal).unwrap();
    assert_eq!(
        (&row["SystemModstamp"], &row["LastModifiedById"]),
        (&json!("2026-11-20T10:13:36.000+0000"), &json!(OTHER_SELLER))
    );
}

#[test]
fn a_merge_names_the_winner() {
    let mut bench = Bench::new();
    let accounts = ["Fabrikam", "Fabrikam GmbH"].map(|name| bench.made("Account", json!({ "Name": name })));
    let deal = bench.deal(json!({ "AccountId": accounts[1] }));
    bench.org.act_merge("Account", &accounts[0], &accounts[1], SELLER, bench.now).unwrap();
    assert_eq!(bench.org.row("Opportunity", &deal).unwrap()["AccountId"], *accounts[0]);
    let soql = "queryAll?q=SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true";
    let gone = bench.get(soql).done(200);
    assert_eq!(gone.each("MasterRecordId"), [json!(accounts[0])]);
    assert!(bench.org.act_merge("Opportunity", &deal, &deal, SELLER, bench.now).is_err());
}

#[test]
fn a_converted_lead_tells_where_it_went_and_stays() {
    let mut bench = Bench::new();
    bench.org.switches.convert_copies = vec![KEY.to_owned()];
    let lead = bench.made(
        "Lead",
        json!({ "LastName": "Vogel", "Company": "Fabrikam", "Email": "v@fabrikam.example", KEY: "ref-1" }),
    );
    assert_eq!(bench.org.row("Lead", &lead).unwrap()["Status"], "Open - Not Contacted");
    let made = bench.org.act_convert(&lead, SELLER, None, true, bench.now).unwrap();
    let soql = "SELECT IsConverted, Status, ConvertedOpportunityId, ConvertedDate FROM Lead WHERE IsConverted = true";
    let row = bench.query(soql).done(200).body["records"][0].clone();
    assert_eq!((&row["Status"], &row["ConvertedDate"]), (&json!("Closed - Converted"), &json!("2026-11-20")));
    let deal = made.opportunity.unwrap();
    assert_eq!(row["ConvertedOpportunityId"], *deal);
    assert_eq!(bench.org.row("Opportunity", &deal).unwrap()[KEY], "ref-1");
    bench
        .patch(&format!("sobjects/Lead/{lead}"), json!({ "Title": "x" }))
        .refused(400, "CANNOT_UPDATE_CONVERTED_LEAD");
    assert!(bench.org.act_convert(&lead, SELLER, None, true, bench.now).is_err());
    Answer::of(bench.raw("POST", "/services/Soap/u/62.0", &[], "<x/>")).done(501);
}
