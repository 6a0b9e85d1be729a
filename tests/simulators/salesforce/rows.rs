//! `/sobjects/…`: one row by its id or by an external id.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::ids;
use super::metadata::{Field, FieldKind, Object};
use super::refusal::{
    SalesforceOutcome, method_not_allowed, no_external_id, no_resource, no_such_row, not_modelled,
};
use super::upsert::choices;
use serde_json::{Map, Value, json};

impl Salesforce {
    /// The object a path or body names, if this user may see it.
    pub(super) fn object_at(
        &self,
        name: &str,
        call: &SalesforceCall,
    ) -> SalesforceOutcome<std::sync::Arc<Object>> {
        match self.object(name).filter(|object| self.may(object, &call.user, "read")) {
            Some(object) => Ok(object),
            None if super::elsewhere::OBJECTS_ELSEWHERE.contains(&name) => {
                Err(not_modelled(format!("the object `{name}`")))
            }
            None => Err(no_resource()),
        }
    }

    /// Answers what lies at and below `/sobjects/{object}`.
    pub(super) fn row_call(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        rest: &[&str],
    ) -> SalesforceOutcome<Reply> {
        match (step.method.as_str(), rest) {
            ("POST", []) => self.create(call, step, object),
            (method, []) => Err(method_not_allowed(method, "HEAD,GET,POST")),
            ("GET", [id]) if self.is_id(object, id) => self.get(call, step, object, id),
            ("PATCH", [id]) if self.is_id(object, id) => self.patch(call, step, object, id),
            ("DELETE", [id]) if self.is_id(object, id) => self.delete(call, step, object, id),
            (method, [id]) if self.is_id(object, id) => {
                Err(method_not_allowed(method, "HEAD,GET,PATCH,DELETE"))
            }
            (_, [name]) => Err(no_external_id(name)),
            ("POST", ["Id", _] | [_, "Id", ..]) | (_, ["Id", ..]) => {
                Err(not_modelled("a row by the field `Id`"))
            }
            (method, [name, value]) => {
                let field = self.external_id(object, name, call)?;
                match method {
                    "GET" => self.get_by(call, step, object, field, value),
                    "PATCH" => self.upsert(call, step, object, field, value),
                    "DELETE" => Err(not_modelled("a deletion by external id")),
                    _ => Err(method_not_allowed(method, "HEAD,GET,PATCH,DELETE")),
                }
            }
            _ => Err(no_resource()),
        }
    }

    /// Looks like an id of this object.
    fn is_id(&self, object: &Object, text: &str) -> bool {
        ids::parsed(text).is_some_and(|id| id.starts_with(&object.prefix))
    }

