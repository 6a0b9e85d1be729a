//! DELETE of metadata: columns, keys, tables, publishers. Refused, as the platform does, while something else depends on
//! it: a form that shows it, a key over it, a lookup that leads to it, a solution of the publisher's (Microsoft Learn,
//! *Dependency tracking for solution components*; the code is unverified).

use super::address::{Address, key_pairs};
use super::definitions::custom;
use super::metadata::{Column, ColumnKind, Table};
use super::refusal::{DataverseOutcome, DataverseRefusal, no_such_row, not_modelled, refuse};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use std::sync::Arc;

fn depended_on(what: &str, by: &str) -> DataverseRefusal {
    let text = format!(
        "The {what} component cannot be deleted because it is referenced by 1 other components. For a list of \
         referenced components, use the RetrieveDependenciesForDeleteRequest. ({by})"
    );
    refuse(400, "0x8004f01f", text)
}

fn no_such(what: &str) -> DataverseRefusal {
    refuse(404, "0x80060888", format!("Could not find {what}."))
}

fn gone() -> DataverseOutcome<Response> {
    Ok(Response::new(204).with("OData-Version", "4.0"))
}

impl Dataverse {
    /// Whether a managed solution brought the column.
    pub(super) fn managed(&self, table: &Table, column: &Column) -> bool {
        self.switches.managed.contains(&format!("{}.{}", table.name, column.name))
    }

    pub(super) fn drop_attribute(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        key: &str,
    ) -> DataverseOutcome<Response> {
        self.may_customize(call, "")?;
        let name = match key_pairs(key).as_deref() {
            Some([(name, value)]) if name == "LogicalName" => value.clone(),
            _ => return Err(not_modelled("a column by its metadata id")),
        };
        let Some(column) = table.columns.get(&name) else { return Err(no_such("the attribute")) };
        if !custom(table, column) || name == table.title {
            return Err(refuse(400, "0x80047007", format!("The attribute {name} cannot be deleted.")));
        }
        if self.managed(table, column) {
            return Err(refuse(400, "0x8004f026", format!("{name} is part of a managed solution.")));
        }
        if let Some(form) = self.shown_on(&table.name, Some(&name)) {
            return Err(depended_on("Attribute", &form));
        }
        if let Some(key) = table.keys.iter().find(|key| key.columns.contains(&name)) {
            return Err(depended_on("Attribute", &key.schema_name));
        }
        if matches!(column.kind, ColumnKind::Lookup { .. }) {
            return Err(not_modelled("deleting a lookup without its relationship"));
        }
        let property = column.property();
        Arc::make_mut(self.tables.get_mut(&table.set).expect("a table")).columns.remove(&name);
        for row in self.rows.get_mut(&table.set).into_iter().flat_map(|rows| rows.values_mut()) {
            row.remove(&property);
        }
        self.expire_tokens_of(&table.set);
        gone()
    }

    pub(super) fn drop_key(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        id: &str,
    ) -> DataverseOutcome<Response> {
        self.may_customize(call, "")?;
        if !table.keys.iter().any(|key| key.metadata_id == id) {
            return Err(no_such("the key"));
        }
        let keys = &mut Arc::make_mut(self.tables.get_mut(&table.set).expect("a table")).keys;
        keys.retain(|key| key.metadata_id != id);
        gone()
    }

    /// A table with its rows, forms and views.
    pub(super) fn drop_table(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        self.may_customize(call, "")?;
        if !table.name.starts_with("cosell_") {
            return Err(refuse(400, "0x80047007", format!("The entity {} cannot be deleted.", table.name)));
        }
        if let Some(form) = self.shown_on(&table.name, None) {
            return Err(depended_on("Entity", &form));
        }
        let leads_here = |column: &Column| match &column.kind {
            ColumnKind::Lookup { targets } => targets.iter().any(|(_, target)| *target == table.name),
            _ => false,
        };
        let others = self.tables.values().filter(|other| other.name != table.name);
        if let Some(other) =
            others.filter(|other| other.columns.values().any(leads_here)).map(|t| &t.name).next()
        {
            return Err(depended_on("Entity", other));
        }
        self.tables.remove(&table.set);
        self.rows.remove(&table.set);
        for other in self.tables.values_mut() {
            if other.children.iter().any(|children| children.table == table.name) {
                Arc::make_mut(other).children.retain(|children| children.table != table.name);
            }
        }
        for (set, column) in [("systemforms", "objecttypecode"), ("savedqueries", "returnedtypecode")] {
            self.rows.get_mut(set).expect("rows").retain(|_, row| row[column] != *table.name);
        }
        let forms = &self.rows["systemforms"];
        self.drafts.retain(|id, _| forms.contains_key(id));
        gone()
    }

    /// A publisher goes only when no solution is its.
    pub(super) fn unused_publisher(&self, table: &Table, address: &Address) -> DataverseOutcome<()> {
        let Address::Id(id) = address else { return Err(not_modelled("a publisher by alternate key")) };
        self.get(&table.set, id).ok_or_else(|| no_such_row(table, id))?;
        let of_it = |solution: &&super::store::DataverseRow| solution["_publisherid_value"] == **id;
        match table.name == "publisher" && self.rows("solutions").iter().any(of_it) {
            true => Err(depended_on("Publisher", "a solution")),
            false => Ok(()),
        }
    }
}
