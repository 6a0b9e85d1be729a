//! Rows to which a record points and that are known by one text column (a currency by its ISO code). Both directions
//! are cached. A text that the environment does not have is never replaced by another.

use super::{
    columns::Texts,
    odata::{any_of, escaped, guid, id_of, is_name, quoted, set_of},
    wire::DataverseWire,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use sync::failure::Failure;

/// How long an answer is kept, because users rename and delete rows.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// At this number all answers are dropped: this is a cache and not a copy of the CRM.
const MOST: usize = 5000;

type Key = (String, String, String);

/// Cached answers, by table, column, and GUID or text.
#[derive(Default)]
pub(super) struct Lookups {
    texts: Mutex<HashMap<Key, (String, Instant)>>,
    ids: Mutex<HashMap<Key, (String, Instant)>>,
}

impl Lookups {
    /// The texts of rows, by GUID. The result lacks a row that does not exist.
    pub(super) async fn texts(&self, wire: &DataverseWire, wanted: BTreeSet<Key>) -> Result<Texts, Failure> {
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
            // As many ids as fit into the filter of one URL.
            for some in ids.chunks(50) {
                let filter = any_of(&id_of(&table), some.iter().filter_map(|id| guid(id)));
                for (id, text) in self.ask(wire, &table, &column, &filter).await? {
                    found.insert((table.clone(), column.clone(), id), text);
                }
            }
        }
        Ok(found)
    }

    /// The GUID of the row with this text in this column; `None`: there is none.
    pub(super) async fn id(
        &self,
        wire: &DataverseWire,
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
        // Dataverse's collation ignores case. Of several rows the same one is chosen each time.
        rows.sort_by_key(|(id, shown)| (shown != text, id.clone()));
        let Some((id, _)) = rows.into_iter().next() else { return Ok(None) };
        put(&self.ids, key, &id);
        Ok(Some(id))
    }

    /// Drops the ids by text, because one of the rows was gone.
    pub(super) fn forget(&self) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn ask(
        &self,
        wire: &DataverseWire,
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
