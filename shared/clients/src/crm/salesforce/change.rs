//! Changes an opportunity or lead that exists: its fields under a version, the rows of its solutions, and the read of
//! the record after it, in one composite of which all or nothing is carried out.

use super::{
    Salesforce,
    composite::Part,
    errors::SalesforceMeaning,
    patch::Patch,
    rows::{FRESH, Precondition, object_of},
    soql::quoted,
};
use crate::crm::not_begun::NotBegun;
use jiff::Timestamp;
use mapping::{ListChange, RecordId, RecordKind, RecordPatch, names::SOLUTIONS};
use serde_json::Value;
use sync::{
    failure::{Class, Written},
    ports::Seen,
    version::Version,
};

impl Salesforce {
    pub(super) async fn patch_record(
        &self,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> Written<Option<Seen>> {
        let operation = format!("patch `{id}`");
        let has = match self.features().await {
            Ok(has) => has,
            Err(failure) => return NotBegun::from(failure).written(),
        };
        let reads = self.parts_by_id(has, id.kind, &id.id);
        let mut parts = match self.patch_parts(&operation, id, version, patch, reads.len()).await {
            Ok(Some(parts)) => parts,
            Ok(None) => return Written::Lost,
            Err(not_begun) => return not_begun.written(),
        };
        if parts.is_empty() {
            return Written::Done(None);
        }
        let own_fields_only = id.kind == RecordKind::Opportunity && patch.lists.is_empty();
        let answer = match own_fields_only.then(|| parts.pop()).flatten() {
            Some(own) => self.patched(&operation, has, Patch { id: id.id.clone(), own }).await,
            None => {
                parts.extend(reads);
                self.wire.write(&operation, &parts).await
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(&operation, unwritten),
        };
        if let Some(said) = answer.refusal() {
            self.known.forget();
            let rows = patch.lists.values().any(|change| *change != ListChange::default());
            if rows && matches!(said.meaning(), SalesforceMeaning::Taken | SalesforceMeaning::Gone) {
                // Another run or a user has just added or deleted this row: read again and decide again.
                return Written::Lost;
            }
            return self.wire.ended(&operation, &said, patch.columns.keys().map(String::as_str));
        }
        // The composite was carried out; if a read in it failed, only the record after it is missing.
        Written::Done(self.shown(id.kind, &answer).ok().flatten())
    }

    async fn patch_parts(
        &self,
        operation: &str,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
        reads: usize,
    ) -> Result<Option<Vec<Part>>, NotBegun> {
        let (kind, id) = (id.kind, self.id(operation, id)?);
        if let Some(list) = patch.lists.keys().find(|list| *list != SOLUTIONS) {
            return Err(NotBegun::refused(list, "only the list of solutions is written"));
        }
        let Some(modified) = self.modified(operation, kind, id, version).await? else { return Ok(None) };
        let body = self.body(&patch.columns)?;
        let mut parts = vec![];
        if !body.is_empty() {
            let own = Part::update("own", object_of(kind), id, Value::Object(body));
            parts.push(own.unmodified_since(modified));
        }
        if let Some(change) = patch.lists.get(SOLUTIONS) {
            let solutions = self.changed_solutions(operation, id, change).await?;
            let others = parts.len() + reads;
            parts.extend(self.with_catalogue(operation, solutions, others).await?);
        }
        Ok(Some(parts))
    }

    /// The instant since which the row must be unmodified for a write under this version. `None`: the row has other
    /// values by now.
    pub(super) async fn modified(
        &self,
        operation: &str,
        kind: RecordKind,
        id: &str,
        version: &Version,
    ) -> Result<Option<Timestamp>, NotBegun> {
        match Precondition::of(version) {
            Precondition::Modified(modified) => Ok(Some(modified)),
            Precondition::Fresh(digest) => self.aged(operation, kind, id, &digest).await,
            Precondition::None => {
                Err(NotBegun::refused("SystemModstamp", format!("`{}` is no version", version.token)))
            }
        }
    }

    /// The same for a version that was too fresh to be a condition: the row is read again. `None`: it has other values
    /// than it had in that version.
    async fn aged(
        &self,
        operation: &str,
        kind: RecordKind,
        id: &str,
        digest: &str,
    ) -> Result<Option<Timestamp>, NotBegun> {
        let (fields, object) = (self.fields_of(kind), object_of(kind));
        let soql = format!("SELECT {} FROM {object} WHERE Id = {}", fields.own_select(), quoted(id));
        let looked = self.wire.look(operation, &[Part::query("own", &soql)]).await?;
        let rows = looked.rows("own").map_err(|said| self.wire.failed(operation, &said))?;
        let Some(row) = rows.first().filter(|row| fields.digest(row) == digest) else { return Ok(None) };
        match fields.version(row, looked.date).map(|version| Precondition::of(&version)) {
            Some(Precondition::Modified(modified)) => Ok(Some(modified)),
            _ => {
                let mut failure =
                    self.wire.retryable(operation, "changed a moment ago: its stamp is too fresh");
                failure.class = Class::Retryable { after: Some(FRESH) };
                Err(failure.into())
            }
        }
    }
}
