//! Describe, custom fields and the rights without which they do not exist.

use super::*;

#[test]
fn a_new_field_is_invisible_until_granted() {
    let mut bench = Bench::new();
    let field = json!({ "FullName": "Opportunity.Region__c", "Metadata": { "type": "Text", "label": "Region", "length": 40 } });
    bench.post("tooling/sobjects/CustomField", field.clone()).done(201);
    bench.post("tooling/sobjects/CustomField", field).refused(400, "DUPLICATE_DEVELOPER_NAME");
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({})));
    bench.patch(&path, json!({ "Region__c": "EMEA" })).refused(400, "INVALID_FIELD");
    let grant = |edit: bool| {
        json!({ "ParentId": PERMISSION_SET, "SobjectType": "Opportunity", "Field": "Opportunity.Region__c",
        "PermissionsRead": true, "PermissionsEdit": edit })
    };
    let made = bench.post("sobjects/FieldPermissions", grant(false)).done(201);
    bench.patch(&path, json!({ "Region__c": "EMEA" })).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    bench.post("sobjects/FieldPermissions", grant(true)).refused(400, "DUPLICATE_VALUE");
    let rights = format!("sobjects/FieldPermissions/{}", made.body["id"].as_str().unwrap());
    bench.patch(&rights, json!({ "PermissionsEdit": true })).done(204);
    bench.patch(&path, json!({ "Region__c": "EMEA" })).done(204);
    bench.patch(&rights, json!({ "PermissionsRead": false })).refused(400, "FIELD_INTEGRITY_EXCEPTION");
    bench.send("DELETE", &rights, &[], Value::Null).done(204);
    bench.query("SELECT Region__c FROM Opportunity").refused(400, "INVALID_FIELD");
    let mut unknown = grant(true);
    unknown["Field"] = json!("Opportunity.Nothing__c");
    bench.post("sobjects/FieldPermissions", unknown).refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    for (metadata, status) in [
        (json!({ "type": "Text", "label": "x" }), 400),
        (json!({ "type": "Text", "label": "x", "length": 256 }), 400),
        (json!({ "type": "Checkbox", "label": "x" }), 400),
        (json!({ "type": "Text", "label": "x", "length": 5, "colour": "red" }), 400),
        (json!({ "type": "Summary", "label": "x" }), 501),
        (json!({ "type": "Checkbox", "label": "x", "defaultValue": false }), 201),
    ] {
        let body = json!({ "FullName": "Lead.Extra__c", "Metadata": metadata });
        bench.post("tooling/sobjects/CustomField", body).done(status);
    }
    bench.post("tooling/sobjects/CustomObject", json!({})).done(501);
}

#[test]
fn a_required_field_of_the_customers_is_demanded() {
    let mut bench = Bench::new();
    let metadata = json!({ "type": "Text", "label": "Region", "length": 40, "required": true });
    bench.org.add_custom_field("Opportunity.Region__c", &metadata, false, bench.now).unwrap();
    let body = json!({ "Name": "x", "StageName": "Prospecting", "CloseDate": "2027-01-31" });
    let told = bench.post("sobjects/Opportunity", body.clone()).refused(400, "REQUIRED_FIELD_MISSING");
    assert_eq!(told, "Required fields are missing: [Region__c]");
    let mut full = body;
    full["Region__c"] = json!("EMEA");
    bench.post("sobjects/Opportunity", full).done(201);
}

#[test]
fn an_org_is_found_without_our_fields_or_with_the_package() {
    let mut bench = Bench::new();
    let body = json!({ "Sync_with_Partner_Center__c": true, KEY: "r" });
    let path = format!("sobjects/Opportunity/{}", bench.deal(json!({})));
    bench.patch(&path, body.clone()).done(204);
    bench.org.unprovision();
    bench.patch(&path, body.clone()).refused(400, "INVALID_FIELD");
    bench.query("SELECT Id FROM Microsoft_Solution__c").refused(400, "INVALID_TYPE");
    assert_eq!(bench.query("SELECT Id FROM FieldPermissions").done(200).body["totalSize"], 0);
    bench.org.install_package("MSPC");
    bench
        .patch(&path, json!({ "MSPC__Sync_with_Partner_Center__c": true, "MSPC__Products__c": "SOL-1" }))
        .done(204);
    bench.org.provision();
    bench.patch(&path, body).done(204);
    bench.query("SELECT Id FROM Microsoft_Solution__c").done(200);
    bench.org.rows.get_mut("ObjectPermissions").unwrap().clear();
    bench.query("SELECT Id FROM Microsoft_Solution__c").refused(400, "INVALID_TYPE");
    bench.org.switches.object_permissions = false;
    bench.query("SELECT Id FROM Microsoft_Solution__c").done(200);
}

