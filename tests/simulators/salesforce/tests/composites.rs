//! Composite, graphs and collections.

use super::*;

fn sub(method: &str, path: &str, reference: &str, body: Value) -> Value {
    let url = format!("/services/data/v62.0/{path}");
    json!({ "method": method, "url": url, "referenceId": reference, "body": body })
}

fn composite(all_or_none: bool, parts: Vec<Value>) -> Value {
    json!({ "allOrNone": all_or_none, "compositeRequest": parts })
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let parts = answer.body["compositeResponse"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    parts.iter().map(|part| part["httpStatusCode"].as_u64().unwrap()).collect()
}

#[test]
fn later_parts_use_what_earlier_ones_answered() {
    let mut bench = Bench::new();
    bench.made("Account", json!({ "Name": "Fabrikam" }));
    let deal = json!({ "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-02-28", "AccountId": "@{found.records[0].Id}" });
    let parts = vec![
        sub("GET", "query?q=SELECT+Id+FROM+Account+WHERE+Name='Fabrikam'", "found", Value::Null),
        sub("POST", "sobjects/Opportunity", "deal", deal),
        sub("GET", "sobjects/Opportunity/@{deal.id}?fields=AccountId,SystemModstamp", "read", Value::Null),
        sub("PATCH", "sobjects/Opportunity/@{deal.id}", "step", json!({ "NextStep": "for @{deal.id}" })),
    ];
    let answer = bench.post("composite", composite(true, parts)).done(200);
    assert_eq!(statuses(&answer), [200, 201, 200, 204]);
    let parts = &answer.body["compositeResponse"];
    assert_eq!(parts[2]["body"]["AccountId"], parts[0]["body"]["records"][0]["Id"]);
    assert_eq!(parts[3]["body"], Value::Null);
    let id = parts[1]["body"]["id"].as_str().unwrap();
    assert_eq!(bench.org.row("Opportunity", id).unwrap()["NextStep"], format!("for {id}"));
    assert_eq!(answer.header("sforce-limit-info"), "api-usage=1/104000");
}

#[test]
fn a_failed_part_rolls_back_all_or_only_its_dependants() {
    let mut bench = Bench::new();
    let parts = || {
        vec![
            sub(
                "PATCH",
                "sobjects/Account/Partner_Center_Customer_Key__c/a-1",
                "account",
                json!({ "Name": "Fabrikam" }),
            ),
            sub("POST", "sobjects/Opportunity", "deal", json!({ "Name": "x" })),
            sub("POST", "sobjects/Note", "note", json!({ "ParentId": "@{deal.id}", "Title": "x" })),
            sub(
                "POST",
                "sobjects/Contact",
                "contact",
                json!({ "LastName": "Vogel", "AccountId": "@{account.id}" }),
            ),
        ]
    };
    let answer = bench.post("composite", composite(true, parts())).done(200);
    assert_eq!(statuses(&answer), [400; 4]);
    let code =
        |answer: &Answer, n: usize| answer.body["compositeResponse"][n]["body"][0]["errorCode"].clone();
    assert_eq!(
        [code(&answer, 0), code(&answer, 1), code(&answer, 3)],
        ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    );
    assert!(bench.org.rows("Account").is_empty());
    let answer = bench.post("composite", composite(false, parts())).done(200);
    assert_eq!(statuses(&answer), [201, 400, 400, 201]);
    let told = &answer.body["compositeResponse"][2]["body"][0];
    assert_eq!(
        (told["errorCode"].as_str(), told["message"].as_str()),
        (Some("PROCESSING_HALTED"), Some("Invalid reference specified. No value for deal.id found in deal"))
    );
    assert_eq!(bench.org.rows("Contact").len(), 1);
}

#[test]
fn conditions_travel_in_the_headers_of_a_part() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({}));
    bench.later(10);
    let mut edit = sub("PATCH", &format!("sobjects/Opportunity/{deal}"), "edit", json!({ "NextStep": "x" }));
    edit["httpHeaders"] = json!({ "If-Unmodified-Since": "Fri, 20 Nov 2026 10:15:01 GMT" });
    let read =
        sub("GET", &format!("sobjects/Opportunity/{deal}?fields=LastModifiedDate"), "read", Value::Null);
    let parts = composite(true, vec![edit, read]);
    let answer = bench.post("composite", parts.clone()).done(200);
    assert_eq!(statuses(&answer), [204, 200]);
    assert_eq!(
        answer.body["compositeResponse"][1]["body"]["LastModifiedDate"],
        "2026-11-20T10:15:11.000+0000"
    );
    let answer = bench.post("composite", parts).done(200);
    assert_eq!(statuses(&answer), [412, 400]);
    assert_eq!(answer.body["compositeResponse"][0]["body"], Value::Null);
}

