//! A row of Microsoft Solutions as the map makes it: its own columns, and, with `detail.` in front, those of the row of
//! the catalogue it points to.

use super::not_begun::NotBegun;
use mapping::CrmValue;
use serde_json::Value;
use std::collections::BTreeMap;

/// Before columns of the catalogue's row.
pub(super) const DETAIL: &str = "detail.";

/// A row of a list by the columns' names as they are read.
pub(super) type ListRow = BTreeMap<String, CrmValue>;

/// Which solution a row means, by the catalogue's key column.
pub(super) fn solution_id<'a>(row: &'a ListRow, key: &str) -> Result<&'a str, NotBegun> {
    let name = format!("{DETAIL}{key}");
    match row.get(&name) {
        Some(CrmValue::Plain(Value::String(id))) if !id.is_empty() => Ok(id),
        _ => Err(NotBegun::refused(&name, "a solution without its id")),
    }
}

/// The columns of the catalogue's row, or of the list's own.
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