#[test]
fn a_description_is_conditional() {
    let mut bench = Bench::new();
    let answer = bench.get("sobjects/Opportunity/describe").done(200);
    let field = |name: &str| {
        let fields = answer.body["fields"].as_array().unwrap();
        fields.iter().find(|f| f["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let key = field(KEY);
    for (name, value) in [
        ("type", json!("string")),
        ("length", json!(100)),
        ("externalId", json!(true)),
        ("unique", json!(true)),
        ("createable", json!(true)),
        ("updateable", json!(true)),
        ("nillable", json!(true)),
        ("caseSensitive", json!(false)),
    ] {
        assert_eq!(key[name], value, "{name}");
    }
    let help = field("How_can_Microsoft_help__c");
    assert_eq!(
        (&help["restrictedPicklist"], help["picklistValues"].as_array().unwrap().len()),
        (&json!(true), 6)
    );
    assert_eq!((&field("Amount")["precision"], &field("Amount")["scale"]), (&json!(18), &json!(2)));
    assert_eq!(field("AccountId")["relationshipName"], "Account");
    assert_eq!(field("IsWon")["updateable"], false);
    let tag = answer.header("etag").to_owned();
    bench.send("GET", "sobjects/Opportunity/describe", &[("if-none-match", &tag)], Value::Null).done(304);
    let since = [("if-modified-since", "Fri, 20 Nov 2026 10:00:00 GMT")];
    bench.send("GET", "sobjects/Opportunity/describe", &since, Value::Null).done(304);
    let metadata = json!({ "type": "Date", "label": "Day" });
    bench.org.add_custom_field("Opportunity.Day__c", &metadata, true, bench.now).unwrap();
    bench.send("GET", "sobjects/Opportunity/describe", &since, Value::Null).done(200);
    bench.send("GET", "sobjects/Opportunity/describe", &[("if-none-match", &tag)], Value::Null).done(200);
    let all = bench.get("sobjects").done(200);
    assert!(all.body["sobjects"].as_array().unwrap().iter().any(|o| o["name"] == "Microsoft_Solution__c"));
    bench.get("sobjects/Nothing/describe").refused(404, "NOT_FOUND");
}

#[test]
fn verbs_of_the_control_api_act_as_the_functions_do() {
    let mut bench = Bench::new();
    let now = bench.now;
    let mut verb = |name: &str, body: Value| bench.org.control(name, &body, now).unwrap().unwrap();
    let columns = json!({ "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-31" });
    let id = verb("create", json!({ "object": "Opportunity", "columns": columns }))["id"].clone();
    verb(
        "edit",
        json!({ "object": "Opportunity", "id": id, "by": OTHER_SELLER, "set": { "NextStep": "x" }, "late_seconds": 5 }),
    );
    verb("win", json!({ "id": id }));
    verb("delete", json!({ "object": "Opportunity", "id": id }));
    verb("undelete", json!({ "object": "Opportunity", "id": id }));
    verb("switches", json!({ "notes": true }));
    verb("revoke", json!({}));
    assert!(bench.org.control("switches", &json!({ "nothing": 1 }), now).unwrap().is_err());
    assert!(bench.org.control("nothing", &json!({}), now).is_none());
    assert_eq!(bench.org.rows("Opportunity")[0]["IsWon"], true);
    bench.get("limits").refused(401, "INVALID_SESSION_ID");
    let request = |method: &str, path: &str, query: &str| Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: BTreeMap::new(),
        body: Default::default(),
    };
    for (method, path, query, label) in [
        (
            "PATCH",
            "/services/data/v62.0/sobjects/Opportunity/006Qy00000kLmNo",
            "",
            "PATCH sobjects/Opportunity/{id}",
        ),
        ("PATCH", "/services/data/v62.0/sobjects/Account/K__c/1", "", "PATCH sobjects/Account/K__c/{key}"),
        ("GET", "/services/data/v62.0/query", "q=SELECT+Id,(SELECT+Id+FROM+X)+FROM+Lead", "GET query Lead"),
        ("GET", "/services/data/v62.0/query/01g-2000", "", "GET query/{locator}"),
        ("POST", "/services/data/v62.0/composite", "", "POST composite"),
        ("GET", "/services/data/v62.0/sobjects/Lead/updated/", "", "GET sobjects/Lead/updated"),
    ] {
        assert_eq!(bench.org.route(&request(method, path, query)), label);
    }
}
