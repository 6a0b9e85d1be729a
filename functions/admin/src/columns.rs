//! The CRM's own metadata held against the map: what the map names must be there, fit, and be followed. A file per CRM.

pub(crate) mod dynamics;
pub(crate) mod salesforce;

use crate::report::Report;
use clients::crm::{Crm, dynamics::definitions::table_name, salesforce::object_of_table};
use mapping::{Map, WantedColumn, WantedTable};
use std::collections::BTreeSet;
use sync::failure::Failure;

/// Everything of the map that the CRM does not have, or not so.
pub(crate) async fn check(crm: &Crm, map: &Map, report: &mut Report) -> Result<(), Failure> {
    match crm {
        Crm::Dynamics(crm) => dynamics::check(crm, map, report).await,
        Crm::Salesforce(crm) => salesforce::check(crm, map, report).await,
    }
}

/// A rule waits for its column.
fn optional(wanted: &WantedColumn, name: &str, report: &mut Report) {
    report.warn(
        format!("`{name}` ({}) is not there: its rule is not used", wanted.label),
        "`provision` makes it; or take the rule off in the map: `off = true`",
    );
}

/// The optional rules of the map whose column is in the CRM.
pub(crate) async fn seen(crm: &Crm, map: &Map) -> Result<BTreeSet<String>, Failure> {
    if map.optional().next().is_none() {
        return Ok(BTreeSet::new());
    }
    let columns: BTreeSet<String> = match crm {
        Crm::Dynamics(crm) => {
            let table = crm.table(table_name(WantedTable::Opportunity)).await?;
            table.map(|table| table.columns.into_keys().collect()).unwrap_or_default()
        }
        Crm::Salesforce(crm) => {
            let object = crm.describe(object_of_table(WantedTable::Opportunity)).await?;
            object.map(|object| object.fields.into_keys().collect()).unwrap_or_default()
        }
    };
    let there = map.optional().filter(|(_, column)| columns.contains(*column));
    Ok(there.map(|(rule, _)| rule.to_owned()).collect())
}
