//! Creates, conditions, keys, values, binds.

use super::*;
use crate::dataverse::INTEGRATION_USER;

#[test]
fn post_answers_the_guid() {
    let mut bench = Bench::with_deal();
    let body = json!({ "name": "Manual", "customerid_account@odata.bind": format!("/accounts({COMPANY})") });
    let made = bench.send("POST", "opportunities", &[], body.clone()).done(204);
    let uri = made.header("odata-entityid").to_owned();
    let row = bench.get(&uri).done(200);
    assert_eq!((&row.body["name"], &row.body["statecode"]), (&json!("Manual"), &json!(0)));
    assert_eq!(row.body["_createdby_value"], INTEGRATION_USER);
    assert_eq!(row.body["cosell_syncwithpartnercenter"], false);
    bench.send("POST", "opportunities", &[("prefer", "return=representation")], body).done(201);
}

#[test]
fn conditional_writes() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    let body = json!({ "closeprobability": 60 });
    let etag = bench.get(&deal).header("etag").to_owned();
    let saved = bench.patch(&deal, &[("if-match", &etag)], body.clone()).done(204);
    assert_eq!(saved.header("odata-entityid"), format!("{ORG}{ROOT}/{deal}"));
    let text = bench.patch(&deal, &[("if-match", &etag)], body.clone()).refused(412, "0x80060882");
    assert!(text.contains("RowVersion"));
    let nobody = "opportunities(00000000-0000-0000-0000-0000000000aa)";
    let text = bench.patch(nobody, &[("if-match", "*")], body.clone()).refused(404, "0x80040217");
    assert_eq!(text, "opportunity With Id = 00000000-0000-0000-0000-0000000000aa Does Not Exist");
    bench.patch(nobody, &[("if-match", "W/\"1\"")], body.clone()).refused(404, "0x80040217");
    let key = "opportunities(cosell_referralid='ref-1')";
    bench.patch(key, &[("if-none-match", "*")], body.clone()).refused(412, "0x80040237");
    bench
        .patch("opportunities(cosell_referralid='ref-2')", &[("if-match", "*")], body.clone())
        .refused(404, "0x80060891");
    assert_eq!(bench.patch(key, &[("if-match", &etag)], body.clone()).status, 400);
    bench.org.switches.if_match_by_key = true;
    assert_eq!(bench.patch(key, &[("if-match", &etag)], body.clone()).status, 412);
    bench.patch(nobody, &[], body).done(204);
    let etag = bench.get(&deal).header("etag").to_owned();
    bench.send("GET", &format!("{deal}?$select=name"), &[("if-none-match", &etag)], Value::Null).done(304);
    bench.send("DELETE", &deal, &[("if-match", "W/\"7\"")], Value::Null).refused(412, "0x80060882");
    bench.send("DELETE", &deal, &[], Value::Null).done(204);
    bench.send("DELETE", &deal, &[], Value::Null).refused(404, "0x80040217");
}

#[test]
fn alternate_keys_are_unique_and_must_be_active() {
    let mut bench = Bench::with_deal();
    let body = json!({ "name": "x", "cosell_referralid": "REF-1" });
    let text = bench.send("POST", "opportunities", &[], body.clone()).refused(412, "0x80060892");
    assert!(text.starts_with("Entity Key cosell_referralid key violated."));
    let annotated = [("prefer", "odata.include-annotations=\"*\"")];
    let refused = bench.send("POST", "opportunities", &annotated, body.clone());
    let name = "@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes";
    assert!(refused.body["error"][name].as_str().unwrap().contains("<cosell_referralid>"));
    for _ in 0..2 {
        bench.send("POST", "opportunities", &[], json!({ "name": "no key" })).done(204);
    }
    bench.get("opportunities(name='Deal')").refused(400, "0x80060888");
    bench.get("opportunities(cosell_referralid='a:b')").refused(400, "0x80060888");
    bench.get("opportunities(cosell_referralid='nobody')").refused(404, "0x80060891");
    bench.org.key_status("opportunities", "cosell_referralid", "Pending").unwrap();
    let text = bench.get("opportunities(cosell_referralid='ref-1')").refused(400, "0x80060888");
    assert!(text.starts_with("The key in the request URI is not valid for resource"));
    bench.send("POST", "opportunities", &[], body).done(204);
}

