//! Provisioning by metadata: new columns and alternate keys on a table that is there.

use super::columns::{self, metadata_id};
use super::definitions::type_wanted;
use super::metadata::{Column, ColumnKind, Key, KeyStatus, Table};
use super::refusal::{DataverseOutcome, bad_payload, bad_request, not_modelled};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Dataverse {
    pub(super) fn add_key(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        let body = self.object("EntityKeyMetadata", &call.request.body)?;
        self.check_labels(&json!(body))?;
        let name = body.get("SchemaName").and_then(Value::as_str);
        let name = name.ok_or_else(|| bad_payload("EntityKeyMetadata", "SchemaName is missing."))?;
        self.may_customize(call, name)?;
        let columns: Option<Vec<String>> = body
            .get("KeyAttributes")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let columns = columns.unwrap_or_default();
        let may = |c: &String| {
            table.columns.get(c).is_some_and(|c| {
                matches!(
                    c.kind,
                    ColumnKind::Text { .. }
                        | ColumnKind::Integer { .. }
                        | ColumnKind::Decimal
                        | ColumnKind::DateTime
                        | ColumnKind::Lookup { .. }
                        | ColumnKind::Choice { .. }
                )
            })
        };
        if columns.is_empty() || columns.len() > 16 || !columns.iter().all(may) {
            return Err(bad_payload("EntityKeyMetadata", "KeyAttributes are not valid for a key."));
        }
        let modelled = |c: &String| {
            matches!(
                table.columns[c].kind,
                ColumnKind::Text { .. } | ColumnKind::Integer { .. } | ColumnKind::Choice { .. }
            )
        };
        if !columns.iter().all(modelled) {
            return Err(not_modelled("a key over a lookup, a decimal or a time"));
        }
        if table.keys.len() >= 10 || table.keys.iter().any(|k| k.schema_name == name) {
            return Err(bad_request(format!("A key with the name {name} cannot be added.")));
        }
        let label = label(&body).unwrap_or_else(|| name.to_owned());
        let metadata_id = metadata_id(&format!("{}.{name}", table.name));
        let uri = format!("{}/EntityDefinitions({})/Keys({metadata_id})", self.root(), table.metadata_id);
        let key = Key {
            schema_name: name.to_owned(),
            label,
            columns,
            status: KeyStatus::Pending,
            polls: 0,
            metadata_id,
        };
        Arc::make_mut(self.tables.get_mut(&table.set).expect("a table")).keys.push(key);
        self.expire_tokens_of(&table.set);
        Ok(Response::new(204).with("OData-Version", "4.0").with("OData-EntityId", uri))
    }

    pub(super) fn add_column(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        let body = self.object("AttributeMetadata", &call.request.body)?;
        self.check_labels(&json!(body))?;
        let wrong = |text: &str| bad_payload("AttributeMetadata", text);
        let schema = body.get("SchemaName").and_then(Value::as_str).ok_or_else(|| wrong("SchemaName"))?;
        self.may_customize(call, schema)?;
        let name = schema.to_lowercase();
        self.define_column(table, schema, &body)?;
        let id = metadata_id(&format!("{}.{name}", table.name));
        let uri = format!("{}/EntityDefinitions({})/Attributes({id})", self.root(), table.metadata_id);
        Ok(Response::new(204).with("OData-Version", "4.0").with("OData-EntityId", uri))
    }

    fn define_column(
        &mut self,
        table: &Table,
        schema: &str,
        body: &Map<String, Value>,
    ) -> DataverseOutcome<()> {
        let wrong = |text: &str| bad_payload("AttributeMetadata", text);
        let kind = body.get("@odata.type").and_then(Value::as_str).ok_or_else(|| wrong("@odata.type"))?;
        let kind = type_wanted(kind.trim_start_matches('#'))?;
        if body.get("AttributeType").and_then(Value::as_str).is_some_and(|t| t != kind) {
            return Err(wrong("AttributeType does not fit @odata.type"));
        }
        let name = schema.to_lowercase();
        if !name.contains('_') {
            return Err(wrong("SchemaName needs the publisher's prefix"));
        }
        if table.columns.contains_key(&name) {
            return Err(bad_request(format!("An attribute with the name {name} already exists.")));
        }
        let max = || body.get("MaxLength").and_then(Value::as_u64).map(|n| n as usize);
        let bound = |name: &str, other: i64| body.get(name).and_then(Value::as_i64).unwrap_or(other);
        let kind = match kind.as_str() {
            "String" => {
                ColumnKind::Text { max: max().filter(|n| *n <= 4000).ok_or_else(|| wrong("MaxLength"))? }
            }
            "Memo" => ColumnKind::Memo { max: max().ok_or_else(|| wrong("MaxLength"))? },
            "Integer" => ColumnKind::Integer {
                min: bound("MinValue", i64::from(i32::MIN)),
                max: bound("MaxValue", i64::from(i32::MAX)),
            },
            "Boolean" => {
                ColumnKind::Boolean { default: Some(body.get("DefaultValue") == Some(&json!(true))) }
            }
            "Money" => ColumnKind::Money { limit: 922_337_203_685_477.0 },
            "DateTime" if body.get("Format") == Some(&json!("DateOnly")) => ColumnKind::Date,
            "DateTime" => ColumnKind::DateTime,
            "Picklist" => {
                let list = body.get("OptionSet").and_then(|o| o["Options"].as_array());
                let list = list.ok_or_else(|| wrong("OptionSet.Options"))?;
                let option = |o: &Value| {
                    let label = o["Label"]["LocalizedLabels"][0]["Label"].as_str()?;
                    Some((o["Value"].as_i64()?, label.to_owned()))
                };
                let options: Option<Vec<_>> = list.iter().map(option).collect();
                ColumnKind::Choice { options: options.ok_or_else(|| wrong("OptionSet.Options"))? }
            }
            other => return Err(not_modelled(format!("a new column of type `{other}`"))),
        };
        let mut made = vec![Column { name: name.clone(), kind, read_only: false }];
        // Money comes with its amount in the base currency.
        if matches!(made[0].kind, ColumnKind::Money { .. }) {
            if !table.has_money() {
                return Err(not_modelled("the first money column of a table"));
            }
            let kind = ColumnKind::Money { limit: f64::INFINITY };
            made.push(Column { name: format!("{name}_base"), kind, read_only: true });
        }
        for column in made {
            // Rows that are there hold null, whatever the default.
            for row in self.rows.get_mut(&table.set).into_iter().flat_map(|rows| rows.values_mut()) {
                row.insert(column.name.clone(), Value::Null);
            }
            let table = Arc::make_mut(self.tables.get_mut(&table.set).expect("a table"));
            table.columns.insert(column.name.clone(), column);
        }
        self.expire_tokens_of(&table.set);
        Ok(())
    }

    /// An administrator makes a column, as in the metadata of one (`SchemaName`, `@odata.type`, …).
    pub fn add_custom_column(&mut self, set: &str, metadata: &Value) -> Result<(), String> {
        let table = self.tables.get(set).cloned().ok_or_else(|| format!("no table `{set}`"))?;
        let body = metadata.as_object().ok_or("metadata is an object")?;
        let schema = body.get("SchemaName").and_then(Value::as_str).ok_or("SchemaName is missing")?;
        self.define_column(&table, schema, body).map_err(|refusal| format!("{refusal:?}"))
    }

    /// An administrator makes a lookup, by its navigation property. A table that is not there is made with it, `column` as
    /// its text.
    pub fn add_custom_lookup(&mut self, set: &str, navigation: &str, to: &str, column: &str) {
        let known = self.tables.values().any(|table| table.name == to);
        if !known {
            let plural = to.strip_suffix('y').map_or_else(|| format!("{to}s"), |stem| format!("{stem}ies"));
            let new = columns::table(to, &plural, &format!("{to}id"), column).texts(&[(column, 100)]);
            self.tables.insert(plural, Arc::new(new.simple_states()));
        }
        let table = Arc::make_mut(self.tables.get_mut(set).expect("a table"));
        let name = navigation.to_lowercase();
        let kind = columns::to(&[(navigation, to)]);
        table.columns.insert(name.clone(), Column { name: name.clone(), kind, read_only: false });
        for row in self.rows.get_mut(set).into_iter().flat_map(|rows| rows.values_mut()) {
            row.insert(name.clone(), Value::Null);
        }
        self.expire_tokens_of(set);
    }
}

fn label(body: &Map<String, Value>) -> Option<String> {
    Some(body.get("DisplayName")?["LocalizedLabels"][0]["Label"].as_str()?.to_owned())
}
