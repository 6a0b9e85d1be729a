//! Custom objects and fields by deployment, and fields as the Tooling API shows and changes them.

use super::super::package::crc32;
use super::*;
use serde_json::{Value, json};

const SPACE: &str = "http://soap.sforce.com/2006/04/metadata";

fn archive(files: &[(&str, String)]) -> Vec<u8> {
    let (mut all, mut directory) = (vec![], vec![]);
    for (name, text) in files {
        let crc = crc32(text.as_bytes()).to_le_bytes();
        let size = (text.len() as u32).to_le_bytes();
        let start = (all.len() as u32).to_le_bytes();
        let length = (name.len() as u16).to_le_bytes();
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &crc[..], &size, &size, &length, &[0, 0]].concat();
        all.extend([b"PK\x03\x04", &common[..], name.as_bytes(), text.as_bytes()].concat());
        let entry = [b"PK\x01\x02", &[20, 0][..], &common, &[0; 10], &start, name.as_bytes()].concat();
        directory.extend(entry);
    }
    let (count, size) = ((files.len() as u16).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let at = (all.len() as u32).to_le_bytes();
    all.extend([&directory, &b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &at, &[0, 0]].concat());
    all
}

fn manifest(types: &[(&str, &[&str])]) -> String {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Package xmlns=\"{SPACE}\">");
    for (kind, members) in types {
        let members: String = members.iter().map(|m| format!("<members>{m}</members>")).collect();
        text += &format!("<types>{members}<name>{kind}</name></types>");
    }
    text + "<version>62.0</version></Package>"
}

fn object(inside: &str) -> String {
    format!("<CustomObject xmlns=\"{SPACE}\">{inside}</CustomObject>")
}

impl Bench {
    /// The answer to the archive, and how it ended.
    fn deployed(&mut self, files: &[(&str, String)]) -> Value {
        let options = json!({ "deployOptions": { "rollbackOnError": true, "singlePackage": true } });
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{options}\r\n--b\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"x.zip\"\r\n\r\n"
        );
        let request = Request {
            method: "POST".into(),
            path: "/services/data/v62.0/metadata/deployRequest".into(),
            query: String::new(),
            headers: [
                ("authorization".to_owned(), format!("Bearer {}", self.token)),
                ("content-type".to_owned(), "multipart/form-data; boundary=b".to_owned()),
            ]
            .into(),
            body: [head.as_bytes(), &archive(files), b"\r\n--b--\r\n"].concat().into(),
        };
        let answer = self.org.handle(&request, self.now);
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(id) = body["id"].as_str() else { return json!([answer.status, body]) };
        let path = format!("metadata/deployRequest/{id}?includeDetails=true");
        assert_eq!(self.get(&path).done(200).body["deployResult"]["done"], false);
        self.get(&path).done(200).body["deployResult"].clone()
    }
}

const FIELD: &str = "<fields><fullName>Day__c</fullName><label>Day</label><type>Date</type></fields>";

#[test]
fn a_deployment_is_all_or_nothing_and_seen_by_nobody() {
    let mut bench = Bench::new();
    let master = "<fields><fullName>Deal__c</fullName><label>Deal</label><type>MasterDetail</type>\
                  <referenceTo>Opportunity</referenceTo><relationshipName>Things</relationshipName></fields>";
    let thing = "<label>Thing</label><pluralLabel>Things</pluralLabel><nameField><label>Thing</label><type>\
                 AutoNumber</type><displayFormat>T-{000}</displayFormat></nameField>";
    let controlled = "<sharingModel>ControlledByParent</sharingModel>";
    let both: &[(&str, &[&str])] = &[
        ("CustomObject", &["Thing__c"]),
        ("CustomField", &["Thing__c.Deal__c", "Opportunity.Day__c", "Opportunity.Bad__c"]),
    ];
    let bad = "<fields><fullName>Bad__c</fullName><label>Bad</label><type>Text</type></fields>";
    let files = |opportunity: &str, types| {
        [
            ("package.xml", manifest(types)),
            ("objects/Opportunity.object", object(opportunity)),
            ("objects/Thing__c.object", object(&format!("{thing}{controlled}{master}"))),
        ]
    };
    let failed = bench.deployed(&files(&format!("{FIELD}{bad}"), both));
    assert_eq!(failed["success"], false, "{failed}");
    assert_eq!(failed["details"]["componentFailures"][0]["fullName"], "Opportunity.Bad__c");
    bench.get("sobjects/Thing__c/describe").refused(404, "NOT_FOUND");
    let good: &[(&str, &[&str])] =
        &[("CustomObject", &["Thing__c"]), ("CustomField", &["Thing__c.Deal__c", "Opportunity.Day__c"])];
    let done = bench.deployed(&files(FIELD, good));
    assert_eq!(done["status"], "Succeeded", "{done}");
    bench.query("SELECT Day__c FROM Opportunity").refused(400, "INVALID_FIELD");
    bench.get("sobjects/Thing__c/describe").refused(404, "NOT_FOUND");
    // A detail's rights need its master's.
    let rights = |object: &str| {
        json!({ "ParentId": PERMISSION_SET, "SobjectType": object, "PermissionsRead": true,
                "PermissionsCreate": true })
    };
    bench.post("sobjects/ObjectPermissions", rights("Thing__c")).refused(400, "FIELD_INTEGRITY_EXCEPTION");
    bench.post("sobjects/ObjectPermissions", rights("Opportunity")).done(201);
    bench.post("sobjects/ObjectPermissions", rights("Thing__c")).done(201);
    let deal = bench.deal(json!({}));
    bench.post("sobjects/Thing__c", json!({})).refused(400, "REQUIRED_FIELD_MISSING");
    bench.post("sobjects/Thing__c", json!({ "Deal__c": deal })).done(201);
}