#[test]
fn the_key_column_of_a_body_counts_on_create_only() {
    let mut bench = Bench::with_deal();
    bench
        .patch("opportunities(cosell_referralid='ref-1')", &[], json!({ "cosell_referralid": "other" }))
        .done(204);
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["cosell_referralid"], "ref-1");
    bench
        .patch("opportunities(cosell_referralid='ref-2')", &[], json!({ "cosell_referralid": "ref-3" }))
        .done(204);
    bench.get("opportunities(cosell_referralid='ref-3')").done(200);
    bench.get("opportunities(cosell_referralid='ref-2')").refused(404, "0x80060891");
}

#[test]
fn values_are_checked() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    let cases = [
        (json!({ "name": "N".repeat(301) }), "0x80044331"),
        (json!({ "closeprobability": "forty" }), "0x80048d19"),
        (json!({ "closeprobability": 101 }), "0x80044330"),
        (json!({ "opportunityratingcode": 9 }), "0x8004431A"),
        (json!({ "cosell_helprequested": 100_000_000 }), "0x8004431A"),
        (json!({ "estimatedclosedate": "2027-02-28T00:00:00Z" }), "0x80048d19"),
        (json!({ "estimatedvalue": 1e13 }), "0x80044330"),
        (json!({ "estimatedvalue": "12" }), "0x80048d19"),
        (json!({ "cosell_visibletomicrosoft": "true" }), "0x80048d19"),
        (json!({ "nonsense": 1 }), "0x80048d19"),
        (json!({ "Name": "x" }), "0x80048d19"),
        (json!({ "_parentaccountid_value": COMPANY }), "0x80048d19"),
        (json!({ "customerid@odata.bind": format!("/accounts({COMPANY})") }), "0x80048d19"),
        (json!({ "parentcontactid@odata.bind": format!("/accounts({COMPANY})") }), "0x80048d19"),
        (json!({ "statecode": 0, "statuscode": 4 }), "0x80048408"),
        (json!({ "statuscode": 3 }), "0x80048408"),
        (json!({ "statecode": 2, "statuscode": 4 }), "0x80040203"),
    ];
    for (body, code) in cases {
        bench.patch(&deal, &[], body).refused(400, code);
    }
    let text = bench.patch(&deal, &[], json!({ "name": "ä".repeat(301) })).refused(400, "0x80044331");
    let expected = "A validation error occurred.  The length of the 'name' attribute of the 'opportunity' entity \
                    exceeded the maximum allowed length of '300'.";
    assert_eq!(text, expected);
    bench
        .patch(
            &deal,
            &[],
            json!({ "parentaccountid@odata.bind": "/accounts(00000000-0000-0000-0000-0000000000aa)" }),
        )
        .refused(404, "0x80040217");
    bench
        .patch(&deal, &[], json!({ "parentaccountid@odata.bind": "/accounts(cosell_customerkey='no')" }))
        .refused(404, "0x80060891");
    bench.patch(&deal, &[], json!({ "name": "ä".repeat(300), "statuscode": 2 })).done(204);
    assert_eq!(Answer::of(bench.raw("PATCH", &format!("{ROOT}/{deal}"), &[], b"{not json")).status, 400);
}

