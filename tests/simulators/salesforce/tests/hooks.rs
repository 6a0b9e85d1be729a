//! What befalls a caller: limits, locks, rules, duplicates, rights, versions.

use super::*;

#[test]
fn calls_are_counted_over_a_day() {
    let mut bench = Bench::new();
    bench.org.switches.daily_api_requests = 2;
    assert_eq!(bench.get("limits").done(200).body["DailyApiRequests"], json!({ "Max": 2, "Remaining": 1 }));
    assert_eq!(bench.get("sobjects").done(200).header("sforce-limit-info"), "api-usage=2/2");
    let refused = bench.get("limits");
    assert_eq!(refused.refused(403, "REQUEST_LIMIT_EXCEEDED"), "TotalRequests Limit exceeded.");
    assert_eq!((refused.header("retry-after"), refused.header("sforce-limit-info")), ("", "api-usage=2/2"));
    bench.later(24 * 3600);
    let now = bench.now;
    bench.token = bench.org.sign_in(INTEGRATION_USER, now);
    bench.get("limits").done(200);
}

#[test]
fn locks_and_triggers_strike_so_many_times() {
    let mut bench = Bench::new();
    let account = bench.made("Account", json!({ "Name": "Fabrikam" }));
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({ "AccountId": account })));
    let step = || json!({ "NextStep": "x" });
    bench.org.lock(&account, 1);
    bench.patch(&path, step()).refused(400, "UNABLE_TO_LOCK_ROW");
    bench.patch(&path, step()).done(204);
    bench.org.switches.lock_status = 500;
    bench.org.lock(&account, 1);
    bench.patch(&path, step()).refused(500, "UNABLE_TO_LOCK_ROW");
    bench.org.trigger("Opportunity", "boom", 1);
    bench.patch(&path, step()).refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    bench.org.rule("Opportunity", Some("NextStep"), "Not so.", &["NextStep"]);
    let refused = bench.patch(&path, step());
    assert_eq!(refused.body[0]["fields"], json!(["NextStep"]));
    bench.patch(&path, json!({ "Amount": 1 })).done(204);
    bench.org.clear_rules();
    bench.org.flow("Opportunity", json!({ "NextStep": "by a flow" }));
    bench.patch(&path, json!({ "Amount": 2 })).done(204);
    assert_eq!(bench.get(&path).done(200).body["NextStep"], "by a flow");
}

#[test]
fn alerts_are_saved_on_request_and_blocks_never() {
    let mut bench = Bench::new();
    let person = || json!({ "LastName": "Vogel", "Email": "v@fabrikam.example" });
    bench.made("Contact", person());
    let found = bench.post("sobjects/Contact", person());
    found.refused(400, "DUPLICATES_DETECTED");
    assert_eq!(found.body[0]["duplicateResut"]["allowSave"], true);
    let save = [("sforce-duplicate-rule-header", "includeRecordDetails=false; allowSave=true")];
    bench.send("POST", "sobjects/Contact", &save, person()).done(201);
    let parts = json!({ "compositeRequest": [{ "method": "POST", "url": "/services/data/v62.0/sobjects/Contact",
        "referenceId": "c", "body": person() }] });
    let inside = bench.send("POST", "composite", &save, parts.clone()).done(200);
    assert_eq!(inside.body["compositeResponse"][0]["httpStatusCode"], 201);
    assert_eq!(bench.post("composite", parts).body["compositeResponse"][0]["httpStatusCode"], 400);
    bench.org.duplicate_rule("Contact", &["Phone"], true);
    bench.made("Contact", json!({ "LastName": "A", "Phone": "1" }));
    let blocked = bench.send("POST", "sobjects/Contact", &save, json!({ "LastName": "B", "Phone": "1" }));
    blocked.refused(400, "DUPLICATES_DETECTED");
    assert_eq!(blocked.body[0]["duplicateResut"]["allowSave"], false);
    bench.org.switches.standard_duplicate_rules = false;
    bench.post("sobjects/Contact", person()).done(201);
}

