//! Merge of two leads, accounts or contacts by a person: no plain REST call does it, and yet it is seen through one.

use super::Salesforce;
use super::metadata::{Object, OnDelete};
use super::refusal::{SalesforceOutcome, bad, not_modelled};
use super::store::{SalesforceRow, SalesforceWriter};
use jiff::Timestamp;
use serde_json::json;

impl Salesforce {
    /// A person merges two rows (accounts, contacts, leads): the loser goes to the bin with `MasterRecordId`, what
    /// belonged to it belongs to the master. The master's own values stay.
    pub fn act_merge(
        &mut self,
        object: &str,
        master: &str,
        loser: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let by = SalesforceWriter::person(by, now);
        self.act(|org| {
            let object = org.named(object)?;
            org.merge(&object, master, loser, &by)
        })
    }

    fn merge(
        &mut self,
        object: &Object,
        master: &str,
        loser: &str,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        if object.field("MasterRecordId").is_none() {
            return Err(not_modelled(format!("a merge of {}", object.name)));
        }
        if master == loser {
            return Err(bad("INVALID_CROSS_REFERENCE_KEY", "a row cannot be merged with itself", &[]));
        }
        let kept = self.live(&object.name, master)?.clone();
        let gone = self.live(&object.name, loser)?.clone();
        let says = |row: &SalesforceRow, field: &str| row.get(field) == Some(&json!(true));
        if says(&kept, "IsConverted") || says(&gone, "IsConverted") {
            return Err(bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]));
        }
        if says(&kept, "IsPersonAccount") || says(&gone, "IsPersonAccount") {
            return Err(not_modelled("a merge of person accounts"));
        }
        self.check_locks(Some(master), &kept)?;
        self.move_children(object, master, loser, by);
        self.remove(object, loser, by)?;
        let mut gone = self.rows[&object.name][loser].clone();
        gone.insert("MasterRecordId".into(), json!(master));
        self.put(&object.name, loser, Some(gone));
        // Read again: an account whose parent was the loser has lost it.
        let kept = self.live(&object.name, master)?.clone();
        self.commit(object, master, kept, by);
        Ok(())
    }

    fn move_children(&mut self, object: &Object, master: &str, loser: &str, by: &SalesforceWriter) {
        for (child, field, on_delete) in self.children(&object.name) {
            if on_delete == OnDelete::Keep {
                continue;
            }
            let rows = self.rows.get(&child.name).into_iter().flatten();
            let theirs: Vec<(String, SalesforceRow)> = rows
                .filter(|(_, row)| row["IsDeleted"] != json!(true) && row[&field] == loser)
                .map(|(id, row)| (id.clone(), row.clone()))
                .collect();
            for (id, mut row) in theirs {
                // Nothing is its own parent.
                let parent =
                    if child.name == object.name && id == master { json!(null) } else { json!(master) };
                row.insert(field.clone(), parent);
                self.commit(&child, &id, row, by);
            }
        }
    }
}
