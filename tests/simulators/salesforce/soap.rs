//! `convertLead` of the SOAP API, after the WSDL: one lead a call; other calls, headers and members that change what a
//! conversion does are not modelled.

use super::Salesforce;
use super::convert::{ConvertOptions, Converted};
use super::describe::{NEWEST, OLDEST};
use super::ids;
use super::refusal::{ErrorEntry, SalesforceOutcome, SalesforceRefusal, bad, not_modelled};
use super::store::SalesforceWriter;
use crate::server::{Request, Response};
use jiff::Timestamp;
use roxmltree::{Document, Node};
use std::collections::BTreeMap;

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENTERPRISE: &str = "urn:enterprise.soap.sforce.com";
/// The members of `LeadConvert` in their order.
const MEMBERS: [&str; 9] = [
    "accountId",
    "contactId",
    "convertedStatus",
    "doNotCreateOpportunity",
    "leadId",
    "opportunityName",
    "overwriteLeadSource",
    "ownerId",
    "sendNotificationEmail",
];

/// How a call ended that has no result.
enum Ended {
    /// A SOAP fault's `faultcode` and `faultstring`.
    Fault(&'static str, String),
    NotModelled(String),
}

fn client(words: impl Into<String>) -> Ended {
    Ended::Fault("soapenv:Client", words.into())
}

impl Salesforce {
    /// `version` is what follows `/services/Soap/c/`.
    pub(super) fn soap(&mut self, request: &Request, version: &str, now: Timestamp) -> Response {
        if request.method != "POST" {
            return Response::unknown(request, "SOAP is POST");
        }
        let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if kind.split(';').next().map(str::trim) != Some("text/xml") {
            return Response::new(415);
        }
        match self.called(request, version, now) {
            Ok(Ok(made)) => {
                let opportunity =
                    made.opportunity.map(|id| element("opportunityId", &id)).unwrap_or_default();
                let members = [
                    element("accountId", &made.account),
                    element("contactId", &made.contact),
                    element("leadId", &made.lead),
                    opportunity,
                    element("success", "true"),
                ];
                result(&members.concat())
            }
            Ok(Err(fault)) => {
                let fields: String =
                    fault.fields.iter().flatten().map(|field| element("fields", field)).collect();
                let words = element("message", &fault.message) + &element("statusCode", &fault.code);
                result(&format!("<errors>{fields}{words}</errors>{}", element("success", "false")))
            }
            Err(Ended::Fault(code, words)) => {
                let members = element("faultcode", code) + &element("faultstring", &words);
                // Its members are of no namespace.
                envelope(500, "", &format!("<soapenv:Fault>{members}</soapenv:Fault>"))
            }
            Err(Ended::NotModelled(why)) => Response::unknown(request, &why),
        }
    }

    fn called(
        &mut self,
        request: &Request,
        version: &str,
        now: Timestamp,
    ) -> Result<Result<Made, Box<ErrorEntry>>, Ended> {
        let number = version.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
        if !number.is_some_and(|number| (OLDEST..=NEWEST).contains(&number)) {
            return Err(Ended::Fault(
                "sf:UNSUPPORTED_API_VERSION",
                format!("Invalid Api version: {version}"),
            ));
        }
        if request.header("soapaction").is_none() {
            return Err(client("no SOAPAction header!"));
        }
        let text = String::from_utf8(request.body.to_vec()).map_err(|_| client("not UTF-8"))?;
        let document = Document::parse(&text).map_err(|e| client(e.to_string()))?;
        let root = document.root_element();
        if !root.has_tag_name((ENVELOPE, "Envelope")) {
            return Err(client("no envelope"));
        }
        let session = session(part(root, "Header").ok_or_else(|| client("no header"))?)?;
        let told = || {
            let words = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session";
            Ended::Fault("sf:INVALID_SESSION_ID", words.to_owned())
        };
        let user = self.user_of(&session, now).ok_or_else(told)?;
        if self.count(now).is_err() {
            let words = "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.";
            return Err(Ended::Fault("sf:REQUEST_LIMIT_EXCEEDED", words.to_owned()));
        }
        let body = part(root, "Body").ok_or_else(|| client("no body"))?;
        let mut calls = body.children().filter(Node::is_element);
        let call = calls.next().filter(|call| call.has_tag_name((ENTERPRISE, "convertLead")));
        let call = call.ok_or_else(|| Ended::NotModelled("another call than convertLead".to_owned()))?;
        let leads: Vec<Node<'_, '_>> = call.children().filter(Node::is_element).collect();
        let [lead] = leads[..] else {
            return Err(Ended::NotModelled("the conversion of several leads or of none".to_owned()));
        };
        if calls.next().is_some() || !lead.has_tag_name((ENTERPRISE, "leadConverts")) {
            return Err(client(format!("Element {:?} invalid at this location", lead.tag_name())));
        }
        let members = members(lead)?;
        let by = SalesforceWriter { api: true, allow_save: false, ..SalesforceWriter::person(&user, now) };
        match self.convert_asked(&members, &by) {
            Ok(made) => Ok(Ok(made)),
            Err(SalesforceRefusal::Vendor(_, fault)) => Ok(Err(fault)),
            Err(SalesforceRefusal::Bare(status)) => {
                Err(Ended::NotModelled(format!("{status} without words")))
            }
            Err(SalesforceRefusal::NotModelled(why)) => Err(Ended::NotModelled(why)),
        }
    }

