//! The permission set of the connector's user: creates, fills and assigns it, and grants no right twice.

use crate::crm::salesforce::{Salesforce, composite::Part, soql::quoted};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use sync::failure::Failure;

/// Its API name in the shipped metadata.
pub const PERMISSION_SET: &str = "Cosell_Connector";
const LABEL: &str = "Co-sell connector";

/// The rights to an object beside reading, creating and editing rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRights {
    /// Whether rows may be deleted.
    pub delete: bool,
    /// Whether rows of all owners are visible.
    pub view_all: bool,
}

/// What this command has granted; what was granted before is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The permission set was created.
    pub set: bool,
    /// Objects to which rights were granted.
    pub objects: Vec<String>,
    /// Fields to which rights were granted, with their objects.
    pub fields: Vec<String>,
    /// The set was assigned to the user.
    pub assigned: bool,
}

impl Salesforce {
    /// Gives the user these rights by the connector's permission set. `objects` must be in the order in which rights
    /// depend on each other. `None`: there is no such user.
    pub async fn grant(
        &self,
        username: &str,
        objects: &[(&str, ObjectRights)],
        fields: &BTreeSet<(String, String)>,
    ) -> Result<Option<Granted>, Failure> {
        let of = |path: &str| format!("{path} = {}", quoted(PERMISSION_SET));
        let parts = [
            Part::query("set", &format!("SELECT Id FROM PermissionSet WHERE {}", of("Name"))),
            Part::query("user", &format!("SELECT Id FROM User WHERE Username = {}", quoted(username))),
            Part::query(
                "objects",
                &format!(
                    "SELECT Id, SobjectType, PermissionsRead, PermissionsCreate, PermissionsEdit, PermissionsDelete, PermissionsViewAllRecords FROM ObjectPermissions WHERE {}",
                    of("Parent.Name")
                ),
            ),
            Part::query(
                "fields",
                &format!(
                    "SELECT Id, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE {}",
                    of("Parent.Name")
                ),
            ),
            Part::query(
                "assigned",
                &format!("SELECT AssigneeId FROM PermissionSetAssignment WHERE {}", of("PermissionSet.Name")),
            ),
        ];
        let operation = "look at the permission set";
        let shown = self.wire.look(operation, &parts).await?;
        let rows = |name: &str| shown.rows(name).map_err(|said| self.wire.failed(operation, &said));
        let first = |rows: Vec<Value>| rows.first().and_then(|row| row["Id"].as_str().map(str::to_owned));
        let Some(user) = first(rows("user")?) else { return Ok(None) };
        let mut granted = Granted::default();
        let set = match first(rows("set")?) {
            Some(set) => set,
            None => {
                granted.set = true;
                let body = json!({ "Name": PERMISSION_SET, "Label": LABEL });
                self.write_rights(&[Part::create("set", "PermissionSet", body)]).await?;
                let soql = format!("SELECT Id FROM PermissionSet WHERE {}", of("Name"));
                let made = first(self.rows(operation, &soql).await?);
                made.ok_or_else(|| self.wire.unusable(operation, "it was made and is not there"))?
            }
        };
        let mut parts = vec![];
        let held = by_name(&rows("objects")?, "SobjectType");
        for (name, rights) in objects {
            let wanted = json!({ "PermissionsRead": true, "PermissionsCreate": true, "PermissionsEdit": true,
                "PermissionsDelete": rights.delete, "PermissionsViewAllRecords": rights.view_all });
            let about = json!({ "ParentId": set, "SobjectType": name });
            if let Some(part) = right(parts.len(), "ObjectPermissions", held.get(*name), &wanted, &about) {
                parts.push(part);
                granted.objects.push((*name).to_owned());
            }
        }
        let held = by_name(&rows("fields")?, "Field");
        for (object, field) in fields {
            let full = format!("{object}.{field}");
            let wanted = json!({ "PermissionsRead": true, "PermissionsEdit": true });
            let about = json!({ "ParentId": set, "SobjectType": object, "Field": full });
            if let Some(part) = right(parts.len(), "FieldPermissions", held.get(&full), &wanted, &about) {
                parts.push(part);
                granted.fields.push(full);
            }
        }
        if !rows("assigned")?.iter().any(|row| row["AssigneeId"] == user.as_str()) {
            let body = json!({ "PermissionSetId": set, "AssigneeId": user });
            parts.push(Part::create("assignment", "PermissionSetAssignment", body));
            granted.assigned = true;
        }
        self.write_rights(&parts).await?;
        Ok(Some(granted))
    }

    async fn write_rights(&self, parts: &[Part]) -> Result<(), Failure> {
        let operation = "grant rights";
        let done = self.wire.write_in_turn(operation, parts).await;
        match done.map_err(|unwritten| self.wire.unwritten_failure(operation, unwritten))?.refusal() {
            None => Ok(()),
            Some(said) => Err(self.wire.failed(operation, &said)),
        }
    }
}

/// The request that gives a row all rights that are wanted; `None`: it has them.
fn right(n: usize, object: &str, held: Option<&Value>, wanted: &Value, about: &Value) -> Option<Part> {
    let missing = |row: &Value| {
        wanted.as_object().into_iter().flatten().any(|(name, value)| value == true && row[name] != true)
    };
    match held {
        Some(row) if !missing(row) => None,
        Some(row) => {
            let granted = wanted.as_object().into_iter().flatten().filter(|(_, value)| **value == true);
            let body: Value = granted.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(Part::update(format!("right{n}"), object, row["Id"].as_str()?, body))
        }
        None => {
            let all = [wanted, about].into_iter().filter_map(Value::as_object).flatten();
            let body: Value = all.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(Part::create(format!("right{n}"), object, body))
        }
    }
}

fn by_name(rows: &[Value], name: &str) -> BTreeMap<String, Value> {
    rows.iter().filter_map(|row| Some((row[name].as_str()?.to_owned(), row.clone()))).collect()
}
