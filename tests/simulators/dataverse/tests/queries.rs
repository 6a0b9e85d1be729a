//! Filters, order, pages, expansions, and what is refused in a query.

use super::*;
use crate::dataverse::SALES_TEAM_ROLE;

fn three() -> Bench {
    let mut bench = Bench::with_deal();
    for (n, name) in ["Alpha", "Beta", "Gamma O'Neill"].iter().enumerate() {
        bench.later(1);
        let now = bench.now;
        let row = json!({ "name": name, "estimatedvalue": 100 * (n + 1), "cosell_syncwithpartnercenter": n == 1,
                          "estimatedclosedate": format!("2027-0{}-01", n + 1) });
        bench.org.act_create("opportunities", SELLER, row, now).unwrap();
    }
    bench
}

#[test]
fn filters() {
    let mut bench = three();
    let cases: [(&str, &[&str]); 12] = [
        ("name eq 'alpha'", &["Alpha"]),
        ("name eq 'Gamma O''Neill'", &["Gamma O'Neill"]),
        ("cosell_referralid ne null", &["Deal"]),
        ("estimatedvalue gt 100 and estimatedvalue le 200", &["Beta"]),
        ("cosell_syncwithpartnercenter eq true", &["Beta"]),
        ("(name eq 'Alpha' or name eq 'Beta') and not (estimatedvalue eq 100)", &["Beta"]),
        ("startswith(name,'ga') or endswith(name,'PHA')", &["Alpha", "Gamma O'Neill"]),
        ("contains(name,'eal')", &["Deal"]),
        ("modifiedon ge 2026-11-20T10:16:03Z", &["Gamma O'Neill"]),
        ("estimatedclosedate lt 2027-02-01", &["Alpha"]),
        (&format!("_customerid_value eq {COMPANY}"), &["Deal"]),
        ("statecode ne 0", &[]),
    ];
    for (filter, names) in cases {
        let found =
            bench.get(&format!("opportunities?$select=name&$filter={filter}&$orderby=name")).done(200);
        assert_eq!(found.names(), names, "{filter}");
    }
    let refused =
        ["Name eq 'x'", "statecode eq 'Open'", "name eq 5", "_customerid_value eq 'x'", "(name eq 'x'"];
    for filter in refused {
        bench.get(&format!("opportunities?$filter={filter}")).refused(400, "0x80060888");
    }
    let unknown = ["name in ('a')", "parentaccountid/name eq 'x'", "tolower(name) eq 'x'"];
    for filter in unknown {
        assert_eq!(bench.get(&format!("opportunities?$filter={filter}")).status, 501, "{filter}");
    }
}

#[test]
fn pages_follow_their_links() {
    let mut bench = three();
    let page = [("prefer", "odata.maxpagesize=2")];
    let path = "opportunities?$select=name&$orderby=modifiedon desc,opportunityid asc&$count=true";
    let first = bench.send("GET", path, &page, Value::Null).done(200);
    assert_eq!(first.names(), ["Gamma O'Neill", "Beta"]);
    assert_eq!(first.body["@odata.count"], 4);
    assert_eq!(first.header("preference-applied"), "odata.maxpagesize=2");
    let link = first.body["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(&link).status, 400);
    let last = bench.send("GET", &link, &page, Value::Null).done(200);
    assert_eq!(last.names(), ["Alpha", "Deal"]);
    assert!(last.body.get("@odata.nextLink").is_none());
    let other = link.replace("modifiedon", "createdon");
    assert_eq!(bench.send("GET", &other, &page, Value::Null).status, 400);
    assert_eq!(bench.get("opportunities?$select=name&$orderby=name&$top=1").names(), ["Alpha"]);
    assert_eq!(bench.get("opportunities/$count?$filter=statecode eq 0").body, 4);
    assert_eq!(bench.get("opportunities?$skip=1").status, 400);
    assert_eq!(bench.get("opportunities?$apply=x").status, 501);
}

#[test]
fn related_rows_are_expanded() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    let detail = json!({ "cosell_solutionid": "SOL-1", "cosell_name": "Analytics", "cosell_type": "1P" });
    bench.org.act_create("cosell_solutiondetails", SELLER, detail, now).unwrap();
    let solution = json!({ "cosell_name": "Analytics",
        "cosell_OpportunityId@odata.bind": format!("/opportunities({DEAL})"),
        "cosell_SolutionDetailId@odata.bind": "/cosell_solutiondetails(cosell_solutionid='SOL-1')" });
    bench.org.act_create("cosell_solutions", SELLER, solution, now).unwrap();
    let path = format!(
        "opportunities({DEAL})?$select=name&$expand=customerid_account($select=name),customerid_contact,\
         owninguser($select=firstname,internalemailaddress),transactioncurrencyid($select=isocurrencycode),\
         cosell_solution_OpportunityId($select=cosell_name,_cosell_solutiondetailid_value;$filter=statecode eq 0)"
    );
    let row = bench.get(&path).done(200).body;
    assert_eq!(row["customerid_account"]["name"], "Fabrikam");
    assert_eq!(row["customerid_contact"], Value::Null);
    assert_eq!(row["owninguser"]["firstname"], "Sara");
    assert_eq!(row["transactioncurrencyid"]["isocurrencycode"], "USD");
    assert_eq!(row["cosell_solution_OpportunityId"][0]["cosell_name"], "Analytics");
    let nested = format!(
        "opportunities({DEAL})?$expand=cosell_solution_OpportunityId($expand=cosell_SolutionDetailId)"
    );
    bench.get(&nested).refused(400, "0x80060888");
    let list = "cosell_solutions?$expand=cosell_SolutionDetailId($select=cosell_solutionid)&$filter=_cosell_opportunityid_value eq ";
    let found = bench.get(&format!("{list}{DEAL}")).done(200);
    assert_eq!(found.body["value"][0]["cosell_SolutionDetailId"]["cosell_solutionid"], "SOL-1");
}

