//! SOQL, pages and locators.

use super::*;

fn shop(bench: &mut Bench) -> (String, Vec<String>) {
    let account = bench.made("Account", json!({ "Name": "Fabrikam", "BillingCity": "Stuttgart" }));
    let rows = [
        ("Alpha", 100.5, "2027-01-31", true),
        ("beta", 50.0, "2027-02-28", false),
        ("Gamma's 100%", 0.0, "2027-03-31", true),
    ];
    let ids = rows.map(|(name, amount, close, owned)| {
        let account = owned.then_some(&account);
        let id =
            bench.deal(json!({ "Name": name, "Amount": amount, "CloseDate": close, "AccountId": account }));
        bench.later(10);
        id
    });
    (account, ids.into())
}

#[test]
fn conditions_mean_what_they_say() {
    let mut bench = Bench::new();
    let (account, ids) = shop(&mut bench);
    for (condition, expected) in [
        ("Amount > 50", &["Alpha"][..]),
        ("Amount >= 50.0 AND CloseDate < 2027-02-28", &["Alpha"]),
        ("Name = 'ALPHA' OR Name = 'Beta'", &["Alpha", "beta"]),
        ("AccountId = null", &["beta"]),
        ("AccountId != null", &["Alpha", "Gamma's 100%"]),
        ("Account.Name != 'Fabrikam'", &["beta"]),
        ("Account.BillingCity LIKE 'stutt%' AND (NOT Name LIKE 'A_pha')", &["Gamma's 100%"]),
        ("Name = 'Gamma\\'s 100%'", &["Gamma's 100%"]),
        ("Name LIKE '%100\\%'", &["Gamma's 100%"]),
        ("Name NOT IN ('Alpha', 'beta')", &["Gamma's 100%"]),
        ("CloseDate IN (2027-01-31, 2027-02-28)", &["Alpha", "beta"]),
        ("IsClosed = false AND (Amount = 0 OR Amount = 50)", &["beta", "Gamma's 100%"]),
        ("SystemModstamp >= 2026-11-20T10:15:11Z", &["beta", "Gamma's 100%"]),
        ("SystemModstamp > 2026-11-20T11:15:11+01:00", &["Gamma's 100%"]),
        ("NextStep < 'x'", &[]),
    ] {
        let answer = bench.query(&format!("SELECT Name FROM Opportunity WHERE {condition}")).done(200);
        assert_eq!(answer.each("Name"), expected, "{condition}");
    }
    let soql =
        format!("select Id from Opportunity where Id = '{}' and AccountId in ('{account}')", &ids[0][..15]);
    assert_eq!(bench.query(&soql).done(200).body["totalSize"], 1);
    assert_eq!(
        bench.query("SELECT COUNT() FROM Opportunity").done(200).body,
        json!({ "totalSize": 3, "done": true, "records": [] })
    );
}

#[test]
fn parents_are_nested_and_children_listed() {
    let mut bench = Bench::new();
    let (account, ids) = shop(&mut bench);
    let contact = bench
        .made("Contact", json!({ "LastName": "Vogel", "Email": "v@fabrikam.example", "AccountId": account }));
    bench.made(
        "OpportunityContactRole",
        json!({ "OpportunityId": ids[0], "ContactId": contact, "IsPrimary": true }),
    );
    let detail = bench.made(
        "Microsoft_Solution_Detail__c",
        json!({ "Name": "Migrate", "Solution_Identifier__c": "SOL-1" }),
    );
    bench.made("Microsoft_Solution__c", json!({ "Opportunity__c": ids[0], "Solution_Detail__c": detail }));
    let soql = "SELECT Id, Account.Name, Account.Owner.Email, Owner.Email, \
        (SELECT Contact.Email, IsPrimary FROM OpportunityContactRoles WHERE IsPrimary = true), \
        (SELECT Name, Solution_Detail__r.Solution_Identifier__c FROM Microsoft_Solutions__r ORDER BY Name) \
        FROM Opportunity ORDER BY CloseDate DESC";
    let answer = bench.query(soql).done(200);
    let rows = answer.body["records"].as_array().unwrap();
    assert_eq!(rows[2]["Account"]["Owner"]["Email"], "sara.klein@partner.example");
    assert_eq!(rows[2]["Owner"]["attributes"]["type"], "User");
    assert_eq!((&rows[1]["Account"], &rows[1]["OpportunityContactRoles"]), (&Value::Null, &Value::Null));
    let roles = &rows[2]["OpportunityContactRoles"];
    assert_eq!((&roles["totalSize"], &roles["done"]), (&json!(1), &json!(true)));
    assert_eq!(roles["records"][0]["Contact"]["Email"], "v@fabrikam.example");
    let solutions = &rows[2]["Microsoft_Solutions__r"]["records"];
    assert_eq!(solutions[0]["Solution_Detail__r"]["Solution_Identifier__c"], "SOL-1");
    let team = "SELECT Id, (SELECT User.Email FROM OpportunityTeamMembers) FROM Opportunity";
    assert!(bench.query(team).refused(400, "INVALID_TYPE").contains("OpportunityTeamMembers"));
    bench.org.switches.team_selling = true;
    bench.query(team).done(200);
}

