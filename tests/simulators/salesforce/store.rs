//! The rows and the rules every write obeys, whoever writes: stamps, stages, cascades, the recycle bin, transactions.

use super::Salesforce;
use super::ids;
use super::metadata::{Field, FieldKind, Object};
use super::refusal::{SalesforceOutcome, in_the_bin, no_such_row};
use super::times;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// A row: every field of its object by name, null where empty.
pub type SalesforceRow = Map<String, Value>;

/// Who writes, when, and by which way.
#[derive(Clone, Debug)]
pub(super) struct SalesforceWriter {
    pub user: String,
    pub now: Timestamp,
    /// Seconds by which the stamps lie before the commit: a slow transaction.
    pub late: i64,
    /// Through the API: field-level security and duplicate rules count.
    pub api: bool,
    /// `allowSave=true`: alert rules do not count.
    pub allow_save: bool,
}

impl SalesforceWriter {
    pub(super) fn person(user: &str, now: Timestamp) -> Self {
        SalesforceWriter { user: user.to_owned(), now, late: 0, api: false, allow_save: true }
    }

    pub(super) fn stamp(&self) -> Value {
        json!(times::stamp(self.now - SignedDuration::from_secs(self.late)))
    }
}

/// What a field holds in a new row.
pub(super) fn initial(field: &Field) -> Value {
    match (&field.kind, &field.default) {
        (FieldKind::Boolean, default) => json!(default.as_deref() == Some("true")),
        (_, Some(default)) if default != "@" => json!(default),
        _ => Value::Null,
    }
}

impl Salesforce {
    pub(super) fn live(&self, object: &str, id: &str) -> SalesforceOutcome<&SalesforceRow> {
        match self.row(object, id) {
            None => Err(no_such_row()),
            Some(row) if row["IsDeleted"] == json!(true) => Err(in_the_bin()),
            Some(row) => Ok(row),
        }
    }

    /// Ids of the rows, those in the bin aside, whose field has this text.
    pub(super) fn matching(&self, object: &Object, field: &Field, text: &str) -> Vec<String> {
        let text = if self.switches.trims_text { text.trim() } else { text };
        let same = |held: &str| match field.case_sensitive {
            true => held == text,
            false => held.to_lowercase() == text.to_lowercase(),
        };
        let rows = self.rows.get(&object.name).into_iter().flatten();
        rows.filter(|(_, row)| row["IsDeleted"] != json!(true))
            .filter(|(_, row)| row[&field.name].as_str().is_some_and(same))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        self.last_id += 1;
        ids::numbered(prefix, self.last_id)
    }

