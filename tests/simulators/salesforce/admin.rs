//! What an admin, other transactions and the customer's automation do to those who write.

use super::Salesforce;
use super::checks::{DuplicateRule, Trigger, ValidationRule};
use super::people::fields;
use jiff::Timestamp;
use serde_json::{Value, json};

impl Salesforce {
    /// The recycle bin is emptied; the deletions stay in the log, unless that is purged too.
    pub fn empty_bin(&mut self) {
        for (object, rows) in &mut self.rows {
            rows.retain(|id, row| {
                let gone = row["IsDeleted"] == json!(true);
                if gone {
                    let at = row["SystemModstamp"].as_str().unwrap_or_default().to_owned();
                    self.purged.push((object.clone(), id.clone(), at));
                }
                !gone
            });
        }
    }

    /// The log of deletions begins here: who asks from earlier on must pull everything.
    pub fn purge_deleted_log(&mut self, since: Timestamp) {
        self.deleted_log_since = since;
    }

    /// From now on writes to the object (that touch the field) are refused with this message, naming these fields.
    pub fn rule(&mut self, object: &str, field: Option<&str>, message: &str, shown: &[&str]) {
        let shown = shown.iter().map(|f| (*f).to_owned()).collect();
        let (object, field, message) = (object.to_owned(), field.map(str::to_owned), message.to_owned());
        self.rules.push(ValidationRule { object, field, message, shown });
    }

    /// From now on rows that agree in all these fields with another are duplicates for the API.
    pub fn duplicate_rule(&mut self, object: &str, fields: &[&str], block: bool) {
        let fields = fields.iter().map(|f| (*f).to_owned()).collect();
        self.duplicate_rules.push(DuplicateRule { object: object.to_owned(), fields, block });
    }

    /// The next writes to the object fail in a trigger that throws this text.
    pub fn trigger(&mut self, object: &str, message: &str, times: u32) {
        self.triggers.push(Trigger { object: object.to_owned(), message: message.to_owned(), left: times });
    }

    /// From now on a flow sets these fields with every API write to the object, in the same transaction.
    pub fn flow(&mut self, object: &str, columns: Value) {
        self.flows.push((object.to_owned(), fields(columns)));
    }

    pub fn clear_rules(&mut self) {
        self.rules.clear();
        self.duplicate_rules.clear();
        self.triggers.clear();
        self.flows.clear();
        self.rewrites.clear();
    }

    /// The next so many writes that need this row find it locked by another transaction.
    pub fn lock(&mut self, id: &str, times: u32) {
        self.locks.insert(id.to_owned(), times);
    }

    /// A row goes into an approval process, or comes out of it.
    pub fn approval_process(&mut self, id: &str, running: bool) {
        match running {
            true => self.in_approval.insert(id.to_owned()),
            false => self.in_approval.remove(id),
        };
    }
}
