//! Metadata at the wire: `EntityDefinitions`, its columns and alternate keys, and provisioning of both.

use super::address::{Segment, key_pairs, options};
use super::columns::metadata_id;
use super::metadata::{Column, ColumnKind, Key, KeyStatus, Table};
use super::read::Options;
use super::refusal::{DataverseOutcome, bad_request, no_resource, not_modelled, refuse};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const TYPES: &str = "Microsoft.Dynamics.CRM.";

impl Dataverse {
    pub(super) fn definitions(
        &mut self,
        call: &DataverseCall,
        path: &[Segment],
    ) -> DataverseOutcome<Response> {
        let options = options(&call.request.query)?;
        self.only(&options, &["$select", "$expand", "$filter"])?;
        let Some(key) = &path[0].key else { return Err(not_modelled("the list of all tables")) };
        let table = match key_pairs(key).as_deref() {
            Some([(name, value)]) if name == "LogicalName" => self.table_named(value),
            _ => self.tables.values().find(|t| t.metadata_id == *key).cloned(),
        };
        let table = table.ok_or_else(|| {
            refuse(404, "0x80060888", format!("Could not find an entity with the specified name: {key}."))
        })?;
        let method = call.request.method.as_str();
        let names: Vec<&str> = path.iter().map(|s| s.name.as_str()).collect();
        let column = path.get(1).and_then(|s| s.key.as_deref());
        match (method, names.as_slice(), column) {
            ("GET", [_], _) => self.table_definition(call, &table, &options),
            ("GET", [_, "Keys"], None) => self.key_definitions(call, &table, &options),
            ("POST", [_, "Keys"], None) => self.add_key(call, &table),
            ("POST", [_, "Attributes"], None) => self.add_column(call, &table),
            ("GET", [_, "Attributes"], None) => self.column_list(call, &table, None, &options),
            ("GET", [_, "Attributes", kind], None) => self.column_list(call, &table, Some(kind), &options),
            ("GET", [_, "Attributes"], Some(key)) => {
                self.column_definition(call, &table, key, None, &options)
            }
            ("GET", [_, "Attributes", kind], Some(key)) => {
                self.column_definition(call, &table, key, Some(kind), &options)
            }
            ("DELETE", [_], _) => self.drop_table(call, &table),
            ("DELETE", [_, "Keys"], Some(key)) => self.drop_key(call, &table, key),
            ("DELETE", [_, "Attributes"], Some(key)) => self.drop_attribute(call, &table, key),
            ("GET" | "POST", ..) => Err(no_resource()),
            _ => Err(not_modelled("this change of metadata")),
        }
    }

    fn definition(
        &self,
        call: &DataverseCall,
        context: &str,
        options: &Options,
        tail: &str,
        body: Value,
    ) -> Response {
        let columns = options.get("$select").map(|s| format!("({s})")).unwrap_or_default();
        let mut body = body.as_object().cloned().unwrap_or_default();
        let context = format!("{}/$metadata#EntityDefinitions{context}{columns}{tail}", self.root());
        body.insert("@odata.context".into(), json!(context));
        self.ok(call, body)
    }

    fn table_definition(
        &self,
        call: &DataverseCall,
        table: &Table,
        options: &Options,
    ) -> DataverseOutcome<Response> {
        if options.contains_key("$expand") {
            return Err(not_modelled("`$expand` of a table definition"));
        }
        let tracked = table.tracked && !self.switches.untracked.contains(&table.name);
        let all = json!({
            "LogicalName": table.name, "EntitySetName": table.set, "PrimaryIdAttribute": table.id,
            "PrimaryNameAttribute": table.title, "ChangeTrackingEnabled": tracked,
            "IsOptimisticConcurrencyEnabled": true, "MetadataId": table.metadata_id,
        });
        Ok(self.definition(call, "", options, "/$entity", selected(all, options)?))
    }

    fn key_definitions(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        options: &Options,
    ) -> DataverseOutcome<Response> {
        let polls = self.switches.key_polls;
        for at in 0..table.keys.len() {
            let now = self.tables[&table.set].keys[at].clone();
            let status = match now.status {
                KeyStatus::Pending | KeyStatus::InProgress if now.polls >= polls => {
                    if self.duplicates(table, &now) { KeyStatus::Failed } else { KeyStatus::Active }
                }
                KeyStatus::Pending if now.polls > 0 => KeyStatus::InProgress,
                status => status,
            };
            let key = &mut Arc::make_mut(self.tables.get_mut(&table.set).expect("a table")).keys[at];
            key.status = status;
            key.polls += 1;
        }
        let table = self.tables[&table.set].clone();
        let keys = table.keys.iter().map(|key| {
            let all = json!({
                "SchemaName": key.schema_name, "LogicalName": key.schema_name.to_lowercase(),
                "KeyAttributes": key.columns, "EntityKeyIndexStatus": format!("{:?}", key.status),
                "EntityLogicalName": table.name, "MetadataId": key.metadata_id,
            });
            selected(all, options)
        });
        let body = json!({ "value": keys.collect::<DataverseOutcome<Vec<_>>>()? });
        Ok(self.definition(call, &format!("('{}')/Keys", table.name), options, "", body))
    }

    fn duplicates(&self, table: &Table, key: &Key) -> bool {
        let mut seen = std::collections::BTreeSet::new();
        let rows = self.rows(&table.set).into_iter();
        let mut values = rows
            .map(|r| key.columns.iter().map(|c| r[c].clone()).collect::<Vec<Value>>())
            .filter(|v| !v.iter().any(Value::is_null));
        values.any(|v| !seen.insert(json!(v).to_string().to_lowercase()))
    }

