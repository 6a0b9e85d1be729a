//! The documented requests with our column names: status, headers and shape of the documented answers.

use super::*;
use crate::dataverse::{EUR, INTEGRATION_USER};

#[test]
fn self_test_and_currency() {
    let mut bench = Bench::new();
    let who = bench.get("WhoAmI").done(200);
    assert_eq!(who.body["UserId"], INTEGRATION_USER);
    assert_eq!(
        who.body["@odata.context"],
        format!("{ORG}{ROOT}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")
    );
    assert_eq!(who.header("odata-version"), "4.0");
    assert_ne!(who.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "");
    bench.send("POST", "WhoAmI", &[], json!({})).done(404);
    let path = "transactioncurrencies?$select=transactioncurrencyid,isocurrencycode,currencyprecision";
    let found = bench.get(&format!("{path}&$filter=isocurrencycode eq 'EUR'")).done(200);
    let etag = found.body["value"][0]["@odata.etag"].clone();
    let row = json!({ "@odata.etag": etag, "transactioncurrencyid": EUR, "isocurrencycode": "EUR", "currencyprecision": 2 });
    assert_eq!(found.body["value"], json!([row]));
    let none = bench.get(&format!("{path}&$filter=isocurrencycode eq 'JPY'")).done(200);
    assert_eq!(none.body["value"], json!([]));
}

#[test]
fn a_referral_is_upserted_in_three_calls() {
    let mut bench = Bench::new();
    let key = "accounts(cosell_customerkey='acct-0091')";
    let account = json!({ "name": "Fabrikam Robotics GmbH", "websiteurl": "https://fabrikam-robotics.example",
        "address1_city": "Stuttgart", "address1_country": "DE", "numberofemployees": 120 });
    let saved = bench.patch(key, &[], account).done(204);
    assert_eq!(saved.header("odata-entityid"), format!("{ORG}{ROOT}/{key}"));
    assert_eq!(saved.body, json!(""));
    let contact = json!({ "firstname": "Ines", "lastname": "Vogel", "jobtitle": "Head of IT",
        "emailaddress1": "ines.vogel@fabrikam-robotics.example",
        "parentcustomerid_account@odata.bind": format!("/{key}") });
    let prefer = [("prefer", "return=representation")];
    let person = "contacts(cosell_contactkey='ctc-0442')";
    let saved = bench.patch(&format!("{person}?$select=contactid,versionnumber"), &prefer, contact).done(201);
    assert_eq!(saved.header("preference-applied"), "return=representation");
    let version = saved.body["versionnumber"].as_u64().unwrap();
    assert_eq!(saved.header("etag"), format!("W/\"{version}\""));
    assert_eq!(saved.body["@odata.etag"], saved.header("etag"));
    assert_eq!(
        saved.body["@odata.context"],
        format!("{ORG}{ROOT}/$metadata#contacts(contactid,versionnumber)/$entity")
    );
    let deal = json!({
        "name": "Fabrikam: analytics platform (co-sell)", "description": "Referral accepted by both partners.",
        "estimatedvalue": 125000.0, "estimatedclosedate": "2027-02-28", "closeprobability": 40,
        "opportunityratingcode": 2, "cosell_syncwithpartnercenter": true,
        "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({EUR})"),
        "customerid_account@odata.bind": format!("{ORG}{ROOT}/{key}"),
        "parentaccountid@odata.bind": format!("/{key}"),
        "parentcontactid@odata.bind": format!("/{person}"),
    });
    let path = "opportunities(cosell_referralid='ref-3f2b8a61-9c04')?$select=opportunityid,modifiedon,estimatedvalue";
    let made = bench.patch(path, &prefer, deal.clone()).done(201);
    assert_eq!(made.body["modifiedon"], "2026-11-20T10:15:00Z");
    assert_eq!(made.body["_transactioncurrencyid_value"], EUR);
    assert!(made.body.get("name").is_none() && made.body.get("customerid_account").is_none());
    bench.later(164);
    let again = bench.patch(path, &prefer, deal).done(200);
    assert_eq!(again.body["opportunityid"], made.body["opportunityid"]);
    assert_eq!(again.body["modifiedon"], "2026-11-20T10:17:44Z");
    assert_ne!(again.body["@odata.etag"], made.body["@odata.etag"]);
    let path = "opportunities(cosell_referralid='ref-3f2b8a61-9c04')?$select=name,statecode,estimatedvalue,\
                estimatedclosedate,modifiedon,_customerid_value,_modifiedby_value";
    let all = [("prefer", "odata.include-annotations=\"*\"")];
    let read = bench.send("GET", path, &all, Value::Null).done(200);
    let shows = [
        ("statecode@OData.Community.Display.V1.FormattedValue", "Open"),
        ("estimatedvalue@OData.Community.Display.V1.FormattedValue", "€125,000.00"),
        ("estimatedclosedate@OData.Community.Display.V1.FormattedValue", "2/28/2027"),
        ("modifiedon@OData.Community.Display.V1.FormattedValue", "11/20/2026 10:17 AM"),
        ("_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname", "account"),
        ("_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty", "customerid_account"),
        ("_customerid_value@OData.Community.Display.V1.FormattedValue", "Fabrikam Robotics GmbH"),
        ("_modifiedby_value@OData.Community.Display.V1.FormattedValue", "# Co-sell Connector"),
        ("_modifiedby_value@Microsoft.Dynamics.CRM.lookuplogicalname", "systemuser"),
    ];
    for (name, value) in shows {
        assert_eq!(read.body[name], value, "{name}");
    }
    assert_eq!(read.header("etag"), again.header("etag"));
}

