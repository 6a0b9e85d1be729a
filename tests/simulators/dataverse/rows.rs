//! The rows of one entity set, and which of them hold a value.

use super::store::DataverseRow;
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

/// Ids by the property and the value, in small letters.
type Holders = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Rows by their id.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Rows {
    rows: BTreeMap<String, DataverseRow>,
    /// Of the properties that were asked for so far.
    #[serde(skip)]
    holders: RefCell<Holders>,
}

impl Rows {
    /// Those that hold this text or number, in whichever case, by their id.
    pub fn holding(&self, property: &str, value: &str) -> Vec<(&String, &DataverseRow)> {
        let mut holders = self.holders.borrow_mut();
        let known = holders.entry(property.to_owned()).or_insert_with(|| {
            let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (id, row) in &self.rows {
                if let Some(held) = held(row, property) {
                    known.entry(held).or_default().insert(id.clone());
                }
            }
            known
        });
        let ids = known.get(&value.to_lowercase()).into_iter().flatten();
        ids.filter_map(|id| self.rows.get_key_value(id)).collect()
    }

    pub fn insert(&mut self, id: String, row: DataverseRow) -> Option<DataverseRow> {
        let old = self.remove(&id);
        for (property, known) in self.holders.get_mut() {
            if let Some(held) = held(&row, property) {
                known.entry(held).or_default().insert(id.clone());
            }
        }
        self.rows.insert(id, row);
        old
    }

    pub fn remove(&mut self, id: &str) -> Option<DataverseRow> {
        let old = self.rows.remove(id)?;
        for (property, known) in self.holders.get_mut() {
            if let Some(ids) = held(&old, property).and_then(|held| known.get_mut(&held)) {
                ids.remove(id);
            }
        }
        Some(old)
    }
}

fn held(row: &DataverseRow, property: &str) -> Option<String> {
    match row.get(property)? {
        Value::String(text) => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Deref for Rows {
    type Target = BTreeMap<String, DataverseRow>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}

/// Whoever changes rows in place may change anything: what they hold is looked up anew.
impl DerefMut for Rows {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.holders.get_mut().clear();
        &mut self.rows
    }
}
