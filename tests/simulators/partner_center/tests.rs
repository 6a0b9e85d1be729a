//! The simulator against the documented samples and tables.

use super::{referral::state_of, *};
use crate::{
    clock::Clock,
    login::{Claims, PARTNER_CLIENT, PARTNER_TENANT, REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE, mint},
    server::{FaultKind, Server},
};
use std::collections::BTreeSet;

mod deals;
mod documents;
mod hooks;
mod lists;
mod patches;

/// Partner Center, its clock and a caller with every right.
struct Office {
    center: PartnerCenter,
    now: Timestamp,
}

impl Office {
    fn new() -> Self {
        let mut center = PartnerCenter::new("http://127.0.0.1:8080/");
        let now = "2026-04-10T12:00:05.2201131Z".parse().expect("instant");
        let events =
            ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"];
        center.register_webhook("http://127.0.0.1:9/webhook", &events, false, now);
        Office { center, now }
    }

    fn claims(&self, aud: &str) -> Claims {
        Claims {
            aud: aud.to_owned(),
            tid: PARTNER_TENANT.to_owned(),
            appid: PARTNER_CLIENT.to_owned(),
            oid: "somebody".to_owned(),
            idtyp: "user".to_owned(),
            amr: vec!["pwd".to_owned(), "mfa".to_owned()],
            exp: self.now.as_second() + 60,
        }
    }

    fn call_with(&mut self, claims: &Claims, call: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let (method, target) = call.split_once(' ').expect("method and target");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut all = BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", mint(claims)))]);
        if !body.is_empty() {
            all.insert("content-type".to_owned(), "application/json".to_owned());
        }
        all.extend(headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all,
            body: body.to_owned().into(),
        };
        self.center.handle(&request, self.now)
    }

    /// A call below the referrals route: `GET /{id}`, `POST `, `GET ?$top=1`.
    fn referrals(&mut self, call: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let (method, rest) = call.split_once(' ').expect("method and target");
        let response = self.call_with(
            &self.claims(REFERRALS_AUDIENCE),
            &format!("{method} {REFERRALS}{rest}"),
            headers,
            body,
        );
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    fn webhooks(&mut self, call: &str, body: &str) -> (u16, Value) {
        let (method, rest) = call.split_once(' ').expect("method and target");
        let call = format!("{method} {REGISTRATION}{rest}");
        let response = self.call_with(&self.claims(WEBHOOKS_AUDIENCE), &call, &[], body);
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    fn patch(&mut self, id: &str, body: &str) -> (u16, Value) {
        self.referrals(&format!("PATCH /{id}"), &[], body)
    }

    fn get(&mut self, id: &str) -> Value {
        let (status, body) = self.referrals(&format!("GET /{id}"), &[], "");
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// The rule that refused.
fn rule(answer: &(u16, Value)) -> &str {
    answer.1["error"]["innerError"]["code"].as_str().unwrap_or_default()
}

/// All member paths of a body; items of arrays share one path.
fn shape(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                into.insert(format!("{at}/{name}"));
                walk(value, &format!("{at}/{name}"), into);
            }),
            Value::Array(items) => items.iter().for_each(|i| walk(i, &format!("{at}[]"), into)),
            _ => {}
        }
    }
    let mut paths = BTreeSet::new();
    walk(value, "", &mut paths);
    paths
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("sample")
}

/// A sample with another value at some pointers; `null` as value of a missing parent is an error of the test.
fn with(text: &str, pointer: &str, value: Value) -> String {
    let mut body = sample(text);
    let (parent, name) = pointer.rsplit_once('/').expect("pointer");
    body.pointer_mut(parent).expect("parent")[name] = value;
    body.to_string()
}
