//! The CRM's own metadata held against the map: what the map names must be there, fit, and be followed. A file per CRM.

pub(crate) mod dynamics;
pub(crate) mod salesforce;

use crate::report::Report;
use clients::crm::{Crm, dynamics::definitions::table_name, salesforce::object_of_table};
use mapping::{Map, WantedColumn, WantedKind, WantedTable};
use std::collections::{BTreeMap, BTreeSet};
use sync::failure::Failure;

/// Everything of the map that the CRM does not have, or not so.
pub(crate) async fn check(crm: &Crm, map: &Map, report: &mut Report) -> Result<(), Failure> {
    match crm {
        Crm::Dynamics(crm) => dynamics::check(crm, map, report).await,
        Crm::Salesforce(crm) => salesforce::check(crm, map, report).await,
    }
}

/// An optional column that is there and fits, but that its rule does not use yet; or that is missing or of another kind
/// (`kind`): its rule is not used. `true`: nothing else is reported of it.
fn optional(
    map: &Map,
    wanted: &WantedColumn,
    name: &str,
    kind: Result<(), Option<&str>>,
    report: &mut Report,
) -> bool {
    let used = map.optional().any(|(rule, column)| column == wanted.name && map.unit(rule).is_some());
    let text = match kind {
        _ if !wanted.optional => return false,
        Ok(()) if used => return false,
        Ok(()) => format!("`{name}` ({}) is there and not used yet", wanted.label),
        Err(None) => format!("`{name}` ({}) is not there: its rule is not used", wanted.label),
        Err(Some(kind)) => format!("`{name}` ({}) is of type {kind}: its rule is not used", wanted.label),
    };
    let cure = match kind {
        Ok(()) => "`provision` looks again, and so does the schedule within five minutes",
        Err(_) => "`provision` makes what is missing; or take the rule off in the map: `off = true`",
    };
    report.warn(text, cure);
    true
}

/// Whether values of a rule fit into a column of the vendor's type.
type Suits = fn(&WantedKind, &str) -> bool;

/// The optional rules of the map whose column is in the CRM, and of their kind.
pub(crate) async fn seen(crm: &Crm, map: &Map) -> Result<BTreeSet<String>, Failure> {
    if map.optional().next().is_none() {
        return Ok(BTreeSet::new());
    }
    let (kinds, suits): (BTreeMap<String, String>, Suits) = match crm {
        Crm::Dynamics(crm) => {
            let table = crm.table(table_name(WantedTable::Opportunity)).await?;
            let columns = table.into_iter().flat_map(|table| table.columns);
            (columns.map(|(name, column)| (name, column.kind)).collect(), dynamics::suits)
        }
        Crm::Salesforce(crm) => {
            let object = crm.describe(object_of_table(WantedTable::Opportunity)).await?;
            let fields = object.into_iter().flat_map(|object| object.fields);
            (fields.map(|(name, field)| (name, field.kind)).collect(), salesforce::suits)
        }
    };
    let wanted = map.wanted_columns();
    let fits = |column: &&WantedColumn| kinds.get(&column.name).is_some_and(|kind| suits(&column.kind, kind));
    let fit: BTreeSet<&str> = wanted
        .iter()
        .filter(|column| column.optional)
        .filter(fits)
        .map(|column| column.name.as_str())
        .collect();
    let there = map.optional().filter(|(_, column)| fit.contains(column));
    Ok(there.map(|(rule, _)| rule.to_owned()).collect())
}
