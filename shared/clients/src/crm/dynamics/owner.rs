//! Chooses the owner of a new record: the first owner named by the map that exists and is not disabled.

use super::{
    batch::Request,
    odata::{any_of, escaped, guid, id_of, is_name, quoted, set_of},
};
use crate::crm::not_begun::NotBegun;
use mapping::{Owner, OwnerWish};
use serde_json::{Map as Object, Value, json};

/// The table of users, which can be disabled; teams have no such column.
const USER: &str = "systemuser";

/// One query per table and column that the map names.
pub(super) fn requests(owner: &Owner) -> Result<Vec<Request>, NotBegun> {
    places(owner)
        .into_iter()
        .map(|(table, column)| {
            if !is_name(table) || !is_name(column) {
                return Err(NotBegun::refused("owner", "its table and columns are plain names"));
            }
            let texts = owner
                .wanted
                .iter()
                .filter(|wish| (wish.table.as_str(), wish.column.as_str()) == (table, column));
            let mut filter = any_of(column, texts.map(|wish| quoted(&wish.text)));
            if table == USER {
                filter += " and isdisabled eq false";
            }
            let (set, id) = (set_of(table), id_of(table));
            Ok(Request::get(format!("{set}?$select={id},{column}&$filter={}", escaped(&filter))))
        })
        .collect()
}

/// Binds the owner, from the rows that the queries found. Returns a text for sellers if none of the named owners
/// exists.
pub(super) fn bind(owner: &Owner, rows: &[Vec<Value>], body: &mut Object<String, Value>) -> Option<String> {
    let places = places(owner);
    let row_of = |wish: &OwnerWish| {
        let n = places.iter().position(|place| *place == (wish.table.as_str(), wish.column.as_str()))?;
        let shows = |row: &&Value| {
            let text = row.get(&wish.column).and_then(Value::as_str);
            text.is_some_and(|text| text.to_lowercase() == wish.text.to_lowercase())
        };
        let id = rows.get(n)?.iter().find(shows)?.get(id_of(&wish.table))?.as_str().and_then(guid)?;
        Some(format!("/{}({id})", set_of(&wish.table)))
    };
    match owner.wanted.iter().find_map(row_of) {
        Some(path) => {
            body.insert(format!("{}@odata.bind", owner.column), json!(path));
            None
        }
        None if owner.wanted.is_empty() => None,
        None => {
            let named: Vec<&str> = owner.wanted.iter().map(|wish| wish.text.as_str()).collect();
            Some(format!("nobody here is `{}`: the connector's own user owns the record", named.join("`, `")))
        }
    }
}

fn places(owner: &Owner) -> Vec<(&str, &str)> {
    let mut places: Vec<(&str, &str)> = vec![];
    for wish in &owner.wanted {
        let place = (wish.table.as_str(), wish.column.as_str());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}
