//! POST, PATCH and DELETE with their conditions.

use super::address::{Address, options};
use super::metadata::{ColumnKind, Table};
use super::refusal::{
    DataverseOutcome, already_there, bad_key, bad_request, no_such_key, no_such_row, not_modelled, refuse,
    wrong_version,
};
use super::shape::{Shape, etag};
use super::store::{DataverseRow, DataverseWriter, TARGET};
use super::values::{self, key_value};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Value, json};

/// What a writer demands of the row that is there.
enum Precondition {
    None,
    MustExist,
    MustNotExist,
    Version(String),
}

impl Dataverse {
    fn condition(&self, call: &DataverseCall) -> DataverseOutcome<Precondition> {
        // `If-None-Match: null` only keeps caches away.
        let none_match = call.request.header("if-none-match").filter(|v| *v != "null");
        match (call.request.header("if-match"), none_match) {
            (None, None) => Ok(Precondition::None),
            (Some("*"), None) => Ok(Precondition::MustExist),
            (Some(tag), None) if tag.starts_with("W/\"") && tag.ends_with('"') => {
                Ok(Precondition::Version(tag.to_owned()))
            }
            (None, Some("*")) => Ok(Precondition::MustNotExist),
            (a, b) => Err(not_modelled(format!("If-Match {a:?} with If-None-Match {b:?}"))),
        }
    }

    fn mismatch(&self) -> super::refusal::DataverseRefusal {
        if !self.switches.version_mismatch_code_empty {
            return wrong_version();
        }
        refuse(412, "", "The version of the existing record doesn't match the RowVersion property provided.")
    }

    /// Checks the condition against the row that is really there.
    fn check(
        &self,
        table: &Table,
        address: &Address,
        row: Option<&DataverseRow>,
        condition: &Precondition,
    ) -> DataverseOutcome<()> {
        let missing = || match address {
            Address::Id(id) => no_such_row(table, id),
            Address::Key(_) => no_such_key(table),
        };
        match (condition, row) {
            (Precondition::Version(_), _)
                if matches!(address, Address::Key(_)) && !self.switches.if_match_by_key =>
            {
                Err(bad_request("If-Match with a version is not supported on an alternate key."))
            }
            (Precondition::MustExist, None) => Err(missing()),
            (Precondition::Version(_), None) if self.switches.if_match_missing_status == 412 => {
                Err(self.mismatch())
            }
            (Precondition::Version(_), None) => Err(missing()),
            (Precondition::MustNotExist, Some(_)) => Err(already_there()),
            (Precondition::Version(wanted), Some(row)) if *wanted != etag(row) => Err(self.mismatch()),
            _ => Ok(()),
        }
    }

    fn writer(&self, call: &DataverseCall) -> DataverseWriter {
        DataverseWriter { user: call.user.clone(), now: call.now, action: false, late: 0 }
    }

