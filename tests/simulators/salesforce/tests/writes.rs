//! One row at a time: create, update, upsert, conditions, deletion, and how values are checked.

use super::*;

#[test]
fn ids_are_long_and_have_the_prefix_of_their_object() {
    let mut bench = Bench::new();
    let made = bench.post("sobjects/Account", json!({ "Name": "Fabrikam" })).done(201);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(
        (id.len(), &id[..3], made.header("location")),
        (18, "001", &*format!("/services/data/v62.0/sobjects/Account/{id}"))
    );
    assert_eq!(ids::parsed(&id[..15]).as_deref(), Some(id));
    let short = bench.get(&format!("sobjects/Account/{}?fields=Name", &id[..15])).done(200);
    assert_eq!(short.body["attributes"]["url"], made.header("location"));
    assert_eq!(
        bench.get(&format!("sobjects/Account/{id}?fields=Nome")).refused(400, "INVALID_FIELD"),
        "No such column 'Nome' on sobject of type Account"
    );
    bench.get("sobjects/Account/001Qy00000zzzzz").refused(404, "NOT_FOUND");
    bench
        .send("POST", &format!("sobjects/Account/{id}"), &[], json!({ "Name": "x" }))
        .refused(405, "METHOD_NOT_ALLOWED");
    bench.send("GET", "sobjects/Case", &[], Value::Null).done(501);
}

