//! Custom fields and objects as the Tooling API shows and changes them: by query, and one by its id. Not a matter of
//! field-level security, but of the right to customise.

use super::call::{Reply, SalesforceCall, Step};
use super::metadata::{Field, FieldKind};
use super::refusal::{
    SalesforceOutcome, bad, method_not_allowed, no_resource, not_json, not_modelled, refuse,
};
use super::{ADMIN, Salesforce, standard};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const FIELD: &str = "
DeveloperName | Developer Name | text 80
NamespacePrefix | Namespace Prefix | text 15
TableEnumOrId | Entity Enumeration Or ID | text 40
";
const OBJECT: &str = "
DeveloperName | Developer Name | text 80
NamespacePrefix | Namespace Prefix | text 15
";

impl Salesforce {
    /// Who may not customise is told so.
    pub(super) fn demand_customize(&self, call: &SalesforceCall) -> SalesforceOutcome<()> {
        if self.may_customize(&call.user) {
            return Ok(());
        }
        let text = "insufficient access rights: Customize Application is needed";
        Err(refuse(self.switches.access_status, "INSUFFICIENT_ACCESS", text))
    }

    pub(super) fn may_customize(&self, user: &str) -> bool {
        !self.switches.only_administrators_customize || user == ADMIN
    }

    /// `/tooling/query` over CustomField and CustomObject.
    pub(super) fn tooling_query(&mut self, call: &SalesforceCall, step: &Step) -> SalesforceOutcome<Reply> {
        let soql = step.parameter("q")?.unwrap_or_default();
        let about = [" FROM CustomField ", " FROM CustomObject "].iter().any(|from| soql.contains(from));
        if !about {
            return Err(not_modelled("a Tooling query of other objects"));
        }
        for (name, prefix, lines) in [("CustomField", "00N", FIELD), ("CustomObject", "01I", OBJECT)] {
            let object = standard::object(name, prefix, name, name, lines);
            self.objects.insert(name.to_owned(), Arc::new(object));
        }
        let held: Vec<_> = self.objects.values().cloned().collect();
        for object in held {
            let place = if object.custom() { self.definition_id(&object.name) } else { object.name.clone() };
            if object.custom() {
                let (space, name) = split(&object.name);
                let row = json!({ "DeveloperName": name, "NamespacePrefix": space });
                self.furnish_row("CustomObject", Some(&place), row);
            }
            for field in object.fields.iter().filter(|field| field.custom()) {
                let id = self.definition_id(&format!("{}.{}", object.name, field.name));
                let (space, name) = split(&field.name);
                let row = json!({ "DeveloperName": name, "NamespacePrefix": space, "TableEnumOrId": place });
                self.furnish_row("CustomField", Some(&id), row);
            }
        }
        let answer = self.query(call, step, false, &[]);
        for name in ["CustomField", "CustomObject"] {
            self.objects.remove(name);
            self.rows.remove(name);
        }
        answer
    }

    /// Answers `/tooling/sobjects/CustomField/{id}`: a field is shown or changed.
    pub(super) fn definition(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        id: &str,
    ) -> SalesforceOutcome<Reply> {
        let full = self.definition_ids.iter().find(|(_, held)| *held == id).map(|(full, _)| full.clone());
        let full = full.ok_or_else(no_resource)?;
        match step.method.as_str() {
            "GET" => {
                let (_, field) = self.custom_field(&full)?;
                let (space, name) = split(&field.name);
                let metadata = self.metadata_of(&full, &field);
                let shown = json!({ "Id": id, "DeveloperName": name, "NamespacePrefix": space, "FullName": full,
                                    "Metadata": metadata });
                Ok(Reply::new(200, shown))
            }
            "PATCH" => {
                let body = step.object()?;
                if let Some(other) = body.keys().find(|k| !["FullName", "Metadata"].contains(&k.as_str())) {
                    return Err(not_json(format!("Unrecognized field \"{other}\"")));
                }
                let metadata = body.get("Metadata").cloned().unwrap_or_default();
                self.change_field(&full, &metadata, call.now)?;
                Ok(Reply::new(204, Value::Null))
            }
            other => Err(method_not_allowed(other, "HEAD,GET,PATCH,DELETE")),
        }
    }

    /// A deployment brings a field: a new one that nobody sees, or another definition of one.
    pub(super) fn deploy_field(
        &mut self,
        full: &str,
        metadata: &Value,
        now: Timestamp,
    ) -> SalesforceOutcome<()> {
        if self.custom_field(full).is_ok() {
            return self.change_field(full, metadata, now);
        }
        let metadata = metadata.as_object().cloned().unwrap_or_default();
        self.define_field(full, &metadata, false, now)
    }