#[test]
fn a_manifest_and_its_archive_name_the_same() {
    let mut bench = Bench::new();
    let field: &[(&str, &[&str])] = &[("CustomField", &["Opportunity.Other__c"])];
    let files = [("package.xml", manifest(field)), ("objects/Opportunity.object", object(FIELD))];
    assert_eq!(bench.deployed(&files)["success"], false);
    let none = [("objects/Opportunity.object", object(FIELD))];
    assert_eq!(bench.deployed(&none)["success"], false);
    let orphan = object(
        "<label>T</label><pluralLabel>Ts</pluralLabel><nameField><label>T</label><type>Text</type></nameField>\
         <sharingModel>ControlledByParent</sharingModel>",
    );
    let thing: &[(&str, &[&str])] = &[("CustomObject", &["Thing__c"])];
    let failed = bench.deployed(&[("package.xml", manifest(thing)), ("objects/Thing__c.object", orphan)]);
    assert!(failed["details"]["componentFailures"][0]["problem"].as_str().unwrap().contains("MasterDetail"));
}

#[test]
fn a_definition_is_found_shown_and_changed_by_administrators() {
    let mut bench = Bench::new();
    bench.org.install_package("MSPC");
    let soql = "SELECT Id, NamespacePrefix FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = \
                'Referral_Identifier'";
    let found = bench.get(&format!("tooling/query?q={soql}")).done(200).body["records"].clone();
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    let id = |space: Value| {
        let rows = found.as_array().unwrap();
        let row = rows.iter().find(|row| row["NamespacePrefix"] == space).unwrap();
        format!("tooling/sobjects/CustomField/{}", row["Id"].as_str().unwrap())
    };
    let mut shown = bench.get(&id(Value::Null)).done(200).body["Metadata"].clone();
    assert_eq!((&shown["unique"], &shown["length"]), (&json!(true), &json!(100)));
    shown["length"] = json!(120);
    bench.patch(&id(Value::Null), json!({ "Metadata": shown })).done(204);
    let fields = bench.get("sobjects/Opportunity/describe").done(200).body["fields"].clone();
    assert!(fields.as_array().unwrap().iter().any(|f| f["name"] == KEY && f["length"] == 120));
    bench
        .patch(&id(json!("MSPC")), json!({ "Metadata": shown }))
        .refused(400, "CANNOT_MODIFY_MANAGED_OBJECT");
    bench
        .org
        .alter_field("Opportunity.Microsoft_CRM_Identifier__c", &json!({ "unique": false }), bench.now)
        .unwrap();
    bench.org.switches.only_administrators_customize = true;
    bench.get(&id(Value::Null)).refused(400, "INSUFFICIENT_ACCESS");
    let set = json!({ "Name": "X", "Label": "X" });
    bench.post("sobjects/PermissionSet", set.clone()).refused(400, "INSUFFICIENT_ACCESS_OR_READONLY");
    bench.token = bench.org.sign_in(ADMIN, bench.now);
    bench.post("sobjects/PermissionSet", set).done(201);
    bench.org.drop_field("Opportunity.Audit__c");
    bench.query("SELECT Audit__c FROM Opportunity").refused(400, "INVALID_FIELD");
}