    fn convert_asked(
        &mut self,
        members: &BTreeMap<String, String>,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<Made> {
        let text = |name: &str| members.get(name).filter(|text| !text.is_empty()).cloned();
        let id = |name: &str| -> SalesforceOutcome<Option<String>> {
            let Some(text) = text(name) else { return Ok(None) };
            let wrong =
                || bad("MALFORMED_ID", format!("{name}: id value of incorrect type: {text}"), &[name]);
            ids::parsed(&text).map(Some).ok_or_else(wrong)
        };
        for name in ["overwriteLeadSource", "sendNotificationEmail"] {
            if members[name] != "false" {
                return Err(not_modelled(format!("`{name}` other than false")));
            }
        }
        if members.contains_key("ownerId") {
            return Err(not_modelled("`ownerId`"));
        }
        let wishes = ConvertOptions {
            account: id("accountId")?,
            contact: id("contactId")?,
            opportunity: members["doNotCreateOpportunity"] == "false",
            name: text("opportunityName"),
            status: Some(members["convertedStatus"].clone()),
        };
        let missing = || bad("REQUIRED_FIELD_MISSING", "Required fields are missing: [leadId]", &["leadId"]);
        let lead = id("leadId")?.ok_or_else(missing)?;
        let object = self.named("Lead")?;
        self.demand_right(&object, &by.user, "convert")?;
        let named = [Some(&lead), wishes.account.as_ref(), wishes.contact.as_ref()];
        if let Some(id) = named.into_iter().flatten().find(|id| self.out_of_reach.contains(*id)) {
            let text = format!("insufficient access rights on cross-reference id: {id}");
            return Err(bad("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text, &[]));
        }
        let made = self.atomically(|org| org.convert(&lead, by, wishes))?;
        let Converted { account, contact, opportunity } = made;
        Ok(Made { lead, account, contact, opportunity })
    }
}

/// What a conversion came to.
struct Made {
    lead: String,
    account: String,
    contact: String,
    opportunity: Option<String>,
}

fn part<'a, 'i>(envelope: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    envelope.children().find(|child| child.has_tag_name((ENVELOPE, name)))
}

/// The session of the header, which holds nothing else.
fn session(header: Node<'_, '_>) -> Result<String, Ended> {
    let mut id = None;
    for child in header.children().filter(Node::is_element) {
        if !child.has_tag_name((ENTERPRISE, "SessionHeader")) {
            return Err(Ended::NotModelled(format!("the header {:?}", child.tag_name())));
        }
        let held = child.children().find(|held| held.has_tag_name((ENTERPRISE, "sessionId")));
        id = held.and_then(|held| held.text()).map(str::to_owned);
    }
    Ok(id.unwrap_or_default())
}

/// Each member once, in the WSDL's order, with those that may not be missing.
fn members(lead: Node<'_, '_>) -> Result<BTreeMap<String, String>, Ended> {
    let mut members = BTreeMap::new();
    let mut left = &MEMBERS[..];
    for child in lead.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let at = left.iter().position(|known| *known == name);
        let at = at.filter(|_| child.tag_name().namespace() == Some(ENTERPRISE));
        let Some(at) = at else {
            return Err(client(format!("Element {name} invalid at this location in type LeadConvert")));
        };
        left = &left[at + 1..];
        members.insert(name.to_owned(), child.text().unwrap_or_default().to_owned());
    }
    for name in ["convertedStatus", "leadId"] {
        if !members.contains_key(name) {
            return Err(client(format!("Required field {name} missing")));
        }
    }
    for name in ["doNotCreateOpportunity", "overwriteLeadSource", "sendNotificationEmail"] {
        if !members.get(name).is_some_and(|text| ["true", "false"].contains(&text.as_str())) {
            return Err(client(format!("'{name}' is not a valid value for the type xsd:boolean")));
        }
    }
    Ok(members)
}

fn result(members: &str) -> Response {
    let space = format!(" xmlns=\"{ENTERPRISE}\"");
    envelope(200, &space, &format!("<convertLeadResponse><result>{members}</result></convertLeadResponse>"))
}

fn envelope(status: u16, space: &str, body: &str) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\"{space} \
         xmlns:sf=\"urn:fault.enterprise.soap.sforce.com\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    Response::new(status).with("Content-Type", "text/xml;charset=UTF-8").body(text)
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}
