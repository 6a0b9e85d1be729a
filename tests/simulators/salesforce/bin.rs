//! The recycle bin: what goes there with a row, and comes back with it.

use super::Salesforce;
use super::metadata::{Field, FieldKind, Object, OnDelete};
use super::refusal::{SalesforceOutcome, bad, no_such_row};
use super::store::SalesforceWriter;
use serde_json::{Value, json};
use std::sync::Arc;

impl Salesforce {
    /// Puts a row and what belongs to it into the recycle bin; lookups to it are emptied.
    pub(super) fn remove(
        &mut self,
        object: &Object,
        id: &str,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        let old = self.live(&object.name, id)?.clone();
        self.check_locks(Some(id), &old)?;
        for (child, field, on_delete) in self.children(&object.name) {
            let rows = self.rows.get(&child.name).into_iter().flatten();
            let pointing: Vec<String> = rows
                .filter(|(_, row)| row["IsDeleted"] != json!(true) && row[&field] == id)
                .map(|(id, _)| id.clone())
                .collect();
            for other in pointing {
                match on_delete {
                    OnDelete::Cascade => self.remove(&child, &other, by)?,
                    OnDelete::Clear => {
                        let mut row = self.rows[&child.name][&other].clone();
                        row.insert(field.clone(), Value::Null);
                        row.insert("SystemModstamp".into(), by.stamp());
                        self.put(&child.name, &other, Some(row));
                    }
                    OnDelete::Keep => {}
                }
            }
        }
        if object.replicateable {
            let mut row = old;
            row.insert("IsDeleted".into(), json!(true));
            self.commit(object, id, row, by);
        } else {
            self.put(&object.name, id, None);
        }
        Ok(())
    }

    /// Takes a row out of the recycle bin, with what went there with it.
    pub(super) fn restore(
        &mut self,
        object: &Object,
        id: &str,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        let row = self.row(&object.name, id).cloned().ok_or_else(no_such_row)?;
        if row["IsDeleted"] != json!(true) {
            return Err(bad("UNDELETE_FAILED", "Entity is not in the recycle bin", &[]));
        }
        self.check_unique(object, Some(id), &row)?;
        let gone = row["SystemModstamp"].clone();
        let mut back = row;
        back.insert("IsDeleted".into(), json!(false));
        if back.contains_key("MasterRecordId") {
            back.insert("MasterRecordId".into(), Value::Null);
        }
        self.commit(object, id, back, by);
        for (child, field, on_delete) in self.children(&object.name) {
            let rows = self.rows.get(&child.name).into_iter().flatten();
            let with_it: Vec<String> = rows
                .filter(|_| on_delete == OnDelete::Cascade)
                .filter(|(_, r)| {
                    r["IsDeleted"] == json!(true) && r[&field] == id && r["SystemModstamp"] == gone
                })
                .map(|(id, _)| id.clone())
                .collect();
            for other in with_it {
                self.restore(&child, &other, by)?;
            }
        }
        Ok(())
    }

    /// The objects with a field that points to this one.
    pub(super) fn children(&self, parent: &str) -> Vec<(Arc<Object>, String, OnDelete)> {
        let points = |field: &&Field| match &field.kind {
            FieldKind::Reference { to, .. } => to.iter().any(|t| t == parent),
            _ => false,
        };
        let all = self.objects.values();
        all.flat_map(|o| o.fields.iter().filter(points).map(|f| (o.clone(), f.name.clone(), f.on_delete)))
            .collect()
    }
}
