//! Salesforce's REST API with the objects of Sales Cloud, at the wire, written from its reference.
//!
//! A row store driven by object descriptions. Strict: it refuses what the vendor refuses, and answers 501 to what the
//! reference does not describe.

mod admin;
mod bin;
mod call;
mod checks;
mod collections;
mod composite;
mod conditions;
mod control;
mod convert;
mod custom;
mod definitions;
mod deploy;
mod describe;
mod elsewhere;
mod filter;
mod ids;
mod lexer;
mod mail;
mod matching;
mod merge;
mod metadata;
mod package;
mod people;
mod persons;
mod places;
mod products;
mod query;
mod references;
mod refusal;
mod replication;
mod rewrites;
mod rights;
mod route;
mod rows;
mod setup;
mod soap;
mod soql;
mod stages;
mod standard;
mod store;
mod switches;
#[cfg(test)]
mod tests;
mod times;
mod token;
mod tooling;
mod upsert;
mod values;
mod verbs;

pub use convert::Converted;
pub use people::{
    ADMIN, ADMIN_USERNAME, INTEGRATION_USER, OTHER_SELLER, PERMISSION_SET, SELLER, SYSTEM, USERNAME,
};
pub use rewrites::FlowRewrite;
pub use store::SalesforceRow;
pub use switches::SalesforceSwitches;
pub use token::{Approval, CLIENT_ID, CLIENT_SECRET, PRIVATE_KEY_PEM, assertion, usernames};

use crate::server::{Request, Response, Simulator};
use call::{Reply, SalesforceCall, Step, told};
use jiff::Timestamp;
use metadata::Object;
use refusal::{SalesforceOutcome, SalesforceRefusal, method_not_allowed, no_resource, not_modelled, refuse};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The org's id in its long form of 18 characters.
pub const ORGANIZATION: &str = "00DQy00000XyZabMAF";
const ROOT: &str = "/services/data";
/// Bytes of an address before 414.
const LONGEST_ADDRESS: usize = 16_384;
const DAY: i64 = 24 * 3600;

pub struct Salesforce {
    pub switches: SalesforceSwitches,
    /// `instance_url` of every sign-in, without trailing slash.
    base: String,
    objects: BTreeMap<String, Arc<Object>>,
    rows: BTreeMap<String, BTreeMap<String, SalesforceRow>>,
    last_id: u64,
    /// Rows as they were before the transaction that is open.
    journal: Option<Vec<(String, String, Option<SalesforceRow>)>>,
    /// Rows written through the API by the request being answered.
    touched: Vec<(String, String)>,
    /// Rows that an automated process will touch, and when.
    due: Vec<(Timestamp, String, String)>,
    /// Writes of transactions that have not committed.
    open: BTreeMap<u32, people::Open>,
    /// Object, id and time of deletion of rows no longer in the recycle bin.
    purged: Vec<(String, String, String)>,
    deleted_log_since: Timestamp,
    rules: Vec<checks::ValidationRule>,
    duplicate_rules: Vec<checks::DuplicateRule>,
    triggers: Vec<checks::Trigger>,
    flows: Vec<(String, SalesforceRow)>,
    rewrites: Vec<rewrites::Flow>,
    locks: BTreeMap<String, u32>,
    in_approval: BTreeSet<String>,
    denied: Vec<(String, String)>,
    denied_fields: Vec<(String, String, String)>,
    out_of_reach: BTreeSet<String>,
    cursors: Vec<query::QueryCursor>,
    sessions: BTreeMap<String, token::Session>,
    sessions_made: u32,
    logins: Vec<(String, Timestamp)>,
    approvals: BTreeMap<String, Approval>,
    pub client_secret: String,
    public_key: Vec<u8>,
    served: VecDeque<Timestamp>,
    /// Metadata of fields as they were defined, by full name; and ids of fields and objects as definitions.
    definitions: BTreeMap<String, SalesforceRow>,
    definition_ids: BTreeMap<String, String>,
    deployments: BTreeMap<String, deploy::Deployment>,
    /// `allowSave` of the composite being answered, and the version it is called by.
    allow_save: bool,
    version: u32,
}

