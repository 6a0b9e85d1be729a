//! Dataverse Web API v9.2 with the tables of Dynamics 365 Sales, at the wire, written from its reference.
//!
//! A table store driven by a metadata description. Strict: it refuses what the vendor refuses, and answers 501 to
//! what the vendor's documents do not describe.

mod actions;
mod address;
mod batch;
mod body;
mod checks;
mod columns;
mod control;
mod definitions;
mod delta;
mod filter;
mod forms;
mod headers;
mod labels;
mod merge;
mod metadata;
mod order;
mod people;
mod privileges;
mod products;
mod provision;
mod read;
mod refusal;
mod removal;
mod rewrites;
mod route;
mod rows;
mod shape;
mod store;
mod structure;
mod switches;
mod tables;
#[cfg(test)]
mod tests;
mod values;
mod write;

pub use people::{
    ADMINISTRATOR, BASE_CURRENCY, CHF, EUR, GBP, INTEGRATION_USER, OTHER_SELLER, SALES_TEAM_ROLE, SELLER,
    STAKEHOLDER_ROLE, SYSTEM, USD,
};
pub use rewrites::PluginRewrite;
pub use store::DataverseRow;
pub use switches::DataverseSwitches;

use crate::login;
use crate::server::{Request, Response, Simulator};
use address::{Prefer, address, segments};
use jiff::Timestamp;
use metadata::Table;
use refusal::{DataverseOutcome, DataverseRefusal, no_resource, not_modelled, to_response};
use rows::Rows;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use store::{ChangeSet, DataverseWriter};
use uuid::Uuid;

/// The service root below the org URL.
const ROOT: &str = "/api/data/v9.2";
const JSON: &str = "application/json; odata.metadata=minimal";

/// A validation rule of the customer's.
#[derive(Clone, Debug)]
struct BusinessRule {
    table: String,
    column: Option<String>,
    message: String,
}

/// One request as it is being answered.
struct DataverseCall<'a> {
    request: &'a Request,
    prefer: Prefer,
    user: String,
    now: Timestamp,
}

pub struct Dataverse {
    pub switches: DataverseSwitches,
    /// The org URL, without trailing slash; tokens must be for it.
    base: String,
    tables: BTreeMap<String, Arc<Table>>,
    rows: BTreeMap<String, Rows>,
    /// Per entity set: version of the deletion and id.
    deleted: BTreeMap<String, Vec<(u64, String)>>,
    /// The last version number given out, over all tables.
    version: u64,
    /// Each written row as it was before.
    previous: BTreeMap<(String, String), Option<DataverseRow>>,
    /// How many reads still see it so.
    lagging: BTreeMap<(String, String), u32>,
    change_set: Option<ChangeSet>,
    /// Rows written by the request being answered.
    touched: Vec<(String, String)>,
    rules: Vec<BusinessRule>,
    demands: Vec<BusinessRule>,
    /// Entity set, column, and what a plug-in makes of its values.
    rewrites: Vec<(String, String, PluginRewrite)>,
    denied: Vec<(String, String)>,
    /// The XML of forms that were changed and not published, by their id.
    drafts: BTreeMap<String, String>,
    cursors: Vec<read::PageCursor>,
    tokens: Vec<delta::DeltaToken>,
    oldest_token: BTreeMap<String, u64>,
    served: VecDeque<Timestamp>,
}

impl Dataverse {
    /// A furnished org at this URL, our columns, keys and tables provisioned.
    pub fn new(base_url: &str) -> Self {
        let mut org = Dataverse {
            switches: DataverseSwitches::default(),
            base: base_url.trim_end_matches('/').to_owned(),
            tables: tables::all().into_iter().map(|(set, table)| (set, Arc::new(table))).collect(),
            rows: BTreeMap::new(),
            deleted: BTreeMap::new(),
            version: 2_048_000,
            previous: BTreeMap::new(),
            lagging: BTreeMap::new(),
            change_set: None,
            touched: vec![],
            rules: vec![],
            demands: vec![],
            rewrites: vec![],
            denied: vec![],
            drafts: BTreeMap::new(),
            cursors: vec![],
            tokens: vec![],
            oldest_token: BTreeMap::new(),
            served: VecDeque::new(),
        };
        org.furnish();
        org
    }

