//! Merges by people, as a client sees them: the loser's end, the master's children.

use super::*;

/// Two rows are merged; the loser is gone for every way to ask for it, and says who its master is.
fn merged(bench: &mut Bench, object: &str, columns: [Value; 2]) -> [String; 2] {
    let [master, loser] = columns.map(|columns| bench.made(object, columns));
    bench.later(60);
    let now = bench.now;
    let body = json!({ "object": object, "winner": master, "loser": loser, "by": OTHER_SELLER });
    bench.org.control("merge", &body, now).unwrap().unwrap();
    let all = format!(
        "queryAll?q=SELECT Id, MasterRecordId, LastModifiedById FROM {object} WHERE IsDeleted = true"
    );
    let gone = bench.get(&all).done(200);
    assert_eq!((gone.each("Id"), gone.each("MasterRecordId")), (vec![json!(loser)], vec![json!(master)]));
    assert_eq!(gone.each("LastModifiedById"), [OTHER_SELLER]);
    let path = format!("sobjects/{object}/{loser}");
    bench.get(&path).refused(404, "ENTITY_IS_DELETED");
    bench.patch(&path, json!({ "Phone": "1" })).refused(404, "ENTITY_IS_DELETED");
    bench.later(120);
    let span = "start=2026-11-20T10:15:00Z&end=2026-11-20T10:18:00Z";
    let log = bench.get(&format!("sobjects/{object}/deleted/?{span}")).done(200);
    assert_eq!(log.body["deletedRecords"][0]["id"], *loser);
    let kept = bench.query(&format!("SELECT Id, SystemModstamp FROM {object}")).done(200);
    assert_eq!(kept.each("Id"), [json!(master)]);
    assert_eq!(kept.each("SystemModstamp"), ["2026-11-20T10:16:01.000+0000"]);
    [master, loser]
}

#[test]
fn of_leads() {
    let mut bench = Bench::new();
    let lead = |key: &str| json!({ "LastName": "Vogel", "Company": "Fabrikam", KEY: key });
    let [master, loser] = merged(&mut bench, "Lead", [lead("ref-1"), lead("ref-2")]);
    let key = |id: &str| bench.org.row("Lead", id).unwrap()[KEY].clone();
    assert_eq!((key(&master), key(&loser)), (json!("ref-1"), json!("ref-2")));
    bench.get(&format!("sobjects/Lead/{KEY}/ref-2")).refused(404, "NOT_FOUND");
    let now = bench.now;
    bench.org.act_undelete("Lead", &loser, SELLER, now).unwrap();
    let back = bench.get(&format!("sobjects/Lead/{loser}")).done(200);
    assert_eq!(back.body["MasterRecordId"], Value::Null);
    bench.org.act_convert(&loser, SELLER, None, false, now).unwrap();
    let told = bench.org.act_merge("Lead", &master, &loser, SELLER, now).unwrap_err();
    assert!(told.contains("CANNOT_UPDATE_CONVERTED_LEAD"), "{told}");
}

#[test]
fn of_contacts_and_of_accounts_with_what_is_below_them() {
    let mut bench = Bench::new();
    let named = |name: &str| json!({ "LastName": name });
    let task = |who: &str| json!({ "Subject": "Call", "WhoId": who });
    let [one, two] = ["Vogel", "Fogel"].map(|name| bench.made("Contact", named(name)));
    let deal = bench.deal(json!({}));
    let role = bench.made("OpportunityContactRole", json!({ "OpportunityId": deal, "ContactId": two }));
    let call = bench.made("Task", task(&two));
    let now = bench.now;
    bench.org.act_merge("Contact", &one, &two, SELLER, now).unwrap();
    let of = |object: &str, id: &str, field: &str| bench.org.row(object, id).unwrap()[field].clone();
    assert_eq!(of("OpportunityContactRole", &role, "ContactId"), *one);
    assert_eq!(of("Task", &call, "WhoId"), *one);
    assert_eq!(of("Contact", &two, "MasterRecordId"), *one);

    let mut bench = Bench::new();
    let [one, two] = ["A", "B"].map(|name| bench.made("Account", json!({ "Name": name })));
    bench.edited("Account", &one, json!({ "ParentId": two }));
    let deal = bench.deal(json!({ "AccountId": two }));
    let contact = bench.made("Contact", json!({ "LastName": "Vogel", "AccountId": two }));
    let now = bench.now;
    bench.org.lock(&one, 1);
    assert!(bench.org.act_merge("Account", &one, &two, SELLER, now).unwrap_err().contains("LOCK"));
    bench.org.act_merge("Account", &one, &two, SELLER, now).unwrap();
    let of = |object: &str, id: &str, field: &str| bench.org.row(object, id).unwrap()[field].clone();
    assert_eq!(
        [of("Opportunity", &deal, "AccountId"), of("Contact", &contact, "AccountId")],
        [json!(one), json!(one)]
    );
    assert_eq!(of("Account", &one, "ParentId"), Value::Null);
    assert!(bench.org.act_merge("Account", &one, &one, SELLER, now).is_err());
    assert!(
        bench.org.act_merge("Account", &one, &two, SELLER, now).unwrap_err().contains("ENTITY_IS_DELETED")
    );
}

#[test]
fn are_seen_alike_for_every_object_that_has_them() {
    let account = |name: &str| json!({ "Name": name });
    merged(&mut Bench::new(), "Account", [account("Fabrikam"), account("Fabrikam GmbH")]);
    let contact = |name: &str| json!({ "LastName": name });
    merged(&mut Bench::new(), "Contact", [contact("Vogel"), contact("Fogel")]);
}
