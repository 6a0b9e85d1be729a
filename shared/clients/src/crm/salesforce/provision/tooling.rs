//! Custom objects and fields by the Tooling API, which also returns those that field-level security hides; and changes
//! of a field's definition, which is read, changed and written back as a whole.

use crate::crm::salesforce::{Salesforce, soql::any_of, soql::escaped, soql::is_id};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::failure::Failure;

/// The ids of the definitions of custom objects and fields.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Custom objects, by API name.
    pub objects: BTreeMap<String, String>,
    /// Custom fields, by object and API name.
    pub fields: BTreeMap<(String, String), String>,
}

/// A change of a field's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes it an external id that is unique, upper and lower case being the same.
    Key,
    /// Adds these values to a picklist.
    Values(Vec<String>),
}

impl Salesforce {
    /// The definitions of these objects and of their custom fields, as far as they exist.
    pub async fn definitions(&self, objects: &[&str]) -> Result<Definitions, Failure> {
        let (custom, standard): (Vec<&str>, Vec<&str>) =
            objects.iter().partition(|name| name.ends_with("__c"));
        let mut found = Definitions::default();
        // An object's name by its id, because fields name a custom object by its id.
        let mut places: BTreeMap<String, String> =
            standard.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        if !custom.is_empty() {
            let names = any_of(custom.iter().map(|name| name.trim_end_matches("__c")));
            let soql = format!(
                "SELECT Id, DeveloperName, NamespacePrefix FROM CustomObject WHERE DeveloperName IN ({names})"
            );
            for row in self.tooling_rows("look for custom objects", &soql).await? {
                if let Some((id, name)) = named(&row).filter(|(_, name)| custom.contains(&name.as_str())) {
                    places.insert(id.clone(), name.clone());
                    found.objects.insert(name, id);
                }
            }
        }
        let soql = format!(
            "SELECT Id, DeveloperName, NamespacePrefix, TableEnumOrId FROM CustomField WHERE TableEnumOrId IN ({})",
            any_of(places.keys())
        );
        for row in self.tooling_rows("look for custom fields", &soql).await? {
            let place = row["TableEnumOrId"].as_str().and_then(|place| places.get(place));
            if let (Some(object), Some((id, name))) = (place, named(&row)) {
                found.fields.insert((object.clone(), name), id);
            }
        }
        Ok(found)
    }

    /// Changes a field's definition; `false`: this field cannot be changed in this way.
    pub async fn change_field(&self, id: &str, change: &Change) -> Result<bool, Failure> {
        let operation = format!("change field `{id}`");
        if !is_id(id) {
            return Err(self.wire.unusable(&operation, "it is no id of a definition"));
        }
        let path = format!("tooling/sobjects/CustomField/{id}");
        let shown = self.wire.get(&operation, &path).await?;
        let mut definition = shown.map_err(|said| self.wire.failed(&operation, &said))?;
        let Some(metadata) = changed(definition["Metadata"].take(), change) else { return Ok(false) };
        let done = self.wire.patch_raw(&operation, &path, &json!({ "Metadata": metadata })).await?;
        done.map(|_| true).map_err(|said| self.wire.failed(&operation, &said))
    }

    async fn tooling_rows(&self, operation: &str, soql: &str) -> Result<Vec<Value>, Failure> {
        self.wire.query(operation, &format!("tooling/query?q={}", escaped(soql))).await
    }
}

/// The id and the API name of a definition.
fn named(row: &Value) -> Option<(String, String)> {
    let (id, name) = (row["Id"].as_str()?, row["DeveloperName"].as_str()?);
    let space = row["NamespacePrefix"].as_str().map(|space| format!("{space}__")).unwrap_or_default();
    Some((id.to_owned(), format!("{space}{name}__c")))
}

fn changed(mut metadata: Value, change: &Change) -> Option<Value> {
    match change {
        Change::Key => {
            let object = metadata.as_object_mut()?;
            for (name, value) in [("externalId", true), ("unique", true), ("caseSensitive", false)] {
                object.insert(name.to_owned(), json!(value));
            }
        }
        Change::Values(new) => {
            // A set of values that several fields share is left to the administrator.
            let values = metadata["valueSet"]["valueSetDefinition"]["value"].as_array_mut()?;
            let name =
                if values.iter().any(|v| v.get("fullName").is_some()) { "fullName" } else { "valueName" };
            values.extend(new.iter().map(|value| json!({ name: value, "label": value, "default": false })));
        }
    }
    Some(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_everything_else() {
        let text = json!({ "label": "L", "inlineHelpText": "help", "unique": false, "length": 100 });
        let key = changed(text, &Change::Key).unwrap();
        assert_eq!((&key["unique"], &key["inlineHelpText"]), (&json!(true), &json!("help")));
        let values = |name: &str| json!({ "valueSet": { "valueSetDefinition": { "value": [{ name: "a", "label": "A" }] } } });
        for name in ["fullName", "valueName"] {
            let more = changed(values(name), &Change::Values(vec!["b".into()])).unwrap();
            let held = &more["valueSet"]["valueSetDefinition"]["value"];
            assert_eq!((&held[0]["label"], &held[1][name]), (&json!("A"), &json!("b")));
        }
        let shared = json!({ "valueSet": { "valueSetName": "Global" } });
        assert_eq!(changed(shared, &Change::Values(vec!["b".into()])), None);
    }
}