#[test]
fn rights_that_were_taken_are_missed() {
    let mut bench = Bench::new();
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({})));
    bench.org.deny_field("Opportunity", "Amount", "edit");
    bench.patch(&path, json!({ "Amount": 1 })).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    bench.org.deny_field("Opportunity", "Amount", "read");
    bench.patch(&path, json!({ "Amount": 1 })).refused(400, "INVALID_FIELD");
    bench.query("SELECT Amount FROM Opportunity").refused(400, "INVALID_FIELD");
    assert!(bench.get(&path).done(200).body.get("Amount").is_none());
    bench.org.deny("Opportunity", "edit");
    bench.patch(&path, json!({ "NextStep": "x" })).refused(400, "INSUFFICIENT_ACCESS_OR_READONLY");
    bench.org.deny("Opportunity", "read");
    bench.query("SELECT Id FROM Opportunity").refused(400, "INVALID_TYPE");
    bench.get(&path).refused(404, "NOT_FOUND");
    bench.org.allow_all();
    bench.patch(&path, json!({ "Amount": 1 })).done(204);
}

#[test]
fn versions_are_listed_and_retired() {
    let mut bench = Bench::new();
    let list = Answer::of(bench.raw("GET", "/services/data/", &[("authorization", "")], "")).done(200);
    let found =
        |v: &str| list.body.as_array().unwrap().iter().find(|e| e["version"] == v).unwrap()["label"].clone();
    assert_eq!(
        [found("60.0"), found("62.0"), found("65.0"), found("67.0")],
        ["Spring '24", "Winter '25", "Winter '26", "Summer '26"]
    );
    Answer::of(bench.raw("GET", "/services/data/v30.0/limits", &[], ""))
        .refused(410, "UNSUPPORTED_API_VERSION");
    Answer::of(bench.raw("GET", "/services/data/v99.0/limits", &[], "")).refused(404, "NOT_FOUND");
    let long = format!("query?q={}", "x".repeat(17_000));
    bench.get(&long).refused(414, "URI_TOO_LONG");
    bench.send("GET", "limits", &[("sforce-limit", "1")], Value::Null).done(501);
    bench.send("GET", "limits", &[("accept", "application/xml")], Value::Null).done(501);
    bench.get("analytics/reports").done(501);
}

#[test]
fn features_bring_their_objects_and_fields() {
    let mut bench = Bench::new();
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({})));
    bench.get("sobjects/CurrencyType").refused(404, "NOT_FOUND");
    bench.org.switches.multi_currency = true;
    bench.patch(&path, json!({ "CurrencyIsoCode": "USD" })).done(204);
    bench
        .patch(&path, json!({ "CurrencyIsoCode": "XXX" }))
        .refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    let rates =
        bench.query("SELECT IsoCode, IsCorporate FROM CurrencyType WHERE IsCorporate = true").done(200);
    assert_eq!(rates.each("IsoCode"), ["EUR"]);
    bench.query("SELECT DefaultCurrencyIsoCode FROM Organization").refused(400, "INVALID_FIELD");
    bench.org.switches.organization_currency = true;
    bench.query("SELECT DefaultCurrencyIsoCode FROM Organization").done(200);
    bench
        .post("sobjects/Account", json!({ "Name": "A", "BillingCountryCode": "DE" }))
        .refused(400, "INVALID_FIELD");
    bench.org.switches.state_country_picklists = true;
    let made = bench.post("sobjects/Account", json!({ "Name": "A", "BillingCountryCode": "DE" })).done(201);
    let path = format!("sobjects/Account/{}", made.body["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).done(200).body["BillingCountry"], "Germany");
    bench.patch(&path, json!({ "BillingCountry": "Deutschland" })).refused(400, "FIELD_INTEGRITY_EXCEPTION");
    bench.patch(&path, json!({ "BillingCountry": "United States", "BillingStateCode": "WA" })).done(204);
    assert_eq!(bench.get(&path).done(200).body["BillingCountryCode"], "US");
}
