//! Composites: their parts, the most parts of one (vendors/salesforce.md, *Composite*), and how Salesforce answers
//! them.

use super::{errors::SalesforceError, records::Records, soql::escaped};
use crate::http::Answer;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most requests in one composite (vendors/salesforce.md, *Composite*).
pub(super) const PARTS: usize = 25;
/// The most queries among them.
const QUERIES: usize = 5;

/// One request of a composite.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// The name by which later parts and the answer refer to this one: letters, digits, underscores.
    pub(super) reference: String,
    method: &'static str,
    /// Below the API's root.
    path: String,
    pub(super) body: Option<Value>,
    /// `If-Unmodified-Since`, an HTTP date.
    unmodified_since: Option<String>,
}

impl Part {
    pub(super) fn query(reference: &str, soql: &str) -> Self {
        Part::new("GET", reference, format!("query?q={}", escaped(soql)), None)
    }

    pub(super) fn create(reference: impl Into<String>, object: &str, body: Value) -> Self {
        Part::new("POST", &reference.into(), format!("sobjects/{object}"), Some(body))
    }

    pub(super) fn update(reference: impl Into<String>, object: &str, id: &str, body: Value) -> Self {
        Part::new("PATCH", &reference.into(), format!("sobjects/{object}/{id}"), Some(body))
    }

    pub(super) fn delete(reference: impl Into<String>, object: &str, id: &str) -> Self {
        Part::new("DELETE", &reference.into(), format!("sobjects/{object}/{id}"), None)
    }

    /// A reference to the id of the row that this part creates, for later parts.
    pub(super) fn made_id(&self) -> String {
        format!("@{{{}.id}}", self.reference)
    }

    pub(super) fn named(self, reference: String) -> Self {
        Part { reference, ..self }
    }

    pub(super) fn unmodified_since(self, at: Timestamp) -> Self {
        Part { unmodified_since: Some(http_date(at)), ..self }
    }

    fn new(method: &'static str, reference: &str, path: String, body: Option<Value>) -> Self {
        Part { reference: reference.to_owned(), method, path, body, unmodified_since: None }
    }

    fn json(&self, root: &str) -> Value {
        let mut part = json!({
            "method": self.method, "url": format!("{root}/{}", self.path), "referenceId": self.reference,
        });
        if let Some(body) = &self.body {
            part["body"] = body.clone();
        }
        if let Some(at) = &self.unmodified_since {
            part["httpHeaders"] = json!({ "If-Unmodified-Since": at });
        }
        part
    }

    fn is_query(&self) -> bool {
        self.path.starts_with("query?")
    }
}

/// The parts of one composite: never more than Salesforce accepts, because there is no other way to make one.
#[derive(Debug)]
pub(super) struct Parts<'a>(&'a [Part]);

impl<'a> Parts<'a> {
    /// All parts in one composite; `None`: they are too many.
    pub(super) fn together(parts: &'a [Part]) -> Option<Self> {
        (fitting(parts) == parts.len()).then_some(Parts(parts))
    }

    /// As many composites as the parts need, in order.
    pub(super) fn apart(parts: &'a [Part]) -> Vec<Self> {
        let (mut rest, mut all) = (parts, vec![]);
        while !rest.is_empty() {
            let (first, after) = rest.split_at(fitting(rest));
            all.push(Parts(first));
            rest = after;
        }
        all
    }

    /// The request's body, with paths below this root.
    pub(super) fn json(&self, root: &str, all_or_none: bool) -> Value {
        let parts: Vec<Value> = self.0.iter().map(|part| part.json(root)).collect();
        json!({ "allOrNone": all_or_none, "compositeRequest": parts })
    }
}

/// How many of these parts, from the first on, fit into one composite.
fn fitting(parts: &[Part]) -> usize {
    let mut queries = 0;
    let too_many = |part: &Part| {
        queries += usize::from(part.is_query());
        queries > QUERIES
    };
    parts.iter().take(PARTS).position(too_many).unwrap_or(parts.len().min(PARTS))
}

