//! Writes notes (vendors/salesforce.md, *Notes*): a `ContentNote` and its link to the record, both or none, in one
//! composite. Salesforce would accept the same note twice, so the record's notes are read first.

use super::{
    Salesforce,
    composite::{Composite, Part},
    soql::quoted,
};
use crate::crm::{html::html, not_begun::NotBegun};
use base64::{Engine, engine::general_purpose::STANDARD};
use mapping::RecordId;
use serde_json::json;
use sync::{
    failure::{Refused, Written},
    note::Note,
};

/// The reference of the part that creates the note.
const NOTE: &str = "refNote";

impl Salesforce {
    pub(super) async fn write_note(&self, record: &RecordId, note: &Note) -> Written<()> {
        let operation = format!("note at `{record}`");
        match self.has_note(&operation, record, &note.mark()).await {
            Ok(false) => {}
            Ok(true) => return Written::Exists,
            Err(not_begun) => return not_begun.written(),
        }
        let content = STANDARD.encode(html(&mapping::storable(&note.text)));
        let link = json!({ "ContentDocumentId": format!("@{{{NOTE}.id}}"), "LinkedEntityId": record.id,
                           "ShareType": "V" });
        let parts = [
            Part::create(NOTE, "ContentNote", json!({ "Title": note.title(), "Content": content })),
            Part::create("refLink", "ContentDocumentLink", link),
        ];
        let answer = match self.wire.write(&operation, &parts).await {
            Ok(answer) => answer,
            Err(unwritten) => return self.wire.unwritten(&operation, unwritten),
        };
        match answer.refusal() {
            None => Written::Done(()),
            Some(said) if is_off(&answer) => {
                let text = format!("Notes are off (Setup, Notes Settings, Enable Notes): {said}");
                Written::Refused(Refused { field: None, text })
            }
            Some(said) => self.wire.ended(&operation, &said, ["Title", "Content"]),
        }
    }

    /// Whether one of the record's notes has this mark in its title.
    async fn has_note(&self, operation: &str, record: &RecordId, mark: &str) -> Result<bool, NotBegun> {
        let of = quoted(self.id(operation, record)?);
        let soql = format!(
            "SELECT ContentDocumentId, ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId = {of}"
        );
        let looked = self.wire.look(operation, &[Part::query("notes", &soql)]).await?;
        let rows = looked.rows("notes").map_err(|said| self.wire.failed(operation, &said))?;
        let title = |row: &serde_json::Value| {
            row["ContentDocument"]["Title"].as_str().is_some_and(|title| title.contains(mark))
        };
        Ok(rows.iter().any(title))
    }
}

/// Whether Notes are switched off: the object then does not exist.
fn is_off(answer: &Composite) -> bool {
    answer.said(NOTE).is_some_and(|said| ["NOT_FOUND", "INVALID_TYPE"].contains(&said.code.as_str()))
}
