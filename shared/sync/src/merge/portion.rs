//! Splits lists into portions, since one write takes a limited number of rows. The rest is no part of the write and so
//! does not enter the images: the next merge sends it.

use mapping::{Fields, Map, NewRecord, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Takes the first `most` changed rows of a list that should become `wanted` and is now `shown`. Returns the list after
/// that write, and the elements that stay as they are until a later one.
pub(crate) fn portion(wanted: &Value, shown: &Value, most: usize) -> (Value, BTreeSet<String>) {
    let (mut next, shown) = (elements(wanted), elements(shown));
    let differs = |key: &&String| next.contains_key(*key) != shown.contains_key(*key);
    let all: BTreeSet<&String> = next.keys().chain(shown.keys()).collect();
    let later: BTreeSet<String> = all.into_iter().filter(differs).skip(most).cloned().collect();
    for key in &later {
        match shown.get(key) {
            Some(element) => next.insert(key.clone(), element.clone()),
            None => next.remove(key),
        };
    }
    (Value::Map(next), later)
}

/// Cuts a new record's lists to the first `most` rows, and the list units of `fields` to the same elements: rows and
/// elements are both in the order of their keys.
pub(crate) fn first_portion(map: &Map, new: &mut NewRecord, fields: &mut Fields, most: usize) {
    new.lists.values_mut().for_each(|rows| rows.truncate(most));
    for (unit, value) in fields {
        if map.unit(unit).is_some_and(|unit| unit.list && unit.to_crm()) && !value.is_null() {
            *value = portion(value, &Value::Null, most).0;
        }
    }
}

fn elements(value: &Value) -> BTreeMap<String, Value> {
    value.members().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[&str]) -> Value {
        Value::Map(keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect())
    }

    #[test]
    fn what_does_not_fit_stays_as_it_is() {
        let check = |wanted: &[&str], shown: &[&str], next: &[&str], later: &[&str]| {
            let (made, kept) = portion(&list(wanted), &list(shown), 2);
            assert_eq!(made, list(next));
            assert_eq!(kept.iter().map(String::as_str).collect::<Vec<_>>(), later);
        };
        check(&["a", "b", "c"], &[], &["a", "b"], &["c"]);
        check(&["a", "b", "c"], &["a", "b"], &["a", "b", "c"], &[]);
        check(&[], &["a", "b", "c"], &["c"], &["c"]);
        check(&["b", "c", "d"], &["a", "c"], &["b", "c"], &["d"]);
    }
}