    fn change_field(&mut self, full: &str, metadata: &Value, now: Timestamp) -> SalesforceOutcome<()> {
        let (object, old) = self.custom_field(full)?;
        if !split(&old.name).0.is_null() {
            let text = format!("cannot modify managed object: {full}");
            return Err(refuse(400, "CANNOT_MODIFY_MANAGED_OBJECT", text));
        }
        let wanted = metadata.as_object().cloned().unwrap_or_default();
        let new = super::tooling::field(&old.name, &wanted)?;
        if new.type_name() != old.type_name() || new.length < old.length {
            return Err(not_modelled("a change of a field's type, or a shorter one"));
        }
        if new.unique && !old.unique {
            let rows = self.rows(&object);
            let mut shown: Vec<String> = rows
                .iter()
                .filter_map(|row| row[&old.name].as_str())
                .map(|text| if new.case_sensitive { text.to_owned() } else { text.to_lowercase() })
                .collect();
            shown.sort();
            if shown.windows(2).any(|pair| pair[0] == pair[1]) {
                let text = "This field cannot be made unique: there are duplicate values";
                return Err(bad("FIELD_INTEGRITY_EXCEPTION", text, &["Metadata"]));
            }
        }
        self.put_field(&object, new);
        self.definitions.insert(full.to_owned(), wanted);
        self.define(&object, now);
        Ok(())
    }

    /// An admin changes the definition of a field, such as `{"unique": false}`.
    pub fn alter_field(&mut self, full: &str, changes: &Value, now: Timestamp) -> Result<(), String> {
        let altered = |org: &mut Self| -> SalesforceOutcome<()> {
            let (object, field) = org.custom_field(full)?;
            let mut metadata = org.metadata_of(full, &field);
            metadata.extend(super::people::fields(changes.clone()));
            org.put_field(&object, super::tooling::field(&field.name, &metadata)?);
            org.definitions.insert(full.to_owned(), metadata);
            org.define(&object, now);
            Ok(())
        };
        altered(self).map_err(|refusal| format!("{refusal:?}"))
    }

    /// An admin deletes a field.
    pub fn drop_field(&mut self, full: &str) {
        let (object, name) = full.split_once('.').unwrap_or((full, ""));
        if let Some(object) = self.objects.get_mut(object) {
            Arc::make_mut(object).fields.retain(|field| field.name != name);
        }
        self.definitions.remove(full);
        self.grant(object, name, false, false);
    }

    /// The metadata of a custom field, `Object.Field__c`; null if there is none.
    pub fn definition_of(&self, full: &str) -> Value {
        self.custom_field(full).map_or(Value::Null, |(_, field)| json!(self.metadata_of(full, &field)))
    }

    /// All fields of an object, seen or not.
    pub fn field_names(&self, object: &str) -> Vec<String> {
        let fields = self.objects.get(object).into_iter().flat_map(|object| &object.fields);
        fields.map(|field| field.name.clone()).collect()
    }

    fn put_field(&mut self, object: &str, new: Field) {
        let Some(held) = self.objects.get_mut(object) else { return };
        for field in &mut Arc::make_mut(held).fields {
            if field.name == new.name {
                *field = new.clone();
            }
        }
    }

    fn custom_field(&self, full: &str) -> SalesforceOutcome<(String, Field)> {
        let (object, name) = full.split_once('.').ok_or_else(no_resource)?;
        let held = self.object(object).ok_or_else(no_resource)?;
        Ok((object.to_owned(), held.field(name).cloned().ok_or_else(no_resource)?))
    }

    fn definition_id(&mut self, full: &str) -> String {
        if let Some(id) = self.definition_ids.get(full) {
            return id.clone();
        }
        let id = self.new_id(if full.contains('.') { "00N" } else { "01I" });
        self.definition_ids.insert(full.to_owned(), id.clone());
        id
    }

    /// As it was defined; what the org was set up with in the same words.
    fn metadata_of(&self, full: &str, field: &Field) -> Map<String, Value> {
        if let Some(known) = self.definitions.get(full) {
            return known.clone();
        }
        let mut metadata = json!({ "label": field.label, "required": field.required });
        let kind = match &field.kind {
            FieldKind::Text => "Text",
            FieldKind::LongText => "LongTextArea",
            FieldKind::Url => "Url",
            FieldKind::Boolean => "Checkbox",
            FieldKind::Picklist(_) => "Picklist",
            other => panic!("the metadata of {full}: {other:?}"),
        };
        metadata["type"] = json!(kind);
        match &field.kind {
            FieldKind::Text => {
                metadata["length"] = json!(field.length);
                metadata["unique"] = json!(field.unique);
                metadata["externalId"] = json!(field.external_id);
                metadata["caseSensitive"] = json!(field.case_sensitive);
            }
            FieldKind::LongText => {
                (metadata["length"], metadata["visibleLines"]) = (json!(field.length), json!(10));
            }
            FieldKind::Boolean => metadata["defaultValue"] = json!(false),
            FieldKind::Picklist(values) => {
                let values: Vec<Value> = values
                    .iter()
                    .map(|value| json!({ "valueName": value, "label": value, "default": false }))
                    .collect();
                metadata["valueSet"] = json!({ "restricted": field.restricted,
                    "valueSetDefinition": { "sorted": false, "value": values } });
            }
            _ => {}
        }
        super::people::fields(metadata)
    }
}

/// Namespace and developer name of an API name.
fn split(name: &str) -> (Value, String) {
    let bare = name.strip_suffix("__c").unwrap_or(name);
    match bare.split_once("__") {
        Some((space, name)) => (json!(space), name.to_owned()),
        None => (Value::Null, bare.to_owned()),
    }
}
