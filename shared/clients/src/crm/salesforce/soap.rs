//! Envelopes of Salesforce's SOAP API (enterprise WSDL) for `convertLead`, which has no REST resource
//! (vendors/salesforce.md, *Leads*). Its errors are translated to those of the REST API.

use super::errors::SalesforceError;
use crate::http::Answer;
use roxmltree::{Document, Node};
use std::fmt::Write;

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENTERPRISE: &str = "urn:enterprise.soap.sforce.com";
/// The fault of a session that has ended.
const NO_SESSION: &str = "INVALID_SESSION_ID";

/// The arguments of a conversion, in the order of the WSDL, in which they must be sent.
#[derive(Default)]
pub(super) struct Conversion {
    pub(super) account: Option<String>,
    pub(super) contact: Option<String>,
    pub(super) status: String,
    pub(super) lead: String,
    pub(super) opportunity_name: Option<String>,
}

impl Conversion {
    pub(super) fn envelope(&self, session: &str) -> String {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\" \
             xmlns:urn=\"{ENTERPRISE}\"><soapenv:Header><urn:SessionHeader><urn:sessionId>{}</urn:sessionId>\
             </urn:SessionHeader></soapenv:Header><soapenv:Body><urn:convertLead><urn:leadConverts>",
            escaped(session)
        );
        let no = Some("false");
        let members = [
            ("accountId", self.account.as_deref()),
            ("contactId", self.contact.as_deref()),
            ("convertedStatus", Some(&*self.status)),
            ("doNotCreateOpportunity", no),
            ("leadId", Some(&*self.lead)),
            ("opportunityName", self.opportunity_name.as_deref()),
            ("overwriteLeadSource", no),
            ("sendNotificationEmail", no),
        ];
        for (name, value) in members.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            _ = write!(text, "<urn:{name}>{}</urn:{name}>", escaped(value));
        }
        text + "</urn:leadConverts></urn:convertLead></soapenv:Body></soapenv:Envelope>"
    }
}

/// Whether the lead was converted; if not, why.
pub(super) fn converted(answer: &Answer) -> Result<(), SalesforceError> {
    let text = String::from_utf8_lossy(&answer.body);
    let document = Document::parse(&text).map_err(|error| {
        let at = error.pos();
        unread(answer, &format!("no XML at line {} column {}", at.row, at.col))
    })?;
    if let Some(fault) = fault(&document) {
        return Err(of_fault(answer.status, fault));
    }
    let without = |name: &str| unread(answer, &format!("XML without `{name}`"));
    let result = named(document.root(), "result").ok_or_else(|| without("result"))?;
    match text_of(result, "success") {
        "true" if answer.status == 200 => Ok(()),
        "false" => {
            let error = named(result, "errors").ok_or_else(|| without("errors"))?;
            let fields = error.children().filter(|child| child.has_tag_name((ENTERPRISE, "fields")));
            let fields: Vec<&str> = fields.filter_map(|field| field.text()).collect();
            // A result has no status of its own; REST answers a refused row with this one.
            Err(SalesforceError::told(400, text_of(error, "statusCode"), text_of(error, "message"), &fields))
        }
        _ => Err(without("success")),
    }
}

/// An answer that says neither yes nor no. A successful one is described by its length, never by its text; for others,
/// such as maintenance pages in HTML, the text is the message.
fn unread(answer: &Answer, what: &str) -> SalesforceError {
    if !answer.is_success() {
        return SalesforceError::of(answer);
    }
    let words = format!("unreadable answer: {} bytes, {what}", answer.body.len());
    SalesforceError::told(answer.status, "", &words, &[])
}

/// Whether the session had ended, so that nothing happened and a new session may succeed.
pub(super) fn is_session_refused(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    let document = Document::parse(&text).ok();
    answer.status == 401
        || document.is_some_and(|document| fault(&document).is_some_and(|fault| code_of(fault) == NO_SESSION))
}

fn fault<'a, 'i>(document: &'a Document<'i>) -> Option<Node<'a, 'i>> {
    document.descendants().find(|node| node.has_tag_name((ENVELOPE, "Fault")))
}

/// The fault's code without its prefix: `sf:INVALID_SESSION_ID` is `INVALID_SESSION_ID`.
fn code_of<'a>(fault: Node<'a, '_>) -> &'a str {
    let code = fault.children().find(|child| child.tag_name().name() == "faultcode");
    let code = code.and_then(|code| code.text()).unwrap_or_default().trim();
    code.rsplit(':').next().unwrap_or_default()
}