    fn column_list(
        &self,
        call: &DataverseCall,
        table: &Table,
        kind: Option<&str>,
        options: &Options,
    ) -> DataverseOutcome<Response> {
        if options.contains_key("$filter") {
            return Err(not_modelled("`$filter` on metadata"));
        }
        let kind = kind.map(type_wanted).transpose()?;
        let columns = table.columns.values().filter(|c| kind.as_ref().is_none_or(|k| c.type_name() == k));
        let list = columns
            .map(|c| describe(table, c, self.managed(table, c), kind.is_some(), options))
            .collect::<DataverseOutcome<Vec<_>>>()?;
        let context = format!("('{}')/Attributes", table.name);
        Ok(self.definition(call, &context, options, "", json!({ "value": list })))
    }

    fn column_definition(
        &self,
        call: &DataverseCall,
        table: &Table,
        key: &str,
        kind: Option<&str>,
        options: &Options,
    ) -> DataverseOutcome<Response> {
        let pairs = key_pairs(key).unwrap_or_default();
        let column = match pairs.as_slice() {
            [(name, value)] if name == "LogicalName" => table.columns.get(value),
            _ => return Err(not_modelled(format!("the column key `{key}`"))),
        };
        let kind = kind.map(type_wanted).transpose()?;
        let column =
            column.filter(|c| kind.as_ref().is_none_or(|k| c.type_name() == k)).ok_or_else(|| {
                refuse(
                    404,
                    "0x80060888",
                    format!("Could not find an attribute with the specified name: {key}."),
                )
            })?;
        let body = describe(table, column, self.managed(table, column), kind.is_some(), options)?;
        Ok(self.definition(call, &format!("('{}')/Attributes", table.name), options, "/$entity", body))
    }
}

/// The type in a cast: `Microsoft.Dynamics.CRM.StringAttributeMetadata` asks for `String`.
pub(super) fn type_wanted(text: &str) -> DataverseOutcome<String> {
    let name = text.strip_prefix(TYPES).and_then(|t| t.strip_suffix("AttributeMetadata"));
    name.map(str::to_owned).ok_or_else(no_resource)
}

/// The selected properties; the metadata id always comes.
fn selected(all: Value, options: &Options) -> DataverseOutcome<Value> {
    let Some(list) = options.get("$select") else { return Ok(all) };
    let mut shown = Map::new();
    for name in list.split(',').map(str::trim).chain(["MetadataId"]) {
        let value = all.get(name).ok_or_else(|| not_modelled(format!("the metadata property `{name}`")))?;
        shown.insert(name.to_owned(), value.clone());
    }
    Ok(Value::Object(shown))
}

/// Not one of the platform's own.
pub(super) fn custom(table: &Table, column: &Column) -> bool {
    ["cosell_", "new_"].iter().any(|prefix| column.name.starts_with(prefix)) && column.name != table.id
}

fn describe(
    table: &Table,
    column: &Column,
    managed: bool,
    cast: bool,
    options: &Options,
) -> DataverseOutcome<Value> {
    let kind = column.type_name();
    let mut all = json!({
        "LogicalName": column.name, "SchemaName": column.name, "AttributeType": kind,
        "AttributeTypeName": { "Value": format!("{kind}Type") }, "EntityLogicalName": table.name,
        "IsValidForCreate": !column.read_only, "IsValidForUpdate": !column.read_only, "IsValidForRead": true,
        "MetadataId": metadata_id(&format!("{}.{}", table.name, column.name)),
        "IsCustomAttribute": custom(table, column), "IsManaged": managed,
    });
    let option = |value: i64, text: &str, state: Option<i64>| {
        let label = json!({ "LocalizedLabels": [{ "Label": text, "LanguageCode": 1033 }],
                            "UserLocalizedLabel": { "Label": text, "LanguageCode": 1033 } });
        match state {
            Some(state) => json!({ "Value": value, "Label": label, "State": state }),
            None => json!({ "Value": value, "Label": label }),
        }
    };
    let set: Option<Vec<Value>> = match &column.kind {
        ColumnKind::Text { max } | ColumnKind::Memo { max } => {
            all["MaxLength"] = json!(max);
            None
        }
        ColumnKind::Integer { min, max } => {
            (all["MinValue"], all["MaxValue"]) = (json!(min), json!(max));
            None
        }
        ColumnKind::Date => {
            all["Format"] = json!("DateOnly");
            None
        }
        ColumnKind::Lookup { targets } => {
            all["Targets"] = targets.iter().map(|t| json!(t.1)).collect();
            None
        }
        ColumnKind::Choice { options } => Some(options.iter().map(|o| option(o.0, &o.1, None)).collect()),
        ColumnKind::State => Some(table.states.iter().map(|s| option(s.value, &s.label, None)).collect()),
        ColumnKind::Status => {
            let reasons = table.states.iter().flat_map(|s| s.reasons.iter().map(move |r| (s.value, r)));
            Some(reasons.map(|(state, r)| option(r.0, &r.1, Some(state))).collect())
        }
        _ => None,
    };
    let mut shown = selected(all, options)?;
    // Without a cast the answer says which type it is.
    if !cast {
        shown["@odata.type"] = json!(format!("#{TYPES}{kind}AttributeMetadata"));
    }
    match (options.get("$expand").map(String::as_str), set) {
        (None, _) => {}
        (Some("OptionSet"), Some(list)) if cast => shown["OptionSet"] = json!({ "Options": list }),
        (Some(other), _) => {
            return Err(bad_request(format!("Could not find a property named '{other}' on the type.")));
        }
    }
    Ok(shown)
}