    pub(super) fn insert(
        &mut self,
        object: &Object,
        changes: SalesforceRow,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<String> {
        let mut row: SalesforceRow = object.fields.iter().map(|f| (f.name.clone(), initial(f))).collect();
        for field in object.fields.iter().filter(|f| f.default.as_deref() == Some("@")) {
            let found = self.rows("LeadStatus").into_iter().find(|row| row["IsDefault"] == json!(true));
            row.insert(field.name.clone(), found.map_or(Value::Null, |row| row["ApiName"].clone()));
        }
        if object.field("OwnerId").is_some() {
            row.insert("OwnerId".into(), json!(by.user));
        }
        if object.field("CurrencyIsoCode").is_some() && self.switches.multi_currency {
            row.insert("CurrencyIsoCode".into(), json!(self.switches.currency));
        }
        row.extend(changes.clone());
        self.settle(object, None, &mut row, &changes, by)?;
        let id = self.new_id(&object.prefix);
        if let Some(FieldKind::AutoNumber(prefix)) = object.field("Name").map(|f| &f.kind) {
            row.insert("Name".into(), json!(format!("{prefix}{:05}", self.last_id)));
        }
        self.check(object, None, &row, &changes, by)?;
        row.insert("Id".into(), json!(id));
        row.insert("CreatedDate".into(), by.stamp());
        row.insert("CreatedById".into(), json!(by.user));
        self.commit(object, &id, row, by);
        self.after(object, &id, &changes, by);
        Ok(id)
    }

    pub(super) fn update(
        &mut self,
        object: &Object,
        id: &str,
        changes: SalesforceRow,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        let old = self.live(&object.name, id)?.clone();
        let mut row = old.clone();
        row.extend(changes.clone());
        self.settle(object, Some(&old), &mut row, &changes, by)?;
        self.check(object, Some((id, &old)), &row, &changes, by)?;
        self.commit(object, id, row, by);
        self.after(object, id, &changes, by);
        Ok(())
    }

    /// What follows from the values: names, stages, addresses, and what a customer's flow sets.
    fn settle(
        &self,
        object: &Object,
        old: Option<&SalesforceRow>,
        row: &mut SalesforceRow,
        changes: &SalesforceRow,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        for (_, set) in self.flows.iter().filter(|(name, _)| by.api && *name == object.name) {
            row.extend(set.clone());
        }
        self.rewrite_fields(object, row, changes)?;
        let person = row.get("IsPersonAccount") == Some(&json!(true));
        if ["Contact", "Lead", "User"].contains(&object.name.as_str()) || person {
            let part = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let name = format!("{} {}", part("FirstName"), part("LastName")).trim().to_owned();
            row.insert("Name".into(), json!(name));
        }
        if object.name == "Task" {
            row.insert("IsClosed".into(), json!(row["Status"] == "Completed"));
        }
        if object.name == "OpportunityTeamMember" {
            let user = row["UserId"].as_str().and_then(|id| self.row("User", id));
            row.insert("Name".into(), user.map_or(Value::Null, |user| user["Name"].clone()));
        }
        Self::settle_products(object, old, row);
        self.settle_places(&object.name, old.is_none(), row, changes)?;
        self.settle_stage(object, old, row, changes);
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        object: &Object,
        id: &str,
        mut row: SalesforceRow,
        by: &SalesforceWriter,
    ) {
        for name in ["LastModifiedDate", "SystemModstamp"] {
            row.insert(name.into(), by.stamp());
        }
        row.insert("LastModifiedById".into(), json!(by.user));
        self.put(&object.name, id, Some(row));
        if by.api {
            self.touched.push((object.name.clone(), id.to_owned()));
        }
    }

    /// Writes a row as it is, or takes it away; remembered while a transaction is open.
    pub(super) fn put(&mut self, object: &str, id: &str, row: Option<SalesforceRow>) {
        let rows = self.rows.entry(object.to_owned()).or_default();
        let old = match row {
            Some(row) => rows.insert(id.to_owned(), row),
            None => rows.remove(id),
        };
        if let Some(journal) = &mut self.journal {
            journal.push((object.to_owned(), id.to_owned(), old));
        }
    }

    /// What a write does to other rows.
    fn after(&mut self, object: &Object, id: &str, changes: &SalesforceRow, by: &SalesforceWriter) {
        if object.name == "OpportunityContactRole" && changes.get("IsPrimary") == Some(&json!(true)) {
            let deal = self.rows[&object.name][id]["OpportunityId"].clone();
            let others = self.rows[&object.name].iter();
            let others: Vec<(String, SalesforceRow)> = others
                .filter(|(other, row)| {
                    *other != id && row["OpportunityId"] == deal && row["IsPrimary"] == json!(true)
                })
                .map(|(other, row)| (other.clone(), row.clone()))
                .collect();
            for (other, mut row) in others {
                row.insert("IsPrimary".into(), json!(false));
                self.commit(object, &other, row, by);
            }
        }
        if object.name == "ContentNote" {
            let note = &self.rows["ContentNote"][id];
            let document = json!({ "Title": note["Title"], "OwnerId": note["OwnerId"], "FileType": "SNOTE" });
            self.furnish_row("ContentDocument", Some(id), document);
        }
        if object.name == "Account" {
            self.carry_person(id, by);
        }
    }

    /// Runs several writes as one transaction: the one that is open, or one of its own.
    pub(super) fn atomically<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> SalesforceOutcome<T>,
    ) -> SalesforceOutcome<T> {
        let outer = self.journal.replace(vec![]);
        let outcome = act(self);
        let inner = self.journal.take().unwrap_or_default();
        match (&outcome, outer) {
            (Ok(_), Some(mut outer)) => {
                outer.extend(inner);
                self.journal = Some(outer);
            }
            (Ok(_), None) => {}
            (Err(_), outer) => {
                for (object, id, old) in inner.into_iter().rev() {
                    self.touched.retain(|(o, i)| *o != object || *i != id);
                    self.put(&object, &id, old);
                }
                self.journal = outer;
            }
        }
        outcome
    }
}
