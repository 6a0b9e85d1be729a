//! Dataverse's order: what shows a column goes before the column, a key before its column, what leads to a table before the
//! table. A column is ours if a map of ours names it, with our prefix, and no managed solution brought it.

use crate::{forms, provision::out_of_time, report::Report};
use clients::{
    crm::dynamics::{Dynamics, definitions::table_name, removal::Removed},
    outside,
};
use jiff::Timestamp;
use mapping::{CrmKind, Map, WantedColumn, WantedTable};
use std::collections::BTreeMap;
use sync::failure::Failure;

/// The tables that are not ours, but columns of which are.
const STANDARD: [WantedTable; 4] =
    [WantedTable::Opportunity, WantedTable::Lead, WantedTable::Account, WantedTable::Contact];
/// Ours, in the order in which they can go: rows of the first lead to the second.
const OWN: [WantedTable; 2] = [WantedTable::Solution, WantedTable::SolutionDetail];

/// Our columns of standard tables, by the map in effect and the default one: an earlier map may have made them.
fn ours(map: &Map) -> BTreeMap<(WantedTable, String), WantedColumn> {
    let columns =
        Map::standard(CrmKind::Dynamics365).wanted_columns().into_iter().chain(map.wanted_columns());
    let ours = columns.filter(|column| STANDARD.contains(&column.table) && map.is_ours(&column.name));
    ours.map(|column| ((column.table, column.name.clone()), column)).collect()
}

/// Those of them that are there and may go, and what may not.
async fn columns(crm: &Dynamics, map: &Map) -> Result<Vec<WantedColumn>, Failure> {
    let mut there = vec![];
    let ours = ours(map);
    for table in STANDARD {
        let deletable = crm.deletable_columns(table).await?;
        let of_table = ours.values().filter(|column| column.table == table);
        there.extend(of_table.filter(|column| deletable.contains(&column.name)).cloned());
    }
    Ok(there)
}

/// What would be deleted, as text.
pub(super) async fn there(crm: &Dynamics, map: &Map) -> Result<Vec<String>, Failure> {
    let mut there = vec![];
    for table in OWN {
        if crm.table(table_name(table)).await?.is_some() {
            there.push(format!("table `{}` with its rows", table_name(table)));
        }
    }
    let columns = columns(crm, map).await?;
    there.extend(columns.iter().map(|column| format!("column {}", named(column))));
    Ok(there)
}

fn named(column: &WantedColumn) -> String {
    format!("`{}.{}` ({})", table_name(column.table), column.name, column.label)
}

/// Deletes all of it; `gone`: what went, as it goes.
pub(super) async fn remove(
    worker: &outside::App,
    crm: &Dynamics,
    ends: Timestamp,
    gone: &mut Vec<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let columns = columns(crm, &worker.map).await?;
    let shown = |name: &str| {
        columns.iter().any(|column| column.name == name) || OWN.iter().any(|table| table_name(*table) == name)
    };
    gone.extend(
        forms::take(crm, shown, report).await?.into_iter().map(|form| format!("our columns from {form}")),
    );
    for column in columns.iter().filter(|column| column.key) {
        if out_of_time(worker, ends, report) {
            return Ok(());
        }
        let removed = crm.remove_key(column.table, &column.name).await?;
        told(removed, format!("the key of {}", named(column)), gone, report);
    }
    for table in OWN {
        if out_of_time(worker, ends, report) {
            return Ok(());
        }
        let removed = crm.remove_table(table).await?;
        told(removed, format!("table `{}`", table_name(table)), gone, report);
    }
    for column in &columns {
        if out_of_time(worker, ends, report) {
            return Ok(());
        }
        let removed = crm.remove_column(column.table, &column.name).await?;
        told(removed, format!("column {}", named(column)), gone, report);
    }
    if report.ok {
        let removed = crm.remove_solution().await?;
        told(removed, "the solution CosellConnector and its publisher".to_owned(), gone, report);
    }
    Ok(())
}

fn told(removed: Removed, what: String, gone: &mut Vec<String>, report: &mut Report) {
    match removed {
        Removed::Gone => gone.push(what),
        Removed::Absent => {}
        Removed::Kept(words) => report.fault(
            format!("{what} stays: {words}"),
            "something else refers to it (Power Apps: Show dependencies): take that away, then once more",
        ),
    }
}
