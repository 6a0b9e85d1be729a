//! Chooses the account or contact of a new record: the one with our key, else one that matches, reads alike or was
//! named by a duplicate rule, else a new one.

use super::{
    Salesforce,
    composite::Part,
    soql::{holding, is_name, quoted},
};
use crate::crm::not_begun::NotBegun;
use mapping::{CrmValue, Party};
use serde_json::{Map as Object, Value, json};
use std::collections::BTreeMap;

/// The most rows that a query for matches returns: the one with our key may be the youngest of them.
const SAME: u32 = 200;
/// Excludes person accounts and their contacts.
const COMPANY: &str = "IsPersonAccount = false";
/// The most rows that are compared by likeness.
const ALIKE: u32 = 50;

/// How accounts, or contacts, are found and created.
pub(super) struct PartyObject<'a> {
    pub(super) object: &'static str,
    pub(super) key: &'a str,
    match_on: &'a [String],
    /// The field that holds the country.
    country: Option<&'a str>,
    alike: bool,
    create: bool,
}

/// An account or contact that was found, or the request that creates it.
pub(super) struct Chosen {
    /// Its id, or a reference to the request that creates it.
    pub(super) id: String,
    pub(super) part: Option<Part>,
    pub(super) told: Option<String>,
}

impl Salesforce {
    pub(super) fn places(&self) -> (PartyObject<'_>, PartyObject<'_>) {
        let (account, contact) = (self.map.account(), self.map.contact());
        (
            PartyObject {
                object: "Account",
                key: &account.key,
                match_on: &account.match_on,
                country: self.map.country_column().filter(|name| is_name(name)),
                alike: account.alike,
                create: account.create,
            },
            PartyObject {
                object: "Contact",
                key: &contact.key,
                match_on: &contact.match_on,
                country: None,
                alike: false,
                create: contact.create,
            },
        )
    }

    /// The row with our key, else the oldest that matches, else the oldest that reads alike, else a new one.
    pub(super) fn choose(
        &self,
        place: &PartyObject<'_>,
        party: &Party,
        columns: &BTreeMap<String, CrmValue>,
        exact: &[Value],
        alike: &[Value],
        account: Option<&str>,
    ) -> Result<Option<Chosen>, NotBegun> {
        let keyed =
            |row: &&Value| row[place.key].as_str().is_some_and(|k| k.eq_ignore_ascii_case(&party.key));
        let id = |row: &Value| row["Id"].as_str().unwrap_or_default().to_owned();
        if let Some(row) = exact.iter().find(keyed) {
            return Ok(Some(Chosen { id: id(row), part: None, told: None }));
        }
        let adopted = self.known.adopted(place.object, &party.key);
        let adopted = exact.iter().find(|row| adopted.as_deref().is_some_and(|adopted| id(row) == adopted));
        let (object, name, by) = (place.object, &party.name, place.match_on.join(", "));
        let exact: Vec<&Value> = exact.iter().filter(|row| !place.is_elsewhere(party, row)).collect();
        let like: Vec<&Value> = alike.iter().filter(|row| place.reads_alike(party, row)).collect();
        let (row, told) = match (exact.first().copied(), like.first()) {
            _ if adopted.is_some() => {
                let id = adopted.map(id).unwrap_or_default();
                (adopted, Some(format!("by a duplicate rule `{name}` is {object} `{id}`, which was taken")))
            }
            (Some(row), _) if exact.len() > 1 => {
                let words =
                    format!("several {object}s match `{name}` ({by}): the oldest, `{}`, was taken", id(row));
                (Some(row), Some(words))
            }
            (Some(row), _) => (Some(row), place.lacking(party, &id(row))),
            (None, Some(row)) => {
                let words = format!(
                    "no {object} shows `{name}` ({by}) exactly: `{}`, which reads alike, was taken",
                    id(row)
                );
                (Some(*row), Some(words))
            }
            (None, None) => (None, None),
        };
        let reference = object.to_lowercase();
        if let Some(row) = row {
            // A row that was found gets our key and no other write, ever.
            let free = row[place.key].is_null();
            let mark = || Part::update(reference, object, &id(row), json!({ place.key: party.key }));
            return Ok(Some(Chosen { id: id(row), part: free.then(mark), told }));
        }
        if !place.create {
            return Ok(None);
        }
        let mut body: Object<String, Value> = self.body(columns)?;
        body.insert(place.key.to_owned(), json!(party.key));
        if let Some(account) = account {
            body.insert("AccountId".to_owned(), json!(account));
        }
        let part = Part::create(reference, object, Value::Object(body));
        Ok(Some(Chosen { id: part.made_id(), part: Some(part), told: None }))
    }
}

