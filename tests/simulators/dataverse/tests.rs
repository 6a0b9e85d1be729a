//! The simulator against its reference: the samples with our column names, and each line of the strictness list.

mod batches;
mod characters;
mod deltas;
mod documents;
mod forms;
mod merges;
mod metadata;
mod pages;
mod privileges;
mod products;
mod queries;
mod rewrites;
mod rules;
mod samples;
mod writes;

use super::{Dataverse, ROOT, SELLER};
use crate::login::{Claims, DYNAMICS_CLIENT, DYNAMICS_TENANT, mint};
use crate::server::{Request, Response, Simulator};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ORG: &str = "http://contoso-sales.crm.example";
const DEAL: &str = "5f4c7d8e-2b13-4a69-bd0c-91e6f2a7c004";
const COMPANY: &str = "7b0d2a34-51f0-4c1c-9a8e-0f6a3f1c2d10";

/// One org and a client that sends what the reference tells clients to send.
struct Bench {
    org: Dataverse,
    now: Timestamp,
}

fn claims() -> Claims {
    Claims {
        aud: ORG.to_owned(),
        tid: DYNAMICS_TENANT.to_owned(),
        appid: DYNAMICS_CLIENT.to_owned(),
        oid: "0b1ec700-0000-4000-8000-000000000002".to_owned(),
        idtyp: "app".to_owned(),
        amr: vec![],
        exp: 4_000_000_000,
    }
}

impl Bench {
    fn new() -> Self {
        Bench { org: Dataverse::new(ORG), now: "2026-11-20T10:15:00.75Z".parse().unwrap() }
    }

    /// With one open opportunity of an account, made by a seller.
    fn with_deal() -> Self {
        let mut bench = Bench::new();
        let now = bench.now;
        let account = json!({ "accountid": COMPANY, "name": "Fabrikam", "cosell_customerkey": "acct-0091" });
        bench.org.act_create("accounts", SELLER, account, now).unwrap();
        let deal = json!({
            "opportunityid": DEAL, "name": "Deal", "estimatedvalue": 1000, "cosell_referralid": "ref-1",
            "customerid_account@odata.bind": format!("/accounts({COMPANY})"),
        });
        bench.org.act_create("opportunities", SELLER, deal, now).unwrap();
        bench.later(60);
        bench
    }

    fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn raw(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all: BTreeMap<String, String> = [
            ("authorization", format!("Bearer {}", mint(&claims()))),
            ("accept", "application/json".into()),
            ("odata-version", "4.0".into()),
            ("odata-maxversion", "4.0".into()),
            ("if-none-match", "null".into()),
            ("content-type", "application/json; charset=utf-8".into()),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .into();
        for (name, value) in headers {
            if value.is_empty() {
                all.remove(*name);
            } else {
                all.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.replace(' ', "%20"),
            headers: all,
            body: body.to_vec().into(),
        };
        self.org.handle(&request, self.now)
    }

    /// `path` below the service root, or a link as it was given.
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let path = match path.strip_prefix(ORG) {
            Some(link) => link.to_owned(),
            None => format!("{ROOT}/{path}"),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Answer::of(self.raw(method, &path, headers, body.as_bytes()))
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], Value::Null)
    }

    fn patch(&mut self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.send("PATCH", path, headers, body)
    }

    fn batch(&mut self, headers: &[(&str, &str)], lines: &[&str]) -> Response {
        let mut all = vec![("content-type", "multipart/mixed; boundary=\"batch_5e0a\"")];
        all.extend(headers);
        self.raw("POST", &format!("{ROOT}/$batch"), &all, lines.join("\r\n").as_bytes())
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
        assert_eq!((self.status, self.body["error"]["code"].as_str()), (status, Some(code)), "{self:?}");
        self.body["error"]["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn done(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn names(&self) -> Vec<&str> {
        let rows = self.body["value"].as_array().expect("a list");
        rows.iter().map(|r| r["name"].as_str().unwrap_or("-")).collect()
    }
}
