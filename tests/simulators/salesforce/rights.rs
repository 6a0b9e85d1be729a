//! Who may see and write what: field-level security by permission sets, rights on objects, and what tests take away.

use super::metadata::{Field, Object};
use super::refusal::{SalesforceOutcome, bad, refuse};
use super::store::SalesforceRow;
use super::{PERMISSION_SET, Salesforce};
use serde_json::{Value, json};
use std::sync::Arc;

impl Salesforce {
    /// An object that is there at all in this org.
    pub(super) fn object(&self, name: &str) -> Option<Arc<Object>> {
        self.objects.get(name).filter(|object| self.has(object.feature)).cloned()
    }

    /// Whether a user may `read`, `create`, `edit` or `delete` rows of an object.
    pub(super) fn may(&self, object: &Object, user: &str, right: &str) -> bool {
        if self.denied.iter().any(|(o, r)| *o == object.name && r == right) {
            return false;
        }
        const RIGHTS: [&str; 4] =
            ["PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"];
        if right != "read" && RIGHTS.contains(&object.name.as_str()) && !self.may_customize(user) {
            return false;
        }
        if !object.custom() || !self.switches.object_permissions {
            return true;
        }
        let column = match right {
            "read" => "PermissionsRead",
            "create" => "PermissionsCreate",
            "edit" => "PermissionsEdit",
            _ => "PermissionsDelete",
        };
        let sets = self.sets_of(user);
        self.rows("ObjectPermissions").iter().any(|row| {
            row["SobjectType"] == object.name.as_str()
                && row[column] == json!(true)
                && sets.iter().any(|set| row["ParentId"] == set.as_str())
        })
    }

    /// As [`Self::may`], told as the vendor tells it.
    pub(super) fn demand_right(&self, object: &Object, user: &str, right: &str) -> SalesforceOutcome<()> {
        if self.may(object, user, right) {
            return Ok(());
        }
        let status = self.switches.access_status;
        Err(refuse(status, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
    }

    /// Read and edit right of a user on a field. A required field is open to everybody.
    pub(super) fn access(&self, object: &Object, field: &Field, user: &str) -> (bool, bool) {
        let taken = |what: &str| {
            self.denied_fields.iter().any(|(o, f, w)| *o == object.name && *f == field.name && w == what)
        };
        if taken("read") {
            return (false, false);
        }
        let edit = !taken("edit");
        if !field.custom() || field.required {
            return (true, edit);
        }
        let (sets, full) = (self.sets_of(user), format!("{}.{}", object.name, field.name));
        let rows = self.rows("FieldPermissions");
        let given: Vec<&&SalesforceRow> = rows
            .iter()
            .filter(|row| {
                row["Field"] == full.as_str() && sets.iter().any(|set| row["ParentId"] == set.as_str())
            })
            .collect();
        let any = |name: &str| given.iter().any(|row| row[name] == json!(true));
        (any("PermissionsRead"), edit && any("PermissionsEdit"))
    }

    /// A field that is there, and that this user may read (`None`: a person, who sees all).
    pub(super) fn visible<'a>(
        &self,
        object: &'a Object,
        name: &str,
        user: Option<&str>,
    ) -> Option<&'a Field> {
        let field = object.field(name).filter(|field| self.has(field.feature))?;
        user.is_none_or(|user| self.access(object, field, user).0).then_some(field)
    }

    fn sets_of(&self, user: &str) -> Vec<String> {
        let rows = self.rows("PermissionSetAssignment");
        let own = rows.iter().filter(|row| row["AssigneeId"] == user);
        own.filter_map(|row| row["PermissionSetId"].as_str()).map(str::to_owned).collect()
    }

    /// The integration users' permission set gives these rights on a field; both false: none.
    pub fn grant(&mut self, object: &str, field: &str, read: bool, edit: bool) {
        let full = format!("{object}.{field}");
        if let Some(rows) = self.rows.get_mut("FieldPermissions") {
            rows.retain(|_, row| row["Field"] != full.as_str() || row["ParentId"] != PERMISSION_SET);
        }
        if read {
            let row = json!({ "ParentId": PERMISSION_SET, "SobjectType": object, "Field": full,
                "PermissionsRead": true, "PermissionsEdit": edit });
            self.furnish_row("FieldPermissions", None, row);
        }
    }

