//! `convertLead` at the wire: what it makes, and everything it does not take.

use super::*;

const MEMBERS: &str = "<urn:convertedStatus>Closed - Converted</urn:convertedStatus>\
    <urn:doNotCreateOpportunity>false</urn:doNotCreateOpportunity><urn:leadId>LEAD</urn:leadId>\
    <urn:opportunityName>Sites &amp; more</urn:opportunityName>\
    <urn:overwriteLeadSource>false</urn:overwriteLeadSource>\
    <urn:sendNotificationEmail>false</urn:sendNotificationEmail>";
const XML: [(&str, &str); 2] = [("content-type", "text/xml; charset=utf-8"), ("soapaction", "\"\"")];

impl Bench {
    fn lead(&mut self) -> String {
        self.made(
            "Lead",
            json!({ "LastName": "Vogel", "Company": "Fabrikam", "Email": "v@fabrikam.example" }),
        )
    }

    fn soap(&mut self, headers: &[(&str, &str)], session: &str, members: &str) -> Answer {
        let body = format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:urn=\"urn:enterprise.soap.sforce.com\"><soapenv:Header><urn:SessionHeader><urn:sessionId>{session}\
             </urn:sessionId></urn:SessionHeader></soapenv:Header><soapenv:Body><urn:convertLead><urn:leadConverts>\
             {members}</urn:leadConverts></urn:convertLead></soapenv:Body></soapenv:Envelope>"
        );
        let mut all = vec![("authorization", "")];
        all.extend(headers);
        Answer::of(self.raw("POST", "/services/Soap/c/62.0", &all, &body))
    }

    /// The answer to members, in words.
    fn converted(&mut self, members: &str) -> String {
        let token = self.token.clone();
        let answer = self.soap(&XML, &token, members);
        format!("{} {}", answer.status, answer.body.as_str().unwrap_or_default())
    }
}

#[test]
fn it_makes_account_contact_and_opportunity_and_closes_the_lead() {
    let mut bench = Bench::new();
    let lead = bench.lead();
    let told = bench.converted(&MEMBERS.replace("LEAD", &lead));
    assert!(told.starts_with("200 ") && told.contains("<success>true</success>"), "{told}");
    let row = bench.org.row("Lead", &lead).unwrap().clone();
    assert_eq!(row["IsConverted"], true);
    for (field, member) in [
        ("ConvertedAccountId", "accountId"),
        ("ConvertedContactId", "contactId"),
        ("ConvertedOpportunityId", "opportunityId"),
    ] {
        assert!(told.contains(&format!("<{member}>{}</{member}>", row[field].as_str().unwrap())), "{told}");
    }
    let deal = bench.org.row("Opportunity", row["ConvertedOpportunityId"].as_str().unwrap()).unwrap();
    assert_eq!((&deal["Name"], &deal["StageName"]), (&json!("Sites & more"), &json!("Prospecting")));
    assert_eq!(deal["CreatedById"], INTEGRATION_USER, "by the session's user");
    let again = bench.converted(&MEMBERS.replace("LEAD", &lead));
    assert!(again.contains("<statusCode>CANNOT_UPDATE_CONVERTED_LEAD</statusCode>"), "{again}");
    assert!(again.starts_with("200 ") && again.contains("<success>false</success>"), "{again}");
}

#[test]
fn account_and_contact_that_are_given_are_taken_and_belong_together() {
    let mut bench = Bench::new();
    let (lead, account) = (bench.lead(), bench.made("Account", json!({ "Name": "Fabrikam" })));
    let other = bench.made("Account", json!({ "Name": "Contoso" }));
    let contact = bench.made("Contact", json!({ "LastName": "Vogel", "AccountId": account }));
    let members = |account: &str| {
        format!("<urn:accountId>{account}</urn:accountId><urn:contactId>{contact}</urn:contactId>{MEMBERS}")
            .replace("LEAD", &lead)
    };
    let told = bench.converted(&members(&other));
    assert!(told.contains("<statusCode>INVALID_CROSS_REFERENCE_KEY</statusCode>"), "{told}");
    let told = bench.converted(&members(&account));
    assert!(told.contains("<success>true</success>"), "{told}");
    assert_eq!(bench.query("SELECT Id FROM Contact").each("Id"), [json!(contact)]);
}

#[test]
fn what_the_wsdl_does_not_have_so_is_refused() {
    let mut bench = Bench::new();
    let lead = bench.lead();
    let good = MEMBERS.replace("LEAD", &lead);
    let name = "<urn:opportunityName>Sites &amp; more</urn:opportunityName>";
    for (what, members) in [
        ("an unknown member", good.clone() + "<urn:closeDate>2026-12-31</urn:closeDate>"),
        ("another order", good.replace(name, "") + name),
        ("twice", good.replace(name, &name.repeat(2))),
        ("no namespace", good.replace("urn:leadId", "leadId")),
        ("no boolean", good.replace(">false<", ">no<")),
        ("nothing", String::new()),
    ] {
        let told = bench.converted(&members);
        assert!(told.starts_with("500 ") && told.contains("<faultcode>soapenv:Client<"), "{what}: {told}");
    }
    let told = bench.converted(&good.replace("Closed - Converted", "Closed - Not Converted"));
    assert!(told.contains("<statusCode>INVALID_STATUS</statusCode>"), "{told}");
    let told = bench.converted(&(good.clone() + "</urn:leadConverts><urn:leadConverts>"));
    assert!(told.starts_with("501 "), "{told}");
    assert_eq!(bench.org.row("Lead", &lead).unwrap()["IsConverted"], false);
}

#[test]
fn headers_session_and_the_days_calls_count() {
    let mut bench = Bench::new();
    let lead = bench.lead();
    let (good, token) = (MEMBERS.replace("LEAD", &lead), bench.token.clone());
    bench.soap(&[("content-type", "application/json"), XML[1]], &token, &good).done(415);
    let fault = |answer: Answer, code: &str| {
        let told = answer.done(500).body;
        assert!(told.as_str().unwrap().contains(&format!("<faultcode>{code}</faultcode>")), "{told}");
    };
    fault(bench.soap(&XML[..1], &token, &good), "soapenv:Client");
    fault(bench.soap(&XML, "00D!ended", &good), "sf:INVALID_SESSION_ID");
    bench.org.switches.daily_api_requests = 0;
    fault(bench.soap(&XML, &token, &good), "sf:REQUEST_LIMIT_EXCEEDED");
    assert_eq!(bench.org.row("Lead", &lead).unwrap()["IsConverted"], false);
}

#[test]
fn rights_rules_and_locks_stand_in_the_result_and_nothing_is_left_behind() {
    let mut bench = Bench::new();
    let lead = bench.lead();
    let good = MEMBERS.replace("LEAD", &lead);
    let refused = |bench: &mut Bench, code: &str| {
        let told = bench.converted(&good);
        assert!(
            told.starts_with("200 ") && told.contains(&format!("<statusCode>{code}</statusCode>")),
            "{told}"
        );
        assert_eq!(bench.query("SELECT Id FROM Account").each("Id"), Vec::<Value>::new(), "rolled back");
    };
    bench.org.deny("Lead", "convert");
    refused(&mut bench, "INSUFFICIENT_ACCESS_OR_READONLY");
    bench.org.allow_all();
    bench.org.rule("Opportunity", None, "no R & D", &["Name"]);
    refused(&mut bench, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    bench.org.clear_rules();
    bench.org.lock(&lead, 1);
    refused(&mut bench, "UNABLE_TO_LOCK_ROW");
    assert!(bench.converted(&good).contains("<success>true</success>"));
}
