//! Dataverse's definitions held against the map.

use crate::{forms, report::Report};
use clients::crm::dynamics::{
    Dynamics,
    definitions::{ACTIVE, Column, Table, table_name},
};
use mapping::{Map, WantedColumn, WantedKind, WantedTable};
use serde_json::Value;
use std::collections::BTreeMap;
use sync::failure::Failure;

/// The tables a map names; those that are not there are missing.
pub(crate) async fn tables(
    crm: &Dynamics,
    wanted: &[WantedColumn],
) -> Result<BTreeMap<WantedTable, Table>, Failure> {
    let mut tables = BTreeMap::new();
    for column in wanted {
        if tables.contains_key(&column.table) {
            continue;
        }
        tables.insert(column.table, crm.table(table_name(column.table)).await?);
    }
    Ok(tables.into_iter().filter_map(|(name, table)| Some((name, table?))).collect())
}

/// Everything of the map that the environment does not have, or not so.
pub(crate) async fn check(crm: &Dynamics, map: &Map, report: &mut Report) -> Result<(), Failure> {
    let wanted = map.wanted_columns();
    let tables = tables(crm, &wanted).await?;
    let faults = report.lines.len();
    let mut told = vec![];
    for column in &wanted {
        let name = table_name(column.table);
        match tables.get(&column.table) {
            None if told.contains(&column.table) => {}
            None => {
                told.push(column.table);
                report.fault(
                    format!("the CRM has no table `{name}`, or the application user may not read it"),
                    "`provision` makes our own tables; rights are given by the user's role",
                );
            }
            Some(table) => check_column(map, column, table, report),
        }
    }
    for (table, followed) in &tables {
        let needed = matches!(table, WantedTable::Opportunity | WantedTable::Lead | WantedTable::Solution);
        if !followed.tracked && *table != WantedTable::Owner && *table != WantedTable::SolutionDetail {
            let words = format!("changes of `{}` are not tracked", table_name(*table));
            let cure = "Power Apps: Tables, the table, Properties, Advanced options, Track changes";
            if needed { report.fault(words, cure) } else { report.warn(words, cure) }
        }
    }
    if report.lines.len() == faults {
        report.good(format!("all {} columns of the map are there and fit", wanted.len()));
    }
    if map.switches().microsoft_note {
        check_notes(crm, report).await;
    }
    let is_there =
        |table, name: &str| tables.get(&table).is_some_and(|table: &Table| table.columns.contains_key(name));
    forms::check(crm, map, is_there, report).await;
    Ok(())
}

/// Without them deals continue, and only Audit says what Microsoft answered.
async fn check_notes(crm: &Dynamics, report: &mut Report) {
    let or_none = "or write none: `microsoft_note = false` under `[switches]` in the map";
    match crm.privileges_for_notes_missing().await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => report.warn(
            format!("the application user may not write notes: {} is missing", missing.join(", ")),
            &format!(
                "add Create and Append on Note, and Append To on Opportunity and Lead, to its role; {or_none}"
            ),
        ),
        Err(failure) => report.warn(
            format!("whether the application user may write notes is not known: {failure}"),
            &format!("the role needs Create and Append on Note; {or_none}"),
        ),
    }
}

fn check_column(map: &Map, wanted: &WantedColumn, table: &Table, report: &mut Report) {
    let name = format!("{}.{}", table_name(wanted.table), wanted.name);
    let Some(column) = table.columns.get(&wanted.name) else {
        if super::optional(map, wanted, &name, Err(None), report) {
            return;
        }
        let cure = if map.is_ours(&wanted.name) {
            "`provision` makes it"
        } else {
            "make it in the CRM, or name another one in the map"
        };
        report.fault(format!("`{name}` ({}) is not there", wanted.label), cure);
        return;
    };
    let fits = suits(&wanted.kind, &column.kind);
    let kind = if fits { Ok(()) } else { Err(Some(column.kind.as_str())) };
    if super::optional(map, wanted, &name, kind, report) {
        return;
    }
    if !fits {
        report.fault(
            format!("`{name}` ({}) is of type {}", wanted.label, column.kind),
            "another column, or another `kind` in the map",
        );
    }
    if let (WantedKind::Text(Some(length)) | WantedKind::Memo(length), Some(takes)) =
        (&wanted.kind, column.length)
        && takes < *length as u64
    {
        report.warn(
            format!("`{name}` takes {takes} characters, the map thinks {length}"),
            "lengthen the column, or set `length` in the map: longer text would be refused",
        );
    }
    if let WantedKind::Choice(options) = &wanted.kind {
        for (value, words) in options.iter().filter(|(value, _)| !has(column, value)) {
            report.fault(
                format!("`{name}` has no option {value} ({words})"),
                "add it in the CRM, or change `values` in the map",
            );
        }
    }
    if wanted.key {
        match table.key_of(&wanted.name) {
            Some(ACTIVE) => {}
            Some(state) => report.fault(
                format!("the key of `{name}` is {state}"),
                "Pending and InProgress become Active by themselves; Failed: rows share a value, mend them and reactivate the key",
            ),
            None => report.fault(
                format!("`{name}` is no alternate key: two rows could carry the same"),
                "`provision` makes it one",
            ),
        }
    }
}

fn has(column: &Column, value: &Value) -> bool {
    value.as_i64().is_some_and(|value| column.options.contains(&value))
}

/// Whether values of a rule fit into a column of Dataverse's type.
pub(super) fn suits(wanted: &WantedKind, kind: &str) -> bool {
    match wanted {
        // Status columns and names of people are of the CRM's own types.
        WantedKind::Text(None) => true,
        WantedKind::Text(_) => matches!(kind, "String" | "Memo" | "Uniqueidentifier" | "UniqueIdentifier"),
        WantedKind::Memo(_) => matches!(kind, "Memo" | "String"),
        WantedKind::Boolean => kind == "Boolean",
        WantedKind::Choice(_) => matches!(kind, "Picklist" | "State" | "Status"),
        WantedKind::Money => matches!(kind, "Money" | "Decimal" | "Double" | "Integer"),
        WantedKind::Number => matches!(kind, "Money" | "Decimal" | "Double" | "Integer" | "BigInt"),
        WantedKind::Date => kind == "DateTime",
        WantedKind::Lookup(..) => matches!(kind, "Lookup" | "Customer" | "Owner"),
    }
}