#[test]
fn what_is_no_query_is_refused() {
    let mut bench = Bench::new();
    for (soql, code) in [
        ("SELECT Id", "MALFORMED_QUERY"),
        ("SELECT Id, FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Name = 'x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Name = 'a\\x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Name = \"x\"", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Amount > 1 AND Amount < 3 OR Amount = 9", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2027-13-01", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity LIMIT x", "MALFORMED_QUERY"),
        ("SELECT * FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity trailing words", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = '2027-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2027-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE SystemModstamp > 2027-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Amount = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Konto.Name FROM Opportunity", "INVALID_FIELD"),
        ("SELECT CurrencyIsoCode FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id FROM CurrencyType", "INVALID_TYPE"),
        ("SELECT Id FROM ContentNote", "INVALID_TYPE"),
    ] {
        let told = bench.query(soql);
        assert_eq!(told.body[0]["errorCode"], code, "{soql}: {told:?}");
    }
    for soql in [
        "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account)",
        "SELECT MAX(Amount) FROM Opportunity",
        "SELECT Id FROM Opportunity WHERE CloseDate = TODAY",
        "SELECT StageName FROM Opportunity GROUP BY StageName",
        "SELECT FIELDS(ALL) FROM Opportunity",
        "SELECT Id FROM Campaign",
        "SELECT name FROM Opportunity",
    ] {
        assert_eq!(bench.query(soql).status, 501, "{soql}");
    }
}

#[test]
fn order_keeps_nulls_where_they_belong() {
    let mut bench = Bench::new();
    for (name, amount) in [("a", json!(2)), ("b", Value::Null), ("c", json!(1)), ("d", json!(2))] {
        bench.deal(json!({ "Name": name, "Amount": amount }));
    }
    for (order, expected) in [
        ("Amount, Name DESC", ["b", "c", "d", "a"]),
        ("Amount ASC NULLS LAST, Id ASC", ["c", "a", "d", "b"]),
        ("Amount DESC NULLS LAST, Name", ["a", "d", "c", "b"]),
    ] {
        let answer = bench.query(&format!("SELECT Name FROM Opportunity ORDER BY {order}")).done(200);
        assert_eq!(answer.each("Name"), expected, "{order}");
    }
    let answer = bench.query("SELECT Name FROM Opportunity ORDER BY Name LIMIT 2 OFFSET 1").done(200);
    assert_eq!(answer.each("Name"), ["b", "c"]);
}

#[test]
fn pages_follow_each_other_until_their_locator_ends() {
    let mut bench = Bench::new();
    for n in 0..5 {
        bench.deal(json!({ "Name": format!("d{n}") }));
    }
    bench.org.switches.page_size = Some(2);
    let (mut answer, mut names) = (bench.query("SELECT Name FROM Opportunity ORDER BY Id").done(200), vec![]);
    let first = answer.body["nextRecordsUrl"].as_str().unwrap().to_owned();
    loop {
        assert_eq!(answer.body["totalSize"], 5);
        names.extend(answer.each("Name"));
        let Some(next) = answer.body["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
        answer = Answer::of(bench.raw("GET", &next, &[], ""));
    }
    assert_eq!((names.len(), &answer.body["done"]), (5, &json!(true)));
    bench.later(48 * 3600);
    let now = bench.now;
    bench.token = bench.org.sign_in(INTEGRATION_USER, now);
    Answer::of(bench.raw("GET", &first, &[], "")).refused(400, "INVALID_QUERY_LOCATOR");
    bench.org.switches.page_size = None;
    for n in 0..260 {
        bench.deal(json!({ "Name": format!("more {n}") }));
    }
    let small = [("sforce-query-options", "batchSize=200")];
    let page = bench.send("GET", "query?q=SELECT Id FROM Opportunity", &small, Value::Null).done(200);
    assert_eq!((page.each("Id").len(), &page.body["done"]), (200, &json!(false)));
}
