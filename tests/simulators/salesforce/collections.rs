//! `/composite/sobjects`: up to 200 rows in one call, each with its own outcome.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::composite::flag;
use super::ids;
use super::metadata::Object;
use super::refusal::{
    ErrorEntry, SalesforceOutcome, SalesforceRefusal, bad, method_not_allowed, no_external_id, no_resource,
    no_such_object, no_such_row, not_json, not_modelled, too_many,
};
use super::upsert::Upserted;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MOST: usize = 200;
const UNDONE: &str =
    "Record rolled back because not all records were valid and the request was using AllOrNone header";

impl Salesforce {
    /// Answers what lies at and below `/composite/sobjects`.
    pub(super) fn collection(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        rest: &[&str],
    ) -> SalesforceOutcome<Reply> {
        match (step.method.as_str(), rest) {
            ("POST", []) => self.each(call, step, |org, object, body| {
                let id = org.create_from(call, step, object, body)?;
                Ok(json!({ "id": id, "success": true, "errors": [] }))
            }),
            ("PATCH", []) => self.each(call, step, |org, object, body| {
                let mut body = body.clone();
                let id = body.remove("id").or_else(|| body.remove("Id")).unwrap_or_default();
                let told = || bad("MISSING_ARGUMENT", "Id not specified in an update call", &[]);
                let id = id.as_str().ok_or_else(told)?;
                let id =
                    ids::parsed(id).filter(|id| id.starts_with(&object.prefix)).ok_or_else(no_such_row)?;
                org.patch_from(call, step, object, &id, &body)?;
                Ok(json!({ "id": id, "success": true, "errors": [] }))
            }),
            ("PATCH", [name, key]) => self.upserts(call, step, name, key),
            ("DELETE", []) => self.deletes(call, step),
            ("GET", [name]) => {
                step.only(&["ids", "fields"])?;
                let list = |text: Option<String>| {
                    let text = text.unwrap_or_default();
                    text.split(',').map(|t| t.trim().to_owned()).collect::<Vec<_>>()
                };
                let (wanted, fields) = (list(step.parameter("ids")?), list(step.parameter("fields")?));
                self.several(call, name, &wanted, &fields)
            }
            ("POST", [name]) => {
                let body = step.object()?;
                let list = |member: &str| {
                    let items = body.get(member).and_then(Value::as_array);
                    let items = items.ok_or_else(|| not_json(format!("`{member}` is missing")))?;
                    Ok(items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
                };
                self.several(call, name, &list("ids")?, &list("fields")?)
            }
            (method, [] | [_] | [_, _]) => Err(method_not_allowed(method, "HEAD,GET,POST,PATCH,DELETE")),
            _ => Err(no_resource()),
        }
    }

    fn upserts(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        name: &str,
        key: &str,
    ) -> SalesforceOutcome<Reply> {
        let object = self.object_at(name, call)?;
        let field = self.visible(&object, key, Some(&call.user)).ok_or_else(|| no_external_id(key))?.clone();
        if !field.external_id {
            return Err(if key == "Id" { not_modelled("an upsert by `Id`") } else { no_resource() });
        }
        let mut seen: Vec<String> = vec![];
        self.each(call, step, |org, of, body| {
            if of.name != object.name {
                return Err(not_modelled("a row of another type than the URL's"));
            }
            let value = body.get(key).and_then(Value::as_str).map(str::to_owned);
            let told = || bad("MISSING_ARGUMENT", format!("{key} not specified"), &[]);
            let value = value.filter(|v| !v.trim().is_empty()).ok_or_else(told)?;
            if seen.contains(&value.to_lowercase()) {
                let text = format!("Duplicate external id specified: {value}");
                return Err(bad("DUPLICATE_VALUE", text, &[key]));
            }
            seen.push(value.to_lowercase());
            let mut body = body.clone();
            body.remove(key);
            match org.upsert_from(call, step, of, (&field, &value), &body, false)? {
                Upserted::One(id, created) => {
                    Ok(json!({ "id": id, "success": true, "errors": [], "created": created }))
                }
                Upserted::Several(_) => {
                    let text = format!("{key}: more than one record found for external id field");
                    Err(bad("DUPLICATE_EXTERNAL_ID", text, &[]))
                }
            }
        })
    }

    fn deletes(&mut self, call: &SalesforceCall, step: &Step) -> SalesforceOutcome<Reply> {
        step.only(&["ids", "allOrNone"])?;
        let all_or_none = step.parameter("allOrNone")?.as_deref() == Some("true");
        let wanted = step.parameter("ids")?.unwrap_or_default();
        let wanted: Vec<Value> = wanted.split(',').map(|id| json!(id.trim())).collect();
        self.items(&wanted, all_or_none, |org, id| {
            let id = id.as_str().and_then(ids::parsed).ok_or_else(no_such_row)?;
            let object = org
                .objects
                .values()
                .find(|o| id.starts_with(&o.prefix) && org.rows[&o.name].contains_key(&id));
            let object = object.cloned().ok_or_else(no_such_row)?;
            org.delete_by(call, step, &object, &id)?;
            Ok(json!({ "id": id, "success": true, "errors": [] }))
        })
    }

    /// Rows by id, null where there is none.
    fn several(
        &self,
        call: &SalesforceCall,
        name: &str,
        wanted: &[String],
        fields: &[String],
    ) -> SalesforceOutcome<Reply> {
        let object = self.object_at(name, call)?;
        if wanted.len() > 2000 {
            return Err(too_many(
                &self.switches.too_many_code,
                "The number of ids exceeds the limit of 2000",
            ));
        }
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let row = |id: &String| {
            let id = ids::parsed(id).filter(|id| self.live(&object.name, id).is_ok());
            id.map_or(Ok(Value::Null), |id| self.shown_row(call, &object, &id, Some(&fields)))
        };
        Ok(Reply::new(200, wanted.iter().map(row).collect::<SalesforceOutcome<_>>()?))
    }

    /// Runs an act on each record of the body.
    fn each(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        mut act: impl FnMut(&mut Self, &Object, &Map<String, Value>) -> SalesforceOutcome<Value>,
    ) -> SalesforceOutcome<Reply> {
        step.only(&[])?;
        let body = step.object()?;
        let all_or_none = flag(body, "allOrNone")?;
        let records = body.get("records").and_then(Value::as_array);
        let records = records.ok_or_else(|| not_json("`records` is missing"))?;
        self.items(records, all_or_none, |org, record| {
            let record = record.as_object().ok_or_else(|| not_json("a record is an object"))?;
            let kind = record.get("attributes").and_then(|a| a["type"].as_str());
            let kind = kind.ok_or_else(|| not_json("a record needs `attributes` with its `type`"))?;
            let object: Option<Arc<Object>> = org.object(kind).filter(|o| org.may(o, &call.user, "read"));
            act(org, &*object.ok_or_else(|| no_such_object(kind))?, record)
        })
    }

    fn items(
        &mut self,
        records: &[Value],
        all_or_none: bool,
        mut act: impl FnMut(&mut Self, &Value) -> SalesforceOutcome<Value>,
    ) -> SalesforceOutcome<Reply> {
        if records.len() > MOST {
            let text = "record limit reached. cannot submit more than 200 records into this call";
            return Err(too_many(&self.switches.too_many_code, text));
        }
        let mut items: Vec<Value> = vec![];
        let mut good = true;
        let done = self.atomically(|org| {
            for record in records {
                match org.atomically(|org| act(org, record)) {
                    Ok(item) => items.push(item),
                    Err(SalesforceRefusal::Vendor(_, fault)) => {
                        good = false;
                        items.push(json!({ "success": false, "errors": [fault.to_item()] }));
                    }
                    Err(other) => return Err(other),
                }
            }
            if all_or_none && !good { Err(SalesforceRefusal::Bare(0)) } else { Ok(()) }
        });
        match done {
            Ok(()) => {}
            Err(SalesforceRefusal::Bare(0)) => {
                let code = "ALL_OR_NONE_OPERATION_ROLLED_BACK".to_owned();
                let fault = ErrorEntry { code, message: UNDONE.to_owned(), fields: None, extra: None };
                let undone = json!({ "success": false, "errors": [fault.to_item()] });
                for item in items.iter_mut().filter(|item| item["success"] == json!(true)) {
                    *item = undone.clone();
                }
            }
            Err(other) => return Err(other),
        }
        Ok(Reply::new(200, json!(items)))
    }
}
