//! An org with person accounts: what is a person, and what is refused below one.

use super::*;

fn org() -> (Bench, String) {
    let mut bench = Bench::new();
    let now = bench.now;
    assert!(bench.org.act_person_account("Vogel", "v@fabrikam.example", SELLER, now).is_err());
    bench.query("SELECT IsPersonAccount FROM Account").refused(400, "INVALID_FIELD");
    bench.org.switches.person_accounts = true;
    let body = json!({ "last_name": "Vogel", "email": "v@fabrikam.example" });
    let made = bench.org.control("person-account", &body, now).unwrap().unwrap();
    let person = made["id"].as_str().unwrap().to_owned();
    (bench, person)
}

#[test]
fn a_person_is_told_from_a_business() {
    let (mut bench, person) = org();
    let business = bench.post("sobjects/Account", json!({ "Name": "Fabrikam" })).done(201).body["id"].clone();
    let of = |is: bool| format!("SELECT Id, Name, PersonEmail FROM Account WHERE IsPersonAccount = {is}");
    let persons = bench.query(&of(true)).done(200);
    assert_eq!((persons.each("Id"), persons.each("Name")), (vec![json!(person)], vec![json!("Vogel")]));
    assert_eq!(persons.each("PersonEmail"), ["v@fabrikam.example"]);
    assert_eq!(bench.query(&of(false)).done(200).each("Id"), [business]);
    let contact = bench.query("SELECT Id, AccountId FROM Contact WHERE IsPersonAccount = true").done(200);
    assert_eq!(contact.each("AccountId"), [json!(person)]);
    let account = bench.get(&format!("sobjects/Account/{person}")).done(200).body;
    assert_eq!(json!([account["PersonContactId"]]), json!(contact.each("Id")));
    let fields = bench.get("sobjects/Account/describe").done(200).body["fields"].clone();
    assert!(fields.as_array().unwrap().iter().any(|field| field["name"] == "IsPersonAccount"));
    let now = bench.now;
    assert!(bench.org.act_person_account(" ", "", SELLER, now).unwrap_err().contains("LastName"));
    assert!(bench.org.act_person_account("V", "n/a", SELLER, now).unwrap_err().contains("INVALID_EMAIL"));
}

#[test]
fn names_and_contacts_are_refused_where_they_do_not_belong() {
    let (mut bench, person) = org();
    let path = format!("sobjects/Account/{person}");
    let told = bench.patch(&path, json!({ "Name": "x" })).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    assert_eq!(told, "Account: bad field names on insert/update call: Name");
    let body = json!({ "Name": "Fabrikam", "LastName": "Vogel", "PersonEmail": "v@fabrikam.example" });
    bench.post("sobjects/Account", body).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    let contact = |account: &Value| json!({ "LastName": "Shah", "AccountId": account });
    bench.post("sobjects/Contact", contact(&json!(person))).refused(400, "INVALID_PERSON_ACCOUNT_OPERATION");
    let business = bench.post("sobjects/Account", json!({ "Name": "Fabrikam" })).done(201).body["id"].clone();
    let made = bench.post("sobjects/Contact", contact(&business)).done(201).body["id"].clone();
    let moved = format!("sobjects/Contact/{}", made.as_str().unwrap());
    bench.patch(&moved, json!({ "AccountId": person })).refused(400, "INVALID_PERSON_ACCOUNT_OPERATION");
    bench.deal(json!({ "AccountId": person }));

    bench.patch(&path, json!({ "FirstName": "Eva", "PersonEmail": "eva@fabrikam.example" })).done(204);
    let row = bench.get(&path).done(200).body;
    assert_eq!(row["Name"], "Eva Vogel");
    let own = format!("sobjects/Contact/{}", row["PersonContactId"].as_str().unwrap());
    let contact = bench.get(&own).done(200).body;
    assert_eq!((&contact["Name"], &contact["Email"]), (&json!("Eva Vogel"), &json!("eva@fabrikam.example")));
    bench.patch(&own, json!({ "Phone": "1" })).refused(400, "INVALID_PERSON_ACCOUNT_OPERATION");
}