impl PartyObject<'_> {
    fn select(&self) -> String {
        let mut fields = vec!["Id".to_owned(), self.key.to_owned()];
        let further = self.match_on.iter().map(String::as_str).chain(self.country);
        for name in further.filter(|name| is_name(name)) {
            if !fields.iter().any(|field| field == name) {
                fields.push(name.to_owned());
            }
        }
        fields.join(", ")
    }

    /// The query by our key, or for the oldest rows that equal the party in all fields of the map. `persons`: the org
    /// has person accounts, to which no deal of a company belongs.
    pub(super) fn exact(
        &self,
        reference: &str,
        party: &Party,
        adopted: Option<String>,
        persons: bool,
    ) -> Part {
        let adopted = adopted.map(|id| format!(" OR Id = {}", quoted(&id))).unwrap_or_default();
        let by_key = format!("{} = {}{adopted}", self.key, quoted(&party.key));
        let same = |field: &String| match shown(party, field) {
            Some(text) => format!("{field} = {}", quoted(text)),
            None => format!("{field} = null"),
        };
        let terms: Vec<String> = self.match_on.iter().filter(|field| is_name(field)).map(same).collect();
        let matches = self.match_on.first().and_then(|field| shown(party, field)).is_some();
        let which = if matches { format!("{by_key} OR ({})", terms.join(" AND ")) } else { by_key };
        let (select, object) = (self.select(), self.object);
        let which = if persons { format!("({which}) AND {COMPANY}") } else { which };
        let soql =
            format!("SELECT {select} FROM {object} WHERE {which} ORDER BY CreatedDate, Id LIMIT {SAME}");
        Part::query(reference, &soql)
    }

    /// The query for the oldest rows that contain the name's characteristic words, for
    /// [`reads_alike`](Self::reads_alike).
    pub(super) fn likeness(&self, reference: &str, party: &Party, persons: bool) -> Option<Part> {
        let field = self.match_on.first().filter(|field| self.alike && is_name(field))?;
        let words = mapping::telling_words(shown(party, field)?);
        let holds = words.iter().map(|word| format!("{field} LIKE {}", holding(word)));
        let terms: Vec<String> = holds.chain(persons.then(|| COMPANY.to_owned())).collect();
        if words.is_empty() {
            return None;
        }
        let (select, object) = (self.select(), self.object);
        let soql = format!(
            "SELECT {select} FROM {object} WHERE {} ORDER BY CreatedDate, Id LIMIT {ALIKE}",
            terms.join(" AND ")
        );
        Some(Part::query(reference, &soql))
    }

    /// Whether the row is in another country, in which case it is another party even if all else is equal.
    fn is_elsewhere(&self, party: &Party, row: &Value) -> bool {
        let theirs = self.country.and_then(|name| row[name].as_str()).unwrap_or_default();
        mapping::are_apart(party.country.as_deref().unwrap_or_default(), theirs)
    }

    /// A text for sellers, if fewer fields than the map asks for were compared because the party lacks the others.
    fn lacking(&self, party: &Party, id: &str) -> Option<String> {
        let lacks = self.match_on.iter().filter(|field| shown(party, field).is_none());
        let lacks: Vec<&str> = lacks.map(String::as_str).collect();
        let (object, name) = (self.object, &party.name);
        (!lacks.is_empty()).then(|| {
            format!(
                "{object} `{id}` was taken for `{name}`, which shows no {}, as it shows none",
                lacks.join(", ")
            )
        })
    }

    fn reads_alike(&self, party: &Party, row: &Value) -> bool {
        !self.is_elsewhere(party, row)
            && self.match_on.iter().all(|field| {
                let theirs = row[field.as_str()].as_str().unwrap_or_default();
                mapping::reads_alike(shown(party, field).unwrap_or_default(), theirs)
            })
    }
}

/// The text that a party has in a field; `None`: none, or blank.
fn shown<'a>(party: &'a Party, field: &str) -> Option<&'a str> {
    match party.columns.get(field) {
        Some(CrmValue::Plain(Value::String(text))) => Some(text.as_str()).filter(|t| !t.trim().is_empty()),
        _ => None,
    }
}