impl Salesforce {
    /// A furnished org at this URL, our fields and objects provisioned.
    pub fn new(base_url: &str) -> Self {
        let (public_key, approvals) = token::setup();
        let mut org = Salesforce {
            switches: SalesforceSwitches::default(),
            base: base_url.trim_end_matches('/').to_owned(),
            objects: standard::all().into_iter().map(|object| (object.name.clone(), object)).collect(),
            rows: BTreeMap::new(),
            last_id: 0,
            journal: None,
            touched: vec![],
            due: vec![],
            open: BTreeMap::new(),
            purged: vec![],
            deleted_log_since: Timestamp::UNIX_EPOCH,
            rules: vec![],
            duplicate_rules: vec![],
            triggers: vec![],
            flows: vec![],
            rewrites: vec![],
            locks: BTreeMap::new(),
            in_approval: BTreeSet::new(),
            denied: vec![],
            denied_fields: vec![],
            out_of_reach: BTreeSet::new(),
            cursors: vec![],
            sessions: BTreeMap::new(),
            sessions_made: 0,
            logins: vec![],
            approvals,
            client_secret: CLIENT_SECRET.to_owned(),
            public_key,
            served: VecDeque::new(),
            definitions: BTreeMap::new(),
            definition_ids: BTreeMap::new(),
            deployments: BTreeMap::new(),
            allow_save: false,
            version: 62,
        };
        org.furnish();
        org.provision();
        org
    }

    /// Other clients of the org use so many of the day's requests.
    pub fn spend(&mut self, requests: usize, now: Timestamp) {
        self.served.extend(std::iter::repeat_n(now, requests));
    }

