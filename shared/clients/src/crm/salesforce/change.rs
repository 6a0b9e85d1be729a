//! Changing an opportunity that is there: its fields under a version, its solutions' rows, and the read that shows it,
//! in one composite, all or nothing.

use super::{
    Salesforce,
    errors::Meaning,
    patch::Patch,
    rows::{
        Condition, FRESH, SOLUTION, SOLUTION_DETAIL, SOLUTION_DETAIL_LOOKUP, SOLUTION_KEY,
        SOLUTION_OPPORTUNITY, object_of, solution_of,
    },
    soql::{any_of, quoted},
    wire::{PARTS, Part},
};
use crate::crm::{
    not_begun::NotBegun,
    solution_row::{DETAIL, ListRow, columns, solution_id},
};
use jiff::Timestamp;
use mapping::{ListChange, RecordId, RecordKind, RecordPatch, names::SOLUTIONS};
use serde_json::{Value, json};
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
        let mut parts = match self.patch_parts(&operation, id, version, patch).await {
            Ok(Some(parts)) => parts,
            Ok(None) => return Written::Lost,
            Err(not_begun) => return not_begun.written(),
        };
        if parts.is_empty() {
            return Written::Done(None);
        }
        let has = match self.features().await {
            Ok(has) => has,
            Err(failure) => return NotBegun::from(failure).written(),
        };
        let own_fields_only = id.kind == RecordKind::Opportunity && patch.lists.is_empty();
        let answer = match own_fields_only.then(|| parts.pop()).flatten() {
            Some(own) => self.patched(&operation, has, Patch { id: id.id.clone(), own }).await,
            None => {
                let reads = self.parts_by_id(has, id.kind, &id.id);
                if parts.len() + reads.len() > PARTS {
                    let words = "more rows than one request of Salesforce takes";
                    return NotBegun::refused(SOLUTIONS, words).written();
                }
                let all: Vec<Part> = parts.into_iter().chain(reads).collect();
                self.wire.write(&operation, &all).await
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(&operation, unwritten),
        };
        if let Some(said) = answer.refusal() {
            self.known.forget();
            let rows = patch.lists.values().any(|change| *change != ListChange::default());
            if rows && matches!(said.meaning(), Meaning::Taken | Meaning::Gone) {
                // A row that somebody else just added or took away: read again and decide again.
                return Written::Lost;
            }
            return self.wire.ended(&operation, &said, patch.columns.keys().map(String::as_str));
        }
        // It happened; a read that failed only means that nothing is shown.
        Written::Done(self.shown(id.kind, &answer).ok().flatten())
    }

    async fn patch_parts(
        &self,
        operation: &str,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
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
            parts.extend(self.list_parts(operation, id, change).await?);
        }
        Ok(Some(parts))
    }

    /// What a write of the row in this version is conditional on. `None`: it shows something else by now.
    pub(super) async fn modified(
        &self,
        operation: &str,
        kind: RecordKind,
        id: &str,
        version: &Version,
    ) -> Result<Option<Timestamp>, NotBegun> {
        match Condition::of(version) {
            Condition::Modified(modified) => Ok(Some(modified)),
            Condition::Fresh(digest) => self.aged(operation, kind, id, &digest).await,
            Condition::None => {
                Err(NotBegun::refused("SystemModstamp", format!("`{}` is no version", version.token)))
            }
        }
    }

    /// A version that was too fresh to be a condition, looked at again: since when the row shows what it showed then.
    /// `None`: it shows something else.
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
        match fields.version(row, looked.date).map(|version| Condition::of(&version)) {
            Some(Condition::Modified(modified)) => Ok(Some(modified)),
            _ => {
                let mut failure =
                    self.wire.retryable(operation, "changed a moment ago: its stamp is too fresh");
                failure.class = Class::Retryable { after: Some(FRESH) };
                Err(failure.into())
            }
        }
    }

    async fn list_parts(
        &self,
        operation: &str,
        id: &str,
        change: &ListChange,
    ) -> Result<Vec<Part>, NotBegun> {
        let mut looks: Vec<Part> = self.details_query(&change.add)?.into_iter().collect();
        if !change.remove.is_empty() {
            let select = self.fields.solution_select();
            let of = quoted(id);
            let soql = format!("SELECT {select} FROM {SOLUTION} WHERE {SOLUTION_OPPORTUNITY} = {of}");
            looks.push(Part::query("present", &soql));
        }
        if looks.is_empty() {
            return Ok(vec![]);
        }
        let found = self.wire.look(operation, &looks).await?;
        let rows = |reference: &str| match looks.iter().any(|look| look.reference == reference) {
            true => found.rows(reference).map_err(|said| self.wire.failed(operation, &said)),
            false => Ok(vec![]),
        };
        let mut parts = self.solution_parts(id, &change.add, &rows("details")?)?;
        for row in rows("present")? {
            let goes = solution_of(&row)
                .filter(|(key, _)| change.remove.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
            if let Some((_, row)) = goes {
                parts.push(Part::delete(format!("gone{}", parts.len()), SOLUTION, row));
            }
        }
        Ok(parts)
    }

    /// The query that finds the catalogue's rows of these.
    pub(super) fn details_query(&self, rows: &[ListRow]) -> Result<Option<Part>, NotBegun> {
        let keys = rows.iter().map(|row| solution_id(row, SOLUTION_KEY)).collect::<Result<Vec<_>, _>>()?;
        let soql = format!(
            "SELECT Id, {SOLUTION_KEY} FROM {SOLUTION_DETAIL} WHERE {SOLUTION_KEY} IN ({})",
            any_of(&keys)
        );
        Ok((!keys.is_empty()).then(|| Part::query("details", &soql)))
    }

    /// Rows of the catalogue that are missing, and rows of the list, of an opportunity given by id or reference.
    pub(super) fn solution_parts(
        &self,
        opportunity: &str,
        rows: &[ListRow],
        known: &[Value],
    ) -> Result<Vec<Part>, NotBegun> {
        let mut parts = vec![];
        let mut seen: Vec<&str> = vec![];
        for (n, row) in rows.iter().enumerate() {
            let key = solution_id(row, SOLUTION_KEY)?;
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let same = |row: &&Value| row[SOLUTION_KEY].as_str().is_some_and(|k| k.eq_ignore_ascii_case(key));
            let detail = match known.iter().find(same).and_then(|row| row["Id"].as_str()) {
                Some(id) => id.to_owned(),
                None if !self.map.switches().add_unknown_solutions => {
                    let field = format!("{DETAIL}{SOLUTION_KEY}");
                    return Err(NotBegun::refused(
                        &field,
                        format!("solution `{key}` is not in the catalogue"),
                    ));
                }
                None => {
                    let mut body = self.body(&columns(row, true))?;
                    body.insert(SOLUTION_KEY.to_owned(), json!(key));
                    body.entry("Name").or_insert_with(|| json!(key));
                    parts.push(Part::create(format!("detail{n}"), SOLUTION_DETAIL, Value::Object(body)));
                    format!("@{{detail{n}.id}}")
                }
            };
            let mut body = self.body(&columns(row, false))?;
            body.insert(SOLUTION_OPPORTUNITY.to_owned(), json!(opportunity));
            body.insert(SOLUTION_DETAIL_LOOKUP.to_owned(), json!(detail));
            parts.push(Part::create(format!("solution{n}"), SOLUTION, Value::Object(body)));
        }
        Ok(parts)
    }
}