#[test]
fn bodies_are_checked_strictly() {
    let mut bench = Bench::new();
    let deal = format!("sobjects/Opportunity/{}", bench.deal(json!({})));
    for (body, code) in [
        (json!({ "Foo": 1 }), "INVALID_FIELD"),
        (json!({ "CurrencyIsoCode": "EUR" }), "INVALID_FIELD"),
        (json!({ "Id": "006" }), "INVALID_FIELD"),
        (
            json!({ "IsClosed": true, "CreatedDate": "2026-01-01T00:00:00Z" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        (json!({ "Amount": "12" }), "JSON_PARSER_ERROR"),
        (json!({ "Name": 12 }), "JSON_PARSER_ERROR"),
        (json!({ "IsPrivate": "yes" }), "JSON_PARSER_ERROR"),
        (json!({ "CloseDate": "2027-02-28T00:00:00Z" }), "JSON_PARSER_ERROR"),
        (json!({ "CloseDate": "2027-02-30" }), "JSON_PARSER_ERROR"),
        (json!({ "CloseDate": null }), "REQUIRED_FIELD_MISSING"),
        (json!({ "Name": " " }), "REQUIRED_FIELD_MISSING"),
        (json!({ "Name": "N".repeat(121) }), "STRING_TOO_LONG"),
        (json!({ "LeadSource": "Nowhere" }), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (json!({ "Amount": 1e17 }), "NUMBER_OUTSIDE_VALID_RANGE"),
        (json!({ "AccountId": "001Qy00000zzzzz" }), "INVALID_CROSS_REFERENCE_KEY"),
        (json!({ "AccountId": "junk" }), "MALFORMED_ID"),
        (json!({ "OwnerId": "001Qy00000zzzzz" }), "MALFORMED_ID"),
    ] {
        bench.patch(&deal, body.clone()).refused(400, code);
    }
    bench.patch(&deal, json!({ "name": "x" })).done(501);
    bench.patch(&deal, json!({ "RecordTypeId": "x" })).done(501);
    let text = [("content-type", "text/plain")];
    bench.send("PATCH", &deal, &text, json!({})).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let broken = bench.raw("PATCH", &format!("/services/data/v62.0/{deal}"), &[], "{");
    Answer::of(broken).refused(400, "JSON_PARSER_ERROR");
    let set = json!({ "Amount": 10.005, "NextStep": "  Demo ", "Description": "" });
    bench.patch(&deal, set).done(204);
    let row = bench.get(&format!("{deal}?fields=Amount,NextStep,Description")).done(200).body;
    assert_eq!((&row["NextStep"], &row["Description"]), (&json!("Demo"), &Value::Null));
    assert!((row["Amount"].as_f64().unwrap() * 100.0).fract().abs() < 1e-6);
    bench.org.switches.restricted_picklists = false;
    bench.patch(&deal, json!({ "LeadSource": "Nowhere" })).done(204);
    bench.org.switches.restricted_stages = false;
    bench.patch(&deal, json!({ "StageName": "My own" })).done(204);
}

#[test]
fn a_stage_decides_what_is_closed_and_how_probable() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({ "Amount": 1000 }));
    let path = format!("sobjects/Opportunity/{deal}");
    let fields = "IsClosed,IsWon,Probability,ExpectedRevenue,ForecastCategory,Amount";
    let seen = |bench: &mut Bench| {
        let mut row = bench.get(&format!("{path}?fields={fields}")).done(200).body;
        row.as_object_mut().unwrap().remove("attributes");
        row
    };
    let open = json!({ "IsClosed": false, "IsWon": false, "Probability": 10.0, "ExpectedRevenue": 100.0,
        "ForecastCategory": "Pipeline", "Amount": 1000.0 });
    assert_eq!(seen(&mut bench), open);
    bench.patch(&path, json!({ "Probability": 35 })).done(204);
    assert_eq!(seen(&mut bench)["Probability"], 35.0);
    bench.patch(&path, json!({ "StageName": "Closed Won" })).done(204);
    let won = seen(&mut bench);
    assert_eq!(
        (&won["IsClosed"], &won["IsWon"], &won["Probability"]),
        (&json!(true), &json!(true), &json!(100.0))
    );
    bench.patch(&path, json!({ "StageName": "Qualification" })).done(204);
    assert_eq!(seen(&mut bench)["IsClosed"], false);
    bench.org.add_stage("Handed over", 80, false, false);
    bench.org.deactivate_stage("Prospecting");
    bench.patch(&path, json!({ "StageName": "Handed over" })).done(204);
    bench
        .patch(&path, json!({ "StageName": "Prospecting" }))
        .refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    bench.later(60);
    bench.org.rename_stage("Handed over", "With the customer", bench.now);
    let row = bench.org.row("Opportunity", &deal).unwrap();
    assert_eq!(row["StageName"], "With the customer");
    assert_ne!(row["SystemModstamp"], row["LastModifiedDate"]);
}

#[test]
fn an_upsert_creates_updates_and_never_guesses() {
    let mut bench = Bench::new();
    let path = format!("sobjects/Opportunity/{KEY}/ref-1");
    let body = json!({ "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-02-28" });
    bench.patch(&format!("{path}?updateOnly=true"), body.clone()).refused(404, "NOT_FOUND");
    let made = bench.patch(&path, body.clone()).done(201);
    assert_eq!(made.body["created"], true);
    let again = bench.patch(&format!("sobjects/Opportunity/{KEY}/REF-1"), body.clone()).done(200);
    assert_eq!((&again.body["id"], &again.body["created"]), (&made.body["id"], &json!(false)));
    let old = bench.raw("PATCH", &format!("/services/data/v45.0/{path}"), &[], &body.to_string());
    assert_eq!((old.status, old.body.len()), (204, 0));
    bench.patch("sobjects/Opportunity/Name/Deal", body.clone()).refused(404, "NOT_FOUND");
    let mut twin = body.clone();
    twin[KEY] = json!("Ref-1");
    let text = bench.post("sobjects/Opportunity", twin).refused(400, "DUPLICATE_VALUE");
    assert_eq!(
        text,
        format!(
            "duplicate value found: {KEY} duplicates value on record with id: {}",
            made.body["id"].as_str().unwrap()
        )
    );
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(&format!("{path}?fields=Id")).done(200).body["Id"], *id);
    bench.send("DELETE", &format!("sobjects/Opportunity/{id}"), &[], Value::Null).done(204);
    bench.get(&format!("sobjects/Opportunity/{id}")).refused(404, "ENTITY_IS_DELETED");
    bench.get(&path).refused(404, "NOT_FOUND");
    bench.org.switches.upsert_matches_deleted = true;
    bench.patch(&path, body.clone()).refused(404, "ENTITY_IS_DELETED");
    bench.org.switches.upsert_matches_deleted = false;
    let anew = bench.patch(&path, body).done(201);
    assert_ne!(anew.body["id"], *id);
    assert!(
        bench
            .org
            .act_undelete("Opportunity", &id, SELLER, bench.now)
            .unwrap_err()
            .contains("DUPLICATE_VALUE")
    );
}

#[test]
fn parents_are_named_by_their_external_id() {
    let mut bench = Bench::new();
    let account =
        bench.made("Account", json!({ "Name": "Fabrikam", "Partner_Center_Customer_Key__c": "A-1" }));
    let path = format!("sobjects/Opportunity/{KEY}/ref-1");
    let mut body = json!({ "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-02-28",
        "Account": { "Partner_Center_Customer_Key__c": "A-9" } });
    let text = bench.patch(&path, body.clone()).refused(400, "INVALID_FIELD");
    assert_eq!(
        text,
        "Foreign key external ID: A-9 not found for field Partner_Center_Customer_Key__c in entity Account"
    );
    bench.org.switches.missing_parent_lower_case = true;
    assert!(bench.patch(&path, body.clone()).refused(400, "INVALID_FIELD").contains(": a-9 not found"));
    body["Account"] = json!({ "Partner_Center_Customer_Key__c": "a-1" });
    let made = bench.patch(&path, body).done(201);
    assert_eq!(
        bench.org.row("Opportunity", made.body["id"].as_str().unwrap()).unwrap()["AccountId"],
        *account
    );
    let detail = bench.post(
        "sobjects/Microsoft_Solution_Detail__c",
        json!({ "Name": "Migrate", "Solution_Identifier__c": "SOL-1", "Type__c": "1P" }),
    );
    detail.done(201);
    let child = json!({ "Opportunity__c": made.body["id"], "Solution_Detail__r": { "Solution_Identifier__c": "sol-1" } });
    bench.post("sobjects/Microsoft_Solution__c", child).done(201);
    bench.post("sobjects/Opportunity", json!({ "Foo__r": { "X__c": "1" } })).refused(400, "INVALID_FIELD");
}

#[test]
fn conditions_look_at_the_last_change_in_whole_seconds() {
    let mut bench = Bench::new();
    let deal = bench.deal(json!({ "Referral_Identifier__c": "ref-1" }));
    let path = format!("sobjects/Opportunity/{deal}");
    let at = "Fri, 20 Nov 2026 10:15:01 GMT";
    let before = "Fri, 20 Nov 2026 10:15:00 GMT";
    bench.later(60);
    let step = || json!({ "NextStep": "x" });
    bench.send("PATCH", &path, &[("if-unmodified-since", before)], step()).done(412);
    bench.send("GET", &path, &[("if-modified-since", at)], Value::Null).done(304);
    bench.send("GET", &path, &[("if-modified-since", before)], Value::Null).done(200);
    bench.org.act_system("Opportunity", &deal, bench.now);
    bench.send("PATCH", &path, &[("if-unmodified-since", at)], step()).done(204);
    bench.org.switches.precondition_body = true;
    bench.send("PATCH", &path, &[("if-unmodified-since", at)], step()).refused(412, "PRECONDITION_FAILED");
    bench.send("PATCH", &path, &[("if-unmodified-since", "2026-11-20T10:15:01Z")], step()).done(501);
    bench.send("PATCH", &path, &[("if-match", "\"1\"")], step()).done(501);
    let keyed = format!("sobjects/Opportunity/{KEY}/ref-1");
    bench.send("PATCH", &keyed, &[("if-unmodified-since", before)], step()).done(200);
    bench.org.switches.conditions_on_external_id = true;
    bench.send("PATCH", &keyed, &[("if-unmodified-since", before)], step()).done(412);
}

#[test]
fn what_belongs_together_is_deleted_and_restored_together() {
    let mut bench = Bench::new();
    let account = bench.made("Account", json!({ "Name": "Fabrikam" }));
    let deal = bench.deal(json!({ "AccountId": account }));
    let contact = bench.made("Contact", json!({ "LastName": "Vogel", "AccountId": account }));
    let other = bench.made("Contact", json!({ "LastName": "Shah" }));
    let role = |contact: &str| json!({ "OpportunityId": deal, "ContactId": contact, "Role": "Influencer", "IsPrimary": true });
    let first = bench.made("OpportunityContactRole", role(&contact));
    let second = bench.made("OpportunityContactRole", role(&other));
    let primary =
        |bench: &Bench, id: &str| bench.org.row("OpportunityContactRole", id).unwrap()["IsPrimary"].clone();
    assert_eq!((primary(&bench, &first), primary(&bench, &second)), (json!(false), json!(true)));
    bench.later(1);
    bench.send("DELETE", &format!("sobjects/Account/{account}"), &[], Value::Null).done(204);
    assert!(bench.org.rows("Opportunity").is_empty() && bench.org.rows("OpportunityContactRole").is_empty());
    bench.later(1);
    bench.org.act_undelete("Account", &account, SELLER, bench.now).unwrap();
    assert_eq!(bench.org.rows("OpportunityContactRole").len(), 2);
    bench.org.empty_bin();
    assert_eq!(bench.org.rows("Opportunity").len(), 1);
}