    pub(super) fn create(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        self.privilege(table, "create")?;
        let shape = self.answer_shape(call, table)?;
        let body = self.object(&table.set, &call.request.body)?;
        let changes = self.changes(table, &body)?;
        self.privileges_to_bind(table, &changes)?;
        let id = match changes.get(&table.id).and_then(Value::as_str) {
            Some(id) if self.get(&table.set, id).is_some() => return Err(already_there()),
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        self.insert(table, &id, changes, &self.writer(call))?;
        self.refer(call, table, &id, false);
        let uri = format!("{}/{}({id})", self.root(), table.set);
        self.written(call, table, &id, &uri, 201, &shape)
    }

    pub(super) fn upsert(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        let shape = self.answer_shape(call, table)?;
        let condition = self.condition(call)?;
        let body = self.object(&table.set, &call.request.body)?;
        let mut changes = self.changes(table, &body)?;
        let existing = match address {
            Address::Id(id) => Some(id.clone()).filter(|id| self.get(&table.set, id).is_some()),
            Address::Key(pairs) => self.find(&table.set, pairs),
        };
        let row = existing.as_ref().and_then(|id| self.get(&table.set, id));
        self.check(table, address, row, &condition)?;
        self.privileges_to_bind(table, &changes)?;
        let by = self.writer(call);
        let (id, status) = match existing {
            Some(id) => {
                self.privilege(table, "write")?;
                if let Address::Key(pairs) = address {
                    for (column, _) in pairs {
                        changes.remove(column);
                    }
                }
                self.update(table, &id, changes, &by)?;
                (id, 200)
            }
            None => {
                self.privilege(table, "create")?;
                let id = match address {
                    Address::Id(id) => id.clone(),
                    Address::Key(pairs) => {
                        for (name, value) in pairs {
                            if !changes.contains_key(name) {
                                let column = &table.columns[name];
                                let value = key_value(column, value).ok_or_else(|| bad_key(table))?;
                                let stored = values::check(table, column, &value, &self.switches)?;
                                changes.insert(name.clone(), stored);
                            }
                        }
                        self.new_id()
                    }
                };
                self.insert(table, &id, changes, &by)?;
                (id, 201)
            }
        };
        self.refer(call, table, &id, matches!(address, Address::Key(_)));
        let uri = match address {
            Address::Id(id) => format!("{}/{}({id})", self.root(), table.set),
            Address::Key(pairs) => {
                let shown = |(name, value): &(String, String)| match table.columns[name].kind {
                    ColumnKind::Text { .. } => format!("{name}='{}'", value.replace('\'', "''")),
                    _ => format!("{name}={value}"),
                };
                let key: Vec<String> = pairs.iter().map(shown).collect();
                format!("{}/{}({})", self.root(), table.set, key.join(","))
            }
        };
        self.written(call, table, &id, &uri, status, &shape)
    }

    pub(super) fn delete(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        self.privilege(table, "delete")?;
        let condition = self.condition(call)?;
        let id = match address {
            Address::Id(id) => id.clone(),
            Address::Key(pairs) => self.find(&table.set, pairs).ok_or_else(|| no_such_key(table))?,
        };
        self.check(table, address, self.get(&table.set, &id), &condition)?;
        self.remove(table, &id, &self.writer(call))?;
        Ok(Response::new(204).with("OData-Version", "4.0"))
    }

    /// Answers `DELETE {set}(id)/{nav}/$ref`: the look-up is empty from now on.
    pub(super) fn clear_lookup(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
        navigation: &str,
    ) -> DataverseOutcome<Response> {
        self.privilege(table, "write")?;
        let Address::Id(id) = address else { return Err(not_modelled("`$ref` by alternate key")) };
        let Some((column, _)) = table.navigation(navigation) else {
            return Err(refuse(
                404,
                "0x8006088a",
                format!("Resource not found for the segment '{navigation}'."),
            ));
        };
        let property = column.property();
        let changes =
            DataverseRow::from_iter([(format!("{property}{TARGET}"), Value::Null), (property, Value::Null)]);
        self.update(table, id, changes, &self.writer(call))?;
        Ok(Response::new(204).with("OData-Version", "4.0"))
    }

    /// What a representation shall show; checked before anything is written.
    pub(super) fn answer_shape(&self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Shape> {
        let options = options(&call.request.query)?;
        self.only(&options, &["$select", "$expand"])?;
        if call.prefer.representation {
            self.privilege(table, "read")?;
        }
        self.shape(table, options.get("$select"), options.get("$expand"))
    }

    pub(super) fn written(
        &self,
        call: &DataverseCall,
        table: &Table,
        id: &str,
        uri: &str,
        status: u16,
        shape: &Shape,
    ) -> DataverseOutcome<Response> {
        if !call.prefer.representation {
            return Ok(Response::new(204).with("OData-Version", "4.0").with("OData-EntityId", uri));
        }
        let row = self.get(&table.set, id).expect("it was just written");
        let mut body = self.show(table, row, shape, call.prefer.annotations);
        let options = options(&call.request.query)?;
        body.insert("@odata.context".into(), json!(self.context(table, &options, "/$entity")));
        let mut response = self.ok(call, body).with("ETag", etag(row));
        response.status = status;
        if status == 201 {
            response = response.with("OData-EntityId", format!("{}/{}({id})", self.root(), table.set));
        }
        Ok(response)
    }

    /// Later parts of the change set may say `$n`.
    fn refer(&mut self, call: &DataverseCall, table: &Table, id: &str, keyed: bool) {
        let content_id = call.request.header("content-id").map(str::to_owned);
        if let (Some(set), Some(n)) = (&mut self.change_set, content_id) {
            set.references.push((n, table.set.clone(), id.to_owned(), keyed));
        }
    }
}
