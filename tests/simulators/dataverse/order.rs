//! `$orderby`, and the order rows are paged in.

use super::metadata::Table;
use super::refusal::{DataverseOutcome, bad_request, no_such_property};
use super::store::DataverseRow;
use serde_json::Value;
use std::cmp::Ordering;

/// Properties, each with whether it descends.
pub(super) type Order = Vec<(String, bool)>;

pub(super) fn order(table: &Table, text: Option<&String>) -> DataverseOutcome<Order> {
    let Some(text) = text else { return Ok(vec![]) };
    text.split(',')
        .map(|item| {
            let words: Vec<&str> = item.split_whitespace().collect();
            let (name, descending) = match words.as_slice() {
                [name] | [name, "asc"] => (*name, false),
                [name, "desc"] => (*name, true),
                _ => return Err(bad_request(format!("Syntax error in '$orderby={text}'."))),
            };
            let column = table.column_of_property(name).ok_or_else(|| no_such_property(table, name))?;
            Ok((column.property(), descending))
        })
        .collect()
}

pub(super) fn values_of(order: &[(String, bool)], row: &DataverseRow) -> Vec<Value> {
    order.iter().map(|(name, _)| row[name].clone()).collect()
}

/// A row against order values and an id; the id decides ties.
pub(super) fn compare(
    order: &[(String, bool)],
    row: &DataverseRow,
    values: &[Value],
    id: Option<&str>,
    id_column: &str,
) -> Ordering {
    for ((name, descending), value) in order.iter().zip(values) {
        let found = compare_values(&row[name], value);
        let found = if *descending { found.reverse() } else { found };
        if found != Ordering::Equal {
            return found;
        }
    }
    row[id_column].as_str().cmp(&id)
}

fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