#[test]
fn the_sales_team_is_read_from_connections() {
    let mut bench = Bench::with_deal();
    let now = bench.now;
    let row = json!({ "record1id_opportunity@odata.bind": format!("/opportunities({DEAL})"),
        "record2id_systemuser@odata.bind": format!("/systemusers({SELLER})"),
        "record2roleid@odata.bind": format!("/connectionroles({SALES_TEAM_ROLE})") });
    bench.org.act_create("connections", SELLER, row, now).unwrap();
    let path = format!(
        "connections?$select=_record2id_value,_record2roleid_value&$filter=_record1id_value eq {DEAL}"
    );
    let annotated = [("prefer", "odata.include-annotations=\"*\"")];
    let found = bench.send("GET", &path, &annotated, Value::Null).done(200).body["value"][0].clone();
    assert_eq!(found["_record2id_value"], SELLER);
    assert_eq!(found["_record2id_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "systemuser");
}

#[test]
fn unknown_things() {
    let mut bench = Bench::with_deal();
    let text = bench.get("Opportunity").refused(404, "0x8006088a");
    assert_eq!(text, "Resource not found for the segment 'Opportunity'.");
    let text = bench.get("opportunities?$select=Name").refused(400, "0x80060888");
    assert_eq!(text, "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.opportunity'.");
    assert_eq!(bench.get("teams").status, 501);
    assert_eq!(Answer::of(bench.raw("GET", "/api/data/v9.1/WhoAmI", &[], b"")).status, 501);
    let deal = format!("opportunities({DEAL})");
    assert_eq!(bench.send("GET", &deal, &[("callerobjectid", "x")], Value::Null).status, 501);
    assert_eq!(bench.send("GET", &deal, &[("odata-version", "")], Value::Null).status, 400);
}

#[test]
fn callers() {
    let mut bench = Bench::new();
    let refused = bench.send("GET", "WhoAmI", &[("authorization", "")], Value::Null).done(401);
    assert!(refused.header("www-authenticate").starts_with("Bearer authorization_uri="));
    let other = |change: fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        format!("Bearer {}", mint(&claims))
    };
    let elsewhere = other(|c| c.aud = "http://other.example".into());
    bench.send("GET", "WhoAmI", &[("authorization", &elsewhere)], Value::Null).done(401);
    let expired = other(|c| c.exp = 5);
    bench.send("GET", "WhoAmI", &[("authorization", &expired)], Value::Null).done(401);
    let stranger = other(|c| c.appid = "c0de0009-0000-4000-8000-000000000009".into());
    bench.send("GET", "WhoAmI", &[("authorization", &stranger)], Value::Null).refused(403, "0x80072560");
    bench.org.deny("opportunity", "read");
    bench.get("opportunities").refused(403, "0x80040220");
    bench.org.switches.burst_limit = Some(1);
    let late = bench.get("accounts");
    late.refused(429, "0x80072322");
    assert_eq!(late.header("retry-after"), "300");
    bench.later(300);
    bench.get("accounts").done(200);
}