/// The answers to the parts of one or several composites.
#[derive(Debug, Default)]
pub(super) struct Composite {
    /// The answers, by the parts' references.
    pub(super) parts: BTreeMap<String, Value>,
    /// The server's time at the first answer.
    pub(super) date: Option<Timestamp>,
}

impl Composite {
    /// Reads an answer; `None`: it is not the answer to a composite.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let body = answer.json().filter(|_| answer.status == 200)?;
        let parts = body["compositeResponse"].as_array()?;
        let named =
            parts.iter().filter_map(|part| Some((part["referenceId"].as_str()?.to_owned(), part.clone())));
        Some(Composite { parts: named.collect(), date: answer.date() })
    }

    /// Adds the answers to the next composite. The earlier time stays: a row's stamp must be old even by that.
    pub(super) fn extend(&mut self, next: Composite) {
        self.date = self.date.or(next.date);
        self.parts.extend(next.parts);
    }

    /// Whether there is an answer to this part.
    pub(super) fn has(&self, reference: &str) -> bool {
        self.parts.contains_key(reference)
    }

    /// The rows that a query found; an error if they are not all in the answer.
    pub(super) fn rows(&self, reference: &str) -> Result<Vec<Value>, SalesforceError> {
        let part = self.parts.get(reference).unwrap_or(&Value::Null);
        Records::of_part(part).and_then(Records::all).ok_or_else(|| match part["httpStatusCode"].as_u64() {
            Some(200) => SalesforceError::unpaged(),
            _ => SalesforceError::of_part(part),
        })
    }

    /// The refusal in the answer to this part, if it failed.
    pub(super) fn said(&self, reference: &str) -> Option<SalesforceError> {
        self.parts.get(reference).filter(|part| failed(part)).map(SalesforceError::of_part)
    }

    /// The id itself, or the one to which a [`Part::made_id`] refers; `None`: the answer does not contain it.
    pub(super) fn id<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        match id.strip_prefix("@{").and_then(|id| id.strip_suffix(".id}")) {
            Some(reference) => self.parts.get(reference)?["body"]["id"].as_str(),
            None => Some(id),
        }
    }

    /// The refusal that made the composite fail, rather than that of a part which was rolled back; `None`: no part
    /// failed. A reference that cannot be filled in carries the code of a part that was rolled back.
    pub(super) fn refusal(&self) -> Option<SalesforceError> {
        let said: Vec<SalesforceError> =
            self.parts.values().filter(|part| failed(part)).map(SalesforceError::of_part).collect();
        let cause = said.iter().find(|said| !said.is_halted());
        cause.or_else(|| said.iter().find(|said| !said.is_rolled_back())).or(said.first()).cloned()
    }
}

fn failed(part: &Value) -> bool {
    part["httpStatusCode"].as_u64().is_none_or(|status| status >= 300)
}

/// An instant in the form of HTTP headers.
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(kinds: &str) -> Vec<Part> {
        let part = |(n, kind)| match kind {
            'q' => Part::query(&format!("q{n}"), "SELECT Id FROM Lead"),
            _ => Part::create(format!("c{n}"), "Lead", json!({})),
        };
        kinds.chars().enumerate().map(part).collect()
    }

    #[test]
    fn no_composite_has_more_parts_than_salesforce_takes() {
        let sizes =
            |kinds: &str| Parts::apart(&parts(kinds)).iter().map(|one| one.0.len()).collect::<Vec<_>>();
        assert_eq!(sizes(""), Vec::<usize>::new());
        assert_eq!(sizes("qqqqq"), [5]);
        assert_eq!(sizes("qqqqqq"), [5, 1]);
        assert_eq!(sizes("qcqcqcqcqccq"), [11, 1]);
        assert_eq!(sizes(&"c".repeat(60)), [25, 25, 10]);
        for (kinds, fits) in
            [("c".repeat(25), true), ("c".repeat(26), false), ("q".repeat(5), true), ("q".repeat(6), false)]
        {
            assert_eq!(Parts::together(&parts(&kinds)).is_some(), fits, "{kinds}");
        }
    }
}