#[test]
fn a_lead_and_a_note() {
    let mut bench = Bench::with_deal();
    let lead = "leads(cosell_referralid='ref-3f2b8a61-9c04-lead')";
    let body = json!({ "subject": "Referral: analytics platform", "firstname": "Ines", "lastname": "Vogel",
        "companyname": "Fabrikam Robotics GmbH", "emailaddress1": "ines.vogel@fabrikam-robotics.example",
        "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({EUR})") });
    assert_eq!(
        bench.patch(lead, &[], body).done(204).header("odata-entityid"),
        format!("{ORG}{ROOT}/{lead}")
    );
    let note = "annotations(0f9d6c1e-4f1b-5a77-8c3d-7e21b0a94d55)";
    let body = json!({ "subject": "[co-sell] Partner note 12", "notetext": "Customer asked for a demo.\n(by partner)",
        "objectid_opportunity@odata.bind": format!("/opportunities({DEAL})") });
    let create_only = [("if-none-match", "*")];
    bench.patch(note, &create_only, body.clone()).done(204);
    bench.patch(note, &create_only, body).refused(412, "0x80040237");
}

#[test]
fn win_reopen_lose() {
    let mut bench = Bench::with_deal();
    let win = json!({ "Status": 3, "OpportunityClose": { "subject": "Won via co-sell", "actualrevenue": 131500.0,
        "actualend": "2026-11-20", "description": "Closed by partner",
        "opportunityid@odata.bind": format!("/opportunities({DEAL})") } });
    let answer = bench.send("POST", "WinOpportunity", &[], win.clone()).done(204);
    assert_eq!(answer.body, json!(""));
    let row = bench.org.row("opportunities", DEAL).unwrap().clone();
    assert_eq!((row["statecode"].clone(), row["statuscode"].clone()), (json!(1), json!(3)));
    assert_eq!(
        (row["actualvalue"].clone(), row["actualclosedate"].clone()),
        (json!(131500.0), json!("2026-11-20"))
    );
    let close = bench.org.rows("opportunitycloses")[0].clone();
    assert_eq!((close["_opportunityid_value"].clone(), close["statecode"].clone()), (json!(DEAL), json!(1)));
    assert_eq!(bench.send("POST", "WinOpportunity", &[], win).status, 400);
    assert_eq!(bench.org.rows("opportunitycloses").len(), 1);
    let deal = format!("opportunities({DEAL})");
    bench.patch(&deal, &[("if-match", "*")], json!({ "statecode": 0, "statuscode": 1 })).done(204);
    let lose = |status: i64| {
        json!({ "Status": status, "OpportunityClose": { "subject": "Lost", "actualrevenue": 0,
        "actualend": "2026-11-20", "opportunityid@odata.bind": format!("/opportunities({DEAL})") } })
    };
    bench.send("POST", "LoseOpportunity", &[], lose(3)).refused(400, "0x80048408");
    assert_eq!(bench.org.rows("opportunitycloses").len(), 1);
    bench.send("POST", "LoseOpportunity", &[], lose(5)).done(204);
    assert_eq!(bench.org.row("opportunities", DEAL).unwrap()["statuscode"], 5);
}

