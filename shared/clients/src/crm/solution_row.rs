//! A row of Microsoft Solutions as the map makes it: the row's own columns and, after `detail.`, those of the row of
//! the catalogue to which it points.

use super::not_begun::NotBegun;
use mapping::CrmValue;
use serde_json::Value;
use std::collections::BTreeMap;

/// The prefix of the catalogue row's columns.
pub(super) const DETAIL: &str = "detail.";

/// A row of a list, by the names of its columns.
pub(super) type ListRow = BTreeMap<String, CrmValue>;

/// The id of the solution that a row is about, from the catalogue's key column.
pub(super) fn solution_id<'a>(row: &'a ListRow, key: &str) -> Result<&'a str, NotBegun> {
    let name = format!("{DETAIL}{key}");
    match row.get(&name) {
        Some(CrmValue::Plain(Value::String(id))) if !id.is_empty() => Ok(id),
        _ => Err(NotBegun::refused(&name, "a solution without its id")),
    }
}

/// With `detail`, the columns of the catalogue's row; without, those of the list's own row.
pub(super) fn columns(row: &ListRow, detail: bool) -> ListRow {
    let part = row.iter().filter_map(|(name, value)| match name.strip_prefix(DETAIL) {
        Some(name) => detail.then(|| (name.to_owned(), value.clone())),
        None => (!detail).then(|| (name.clone(), value.clone())),
    });
    part.collect()
}

#[cfg(test)]
#[path = "solution_row/tests.rs"]
mod tests;
