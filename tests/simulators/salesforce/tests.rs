//! The simulator against its reference: the samples, and each line of the strictness list.

mod changes;
mod composites;
mod conversion;
mod deployments;
mod documents;
mod hooks;
mod merging;
mod pages;
mod persons;
mod places;
mod products;
mod queries;
mod rewriting;
mod schema;
mod sign_in;
mod values;
mod writes;

use super::*;
use crate::server::{Request, Response, Simulator};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

const BASE: &str = "http://127.0.0.1:4711";
const KEY: &str = "Referral_Identifier__c";

/// One org and a client that is signed in.
struct Bench {
    org: Salesforce,
    now: Timestamp,
    token: String,
}

impl Bench {
    fn new() -> Self {
        let now: Timestamp = "2026-11-20T10:15:01.75Z".parse().unwrap();
        let mut org = Salesforce::new(BASE);
        let token = org.sign_in(INTEGRATION_USER, now);
        Bench { org, now, token }
    }

    fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn raw(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all: BTreeMap<String, String> = [
            ("authorization", format!("Bearer {}", self.token)),
            ("accept", "application/json".into()),
            ("content-type", "application/json".into()),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .into();
        for (name, value) in headers {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.replace(' ', "%20"),
            headers: all,
            body: body.to_owned().into(),
        };
        self.org.handle(&request, self.now)
    }

    /// `path` below version 62.
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Answer::of(self.raw(method, &format!("/services/data/v62.0/{path}"), headers, &body))
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], Value::Null)
    }

    fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], body)
    }

    fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &[], body)
    }

    fn query(&mut self, soql: &str) -> Answer {
        let q = soql.replace('%', "%25").replace('+', "%2B").replace('&', "%26");
        self.get(&format!("query?q={q}"))
    }

    #[track_caller]
    fn made(&mut self, object: &str, columns: Value) -> String {
        let now = self.now;
        self.org.act_create(object, SELLER, columns, now).unwrap()
    }

    #[track_caller]
    fn edited(&mut self, object: &str, id: &str, columns: Value) {
        let now = self.now;
        self.org.act_edit(object, id, SELLER, columns, now).unwrap();
    }

    /// An open opportunity, made by a seller.
    fn deal(&mut self, over: Value) -> String {
        let mut columns = json!({ "Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-02-28" });
        for (name, value) in over.as_object().into_iter().flatten() {
            columns[name] = value.clone();
        }
        self.made("Opportunity", columns)
    }
}

/// An answer, its headers by name and its body as JSON (or text).
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Answer {
    fn of(response: Response) -> Self {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        Answer {
            status: response.status,
            headers: response.headers.into_iter().map(|(n, v)| (n.to_lowercase(), v)).collect(),
            body: serde_json::from_str(&text).unwrap_or(json!(text)),
        }
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.body[0]["errorCode"].as_str()), (status, Some(code)), "{self:?}");
        self.body[0]["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn done(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The field of each record of a query.
    #[track_caller]
    fn each(&self, name: &str) -> Vec<Value> {
        self.body["records"]
            .as_array()
            .unwrap_or_else(|| panic!("{self:?}"))
            .iter()
            .map(|r| r[name].clone())
            .collect()
    }
}
