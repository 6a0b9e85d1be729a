//! The rows and the rules every write obeys, whoever writes: states, keys, money, computed columns, stamps.

use super::Dataverse;
use super::metadata::{ColumnKind, Table};
use super::products::without_owned_amount;
use super::refusal::{DataverseOutcome, no_such_row};
use super::values::whole_seconds;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// A row: every column by the property that shows it, null where empty; beside a lookup's value its target table.
pub type DataverseRow = Map<String, Value>;

/// The annotation that names a lookup's target table.
pub(super) const TARGET: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

/// Who writes, when, and whether by an action (which may set states that a PATCH may not).
#[derive(Clone, Debug)]
pub(super) struct DataverseWriter {
    pub user: String,
    pub now: Timestamp,
    pub action: bool,
    /// Seconds by which `modifiedon` lies before the commit: a slow transaction.
    pub late: i64,
}

/// What is undone when a change set fails, and what is visible inside one.
#[derive(Default)]
pub(super) struct ChangeSet {
    pub before: Vec<(String, String, Option<DataverseRow>)>,
    pub created: Vec<(String, String)>,
    /// Content-ID to entity set and id of the row, and whether it was addressed by alternate key.
    pub references: Vec<(String, String, String, bool)>,
}

impl Dataverse {
    pub(super) fn get(&self, set: &str, id: &str) -> Option<&DataverseRow> {
        self.rows.get(set)?.get(id)
    }

    /// The rows of a set that hold this text or number, in whichever case, by their id.
    pub(super) fn holding(
        &self,
        set: &str,
        property: &str,
        value: &str,
    ) -> impl Iterator<Item = (&String, &DataverseRow)> {
        self.rows.get(set).map(|rows| rows.holding(property, value)).into_iter().flatten()
    }

    pub(super) fn table_named(&self, name: &str) -> Option<Arc<Table>> {
        self.tables.values().find(|t| t.name == name).cloned()
    }

