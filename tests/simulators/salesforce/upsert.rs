//! A row by an external id: created, updated, or not touched where several have it.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::metadata::{Field, Object};
use super::refusal::{SalesforceOutcome, in_the_bin, no_resource, not_modelled, refuse};
use serde_json::{Map, Value, json};

impl Salesforce {
    pub(super) fn upsert(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        field: &Field,
        value: &str,
    ) -> SalesforceOutcome<Reply> {
        step.only(&["updateOnly"])?;
        let only = match step.parameter("updateOnly")?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(not_modelled(format!("`updateOnly={other}`"))),
        };
        let body = step.object()?;
        if body.contains_key(&field.name) {
            let text = format!("The {} field should not be specified in the sobject data.", field.name);
            return Err(refuse(400, "INVALID_FIELD", text));
        }
        if self.switches.conditions_on_external_id
            && let [id] = &self.matching(object, field, value)[..]
        {
            self.check_conditions(step, object, id)?;
        }
        match self.upsert_from(call, step, object, (field, value), body, only)? {
            Upserted::Several(found) => Ok(choices(call, object, &found)),
            Upserted::One(id, created) => {
                let body = json!({ "id": id, "success": true, "errors": [], "created": created });
                Ok(match (created, call.version >= 46) {
                    (true, _) => Reply::made(call, &object.name, &id, body),
                    (false, true) => Reply::new(200, body),
                    (false, false) => Reply::new(204, Value::Null),
                })
            }
        }
    }

    /// Also for collections, whose rows carry the key among their fields.
    pub(super) fn upsert_from(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        (field, value): (&Field, &str),
        body: &Map<String, Value>,
        only: bool,
    ) -> SalesforceOutcome<Upserted> {
        match &self.matching(object, field, value)[..] {
            [id] => {
                self.patch_from(call, step, object, id, body)?;
                Ok(Upserted::One(id.clone(), false))
            }
            [] if only => Err(no_resource()),
            [] if self.switches.upsert_matches_deleted && self.in_the_bin(object, field, value) => {
                Err(in_the_bin())
            }
            [] => {
                let mut body = body.clone();
                body.insert(field.name.clone(), json!(value));
                Ok(Upserted::One(self.create_from(call, step, object, &body)?, true))
            }
            several => Ok(Upserted::Several(several.to_vec())),
        }
    }

    fn in_the_bin(&self, object: &Object, field: &Field, value: &str) -> bool {
        let rows = self.rows.get(&object.name).into_iter().flat_map(|rows| rows.values());
        let mut same =
            rows.filter(|row| row[&field.name].as_str().is_some_and(|v| v.eq_ignore_ascii_case(value)));
        same.any(|row| row["IsDeleted"] == json!(true))
    }
}

/// Where an upsert ended.
pub(super) enum Upserted {
    One(String, bool),
    Several(Vec<String>),
}

pub(super) fn choices(call: &SalesforceCall, object: &Object, found: &[String]) -> Reply {
    let url = |id: &String| format!("/services/data/v{}.0/sobjects/{}/{id}", call.version, object.name);
    Reply::new(300, found.iter().map(url).collect())
}
