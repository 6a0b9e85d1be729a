//! What a write does to the rows once it is there: conditions, alternate keys, all or nothing.

use super::{Columns, SYNC, Shape, is_mapped};
use crate::{invariant::Invariant, trace::short, world::State};
use mapping::{Action, CrmValue, NewRecord, RecordId, RecordKind, RecordPatch, child_id};
use serde_json::{Value, json};
use std::sync::Arc;
use sync::version::Version;

/// How a write ended.
pub(crate) enum Ended {
    Done,
    Lost,
    Exists,
    Refused(Option<String>, String),
}

pub(super) fn plain(value: &CrmValue) -> Value {
    match value {
        CrmValue::Plain(value) => value.clone(),
        CrmValue::Lookup { value, .. } => value.clone().map_or(Value::Null, Value::String),
    }
}

impl State {
    pub(super) fn is_current(&self, shape: &Shape, version: &Version) -> bool {
        match self.faults.sort.stamps {
            true => shape.is_unmodified(version),
            false => shape.numbered().token == version.token,
        }
    }

    pub(crate) fn patch_record(&mut self, id: &RecordId, version: &Version, patch: &RecordPatch) -> Ended {
        // No `If-Match` at all: whoever is not there is created.
        let upsert = version.token.is_empty().then(|| Shape::empty_of(id.kind, &id.id));
        let Some(before) = self.crm.now(&id.id).cloned().or(upsert.map(Arc::new)) else {
            return Ended::Refused(None, "404".into());
        };
        // A change of child rows alone carries no version of the record.
        let condition = !patch.columns.is_empty() && !["", "*"].contains(&version.token.as_str());
        if condition && !self.is_current(&before, version) {
            return Ended::Lost;
        }
        if !before.is_open() {
            return Ended::Refused(None, "the record is closed".into());
        }
        // What was made of a lead shows No before anybody has said so.
        let born = before.lead.is_some() && patch.columns.contains_key(SYNC);
        // Its seller reads who names it; nothing else goes to a record that was never given to Partner Center.
        let audit = patch.columns.keys().all(|column| column == "cosell_audit");
        let told = audit && self.table.get(&sync::table::Key::record(id), self.now).is_none();
        if condition && !born && !told && before.own.get(SYNC) == Some(&json!(false)) {
            let words = format!("we wrote to record {} although its Sync is No", short(&id.id));
            self.violate(Invariant::Sync, words);
        }
        let mut after = Shape::clone(&before);
        for (column, value) in &patch.columns {
            if !is_mapped(before.kind, column) {
                self.violate(
                    Invariant::Mapped,
                    format!("we wrote the column `{column}`, which is not mapped"),
                );
            }
            after.own.insert(column.clone(), plain(value));
        }
        for change in patch.lists.values() {
            for row in &change.add {
                let row: Columns = row.iter().map(|(c, v)| (c.clone(), plain(v))).collect();
                let child = child_of(&id.id, &row);
                let same =
                    |r: &Columns| r.get("detail.cosell_solutionid") == row.get("detail.cosell_solutionid");
                if after.solutions.contains_key(&child)
                    || before.solutions.values().any(same) && after.solutions.contains_key(&child)
                {
                    return Ended::Lost;
                }
                after.solutions.insert(child, row);
            }
            for key in &change.remove {
                after.solutions.retain(|_, row| row.get("detail.cosell_solutionid") != Some(&json!(key)));
            }
        }
        self.keep(&id.id, Some(after), true);
        Ended::Done
    }

    pub(crate) fn close_record(&mut self, id: &str, action: &Action, ours: bool) -> Ended {
        let Some(before) = self.crm.now(id).cloned() else {
            return Ended::Refused(None, "404".into());
        };
        if !before.is_open() {
            return Ended::Refused(Some("statecode".into()), "the opportunity is already closed".into());
        }
        let mut after = Shape::clone(&before);
        let (state, status) = match action {
            Action::Win { status } => (1, *status),
            Action::Lose { status, .. } => (2, *status),
        };
        after.own.insert("statecode".into(), json!(state));
        after.own.insert("statuscode".into(), json!(status));
        self.keep(id, Some(after), ours);
        Ended::Done
    }

    /// `account_was_there`: what the sender found when it looked; `None`: the request carries its own look.
    pub(crate) fn create_record(&mut self, new: &NewRecord, account_was_there: Option<bool>) -> Ended {
        let id = made_for(new);
        let taken = |(other, shape): (&String, &Shape)| {
            *other == id || shape.kind == new.kind && shape.referral() == Some(new.referral.as_str())
        };
        if self.crm.all().any(taken) {
            return Ended::Exists;
        }
        if new.kind == RecordKind::Opportunity {
            let there = self.crm.accounts.contains_key(&new.account.key);
            if account_was_there.is_some_and(|was| !was) && there {
                return Ended::Lost;
            }
            *self.crm.accounts.entry(new.account.key.clone()).or_default() |= 1;
        }
        let mut shape = Shape::empty_of(new.kind, &id);
        for (column, value) in &new.columns {
            if !is_mapped(new.kind, column) {
                self.violate(
                    Invariant::Mapped,
                    format!("we wrote the column `{column}`, which is not mapped"),
                );
            }
            shape.own.insert(column.clone(), plain(value));
        }
        if new.kind == RecordKind::Opportunity {
            shape.belongs_to(new);
        }
        for row in new.lists.values().flatten() {
            let row: Columns = row.iter().map(|(c, v)| (c.clone(), plain(v))).collect();
            shape.solutions.insert(child_of(&id, &row), row);
        }
        self.keep(&id, Some(shape), true);
        Ended::Done
    }
}

/// The id of the record that is made for a referral: always the same.
pub(crate) fn made_for(new: &NewRecord) -> String {
    child_id(&[new.kind.as_str(), new.referral.as_str()])
}

/// The id of a child row of ours: the same for the same solution of the same record.
fn child_of(record: &str, row: &Columns) -> String {
    let key = row.get("detail.cosell_solutionid").and_then(Value::as_str).unwrap_or_default();
    child_id(&["solution", record, key])
}