#[test]
fn a_composite_has_its_limits_and_its_form() {
    let mut bench = Bench::new();
    let reads = |count: usize, path: &str| {
        let part = |n: usize| sub("GET", path, &format!("r{n}"), Value::Null);
        composite(false, (0..count).map(part).collect())
    };
    bench.post("composite", reads(26, "sobjects/Account/001Qy00000zzzzz")).refused(400, "LIMIT_EXCEEDED");
    bench.post("composite", reads(25, "sobjects/Account/001Qy00000zzzzz")).done(200);
    bench.post("composite", reads(6, "query?q=SELECT+Id+FROM+Account")).refused(400, "LIMIT_EXCEEDED");
    bench.post("composite", reads(5, "query?q=SELECT+Id+FROM+Account")).done(200);
    bench.post("composite", json!({ "compositeRequest": [], "extra": 1 })).refused(400, "JSON_PARSER_ERROR");
    bench
        .post("composite", json!({ "compositeRequest": [sub("GET", "limits", "1st", Value::Null)] }))
        .refused(400, "JSON_PARSER_ERROR");
    bench.post("composite", composite(false, vec![sub("GET", "limits", "r", Value::Null)])).done(501);
    bench.get("composite").refused(405, "METHOD_NOT_ALLOWED");
    bench.post("composite/tree/Account", json!({ "records": [] })).done(501);
    bench.post("composite/batch", json!({ "batchRequests": [] })).done(501);
}

#[test]
fn each_graph_is_a_transaction() {
    let mut bench = Bench::new();
    let graph = |id: &str, name: Value| {
        let key = format!("sobjects/Account/Partner_Center_Customer_Key__c/{id}");
        json!({ "graphId": id, "compositeRequest": [sub("PATCH", &key, "a", json!({ "Name": format!("Firm {id}") })),
            sub("POST", "sobjects/Contact", "c", json!({ "LastName": name, "AccountId": "@{a.id}" }))] })
    };
    let body = json!({ "graphs": [graph("g1", json!("Vogel")), graph("g2", Value::Null)] });
    let answer = bench.post("composite/graph", body).done(200);
    let good: Vec<_> =
        answer.body["graphs"].as_array().unwrap().iter().map(|g| g["isSuccessful"].clone()).collect();
    assert_eq!(good, [true, false]);
    assert_eq!(bench.org.rows("Account").len(), 1);
    let many = json!({ "graphs": (0..76).map(|n| graph(&format!("g{n}"), json!("x"))).collect::<Vec<_>>() });
    bench.post("composite/graph", many).refused(400, "LIMIT_EXCEEDED");
    let query = json!({ "graphs": [{ "graphId": "g", "compositeRequest": [sub("GET", "query?q=SELECT+Id+FROM+Account", "q", Value::Null)] }] });
    bench.post("composite/graph", query).done(501);
}

#[test]
fn collections_tell_of_each_row() {
    let mut bench = Bench::new();
    let row = |name: Value| json!({ "attributes": { "type": "Account" }, "Name": name });
    let body = |all: bool| json!({ "allOrNone": all, "records": [row(json!("A")), row(Value::Null), row(json!("B"))] });
    let answer = bench.post("composite/sobjects", body(false)).done(200);
    assert_eq!(
        answer.body[1]["errors"][0],
        json!({ "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name]", "fields": ["Name"] })
    );
    assert_eq!(bench.org.rows("Account").len(), 2);
    let answer = bench.post("composite/sobjects", body(true)).done(200);
    assert_eq!(answer.body[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(bench.org.rows("Account").len(), 2);
    let ids: Vec<String> =
        bench.org.rows("Account").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect();
    let update = json!({ "records": [{ "attributes": { "type": "Account" }, "id": ids[0], "Phone": "1" },
        { "attributes": { "type": "Account" }, "Phone": "2" }] });
    let answer = bench.patch("composite/sobjects", update).done(200);
    assert_eq!(
        (&answer.body[0]["success"], &answer.body[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("MISSING_ARGUMENT"))
    );
    let many = json!({ "records": vec![row(json!("x")); 201] });
    bench.post("composite/sobjects", many).refused(400, "LIMIT_EXCEEDED");
    let key = "Partner_Center_Customer_Key__c";
    let keyed = |value: &str| json!({ "attributes": { "type": "Account" }, "Name": value, key: value });
    let upsert = json!({ "records": [keyed("k1"), keyed("K1"), keyed("k2"), row(json!("C"))] });
    let answer = bench.patch(&format!("composite/sobjects/Account/{key}"), upsert).done(200);
    let made: Vec<_> = answer.body.as_array().unwrap().iter().map(|i| i["created"].clone()).collect();
    assert_eq!(made, [json!(true), Value::Null, json!(true), Value::Null]);
    let read = bench
        .get(&format!("composite/sobjects/Account?ids={},001Qy00000zzzzz&fields=Id,Name", ids[1]))
        .done(200);
    assert_eq!((&read.body[0]["Name"], &read.body[1]), (&json!("B"), &Value::Null));
    let read =
        bench.post("composite/sobjects/Account", json!({ "ids": [ids[1]], "fields": ["Name"] })).done(200);
    assert_eq!(read.body[0]["Name"], "B");
    let gone = bench
        .send("DELETE", &format!("composite/sobjects?ids={}", ids.join(",")), &[], Value::Null)
        .done(200);
    assert_eq!(gone.body[1]["success"], true);
}
