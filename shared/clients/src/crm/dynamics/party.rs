//! Finds accounts and contacts: by our key, else by what the map matches on, else a new one is created. A row that was
//! found gets the key and no other write, ever (sync/README.md, *Creating in the CRM*).

use super::{
    batch::Request,
    odata::{escaped, is_name, quoted},
};
use mapping::{CrmValue, Party};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The most rows that a query for matches returns: some may read alike without being the same, or be of another
/// country.
const ALIKE: u32 = 50;
/// How long a row is remembered by its key, because users merge and delete rows.
const FRESH: Duration = Duration::from_secs(15 * 60);
const MOST: usize = 5000;

/// Entity set and key to id, and when that was learnt.
type Ids = HashMap<(&'static str, String), (String, Instant)>;

/// Rows that this process found or created, by entity set and key.
#[derive(Default)]
pub(super) struct PartyCache(Mutex<Ids>);

impl PartyCache {
    pub(super) fn get(&self, set: &'static str, key: &str) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&(set, key.to_owned()));
        found.filter(|(_, at)| at.elapsed() < FRESH).map(|(id, _)| id.clone())
    }

    pub(super) fn put(&self, set: &'static str, key: &str, id: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((set, key.to_owned()), (id.to_owned(), Instant::now()));
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// How accounts, or contacts, are found and created.
#[derive(Clone, Copy)]
pub(super) struct PartyTable<'a> {
    pub(super) set: &'static str,
    pub(super) id: &'static str,
    /// The column that holds our key.
    pub(super) key: &'a str,
    pub(super) match_on: &'a [String],
    /// The column that holds the country.
    pub(super) country: Option<&'a str>,
    /// Whether rows are also searched that only read alike.
    pub(super) alike: bool,
    /// Whether a new row may be created.
    pub(super) create: bool,
}

/// What is done about an account or contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Its row exists and is not written.
    Use { id: String },
    /// Its row was merged into this one, or into one further on.
    Follow { id: String },
    /// Its row exists and gets our key.
    Mark { id: String, etag: String },
    /// Its row is created; `keyed`: with our key.
    Create { id: String, keyed: bool },
    /// It has no row, and none may be created.
    Missing,
}

impl PartyTable<'_> {
    /// The query by our key, and by the id that a row created by us would have.
    pub(super) fn by_key(&self, party: &Party, id: &str) -> Request {
        let filter = format!("{} eq {} or {} eq {id}", self.key, quoted(&party.key), self.id);
        Request::get(format!("{}?{}&$filter={}", self.set, self.select(), escaped(&filter)))
    }

    /// The query for a row by its id.
    pub(super) fn by_id(&self, id: &str) -> Request {
        let filter = escaped(&format!("{} eq {id}", self.id));
        Request::get(format!("{}?{}&$filter={filter}", self.set, self.select()))
    }

    /// The query for the oldest active rows that equal the party in all columns of the map; `None`: the party lacks
    /// the first of them.
    pub(super) fn by_match(&self, party: &Party) -> Option<Request> {
        shown(party, self.match_on.first()?)?;
        let same = |column: &String| match shown(party, column) {
            Some(text) => format!("{column} eq {}", quoted(text)),
            None => format!("{column} eq null"),
        };
        let mut terms: Vec<String> = self.match_on.iter().filter(|c| is_name(c)).map(same).collect();
        terms.push("statecode eq 0".to_owned());
        Some(self.oldest(&self.select(), &terms))
    }

    /// The query for the oldest active rows that contain the name's characteristic words, for [`alike`](Self::alike).
    pub(super) fn by_likeness(&self, party: &Party) -> Option<Request> {
        let column = self.match_on.first().filter(|column| self.alike && is_name(column))?;
        let words = mapping::telling_words(shown(party, column)?);
        let holds = words.iter().map(|word| format!("contains({column},{})", quoted(word)));
        let terms: Vec<String> = holds.chain(["statecode eq 0".to_owned()]).collect();
        let match_on = self.match_on.iter().filter(|column| self.country != Some(column.as_str()));
        let match_on = match_on.map(String::as_str).collect::<Vec<_>>().join(",");
        let select = format!("{},{match_on}", self.select());
        (!words.is_empty()).then(|| self.oldest(&select, &terms))
    }

    fn oldest(&self, select: &str, terms: &[String]) -> Request {
        let order = escaped(&format!("createdon asc,{} asc", self.id));
        let filter = escaped(&terms.join(" and "));
        Request::get(format!("{}?{select}&$filter={filter}&$orderby={order}&$top={ALIKE}", self.set))
    }

    /// Those of these rows that a person would read as equal in all columns of the map.
    pub(super) fn alike(&self, party: &Party, rows: &[Value]) -> Vec<Value> {
        let same = |row: &Value, column: &String| {
            let theirs = row.get(column).and_then(Value::as_str).unwrap_or_default();
            mapping::reads_alike(shown(party, column).unwrap_or_default(), theirs)
        };
        let rows = rows.iter().filter(|row| !self.is_elsewhere(party, row));
        rows.filter(|row| self.match_on.iter().all(|column| same(row, column))).cloned().collect()
    }

    /// Whether the row is in another country, in which case it is another party even if all else is equal.
    pub(super) fn is_elsewhere(&self, party: &Party, row: &Value) -> bool {
        let theirs = self.country.and_then(|column| row.get(column)?.as_str()).unwrap_or_default();
        mapping::are_apart(party.country.as_deref().unwrap_or_default(), theirs)
    }

    /// What sellers should know about a choice, if it was not the obvious one. `exact`: the rows are equal, not just
    /// alike.
    pub(super) fn told(&self, party: &Party, matches: &[Value], exact: bool, id: &str) -> Option<String> {
        let first = matches.first()?.get(self.id).and_then(Value::as_str);
        let (set, name, by) = (self.set, &party.name, self.match_on.join(", "));
        let taken = || match (matches.len(), exact) {
            (1, true) => {
                // Fewer columns than the map asks for were compared, because the party lacks the others.
                let lacks = self.match_on.iter().filter(|column| shown(party, column).is_none());
                let lacks: Vec<&str> = lacks.map(String::as_str).collect();
                (!lacks.is_empty()).then(|| {
                    let lacks = lacks.join(", ");
                    format!(
                        "of {set} `{id}` was taken for `{name}`, which shows no {lacks}, as it shows none"
                    )
                })
            }
            (1, false) => Some(format!(
                "none of the {set} shows `{name}` ({by}) exactly: `{id}`, which reads alike, was taken"
            )),
            (_, true) => Some(format!("several {set} match `{name}` ({by}): the oldest, `{id}`, was taken")),
            (_, false) => {
                Some(format!("several {set} read like `{name}` ({by}): the oldest, `{id}`, was taken"))
            }
        };
        if first == Some(id) { taken() } else { None }
    }

    fn select(&self) -> String {
        let country = self.country.map(|column| format!(",{column}")).unwrap_or_default();
        format!("$select={},{},statecode,merged,_masterid_value,createdon{country}", self.id, self.key)
    }

    /// Decides by what the queries found. `id`: of a new row.
    pub(super) fn choose(&self, party: &Party, id: &str, by_key: &[Value], by_match: &[Value]) -> Choice {
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let active = |row: &Value| row.get("statecode").and_then(Value::as_i64) == Some(0);
        let found = |row: &Value, key_is_free: bool| {
            let id = text(row, self.id)?;
            let etag = text(row, "@odata.etag").filter(|_| key_is_free && text(row, self.key).is_none());
            Some(etag.map_or(Choice::Use { id: id.clone() }, |etag| Choice::Mark { id, etag }))
        };
        let (mut key_is_free, mut id_is_free) = (true, true);
        for row in by_key {
            let keyed = text(row, self.key).is_some_and(|k| k.eq_ignore_ascii_case(&party.key));
            let merged = row.get("merged").and_then(Value::as_bool) == Some(true);
            match text(row, "_masterid_value").filter(|_| merged && !active(row)) {
                Some(master) if keyed => return Choice::Follow { id: master },
                _ if active(row) && keyed => {
                    if let Some(choice) = found(row, false) {
                        return choice;
                    }
                }
                _ => {}
            }
            key_is_free &= !keyed;
            id_is_free &= text(row, self.id).is_none_or(|i| !i.eq_ignore_ascii_case(id));
        }
        // The row that we created, if a user has emptied its key; else the first match.
        let ours = by_key.iter().find(|row| active(row) && text(row, self.key).is_none());
        if let Some(choice) = ours.or(by_match.first()).and_then(|row| found(row, key_is_free)) {
            return choice;
        }
        if !self.create {
            return Choice::Missing;
        }
        // A deactivated row has the key or the id, so the new row does without.
        let id = if id_is_free { id.to_owned() } else { mapping::child_id(&["again", id]) };
        Choice::Create { id, keyed: key_is_free }
    }
}

/// The text that a party has in a column; `None`: none, or blank.
fn shown<'a>(party: &'a Party, column: &str) -> Option<&'a str> {
    match party.columns.get(column) {
        Some(CrmValue::Plain(Value::String(text))) => Some(text.as_str()).filter(|t| !t.trim().is_empty()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "party/tests.rs"]
mod tests;
