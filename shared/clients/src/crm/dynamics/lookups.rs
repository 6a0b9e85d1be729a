//! Rows that records point to by a text of theirs (a currency by its ISO code), both ways, asked for once. What the
//! environment does not have is never converted to something else.

use super::{
    columns::Texts,
    odata::{any_of, escaped, guid, id_of, is_name, quoted, set_of},
    wire::Wire,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use sync::failure::Failure;

/// Rows are asked for again after this time: people rename and delete.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// More are forgotten all at once: a cache, not a copy of the CRM.
const MOST: usize = 5000;

type Key = (String, String, String);

/// What is known, by table, column and GUID or text.
#[derive(Default)]
pub(super) struct Lookups {
    texts: Mutex<HashMap<Key, (String, Instant)>>,
    ids: Mutex<HashMap<Key, (String, Instant)>>,
}

impl Lookups {
    /// The texts of rows by GUID. A row that is not there is missing from the answer.
    pub(super) async fn texts(&self, wire: &Wire, wanted: BTreeSet<Key>) -> Result<Texts, Failure> {
        let mut found = Texts::new();
        let mut unknown: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for key in wanted {
            match get(&self.texts, &key) {
                Some(text) => {
                    found.insert(key, text);
                }
                None => unknown.entry((key.0, key.1)).or_default().push(key.2),
            }
        }
        for ((table, column), ids) in unknown {
            // A filter of a URL's length.
            for some in ids.chunks(50) {
                let filter = any_of(&id_of(&table), some.iter().filter_map(|id| guid(id)));
                for (id, text) in self.ask(wire, &table, &column, &filter).await? {
                    found.insert((table.clone(), column.clone(), id), text);
                }
            }
        }
        Ok(found)
    }

    /// The GUID of the row that shows a text; `None`: there is none.
    pub(super) async fn id(
        &self,
        wire: &Wire,
        table: &str,
        column: &str,
        text: &str,
    ) -> Result<Option<String>, Failure> {
        let key = (table.to_owned(), column.to_owned(), text.to_owned());
        if let Some(id) = get(&self.ids, &key) {
            return Ok(Some(id));
        }
        let filter = any_of(column, [quoted(text)]);
        let mut rows = self.ask(wire, table, column, &filter).await?;
        // The collation ignores case; more than one row is settled the same way each time.
        rows.sort_by_key(|(id, shown)| (shown != text, id.clone()));
        let Some((id, _)) = rows.into_iter().next() else { return Ok(None) };
        put(&self.ids, key, &id);
        Ok(Some(id))
    }

    /// Forgets which rows show which texts: one of them was not there any more.
    pub(super) fn forget(&self) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn ask(
        &self,
        wire: &Wire,
        table: &str,
        column: &str,
        filter: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let operation = format!("look up `{table}` by `{column}`");
        if !is_name(table) || !is_name(column) {
            return Err(wire.unusable(&operation, "a lookup's table and column are plain names"));
        }
        let (set, id) = (set_of(table), id_of(table));
        let rows = wire
            .rows(&operation, &format!("{set}?$select={id},{column}&$filter={}", escaped(filter)))
            .await?;
        let mut pairs = vec![];
        for row in rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(id), Some(shown)) = (text(&id), text(column)) {
                let key = |end: &str| (table.to_owned(), column.to_owned(), end.to_owned());
                put(&self.texts, key(&id), &shown);
                pairs.push((id, shown));
            }
        }
        Ok(pairs)
    }
}

fn get(kept: &Mutex<HashMap<Key, (String, Instant)>>, key: &Key) -> Option<String> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get(key).filter(|(_, at)| at.elapsed() < FRESH).map(|(value, _)| value.clone())
}

fn put(kept: &Mutex<HashMap<Key, (String, Instant)>>, key: Key, value: &str) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(key, (value.to_owned(), Instant::now()));
}