    /// The address of the Web API: `{org}/api/data/v9.2`.
    fn root(&self) -> String {
        format!("{}{ROOT}", self.base)
    }

    /// The caller's systemuser: 401 without a token for this org, 403 without a user.
    fn caller(&self, request: &Request, now: Timestamp) -> Result<String, Response> {
        let claims = login::bearer(request, now).filter(|c| c.aud == self.base && c.idtyp == "app");
        let Some(claims) = claims else {
            let tenant = login::DYNAMICS_TENANT;
            let challenge = format!(
                "Bearer authorization_uri=https://login.microsoftonline.com/{tenant}/oauth2/authorize, \
                 resource_id={}/",
                self.base
            );
            let response = Response::new(401).with("WWW-Authenticate", challenge);
            let body = json!({ "error": { "code": "0x80072560", "message": "The token is not valid." } });
            return Err(match self.switches.unauthorized_json {
                true => response.with("Content-Type", JSON).body(body.to_string()),
                false => response,
            });
        };
        let user = self.rows["systemusers"].iter().find(|(_, u)| {
            u["applicationid"].as_str() == Some(&claims.appid) && u["isdisabled"] != json!(true)
        });
        user.map(|(id, _)| id.clone()).ok_or_else(|| {
            let text = "The user is not a member of the organization.";
            to_response(403, "0x80072560", text, &Default::default(), false)
        })
    }

    /// 429 when the user's requests of the last 300 s exceed the limit.
    fn throttled(&mut self, now: Timestamp) -> Option<Response> {
        while self.served.front().is_some_and(|t| now.as_second() - t.as_second() >= 300) {
            self.served.pop_front();
        }
        let limit = self.switches.burst_limit?;
        if self.served.len() < limit {
            self.served.push_back(now);
            return None;
        }
        let oldest = self.served.front().map_or(0, |t| t.as_second());
        let wait = (oldest + 300 - now.as_second()).max(1);
        let text =
            format!("Number of requests exceeded the limit of {limit} over time window of 300 seconds.");
        let response = to_response(429, "0x80072322", &text, &Default::default(), false);
        Some(response.with("Retry-After", wait.to_string()))
    }

    fn answer(&mut self, request: &Request, user: String, now: Timestamp) -> DataverseOutcome<Response> {
        if request.path == format!("{ROOT}/$metadata") {
            return Err(not_modelled("`$metadata`"));
        }
        self.check_headers(request)?;
        if request.path == format!("{ROOT}/$batch") {
            if request.method != "POST" {
                return Err(no_resource());
            }
            let prefer = Prefer::parse(request.header("prefer"))?;
            return self.batch(&DataverseCall { request, prefer, user, now });
        }
        self.dispatch(request, &user, now)
    }

