//! `/composite` and `/composite/graph`: several steps in order, each of which may use what earlier ones answered.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step, told};
use super::references;
use super::refusal::{SalesforceOutcome, SalesforceRefusal, not_json, not_modelled, refuse, too_many};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ROLLED_BACK: &str =
    "The transaction was rolled back since another operation in the same transaction failed.";

/// One subrequest as it was sent.
struct Subrequest {
    method: String,
    url: String,
    reference: String,
    body: Option<Value>,
    headers: BTreeMap<String, String>,
}

impl Salesforce {
    pub(super) fn composite(&mut self, call: &SalesforceCall, step: &Step) -> SalesforceOutcome<Reply> {
        let body = step.object()?;
        members(body, &["allOrNone", "collateSubrequests", "compositeRequest"])?;
        if body.get("collateSubrequests") == Some(&json!(true)) {
            return Err(not_modelled("collated subrequests"));
        }
        let all_or_none = flag(body, "allOrNone")?;
        let parts = subrequests(body)?;
        let code = self.switches.too_many_code.clone();
        if parts.len() > 25 {
            return Err(too_many(&code, "The number of subrequests exceeds the limit of 25"));
        }
        let heavy = parts.iter().filter(|p| resource(&p.url).is_some_and(|(_, path)| counts_as_query(path)));
        if heavy.count() > 5 {
            return Err(too_many(
                &code,
                "The number of query and collection subrequests exceeds the limit of 5",
            ));
        }
        let (answers, _) = self.run(call, step, parts, all_or_none, false)?;
        Ok(Reply::new(200, json!({ "compositeResponse": answers })))
    }

    pub(super) fn graphs(&mut self, call: &SalesforceCall, step: &Step) -> SalesforceOutcome<Reply> {
        let body = step.object()?;
        members(body, &["graphs"])?;
        let graphs =
            body.get("graphs").and_then(Value::as_array).ok_or_else(|| not_json("`graphs` is missing"))?;
        let mut all = vec![];
        for graph in graphs {
            let graph = graph.as_object().ok_or_else(|| not_json("a graph is an object"))?;
            members(graph, &["graphId", "compositeRequest"])?;
            let id = graph.get("graphId").and_then(Value::as_str).unwrap_or_default().to_owned();
            let named =
                id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.len() < 40 && !id.contains('.');
            if !named || all.iter().any(|(other, _)| *other == id) {
                return Err(not_json(format!("`{id}` is no graph id")));
            }
            all.push((id, subrequests(graph)?));
        }
        let nodes: usize = all.iter().map(|(_, parts)| parts.len()).sum();
        let kinds = |parts: &[Subrequest]| {
            let kind = |p: &Subrequest| {
                let object = resource(&p.url).and_then(|(_, path)| path.split('/').nth(1).map(str::to_owned));
                (p.method.clone(), object)
            };
            parts.iter().map(kind).collect::<std::collections::BTreeSet<_>>().len()
        };
        if all.len() > 75 || nodes > 500 || all.iter().any(|(_, parts)| kinds(parts) > 15) {
            let code = self.switches.too_many_code.clone();
            return Err(too_many(&code, "The number of graphs, nodes or kinds of nodes exceeds the limit"));
        }
        let (mut answers, mut failed) = (vec![], 0);
        for (id, parts) in all {
            if failed >= 14 {
                return Err(not_modelled("what is answered for the graphs after 14 failed ones"));
            }
            let (items, good) = self.run(call, step, parts, true, true)?;
            failed += usize::from(!good);
            answers.push(
                json!({ "graphId": id, "graphResponse": { "compositeResponse": items }, "isSuccessful": good }),
            );
        }
        Ok(Reply::new(200, json!({ "graphs": answers })))
    }

    /// The answers in order, and whether all went well.
    fn run(
        &mut self,
        call: &SalesforceCall,
        outer: &Step,
        parts: Vec<Subrequest>,
        all_or_none: bool,
        rows_only: bool,
    ) -> SalesforceOutcome<(Vec<Value>, bool)> {
        let names: Vec<String> = parts.iter().map(|p| p.reference.clone()).collect();
        self.allow_save = outer.writer(call, self).allow_save;
        let mut answers: Vec<Value> = vec![];
        let mut bodies = BTreeMap::new();
        let done = self.atomically(|org| {
            for part in parts {
                let reference = part.reference.clone();
                let reply = org.subrequest(call, part, &names, &bodies, rows_only)?;
                let failed = reply.failed();
                answers.push(item(&reference, &reply));
                if !failed {
                    bodies.insert(reference, reply.body);
                } else if all_or_none {
                    return Err(SalesforceRefusal::Bare(0));
                }
            }
            Ok(())
        });
        self.allow_save = false;
        match done {
            Ok(()) => Ok((answers, true)),
            Err(SalesforceRefusal::Bare(0)) => {
                let broken = answers.len() - 1;
                let halted = json!([{ "errorCode": "PROCESSING_HALTED", "message": ROLLED_BACK }]);
                let items = names.iter().enumerate().map(|(n, name)| match n == broken {
                    true => answers[n].clone(),
                    false => item(name, &Reply::new(400, halted.clone())),
                });
                Ok((items.collect(), false))
            }
            Err(other) => Err(other),
        }
    }