    /// Takes a right from every API user: on a field (`read`, `edit`).
    pub fn deny_field(&mut self, object: &str, field: &str, right: &str) {
        self.denied_fields.push((object.to_owned(), field.to_owned(), right.to_owned()));
    }

    /// Takes a right from every API user: on an object (`read`, `create`, `edit`, `delete`).
    pub fn deny(&mut self, object: &str, right: &str) {
        self.denied.push((object.to_owned(), right.to_owned()));
    }

    /// A row that API users may not refer to.
    pub fn deny_row(&mut self, id: &str) {
        self.out_of_reach.insert(id.to_owned());
    }

    /// Gives back all that was taken; what permission sets do not grant stays away.
    pub fn allow_all(&mut self) {
        self.denied_fields.clear();
        self.denied.clear();
        self.out_of_reach.clear();
    }

    /// Permissions name a field and an object that are there, once per permission set, and no edit without read.
    pub(super) fn check_rights_row(
        &self,
        object: &Object,
        old: Option<(&str, &SalesforceRow)>,
        row: &SalesforceRow,
    ) -> SalesforceOutcome<()> {
        let about = match object.name.as_str() {
            "FieldPermissions" => "Field",
            "ObjectPermissions" => "SobjectType",
            _ => return Ok(()),
        };
        let kind = row["SobjectType"].as_str().unwrap_or_default();
        let known = self.object(kind).filter(|o| match about {
            "Field" => {
                let field = row["Field"].as_str().and_then(|f| f.strip_prefix(kind)?.strip_prefix('.'));
                field.is_some_and(|field| o.field(field).is_some_and(|f| f.custom() && !f.required))
            }
            _ => true,
        });
        if known.is_none() {
            let (label, shown) = (&object.label, row[about].as_str().unwrap_or_default());
            let text = format!("{label}: bad value for restricted picklist field: {shown}");
            return Err(bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, &[about]));
        }
        let edit = ["PermissionsEdit", "PermissionsCreate", "PermissionsDelete"];
        let more = edit.iter().any(|name| row.get(*name) == Some(&json!(true)));
        if more && row["PermissionsRead"] != json!(true) {
            return Err(bad(
                "FIELD_INTEGRITY_EXCEPTION",
                "Permission to edit depends on permission to read",
                &[],
            ));
        }
        // A detail's rights depend on its master's, in the same set.
        let master = known.as_ref().and_then(|o| Salesforce::master_of(o)).filter(|_| about == "SobjectType");
        if let Some(master) = master {
            let granted = self.rows("ObjectPermissions").into_iter().any(|held| {
                held["ParentId"] == row["ParentId"]
                    && held["SobjectType"] == master
                    && held["PermissionsRead"] == json!(true)
            });
            if !granted {
                let text = format!("Permission Read {kind} depends on permission(s): Read {master}");
                return Err(bad("FIELD_INTEGRITY_EXCEPTION", text, &[]));
            }
        }
        let rows = self.rows.get(&object.name).into_iter().flatten();
        let twin = rows
            .filter(|(id, held)| {
                old.is_none_or(|(own, _)| own != id.as_str())
                    && held["ParentId"] == row["ParentId"]
                    && held[about] == row[about]
            })
            .map(|(id, _)| id)
            .next();
        twin.map_or(Ok(()), |id| {
            let text = format!("duplicate value found: <unknown> duplicates value on record with id: {id}");
            Err(bad("DUPLICATE_VALUE", text, &[]))
        })
    }

    /// The value of a field as a user reads it; a person reads all.
    pub(super) fn shown(row: &SalesforceRow, field: &Field) -> Value {
        let value = row.get(&field.name).cloned().unwrap_or(Value::Null);
        match (&field.kind, value.as_i64()) {
            (super::metadata::FieldKind::Number(..), Some(whole)) => json!(whole as f64),
            _ => value,
        }
    }
}
