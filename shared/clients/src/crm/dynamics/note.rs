//! Writes notes (vendors/dataverse.md, *Notes*): rows of the table `annotation`. Their id is derived from the record
//! and the note, so that a note is never written twice.

use super::{
    Dynamics,
    errors::DataverseError,
    odata::{escaped, guid, set_of},
    wire::{DataverseWire, ROOT},
};
use crate::crm::{html::html, not_begun::NotBegun};
use mapping::{RecordId, child_id};
use serde_json::{Value, json};
use sync::{
    failure::{Failure, Written},
    note::Note,
};

/// The privileges that writing notes needs.
const PRIVILEGES: [&str; 4] = ["prvCreateNote", "prvAppendNote", "prvAppendToOpportunity", "prvAppendToLead"];

impl Dynamics {
    pub(super) async fn write_note(&self, record: &RecordId, note: &Note) -> Written<()> {
        let operation = format!("note at `{record}`");
        let (kind, id) = match self.id(&operation, record) {
            Ok(id) => (record.kind.as_str(), id),
            Err(failure) => return NotBegun::from(failure).written(),
        };
        let text = html(&mapping::storable(&note.text));
        let mut body = json!({ "subject": note.title(), "notetext": text });
        body[format!("objectid_{kind}@odata.bind")] = json!(format!("/{}({id})", set_of(kind)));
        let own = child_id(&["note", &id, &note.mark()]);
        match self.wire.create_only(&operation, &format!("annotations({own})"), &body).await {
            Ok(answer) if answer.is_success() => Written::Done(()),
            Ok(answer) if answer.status == 412 => Written::Exists,
            Ok(answer) => self.wire.ended(&operation, &DataverseError::of(&answer), ["subject", "notetext"]),
            Err(unanswered) => DataverseWire::unanswered(unanswered),
        }
    }

    /// The privileges for notes that the application user lacks. Only the set-up check uses it.
    pub async fn privileges_for_notes_missing(&self) -> Result<Vec<&'static str>, Failure> {
        let operation = "look at the privileges for notes";
        let asked = |path: String| async move {
            let answer = self.wire.get(operation, &format!("{ROOT}/{path}"), "").await?;
            let body = answer.json().filter(|_| answer.status == 200);
            body.ok_or_else(|| self.wire.failed(operation, &DataverseError::of(&answer)))
        };
        let user = asked("WhoAmI".to_owned()).await?["UserId"].as_str().and_then(guid);
        let user = user.ok_or_else(|| self.unreadable(operation))?;
        let names = escaped(&json!(PRIVILEGES).to_string());
        let function = "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@names)";
        let held = asked(format!("systemusers({user})/{function}?@names={names}")).await?;
        let held = held["RolePrivileges"].as_array().cloned().unwrap_or_default();
        let holds = |name: &&str| held.iter().any(|one: &Value| one["PrivilegeName"] == **name);
        Ok(PRIVILEGES.into_iter().filter(|name| !holds(name)).collect())
    }
}