    /// 403 when the requests of the last 24 hours are used up.
    fn count(&mut self, now: Timestamp) -> SalesforceOutcome<()> {
        while self.served.front().is_some_and(|t| now.as_second() - t.as_second() >= DAY) {
            self.served.pop_front();
        }
        if self.served.len() >= self.switches.daily_api_requests {
            return Err(refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
        }
        self.served.push_back(now);
        Ok(())
    }

    fn answer(&mut self, request: &Request, path: &str, now: Timestamp) -> SalesforceOutcome<Reply> {
        if request.path.len() + request.query.len() > LONGEST_ADDRESS {
            return Err(refuse(414, "URI_TOO_LONG", "The URI length exceeds the limit"));
        }
        let (version, path) = path.split_once('/').unwrap_or((path, ""));
        let number = version.strip_prefix('v').and_then(|v| v.strip_suffix(".0"));
        let number: u32 = number.and_then(|n| n.parse().ok()).ok_or_else(no_resource)?;
        if (1..describe::OLDEST).contains(&number) {
            let text = format!("The API version {number}.0 is retired");
            return Err(refuse(410, &self.switches.retired_code, text));
        }
        if number > describe::NEWEST {
            return Err(no_resource());
        }
        let told = || refuse(401, "INVALID_SESSION_ID", "Session expired or invalid");
        let user = self.caller(request, now).ok_or_else(told)?;
        self.count(now)?;
        call::check_headers(&request.headers)?;
        self.version = number;
        let call = SalesforceCall { user, now, version: number };
        if (request.method.as_str(), path) == ("POST", "metadata/deployRequest") {
            return self.deploy(&call, request);
        }
        let step = Step {
            method: request.method.clone(),
            path: path.trim_end_matches('/').to_owned(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: call::body(request)?,
            inner: false,
        };
        self.perform(&call, &step)
    }

    /// One step, alone or out of a composite.
    fn perform(&mut self, call: &SalesforceCall, step: &Step) -> SalesforceOutcome<Reply> {
        let parts = step.segments()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (step.method.as_str(), &parts[..]) {
            (method, _) if !["GET", "POST", "PATCH", "DELETE"].contains(&method) => {
                Err(not_modelled(format!("the method {method}")))
            }
            (_, ["query", rest @ ..]) if rest.len() < 2 => self.query(call, step, false, rest),
            (_, ["queryAll", rest @ ..]) if rest.len() < 2 => self.query(call, step, true, rest),
            ("GET", ["sobjects"]) => Ok(self.describe_all(call)),
            ("GET", ["sobjects", name]) => {
                let object = self.object_at(name, call)?;
                Ok(self.describe_basic(call, &object))
            }
            (_, ["sobjects", name, rest @ ..]) => {
                let object = self.object_at(name, call)?;
                match rest {
                    ["describe"] if step.method == "GET" => self.describe(call, step, &object),
                    ["describe"] => Err(method_not_allowed(&step.method, "HEAD,GET")),
                    ["updated"] => self.replicate(call, step, &object, false),
                    ["deleted"] => self.replicate(call, step, &object, true),
                    _ => self.row_call(call, step, &object, rest),
                }
            }
            ("GET", ["limits"]) => Ok(self.limits()),
            (_, ["composite", "sobjects", rest @ ..]) => self.collection(call, step, rest),
            ("POST", ["composite"]) if !step.inner => self.composite(call, step),
            ("POST", ["composite", "graph"]) if !step.inner => self.graphs(call, step),
            (method, ["composite"] | ["composite", "graph"]) if !step.inner => {
                Err(method_not_allowed(method, "HEAD,POST"))
            }
            ("GET", ["metadata", "deployRequest", id]) => {
                step.only(&["includeDetails"])?;
                let details = step.parameter("includeDetails")?.as_deref() == Some("true");
                self.deployment(call, id, details)
            }
            (_, ["tooling", rest @ ..]) => self.tooling(call, step, rest),
            _ => Err(not_modelled("this resource")),
        }
    }

    /// What was written is touched once more after a while, where that is switched on.
    fn touch_later(&mut self, now: Timestamp) {
        if let Some(seconds) = self.switches.system_process_after {
            let at = now + jiff::SignedDuration::from_secs(seconds);
            let touched = std::mem::take(&mut self.touched);
            self.due.extend(touched.into_iter().map(|(object, id)| (at, object, id)));
        }
    }

    /// Automated processes whose time has come touch their rows.
    fn run_due(&mut self, now: Timestamp) {
        let (now_due, later) = std::mem::take(&mut self.due).into_iter().partition(|(at, ..)| *at <= now);
        self.due = later;
        let now_due: Vec<(Timestamp, String, String)> = now_due;
        for (at, object, id) in now_due {
            self.act_system(&object, &id, at);
        }
    }
}

impl Simulator for Salesforce {
    fn route(&self, request: &Request) -> String {
        route::label(request)
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.touched.clear();
        self.run_due(now);
        let dated = |response: Response| response.with("Date", times::http_date(now));
        if request.path == "/services/oauth2/token" && request.method == "POST" {
            return dated(self.token(request, now));
        }
        if let Some(version) = request.path.strip_prefix("/services/Soap/c/") {
            let response = dated(self.soap(request, version, now));
            self.touch_later(now);
            return response;
        }
        let below = request.path.strip_prefix(ROOT).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(below) = below else {
            return Response::unknown(request, "not the REST API");
        };
        if below.trim_matches('/').is_empty() && request.method == "GET" {
            return dated(Reply::new(200, describe::versions()).to_response());
        }
        let outcome = self.answer(request, below.trim_start_matches('/'), now);
        let reply = match told(outcome) {
            Ok(reply) => reply,
            Err(SalesforceRefusal::NotModelled(why)) => return Response::unknown(request, &why),
            Err(other) => return Response::unknown(request, &format!("{other:?}")),
        };
        self.touch_later(now);
        let response = dated(reply.to_response());
        if reply.status == 401 {
            return response;
        }
        let usage = format!("api-usage={}/{}", self.served.len(), self.switches.daily_api_requests);
        response.with("Sforce-Limit-Info", usage)
    }

    fn state(&self) -> Value {
        json!({ "objects": self.rows, "switches": self.switches, "requests_today": self.served.len() })
    }

    fn control(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Result<Value, String>> {
        self.command(verb, body, now)
    }
}
