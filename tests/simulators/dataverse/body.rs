//! A JSON body against a table: every property declared, typed and in range, every bind resolved.

use super::Dataverse;
use super::address::{Address, address, segments};
use super::metadata::{COLUMNS_ELSEWHERE, Table};
use super::refusal::{
    DataverseOutcome, bad_payload, bad_request, no_such_key, no_such_row, not_modelled, refuse,
};
use super::route::KNOWN_ELSEWHERE;
use super::store::{DataverseRow, TARGET};
use super::values;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Annotations of the row itself: its type must be the table's, what a read left in it is ignored.
fn of_the_row(table: &Table, name: &str, value: &Value) -> DataverseOutcome<()> {
    match name {
        "@odata.type" => {
            let expected = format!("Microsoft.Dynamics.CRM.{}", table.name);
            let found = value.as_str().unwrap_or_default();
            if found.trim_start_matches('#') == expected {
                return Ok(());
            }
            let text = format!(
                "A resource with type '{found}' was found, but it is not assignable to the expected type '{expected}'."
            );
            Err(bad_payload(&table.set, text))
        }
        "@odata.context" | "@odata.etag" => Ok(()),
        _ => Err(not_modelled(format!("annotation `{name}` in a body"))),
    }
}

impl Dataverse {
    /// The body of a write as an object.
    pub(super) fn object(&self, set: &str, body: &[u8]) -> DataverseOutcome<Map<String, Value>> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(bad_payload(set, "An object was expected in the payload.")),
            Err(e) => Err(bad_payload(set, format!("Invalid JSON. {e}"))),
        }
    }

    /// The columns a body sets, checked. Read-only columns are dropped without a word.
    pub(super) fn changes(&self, table: &Table, body: &Map<String, Value>) -> DataverseOutcome<DataverseRow> {
        let mut changes = DataverseRow::new();
        for (name, value) in body {
            if name.starts_with('@') {
                of_the_row(table, name, value)?;
                continue;
            }
            if let Some((navigation, annotation)) = name.split_once('@') {
                if annotation != "odata.bind" {
                    return Err(not_modelled(format!("annotation `{name}` in a body")));
                }
                self.bind(table, navigation, value, &mut changes)?;
                continue;
            }
            let Some(column) = table.column_of_property(name) else {
                if table.navigation(name).is_some() || table.children.iter().any(|c| c.navigation == *name) {
                    return Err(not_modelled(format!("deep insert on `{name}`")));
                }
                let kind = format!("Microsoft.Dynamics.CRM.{}", table.name);
                return Err(bad_payload(
                    &table.set,
                    format!(
                        "The property '{name}' does not exist on type '{kind}'. Make sure to only use property \
                         names that are defined by the type."
                    ),
                ));
            };
            // Revenue follows products, which are not modelled: only `act_products` turns this on.
            if name == "isrevenuesystemcalculated" && *value == json!(true) {
                return Err(not_modelled("an opportunity whose revenue the system calculates"));
            }
            if !column.read_only {
                let stored = values::check(table, column, value, &self.switches)?;
                changes.insert(name.clone(), stored);
            }
        }
        Ok(changes)
    }

    fn bind(
        &self,
        table: &Table,
        navigation: &str,
        value: &Value,
        changes: &mut DataverseRow,
    ) -> DataverseOutcome<()> {
        if COLUMNS_ELSEWHERE.contains(&navigation) {
            return Err(not_modelled(format!("the lookup `{navigation}`")));
        }
        let Some((column, targets)) = table.navigation(navigation) else {
            let text = format!(
                "An undeclared property '{navigation}' which only has property annotations in the payload but no \
                 property value was found in the payload. In OData, only declared navigation properties and \
                 declared named streams can be represented as properties without values."
            );
            return Err(bad_payload(&table.set, text));
        };
        let property = column.property();
        if changes.contains_key(&property) {
            return Err(bad_payload(&table.set, format!("'{}' is bound more than once.", column.name)));
        }
        let target = match value {
            Value::Null => None,
            Value::String(uri) => Some(self.resolve(table, uri)?),
            _ => return Err(bad_payload(&table.set, format!("'{navigation}@odata.bind' must be a URI."))),
        };
        if column.read_only {
            return Ok(());
        }
        if target.is_none() && column.name == "ownerid" {
            return Err(not_modelled("a row without an owner"));
        }
        let Some((found, id)) = target else {
            changes.insert(property.clone(), Value::Null);
            changes.insert(format!("{property}{TARGET}"), Value::Null);
            return Ok(());
        };
        if !targets.contains(&found.name.as_str()) {
            let text = format!("A node of type '{}' cannot be bound to '{navigation}'.", found.name);
            return Err(bad_payload(&table.set, text));
        }
        changes.insert(format!("{property}{TARGET}"), json!(found.name));
        changes.insert(property, json!(id));
        Ok(())
    }

    /// The row a bind value points to: `/set(..)`, a full URL, or `$n` of an earlier part.
    fn resolve(&self, table: &Table, uri: &str) -> DataverseOutcome<(Arc<Table>, String)> {
        if let Some(n) = uri.strip_prefix('$') {
            let (set, id) = self.reference(n)?;
            return Ok((self.tables[&set].clone(), id));
        }
        let root = format!("{}/", self.root());
        let Some(path) = uri.strip_prefix(&root).or_else(|| uri.strip_prefix('/')) else {
            return Err(not_modelled(format!("bind to `{uri}`")));
        };
        let parts = segments(path).unwrap_or_default();
        let [segment] = parts.as_slice() else {
            return Err(bad_payload(&table.set, format!("'{uri}' is not a valid entity reference.")));
        };
        let Some(key) = &segment.key else {
            return Err(bad_payload(&table.set, format!("'{uri}' is not a valid entity reference.")));
        };
        if KNOWN_ELSEWHERE.contains(&segment.name.as_str()) {
            return Err(not_modelled(format!("a bind to `{}`", segment.name)));
        }
        let target = self.table(&segment.name)?;
        let id = match address(&target, key)? {
            Address::Id(id) if self.get(&target.set, &id).is_some() => id,
            Address::Id(id) => return Err(no_such_row(&target, &id)),
            Address::Key(pairs) => {
                let id = self.find(&target.set, &pairs).ok_or_else(|| no_such_key(&target))?;
                if self.created_here(&target.set, &id) && !self.switches.key_bind_in_change_set {
                    return Err(no_such_key(&target));
                }
                id
            }
        };
        Ok((target, id))
    }

    /// Whether the running change set created this row.
    fn created_here(&self, set: &str, id: &str) -> bool {
        let here = self.change_set.as_ref();
        here.is_some_and(|c| c.created.iter().any(|(s, i)| s == set && i == id))
    }

    /// The row behind `$n`.
    pub(super) fn reference(&self, n: &str) -> DataverseOutcome<(String, String)> {
        let all = self.change_set.as_ref().map(|c| c.references.as_slice()).unwrap_or_default();
        let keyed = self.switches.content_id_of_keyed_rows;
        match all.iter().find(|r| r.0 == n && (keyed || !r.3)) {
            Some((_, set, id, _)) => Ok((set.clone(), id.clone())),
            None => {
                let text = format!("Content-ID Reference: '${n}' does not exist in the batch context.");
                Err(bad_request(text))
            }
        }
    }

    pub(super) fn table(&self, set: &str) -> DataverseOutcome<Arc<Table>> {
        self.tables
            .get(set)
            .cloned()
            .ok_or_else(|| refuse(404, "0x8006088a", format!("Resource not found for the segment '{set}'.")))
    }
}