    /// One request below the service root, alone or out of a batch.
    fn dispatch(&mut self, request: &Request, user: &str, now: Timestamp) -> DataverseOutcome<Response> {
        let path = request.path.strip_prefix(ROOT).and_then(|p| p.strip_prefix('/'));
        let path = path.ok_or_else(|| not_modelled("a path outside the service root"))?;
        let parts = segments(path).ok_or_else(no_resource)?;
        let prefer = Prefer::parse(request.header("prefer"))?;
        let call = DataverseCall { request, prefer, user: user.to_owned(), now };
        let method = request.method.as_str();
        let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
        match (method, names.as_slice()) {
            (_, ["WhoAmI"]) => return self.who_am_i(&call),
            ("POST", ["WinOpportunity"]) => return self.close(&call, 1),
            ("POST", ["LoseOpportunity"]) => return self.close(&call, 2),
            ("POST", ["EntityDefinitions"]) if parts[0].key.is_none() => return self.add_table(&call),
            ("POST", ["RelationshipDefinitions"]) if parts[0].key.is_none() => {
                return self.add_relationship(&call);
            }
            ("POST", ["PublishXml"]) => return self.publish_xml(&call),
            (_, ["EntityDefinitions", ..]) => return self.definitions(&call, &parts),
            (_, [name, ..]) if route::KNOWN_ELSEWHERE.contains(name) => {
                return Err(not_modelled(format!("`{name}`")));
            }
            _ => {}
        }
        let table = self.table(names[0])?;
        let key = parts[0].key.as_deref().map(|key| address(&table, key)).transpose()?;
        match (method, &names[1..], key) {
            ("GET", [], None) => self.privilege(&table, "read").and_then(|()| self.list(&call, &table)),
            ("GET", ["$count"], None) => {
                self.privilege(&table, "read").and_then(|()| self.count(&call, &table))
            }
            ("GET", [], Some(row)) => {
                self.privilege(&table, "read").and_then(|()| self.read_one(&call, &table, &row))
            }
            ("PATCH", [], Some(form)) if table.name == "systemform" => self.change_form(&call, &table, &form),
            ("GET", ["Microsoft.Dynamics.CRM.RetrieveUnpublished"], Some(form))
                if table.name == "systemform" =>
            {
                self.unpublished_form(&call, &table, &form)
            }
            ("DELETE", [], Some(row)) if matches!(table.name.as_str(), "publisher" | "solution") => {
                self.may_customize(&call, "")?;
                self.unused_publisher(&table, &row)?;
                self.delete(&call, &table, &row)
            }
            (_, [], _) if matches!(table.name.as_str(), "systemform" | "savedquery") => {
                Err(not_modelled("making or deleting forms and views"))
            }
            ("GET", ["Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames"], Some(user))
                if table.name == "systemuser" =>
            {
                let key = parts[1].key.as_deref().unwrap_or_default();
                self.privileges_by_names(&call, &user, key)
            }
            ("POST", [], None) => self.create(&call, &table),
            ("PATCH", [], Some(row)) => self.upsert(&call, &table, &row),
            ("DELETE", [], Some(row)) => self.delete(&call, &table, &row),
            ("DELETE", [navigation, "$ref"], Some(row)) => self.clear_lookup(&call, &table, &row, navigation),
            ("POST", ["Microsoft.Dynamics.CRM.QualifyLead"], Some(row)) if table.name == "lead" => {
                self.qualify(&call, &table, &row)
            }
            ("PATCH" | "DELETE", [], None) | ("POST", [], Some(_)) => Err(no_resource()),
            _ => Err(not_modelled("this route")),
        }
    }
}

impl Simulator for Dataverse {
    fn route(&self, request: &Request) -> String {
        route::label(request)
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.touched.clear();
        if request.path != ROOT && !request.path.starts_with(&format!("{ROOT}/")) {
            return Response::unknown(request, "not the Web API v9.2");
        }
        let mut response = match self.caller(request, now) {
            Err(refused) => refused,
            Ok(user) => match self.throttled(now) {
                Some(refused) => refused,
                None => match self.answer(request, user, now) {
                    Ok(response) => response,
                    Err(DataverseRefusal::NotModelled(why)) => return Response::unknown(request, &why),
                    Err(DataverseRefusal::Vendor { status, code, message, details }) => {
                        let prefer = request.header("prefer").unwrap_or_default();
                        let annotated = prefer.contains("odata.include-annotations");
                        to_response(status, &code, &message, &details, annotated)
                    }
                },
            },
        };
        if self.switches.plugin_bump {
            let by = DataverseWriter { user: SYSTEM.to_owned(), now, action: true, late: 0 };
            for (set, id) in std::mem::take(&mut self.touched) {
                self.bump(&set, &id, &by);
            }
        }
        let left = self.switches.burst_limit.unwrap_or(6000).saturating_sub(self.served.len());
        response = response
            .with("x-ms-ratelimit-burst-remaining-xrm-requests", left.to_string())
            .with("x-ms-ratelimit-time-remaining-xrm-requests", "1,199.62")
            .with("REQ_ID", Uuid::new_v4().to_string());
        response
    }

    fn state(&self) -> Value {
        json!({ "version": self.version, "tables": self.rows })
    }

    fn control(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Result<Value, String>> {
        self.command(verb, body, now)
    }
}