#[test]
fn what_is_stored_is_what_the_platform_keeps() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    let body = json!({ "estimatedvalue": 10.005, "description": "", "createdon": "2020-01-01T00:00:00Z",
        "estimatedvalue_base": 5, "parentaccountid@odata.bind": format!("/accounts({COMPANY})"),
        "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({})", super::super::EUR) });
    bench.patch(&deal, &[], body).done(204);
    let row = bench.org.row("opportunities", DEAL).unwrap().clone();
    assert_eq!((&row["estimatedvalue"], &row["estimatedvalue_base"]), (&json!(10.01), &json!(10.8804)));
    assert_eq!((&row["description"], &row["createdon"]), (&Value::Null, &json!("2026-11-20T10:15:00Z")));
    assert_eq!(row["_modifiedby_value"], INTEGRATION_USER);
    bench.send("DELETE", &format!("{deal}/parentaccountid/$ref"), &[], Value::Null).done(204);
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["_parentaccountid_value"], Value::Null);
    bench.patch(&deal, &[], json!({ "customerid_account@odata.bind": null })).done(204);
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["_customerid_value"], Value::Null);
}

#[test]
fn key_values_of_a_url_are_values_of_their_column() {
    let mut bench = Bench::with_deal();
    let long = format!("opportunities(cosell_referralid='{}')", "k".repeat(101));
    bench.patch(&long, &[], json!({ "name": "x" })).refused(400, "0x80044331");
    assert_eq!(bench.patch("opportunities(cosell_referralid='')", &[], json!({})).status, 501);
    let accounts = "EntityDefinitions(LogicalName='account')/Keys";
    let key = json!({ "SchemaName": "staff_key", "KeyAttributes": ["numberofemployees"] });
    bench.send("POST", accounts, &[], key).done(204);
    bench.org.key_status("accounts", "numberofemployees", "Active").unwrap();
    let by_number = "accounts(numberofemployees=7)";
    let saved = bench.patch(by_number, &[], json!({ "name": "Seven" })).done(204);
    assert_eq!(saved.header("odata-entityid"), format!("{ORG}{ROOT}/{by_number}"));
    assert_eq!(bench.get(by_number).done(200).body["numberofemployees"], 7);
    bench.get("accounts(numberofemployees='seven')").refused(400, "0x80060888");
    let lookup = json!({ "SchemaName": "owner_key", "KeyAttributes": ["primarycontactid"] });
    assert_eq!(bench.send("POST", accounts, &[], lookup).status, 501);
}

#[test]
fn what_nothing_describes_is_not_guessed() {
    let mut bench = Bench::with_deal();
    let deal = format!("opportunities({DEAL})");
    let unknown = [
        json!({ "ownerid@odata.bind": format!("/teams({SELLER})") }),
        json!({ "ownerid@odata.bind": null }),
        json!({ "pricelevelid@odata.bind": format!("/pricelevels({SELLER})") }),
        json!({ "isrevenuesystemcalculated": true }),
        json!({ "statecode": null }),
        json!({ "@odata.id": deal }),
    ];
    for body in unknown {
        assert_eq!(bench.patch(&deal, &[], body.clone()).status, 501, "{body}");
    }
    for select in ["*", "_pricelevelid_value"] {
        assert_eq!(bench.get(&format!("{deal}?$select={select}")).status, 501, "{select}");
    }
    let lead = json!({ "@odata.type": "Microsoft.Dynamics.CRM.lead", "name": "x" });
    bench.patch(&deal, &[], lead).refused(400, "0x80048d19");
    let own = json!({ "@odata.type": "#Microsoft.Dynamics.CRM.opportunity", "@odata.etag": "W/\"1\"", "name": "x" });
    bench.patch(&deal, &[], own).done(204);
}

#[test]
fn a_representation_needs_the_right_to_read() {
    let mut bench = Bench::with_deal();
    bench.org.deny("opportunity", "read");
    let deal = format!("opportunities({DEAL})");
    let wish = [("prefer", "return=representation")];
    bench.patch(&deal, &wish, json!({ "name": "x" })).refused(403, "0x80040220");
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["name"], "Deal");
    bench.patch(&deal, &[], json!({ "name": "x" })).done(204);
}
