//! What a user may do: asked before each write, and told by `RetrieveUserSetOfPrivilegesByNames`. The function is written
//! from Microsoft Learn, *Web API Function Reference* and *RolePrivilege ComplexType*.

use super::address::{Address, options};
use super::metadata::Table;
use super::people::BUSINESS_UNIT;
use super::refusal::{DataverseOutcome, bad_request, no_such_row, not_modelled, refuse};
use super::store::{DataverseRow, TARGET};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Map, json};
use uuid::Uuid;

/// What the control verb `deny` calls a right, and how privileges are named.
const RIGHTS: [(&str, &str); 6] = [
    ("append_to", "AppendTo"),
    ("append", "Append"),
    ("create", "Create"),
    ("read", "Read"),
    ("write", "Write"),
    ("delete", "Delete"),
];

impl Dataverse {
    /// 403 where the control verb `deny` took the right away.
    pub(super) fn privilege(&self, table: &Table, right: &str) -> DataverseOutcome<()> {
        match self.holds(table, right) {
            true => Ok(()),
            false => Err(refuse(403, "0x80040220", "The user does not hold the necessary privileges.")),
        }
    }

    /// The rights an action needs, by entity set.
    pub(super) fn privileges_to(&self, needed: &[(&str, &str)]) -> DataverseOutcome<()> {
        needed.iter().try_for_each(|(set, right)| self.privilege(&*self.table(set)?, right))
    }

    fn holds(&self, table: &Table, right: &str) -> bool {
        !self.denied.iter().any(|(t, r)| (*t == table.name || *t == table.set) && r == right)
    }

    /// Whoever binds a row to another one appends the one to the other.
    pub(super) fn privileges_to_bind(&self, table: &Table, changes: &DataverseRow) -> DataverseOutcome<()> {
        let bound =
            changes.iter().filter(|(name, _)| name.ends_with(TARGET)).filter_map(|(_, to)| to.as_str());
        for target in bound {
            self.privilege(table, "append")?;
            if let Some(target) = self.table_named(target) {
                self.privilege(&target, "append_to")?;
            }
        }
        Ok(())
    }

    /// Says which of the privileges named in `@p` the user holds: the answer to
    /// `GET systemusers(id)/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)?@p=["…"]`.
    pub(super) fn privileges_by_names(
        &self,
        call: &DataverseCall,
        user: &Address,
        key: &str,
    ) -> DataverseOutcome<Response> {
        let Address::Id(user) = user else { return Err(not_modelled("a user by alternate key")) };
        let table = self.table("systemusers")?;
        self.get("systemusers", user).ok_or_else(|| no_such_row(&table, user))?;
        let alias = key.strip_prefix("PrivilegeNames=").filter(|alias| alias.starts_with('@'));
        let alias = alias.ok_or_else(|| not_modelled(format!("the parameters `{key}`")))?;
        let options = options(&call.request.query)?;
        self.only(&options, &[alias])?;
        let names = options.get(alias).and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
        let names =
            names.ok_or_else(|| bad_request(format!("The parameter alias '{alias}' is not valid.")))?;
        let mut held = vec![];
        for name in names {
            let (table, right) = self.named(&name)?;
            if self.holds(&table, right) {
                let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).hyphenated().to_string();
                held.push(json!({ "Depth": "Global", "PrivilegeId": id, "BusinessUnitId": BUSINESS_UNIT,
                    "PrivilegeName": name, "RecordFilterId": "00000000-0000-0000-0000-000000000000",
                    "RecordFilterUniqueName": "" }));
            }
        }
        let kind = "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNamesResponse";
        let context = format!("{}/$metadata#{kind}", self.root());
        let body = json!({ "@odata.context": context, "RolePrivileges": held });
        Ok(self.ok(call, body.as_object().cloned().unwrap_or_else(Map::new)))
    }

    /// `prvCreateNote`: which right on which table. Notes are the table `annotation`.
    fn named(&self, privilege: &str) -> DataverseOutcome<(std::sync::Arc<Table>, &'static str)> {
        let unknown = || not_modelled(format!("the privilege `{privilege}`"));
        let name = privilege.strip_prefix("prv").ok_or_else(unknown)?;
        let of = |(right, word): &(&'static str, &str)| Some((*right, name.strip_prefix(word)?));
        let (right, table) = RIGHTS.iter().find_map(of).ok_or_else(unknown)?;
        let table = if table == "Note" { "annotation".to_owned() } else { table.to_lowercase() };
        Ok((self.table_named(&table).ok_or_else(unknown)?, right))
    }
}