#[test]
fn a_lead_is_qualified_once() {
    let mut bench = Bench::with_deal();
    let lead =
        json!({ "subject": "Analytics", "firstname": "Ines", "lastname": "Vogel", "estimatedamount": 5000 });
    let now = bench.now;
    let id = bench.org.act_create("leads", SELLER, lead, now).unwrap();
    let path = format!("leads({id})/Microsoft.Dynamics.CRM.QualifyLead");
    let body = json!({ "CreateAccount": false, "CreateContact": true, "CreateOpportunity": true, "Status": 3,
        "OpportunityCurrencyId": { "@odata.type": "Microsoft.Dynamics.CRM.transactioncurrency", "transactioncurrencyid": EUR },
        "OpportunityCustomerId": { "@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": COMPANY } });
    let made = bench.send("POST", &path, &[], body.clone()).done(200);
    let kinds: Vec<_> =
        made.body["value"].as_array().unwrap().iter().map(|v| v["@odata.type"].clone()).collect();
    assert_eq!(kinds, ["#Microsoft.Dynamics.CRM.contact", "#Microsoft.Dynamics.CRM.opportunity"]);
    let found = bench.get(&format!(
        "opportunities?$select=name,estimatedvalue,_customerid_value&$filter=_originatingleadid_value eq {id}"
    ));
    let deal = &found.body["value"][0];
    assert_eq!((&deal["name"], &deal["_customerid_value"]), (&json!("Analytics"), &json!(COMPANY)));
    assert_eq!(
        (&deal["estimatedvalue"], &deal["_transactioncurrencyid_value"]),
        (&json!(5000.0), &json!(EUR))
    );
    let lead = bench.org.row("leads", &id).unwrap();
    assert_eq!(
        (&lead["statecode"], &lead["_qualifyingopportunityid_value"]),
        (&json!(1), &deal["opportunityid"])
    );
    assert_eq!(bench.send("POST", &path, &[], body).status, 400);
}

#[test]
fn a_person_qualifies_a_lead_once_with_or_without_an_opportunity() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    let lead = |subject: &str| json!({ "subject": subject, "companyname": "Fabrikam", "lastname": "Vogel" });
    let (one, other) = ("With", "Without");
    let [one, other] = [one, other].map(|s| bench.org.act_create("leads", SELLER, lead(s), now).unwrap());
    let deal = bench.org.act_qualify(&one, SELLER, true, now).unwrap().unwrap();
    let made = bench.org.row("opportunities", &deal).unwrap();
    assert_eq!((&made["name"], &made["_originatingleadid_value"]), (&json!("With"), &json!(one)));
    assert!(made["_parentaccountid_value"].is_string() && made["_parentcontactid_value"].is_string());
    assert!(bench.org.act_qualify(&one, SELLER, true, now).is_err(), "once");
    assert_eq!(bench.org.act_qualify(&other, SELLER, false, now), Ok(None));
    let lead = bench.org.row("leads", &other).unwrap();
    assert_eq!((&lead["statecode"], &lead["_qualifyingopportunityid_value"]), (&json!(1), &json!(null)));
}
