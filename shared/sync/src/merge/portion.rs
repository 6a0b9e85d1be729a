//! Lists in portions: one write takes only so many rows. What stays back is no part of the write, so it is no part of
//! what both sides agree on afterwards: the next merge sends it.

use mapping::{Fields, Map, NewRecord, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Of a list that shall be `wanted` and is `shown`, what one write of `most` rows makes of it, and the elements that
/// stay as they are until the next one.
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

/// The first rows of a new record's lists, and of the fields the elements they are of: rows and elements are in the
/// order of their keys.
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