    /// The row with these key values.
    pub(super) fn find(&self, set: &str, pairs: &[(String, String)]) -> Option<String> {
        let fold = self.switches.case_insensitive;
        let same = |a: &str, b: &str| if fold { a.eq_ignore_ascii_case(b) } else { a == b };
        let holds = |row: &DataverseRow, column: &str, value: &str| match row.get(column) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => same(text, value),
            Some(Value::Number(number)) => number.to_string() == value,
            Some(_) => false,
        };
        let is = |row: &DataverseRow| pairs.iter().all(|(column, value)| holds(row, column, value));
        let (column, value) = pairs.first()?;
        self.holding(set, column, value).find(|(_, row)| is(row)).map(|(id, _)| id.clone())
    }

    pub(super) fn insert(
        &mut self,
        table: &Table,
        id: &str,
        changes: DataverseRow,
        by: &DataverseWriter,
    ) -> DataverseOutcome<()> {
        self.check_rules(table, &changes)?;
        self.check_demands(table, &changes)?;
        let mut row = DataverseRow::new();
        for column in table.columns.values() {
            let initial = match &column.kind {
                ColumnKind::Boolean { default: Some(default) } => json!(default),
                ColumnKind::State => json!(0),
                _ => Value::Null,
            };
            row.insert(column.property(), initial);
        }
        row.insert(table.id.clone(), json!(id));
        if table.columns.contains_key("ownerid") {
            row.insert("_ownerid_value".into(), json!(by.user));
            row.insert(format!("_ownerid_value{TARGET}"), json!("systemuser"));
        }
        let mut changes = self.rewritten(table, changes)?;
        // Not valid for create, hence ignored; an action may.
        if !by.action {
            changes.remove("statecode");
        }
        row.extend(changes);
        if !table.states.is_empty() {
            let state = row["statecode"].as_i64().unwrap_or(0);
            if row["statuscode"].is_null() {
                row.insert("statuscode".into(), json!(table.default_reason(state)));
            }
            self.check_reason(table, &row, state)?;
        }
        if table.has_money()
            && row["_transactioncurrencyid_value"].is_null()
            && self.switches.default_currency
        {
            row.insert("_transactioncurrencyid_value".into(), json!(super::people::BASE_CURRENCY));
            row.insert(format!("_transactioncurrencyid_value{TARGET}"), json!("transactioncurrency"));
        }
        let created = row["overriddencreatedon"].clone();
        let created = if created.is_null() { json!(whole_seconds(by.now)) } else { created };
        row.insert("createdon".into(), created);
        row.insert("_createdby_value".into(), json!(by.user));
        row.insert(format!("_createdby_value{TARGET}"), json!("systemuser"));
        self.compute(table, &mut row);
        self.check_keys(table, id, &row)?;
        if let Some(set) = &mut self.change_set {
            set.created.push((table.set.clone(), id.to_owned()));
        }
        self.commit(table, id, row, by);
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        table: &Table,
        id: &str,
        changes: DataverseRow,
        by: &DataverseWriter,
    ) -> DataverseOutcome<()> {
        let old = self.get(&table.set, id).ok_or_else(|| no_such_row(table, id))?.clone();
        self.check_rules(table, &changes)?;
        let mut changes = self.rewritten(table, changes)?;
        without_owned_amount(&old, &mut changes);
        changes.remove(&table.id);
        changes.remove("overriddencreatedon");
        if !by.action {
            self.check_state_change(table, &old, &mut changes)?;
        }
        let mut row = old.clone();
        row.extend(changes);
        if !table.states.is_empty() {
            let state = row["statecode"].as_i64().unwrap_or(0);
            self.check_reason(table, &row, state)?;
        }
        self.compute(table, &mut row);
        self.check_keys(table, id, &row)?;
        let reopened =
            table.name == "opportunity" && old["statecode"] != json!(0) && row["statecode"] == json!(0);
        self.commit(table, id, row, by);
        if reopened && self.switches.reopen_cancels_close {
            self.cancel_close(id, by)?;
        }
        Ok(())
    }

    /// Removes a row; what regards it goes too, other lookups to it are emptied.
    pub(super) fn remove(&mut self, table: &Table, id: &str, by: &DataverseWriter) -> DataverseOutcome<()> {
        let old = self.rows.get_mut(&table.set).and_then(|rows| rows.remove(id));
        let old = old.ok_or_else(|| no_such_row(table, id))?;
        self.version += 1;
        self.deleted.entry(table.set.clone()).or_default().push((self.version, id.to_owned()));
        self.remember(table, id, Some(old));
        let tables: Vec<Arc<Table>> = self.tables.values().cloned().collect();
        for other in tables {
            for column in other.columns.values() {
                let ColumnKind::Lookup { targets } = &column.kind else { continue };
                if !targets.iter().any(|t| t.1 == table.name) {
                    continue;
                }
                let property = column.property();
                let found: Vec<String> =
                    self.holding(&other.set, &property, id).map(|(id, _)| id.clone()).collect();
                for row in found {
                    if ["objectid", "record1id", "record2id"].contains(&column.name.as_str())
                        || other.name == "opportunityclose"
                    {
                        self.remove(&other, &row, by)?;
                    } else {
                        let mut changed = self.rows[&other.set][&row].clone();
                        changed.insert(property.clone(), Value::Null);
                        changed.remove(&format!("{property}{TARGET}"));
                        self.commit(&other, &row, changed, by);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, table: &Table, id: &str, mut row: DataverseRow, by: &DataverseWriter) {
        self.version += 1;
        let modified = by.now - jiff::SignedDuration::from_secs(by.late);
        row.insert("versionnumber".into(), json!(self.version));
        row.insert("modifiedon".into(), json!(whole_seconds(modified)));
        row.insert("_modifiedby_value".into(), json!(by.user));
        row.insert(format!("_modifiedby_value{TARGET}"), json!("systemuser"));
        let old = self.rows.entry(table.set.clone()).or_default().insert(id.to_owned(), row);
        self.remember(table, id, old);
    }

    fn remember(&mut self, table: &Table, id: &str, old: Option<DataverseRow>) {
        if let Some(set) = &mut self.change_set {
            set.before.push((table.set.clone(), id.to_owned(), old.clone()));
        }
        let key = (table.set.clone(), id.to_owned());
        self.previous.insert(key.clone(), old);
        self.lags(&key, self.switches.stale_reads);
        self.touched.push(key);
    }

    /// So many reads still show a row as it was before.
    pub(super) fn lags(&mut self, key: &(String, String), reads: u32) {
        match reads {
            0 => self.lagging.remove(key),
            reads => self.lagging.insert(key.clone(), reads),
        };
    }

    /// Undoes a failed change set; version numbers stay used up, as in a database.
    pub(super) fn roll_back(&mut self, set: ChangeSet) {
        for (name, id, old) in set.before.into_iter().rev() {
            let key = (name.clone(), id.clone());
            self.previous.remove(&key);
            self.lags(&key, 0);
            let rows = self.rows.entry(name.clone()).or_default();
            match old {
                Some(row) => {
                    rows.insert(id.clone(), row);
                    self.deleted.entry(name).or_default().retain(|d| d.1 != id);
                }
                None => {
                    rows.remove(&id);
                }
            }
        }
        self.touched.clear();
    }

    /// Runs several writes as one transaction: the one that is open, or one of its own.
    pub(super) fn atomically<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> DataverseOutcome<T>,
    ) -> DataverseOutcome<T> {
        if self.change_set.is_some() {
            return act(self);
        }
        self.change_set = Some(ChangeSet::default());
        let outcome = act(self);
        let set = self.change_set.take().unwrap_or_default();
        if outcome.is_err() {
            self.roll_back(set);
        }
        outcome
    }

    /// Touches a row as an asynchronous plug-in would: nothing but a new version.
    pub(super) fn bump(&mut self, set: &str, id: &str, by: &DataverseWriter) {
        if let (Some(table), Some(row)) = (self.tables.get(set).cloned(), self.get(set, id).cloned()) {
            self.commit(&table, id, row, by);
        }
    }

    pub(super) fn new_id(&self) -> String {
        Uuid::new_v4().to_string()
    }
}
