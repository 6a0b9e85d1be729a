//! One call, outer or inner: what it asks, by whom, and how its answer is put together.

use super::Salesforce;
use super::refusal::{SalesforceOutcome, SalesforceRefusal, no_resource, not_json, not_modelled, refuse};
use super::store::SalesforceWriter;
use crate::server::Response;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What holds for a whole request.
pub(super) struct SalesforceCall {
    pub user: String,
    pub now: Timestamp,
    pub version: u32,
}

/// One request to a resource below `/services/data/vNN.0/`, alone or out of a composite.
pub(super) struct Step {
    pub method: String,
    /// Below the version, not decoded, without slashes at its ends.
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
    /// Part of a composite.
    pub inner: bool,
}

impl Step {
    /// The path's segments, decoded.
    pub(super) fn segments(&self) -> SalesforceOutcome<Vec<String>> {
        self.path.split('/').map(decoded).collect()
    }

    /// A parameter of the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> SalesforceOutcome<Option<String>> {
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == name {
                return decoded(&value.replace('+', " ")).map(Some);
            }
        }
        Ok(None)
    }

    /// Only these parameters are modelled.
    pub(super) fn only(&self, known: &[&str]) -> SalesforceOutcome<()> {
        let names = self.query.split('&').filter_map(|pair| pair.split('=').next());
        match names.filter(|name| !name.is_empty()).find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(other) => Err(not_modelled(format!("the parameter `{other}`"))),
        }
    }

    pub(super) fn object(&self) -> SalesforceOutcome<&Map<String, Value>> {
        let body = self.body.as_ref().ok_or_else(|| {
            not_json("The HTTP entity body is required, but this request has no entity body.")
        })?;
        body.as_object().ok_or_else(|| super::refusal::wrong_type("object", body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Who writes by this step.
    pub(super) fn writer(&self, call: &SalesforceCall, org: &Salesforce) -> SalesforceWriter {
        let heard = !self.inner || org.switches.duplicate_header_in_subrequests;
        let rules = self.header("sforce-duplicate-rule-header").filter(|_| heard && call.version >= 52);
        let allow_save = rules.is_some_and(|rules| {
            rules.split(';').any(|part| part.trim().eq_ignore_ascii_case("allowSave=true"))
        });
        SalesforceWriter {
            user: call.user.clone(),
            now: call.now,
            late: 0,
            api: true,
            allow_save: allow_save || org.allow_save,
        }
    }
}

fn decoded(text: &str) -> SalesforceOutcome<String> {
    percent_decode_str(text).decode_utf8().map(|t| t.into_owned()).map_err(|_| no_resource())
}

/// The answer to a step.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub status: u16,
    /// `Location`, `ETag` and the like.
    pub headers: Vec<(String, String)>,
    /// `Null`: the answer has no body.
    pub body: Value,
}

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Reply { status, headers: vec![], body }
    }

    /// A row that was made, at its own address.
    pub(super) fn made(call: &SalesforceCall, object: &str, id: &str, body: Value) -> Self {
        let url = format!("/services/data/v{}.0/sobjects/{object}/{id}", call.version);
        Reply { status: 201, headers: vec![("Location".into(), url)], body }
    }

    /// Whether a transaction goes on after it.
    pub(super) fn failed(&self) -> bool {
        self.status >= 300 && self.status != 304
    }

    pub(super) fn to_response(&self) -> Response {
        let mut response = Response::new(self.status);
        response.headers.clone_from(&self.headers);
        if self.body.is_null() {
            return response;
        }
        response.with("Content-Type", "application/json;charset=UTF-8").body(self.body.to_string())
    }
}

/// A refusal as an answer; what is not modelled stays one.
pub(super) fn told(outcome: SalesforceOutcome<Reply>) -> SalesforceOutcome<Reply> {
    match outcome {
        Err(SalesforceRefusal::Vendor(status, fault)) => Ok(Reply::new(status, json!([fault.to_json()]))),
        Err(SalesforceRefusal::Bare(status)) => Ok(Reply::new(status, Value::Null)),
        other => other,
    }
}

/// The body of an outer request: none, or JSON that says it is.
pub(super) fn body(request: &crate::server::Request) -> SalesforceOutcome<Option<Value>> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    if kind != "application/json" {
        let text = format!("Content-Type not supported: {kind}");
        return Err(refuse(415, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    let parsed = serde_json::from_slice(&request.body);
    parsed.map(Some).map_err(|e| not_json(format!("Unexpected character: {e}")))
}

/// Headers of the vendor's that mean something here; others of its kind are not modelled.
pub(super) fn check_headers(headers: &BTreeMap<String, String>) -> SalesforceOutcome<()> {
    const KNOWN: [&str; 5] = [
        "sforce-auto-assign",
        "sforce-call-options",
        "sforce-duplicate-rule-header",
        "sforce-mru",
        "sforce-query-options",
    ];
    for (name, value) in headers {
        if name.starts_with("sforce-") && !KNOWN.contains(&name.as_str()) {
            return Err(not_modelled(format!("the header `{name}`")));
        }
        let json = value.contains("json") || value.contains("*/*");
        if name == "accept" && !value.is_empty() && !json {
            return Err(not_modelled(format!("answers in {value}")));
        }
    }
    Ok(())
}