    fn external_id<'a>(
        &self,
        object: &'a Object,
        name: &str,
        call: &SalesforceCall,
    ) -> SalesforceOutcome<&'a Field> {
        match self.visible(object, name, Some(&call.user)) {
            None => Err(no_external_id(name)),
            Some(field) if field.external_id => Ok(field),
            Some(_) => Err(no_resource()),
        }
    }

    fn create(&mut self, call: &SalesforceCall, step: &Step, object: &Object) -> SalesforceOutcome<Reply> {
        step.only(&[])?;
        let id = self.create_from(call, step, object, step.object()?)?;
        let body = json!({ "id": id, "success": true, "errors": [] });
        Ok(Reply::made(call, &object.name, &id, body))
    }

    /// Creates a row, of a collection too, and answers its id.
    pub(super) fn create_from(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        body: &Map<String, Value>,
    ) -> SalesforceOutcome<String> {
        if !object.createable {
            return Err(not_modelled(format!("the creation of a {}", object.name)));
        }
        self.demand_right(object, &call.user, "create")?;
        let by = step.writer(call, self);
        let changes = self.changes(object, body, true, &by)?;
        self.atomically(|org| org.insert(object, changes, &by))
    }

    pub(super) fn patch_from(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        id: &str,
        body: &Map<String, Value>,
    ) -> SalesforceOutcome<()> {
        self.live(&object.name, id)?;
        if !object.updateable {
            return Err(not_modelled(format!("a change of a {}", object.name)));
        }
        self.demand_right(object, &call.user, "edit")?;
        let by = step.writer(call, self);
        let changes = self.changes(object, body, false, &by)?;
        self.atomically(|org| org.update(object, id, changes, &by))
    }

    pub(super) fn delete_by(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        id: &str,
    ) -> SalesforceOutcome<()> {
        self.live(&object.name, id)?;
        if !object.deletable {
            return Err(not_modelled(format!("the deletion of a {}", object.name)));
        }
        self.demand_right(object, &call.user, "delete")?;
        let by = step.writer(call, self);
        self.atomically(|org| org.remove(object, id, &by))
    }

    fn patch(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        id: &str,
    ) -> SalesforceOutcome<Reply> {
        step.only(&[])?;
        let id = ids::parsed(id).ok_or_else(no_such_row)?;
        self.live(&object.name, &id)?;
        self.check_conditions(step, object, &id)?;
        self.patch_from(call, step, object, &id, step.object()?)?;
        Ok(Reply::new(204, Value::Null))
    }

    fn delete(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        id: &str,
    ) -> SalesforceOutcome<Reply> {
        let id = ids::parsed(id).ok_or_else(no_such_row)?;
        self.live(&object.name, &id)?;
        self.check_conditions(step, object, &id)?;
        self.delete_by(call, step, object, &id)?;
        Ok(Reply::new(204, Value::Null))
    }

    fn get(&self, call: &SalesforceCall, step: &Step, object: &Object, id: &str) -> SalesforceOutcome<Reply> {
        step.only(&["fields"])?;
        let id = ids::parsed(id).ok_or_else(no_resource)?;
        if self.row(&object.name, &id).is_none() || self.out_of_reach.contains(&id) {
            return Err(no_resource());
        }
        self.live(&object.name, &id)?;
        self.check_conditions(step, object, &id)?;
        let names = step.parameter("fields")?;
        let names = names.as_deref().map(|names| names.split(',').map(str::trim).collect::<Vec<_>>());
        Ok(Reply::new(200, self.shown_row(call, object, &id, names.as_deref())?))
    }

    /// A row with its attributes: the fields asked for, or all that this user may read.
    pub(super) fn shown_row(
        &self,
        call: &SalesforceCall,
        object: &Object,
        id: &str,
        names: Option<&[&str]>,
    ) -> SalesforceOutcome<Value> {
        let row = self.live(&object.name, id)?;
        let url = format!("/services/data/v{}.0/sobjects/{}/{id}", call.version, object.name);
        let mut shown =
            Map::from_iter([("attributes".to_owned(), json!({ "type": object.name, "url": url }))]);
        let by = super::store::SalesforceWriter {
            api: true,
            ..super::store::SalesforceWriter::person(&call.user, call.now)
        };
        let fields: Vec<&Field> = match names {
            Some(names) => {
                names.iter().map(|name| self.column(object, name, &by)).collect::<SalesforceOutcome<_>>()?
            }
            None => {
                let all = object.fields.iter();
                all.filter(|f| self.visible(object, &f.name, Some(&call.user)).is_some()).collect()
            }
        };
        for field in fields {
            let value = match field.kind {
                FieldKind::Base64 => json!(format!("{url}/{}", field.name)),
                _ => Self::shown(row, field),
            };
            shown.insert(field.name.clone(), value);
        }
        Ok(Value::Object(shown))
    }

    fn get_by(
        &self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
        field: &Field,
        value: &str,
    ) -> SalesforceOutcome<Reply> {
        step.only(&["fields"])?;
        match &self.matching(object, field, value)[..] {
            [] => Err(no_resource()),
            [id] => {
                if self.switches.conditions_on_external_id {
                    self.check_conditions(step, object, id)?;
                }
                let names = step.parameter("fields")?;
                let names = names.as_deref().map(|names| names.split(',').map(str::trim).collect::<Vec<_>>());
                Ok(Reply::new(200, self.shown_row(call, object, id, names.as_deref())?))
            }
            several => Ok(choices(call, object, several)),
        }
    }
}
