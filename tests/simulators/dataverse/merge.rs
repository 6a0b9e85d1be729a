//! Merging two rows of one table, as people do it in the app. The API's own `Merge` action is not modelled.
//!
//! Written from Microsoft Learn, *Merge Action*, *Merge table rows using the Web API* and *CascadeConfiguration*; the
//! codes of its refusals are unverified.

use super::Dataverse;
use super::metadata::{ColumnKind, Table};
use super::refusal::{DataverseOutcome, DataverseRefusal, no_such_row, not_modelled, refuse};
use super::store::{DataverseRow, DataverseWriter, TARGET};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

fn refused(text: &str) -> DataverseRefusal {
    refuse(400, "0x80040203", text)
}

impl Dataverse {
    /// A person merges two leads, accounts or contacts. The loser is deactivated with `merged` and `masterid`, keeps
    /// its values, and what leads to it leads to the master. The master itself is not written.
    pub fn act_merge(
        &mut self,
        set: &str,
        master: &str,
        loser: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let by = DataverseWriter { user: by.to_owned(), now, action: true, late: 0 };
        self.act(|org| org.merge(set, master, loser, &by))
    }

    fn merge(&mut self, set: &str, master: &str, loser: &str, by: &DataverseWriter) -> DataverseOutcome<()> {
        let table = self.table(set)?;
        if !table.columns.contains_key("masterid") {
            return Err(not_modelled(format!("a merge of `{set}`")));
        }
        if master == loser {
            return Err(refused("A row cannot be merged with itself."));
        }
        for id in [master, loser] {
            let row = self.get(set, id).ok_or_else(|| no_such_row(&table, id))?;
            if row["statecode"] != json!(0) {
                return Err(refused("Merge is possible between active rows only."));
            }
        }
        self.reparent(&table, master, loser, by)?;
        let (state, reason) = match table.name.as_str() {
            "lead" => (2, self.switches.merged_lead_reason),
            _ => (1, 2),
        };
        let changes = DataverseRow::from_iter([
            ("statecode".to_owned(), json!(state)),
            ("statuscode".to_owned(), json!(reason)),
            ("merged".to_owned(), json!(true)),
            ("_masterid_value".to_owned(), json!(master)),
            (format!("_masterid_value{TARGET}"), json!(table.name)),
        ]);
        self.update(&table, loser, changes, by)
    }

    /// Every lookup to the loser leads to the master; only rows merged into the loser before keep their `masterid`.
    fn reparent(
        &mut self,
        table: &Table,
        master: &str,
        loser: &str,
        by: &DataverseWriter,
    ) -> DataverseOutcome<()> {
        let others: Vec<Arc<Table>> = self.tables.values().cloned().collect();
        for other in others {
            for (property, child) in self.children_of(table, &other, loser) {
                if other.name == table.name && child == master {
                    return Err(refused("Merge could create cyclical parenting."));
                }
                let mut row = self.rows[&other.set][&child].clone();
                row.insert(property, json!(master));
                self.commit(&other, &child, row, by);
            }
        }
        Ok(())
    }

    /// The lookups of another table's rows that lead to this row: property and the other row's id.
    fn children_of(&self, table: &Table, other: &Table, id: &str) -> Vec<(String, String)> {
        let leads_here = |kind: &ColumnKind| match kind {
            ColumnKind::Lookup { targets } => targets.iter().any(|(_, target)| *target == table.name),
            _ => false,
        };
        let lookups = other.columns.values().filter(|c| c.name != "masterid" && leads_here(&c.kind));
        let mut found = vec![];
        for property in lookups.map(|column| column.property()) {
            let target = format!("{property}{TARGET}");
            let children = self.holding(&other.set, &property, id);
            let children =
                children.filter(|(_, row)| row.get(&target).and_then(Value::as_str) == Some(&table.name));
            found.extend(children.map(|(child, _)| (property.clone(), child.clone())));
        }
        found
    }
}