    fn subrequest(
        &mut self,
        call: &SalesforceCall,
        part: Subrequest,
        names: &[String],
        bodies: &BTreeMap<String, Value>,
        rows_only: bool,
    ) -> SalesforceOutcome<Reply> {
        let filled = references::fill(&part.url, names, bodies).and_then(|url| {
            let body = part.body.map(|body| references::fill_all(body, names, bodies)).transpose()?;
            Ok((url, body))
        });
        let (url, body) = match filled {
            Ok(filled) => filled,
            Err(message) => {
                let halted = json!([{ "errorCode": "PROCESSING_HALTED", "message": message }]);
                return Ok(Reply::new(400, halted));
            }
        };
        let (version, path) =
            resource(&url).ok_or_else(|| not_modelled(format!("the subrequest `{url}`")))?;
        if version != call.version {
            return Err(not_modelled("subrequests of another version"));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let row = path.starts_with("sobjects/");
        if !row && (rows_only || !counts_as_query(path)) {
            return Err(not_modelled(format!("the subrequest `{path}`")));
        }
        for name in part.headers.keys() {
            let known = ["if-modified-since", "if-unmodified-since", "accept", "content-type"];
            if !known.contains(&name.as_str()) && !name.starts_with("sforce-") {
                return Err(not_modelled(format!("the header `{name}` of a subrequest")));
            }
        }
        let step = Step {
            method: part.method,
            path: path.trim_matches('/').to_owned(),
            query: query.to_owned(),
            headers: part.headers,
            body,
            inner: true,
        };
        told(self.perform(call, &step))
    }
}

/// Version and rest of a URL below `/services/data/`.
fn resource(url: &str) -> Option<(u32, &str)> {
    let (version, path) = url.strip_prefix("/services/data/v")?.split_once('/')?;
    Some((version.strip_suffix(".0")?.parse().ok()?, path))
}

fn counts_as_query(path: &str) -> bool {
    let first = path.split(['/', '?']).next().unwrap_or_default();
    ["query", "queryAll"].contains(&first) || path.starts_with("composite/sobjects")
}

fn item(reference: &str, reply: &Reply) -> Value {
    let headers: Map<String, Value> = reply.headers.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    json!({ "body": reply.body, "httpHeaders": headers, "httpStatusCode": reply.status, "referenceId": reference })
}

fn members(body: &Map<String, Value>, known: &[&str]) -> SalesforceOutcome<()> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(other) => Err(not_json(format!("Unrecognized field \"{other}\""))),
    }
}

pub(super) fn flag(body: &Map<String, Value>, name: &str) -> SalesforceOutcome<bool> {
    match body.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| super::refusal::wrong_type("boolean", value)),
    }
}

fn subrequests(body: &Map<String, Value>) -> SalesforceOutcome<Vec<Subrequest>> {
    let list = body.get("compositeRequest").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| not_json("`compositeRequest` is missing"))?;
    let mut parts: Vec<Subrequest> = vec![];
    for part in list {
        let part = part.as_object().ok_or_else(|| not_json("a subrequest is an object"))?;
        members(part, &["method", "url", "referenceId", "body", "httpHeaders"])?;
        let text = |name: &str| {
            let value = part.get(name).and_then(Value::as_str);
            value.map(str::to_owned).ok_or_else(|| not_json(format!("`{name}` of a subrequest is missing")))
        };
        let reference = text("referenceId")?;
        let named = reference.starts_with(|c: char| c.is_ascii_alphabetic())
            && reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !named || parts.iter().any(|p| p.reference == reference) {
            return Err(refuse(400, "JSON_PARSER_ERROR", format!("Invalid reference ID: {reference}")));
        }
        let headers = part.get("httpHeaders").and_then(Value::as_object).into_iter().flatten();
        let headers = headers.map(|(n, v)| (n.to_lowercase(), v.as_str().unwrap_or_default().to_owned()));
        parts.push(Subrequest {
            method: text("method")?,
            url: text("url")?,
            reference,
            body: part.get("body").filter(|b| !b.is_null()).cloned(),
            headers: headers.collect(),
        });
    }
    Ok(parts)
}