/// Every fault has the status 500; its code stands for the status that REST would give.
fn of_fault(status: u16, fault: Node<'_, '_>) -> SalesforceError {
    let words = fault.children().find(|child| child.tag_name().name() == "faultstring");
    let words = words.and_then(|words| words.text()).unwrap_or_default();
    let code = code_of(fault);
    // The message begins with the code once more.
    let words = words.strip_prefix(code).map_or(words, |words| words.trim_start_matches([':', ' ']));
    let status = match code {
        NO_SESSION => 401,
        "SERVER_UNAVAILABLE" => 503,
        // A fault that is not certainly a refusal: the conversion may have happened.
        "UNKNOWN_EXCEPTION" | "Server" | "" => status,
        _ => 400,
    };
    SalesforceError::told(status, code, words, &[])
}

fn named<'a, 'i>(within: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    within.descendants().find(|node| node.has_tag_name((ENTERPRISE, name)))
}

fn text_of<'a>(within: Node<'a, '_>, name: &str) -> &'a str {
    let child = within.children().find(|child| child.has_tag_name((ENTERPRISE, name)));
    child.and_then(|child| child.text()).unwrap_or_default()
}

/// A text between two tags. Characters that XML cannot contain in any form are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '\r' => escaped += "&#13;",
            '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'.. => escaped.push(c),
            _ => {}
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::salesforce::errors::SalesforceMeaning;
    use proptest::prelude::*;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\" \
             xmlns=\"{ENTERPRISE}\" xmlns:sf=\"urn:fault.enterprise.soap.sforce.com\"><soapenv:Body>{body}\
             </soapenv:Body></soapenv:Envelope>"
        );
        Answer { status, headers: HeaderMap::new(), body: body.into_bytes() }
    }

    fn result(members: &str) -> Answer {
        answer(200, &format!("<convertLeadResponse><result>{members}</result></convertLeadResponse>"))
    }

    fn faulty(code: &str, words: &str) -> Answer {
        let members = format!("<faultcode>{code}</faultcode><faultstring>{words}</faultstring>");
        answer(500, &format!("<soapenv:Fault>{members}</soapenv:Fault>"))
    }

    #[test]
    fn a_result_says_whether_it_happened() {
        let done = "<accountId>001000000000001AAA</accountId><success>true</success>";
        assert_eq!(converted(&result(done)), Ok(()));
        let refused = "<errors><fields>Amount</fields><message>no R &amp; D</message>\
                       <statusCode>FIELD_CUSTOM_VALIDATION_EXCEPTION</statusCode></errors><success>false</success>";
        let said = converted(&result(refused)).unwrap_err();
        assert_eq!(said.to_string(), "400 FIELD_CUSTOM_VALIDATION_EXCEPTION: no R & D (`Amount`)");
        assert_eq!(said.meaning(), SalesforceMeaning::Refused);
        let html = Answer { body: b"<html><p>down".to_vec(), ..answer(503, "") };
        assert_eq!(converted(&html).unwrap_err().meaning(), SalesforceMeaning::Unknown { wide: true });
        let unclear = converted(&result("<accountName>Zug</accountName>")).unwrap_err();
        assert_eq!(unclear.meaning(), SalesforceMeaning::Unknown { wide: false });
        let cut = converted(&Answer { body: b"<a>\n<b>Zug".to_vec(), ..answer(200, "") }).unwrap_err();
        assert!(cut.to_string().contains("no XML at line 1"), "{cut}");
        for told in [unclear.to_string(), cut.to_string()] {
            assert!(told.contains("unreadable answer") && !told.contains("Zug"), "{told}");
        }
    }

    #[test]
    fn a_fault_means_what_its_code_means_in_rest() {
        let meaning = |code: &str| converted(&faulty(code, "words")).unwrap_err().meaning();
        assert_eq!(meaning("sf:REQUEST_LIMIT_EXCEEDED"), SalesforceMeaning::Later { wide: true });
        assert_eq!(meaning("sf:SERVER_UNAVAILABLE"), SalesforceMeaning::Unknown { wide: true });
        assert_eq!(meaning("sf:UNKNOWN_EXCEPTION"), SalesforceMeaning::Unknown { wide: false });
        assert_eq!(meaning("sf:INSUFFICIENT_ACCESS"), SalesforceMeaning::Refused);
        assert_eq!(meaning("soapenv:Client"), SalesforceMeaning::Refused);
        let ended = faulty("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found");
        assert!(is_session_refused(&ended) && !is_session_refused(&result("<success>true</success>")));
        assert_eq!(
            converted(&ended).unwrap_err().to_string(),
            "401 INVALID_SESSION_ID: Invalid Session ID found"
        );
    }

    proptest! {
        #[test]
        fn any_name_arrives_as_it_was(name in any::<String>()) {
            let asked = Conversion { opportunity_name: Some(name.clone()), ..Conversion::default() };
            let text = asked.envelope("s");
            let document = Document::parse(&text).unwrap();
            let node = named(document.root(), "opportunityName").unwrap();
            let holds = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
            prop_assert_eq!(node.text().unwrap_or_default(), name.chars().filter(holds).collect::<String>());
        }
    }
}
