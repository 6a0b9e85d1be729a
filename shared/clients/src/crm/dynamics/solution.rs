//! Microsoft Solutions of an opportunity: rows that point to the catalogue. Rows of both are created create-only,
//! under ids that every run derives alike.

use super::{
    Dynamics,
    batch::Request,
    columns::{SOLUTION, SOLUTION_DETAIL, SOLUTION_DETAIL_LOOKUP, SOLUTION_KEY, SOLUTION_OPPORTUNITY},
    odata::{any_of, escaped, id_of, quoted, set_of, value_of},
};
use crate::crm::{
    not_begun::NotBegun,
    solution_row::{DETAIL, ListRow, columns, solution_id},
};
use mapping::child_id;
use serde_json::{Value, json};

/// The most rows in one change set: each may also need a row in the catalogue, and a change set is limited to a
/// thousand requests and two minutes.
pub(super) const AT_ONCE: usize = 100;

impl Dynamics {
    /// The solution ids in these rows for which this process knows no row of the catalogue.
    pub(super) fn unknown_details(&self, rows: &[ListRow]) -> Result<Vec<String>, NotBegun> {
        let mut unknown = vec![];
        for row in rows {
            let id = solution_id(row, SOLUTION_KEY)?;
            if self.known.get(SOLUTION_DETAIL, id).is_none() && !unknown.contains(&id.to_owned()) {
                unknown.push(id.to_owned());
            }
        }
        Ok(unknown)
    }

    /// The query for rows of the catalogue.
    pub(super) fn details_request(&self, ids: &[String]) -> Option<Request> {
        let filter = escaped(&any_of(SOLUTION_KEY, ids.iter().map(|id| quoted(id))));
        let select = format!("{},{SOLUTION_KEY}", id_of(SOLUTION_DETAIL));
        let set = set_of(SOLUTION_DETAIL);
        (!ids.is_empty()).then(|| Request::get(format!("{set}?$select={select}&$filter={filter}")))
    }

    /// The query for rows that exist already under the ids of these: users empty a row's lookup or move it.
    pub(super) fn taken_request(&self, opportunity: &str, rows: &[ListRow]) -> Option<Request> {
        let keys = rows.iter().filter_map(|row| solution_id(row, SOLUTION_KEY).ok());
        let ids: Vec<String> = keys.flat_map(|key| row_ids(opportunity, key)).collect();
        let filter = escaped(&any_of(&id_of(SOLUTION), ids.iter().cloned()));
        let lookups = [SOLUTION_OPPORTUNITY, SOLUTION_DETAIL_LOOKUP].map(value_of).join(",");
        let select = format!("{},{lookups}", id_of(SOLUTION));
        (!ids.is_empty())
            .then(|| Request::get(format!("{}?$select={select}&$filter={filter}", set_of(SOLUTION))))
    }

    /// Create-only requests, first for missing rows of the catalogue, then for the rows of the list. `found`: rows of
    /// the catalogue; `taken`: rows that exist under the ids of the list's rows, if that was asked.
    pub(super) async fn solution_requests(
        &self,
        opportunity: &str,
        rows: &[ListRow],
        found: &[Value],
        taken: &[Value],
    ) -> Result<(Vec<Request>, Vec<Request>), NotBegun> {
        for row in found {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            if let (Some(key), Some(id)) = (text(SOLUTION_KEY), text(&id_of(SOLUTION_DETAIL))) {
                // The collation ignores case: both spellings mean this row.
                let asked = rows
                    .iter()
                    .filter_map(|r| solution_id(r, SOLUTION_KEY).ok())
                    .find(|s| s.eq_ignore_ascii_case(key));
                self.known.put(SOLUTION_DETAIL, asked.unwrap_or(key), id);
            }
        }
        let (mut details, mut solutions) = (vec![], vec![]);
        let mut seen = vec![];
        for row in rows {
            let key = solution_id(row, SOLUTION_KEY)?;
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let detail = match self.known.get(SOLUTION_DETAIL, key) {
                Some(id) => id,
                None if !self.map.switches().add_unknown_solutions => {
                    return Err(NotBegun::refused(
                        &format!("{DETAIL}{SOLUTION_KEY}"),
                        format!("solution `{key}` is not in the catalogue"),
                    ));
                }
                None => {
                    let id = detail_id(key);
                    let mut body = self.body(&columns(row, true)).await?;
                    body.insert(SOLUTION_KEY.into(), json!(key));
                    body.entry("cosell_name").or_insert_with(|| json!(key));
                    let path = format!("{}({id})", set_of(SOLUTION_DETAIL));
                    details
                        .push(Request::write("PATCH", path, Value::Object(body)).with("If-None-Match", "*"));
                    id
                }
            };
            let mut body = self.body(&columns(row, false)).await?;
            body.entry("cosell_name").or_insert_with(|| json!(key));
            body.insert(
                format!("{SOLUTION_OPPORTUNITY}@odata.bind"),
                json!(format!("/opportunities({opportunity})")),
            );
            let bind = format!("/{}({detail})", set_of(SOLUTION_DETAIL));
            body.insert(format!("{SOLUTION_DETAIL_LOOKUP}@odata.bind"), json!(bind));
            let write = |id: &str| {
                Request::write("PATCH", format!("{}({id})", set_of(SOLUTION)), Value::Object(body))
            };
            match RowStatus::of(opportunity, key, &detail, taken) {
                RowStatus::New(id) => solutions.push(write(&id).with("If-None-Match", "*")),
                RowStatus::Orphan { id, etag } => solutions.push(write(&id).with("If-Match", etag)),
                RowStatus::There => {}
            }
        }
        Ok((details, solutions))
    }

    /// After a change set was carried out: remembers the rows of the catalogue that it created.
    pub(super) fn remember_details(&self, rows: &[ListRow]) {
        for key in rows.iter().filter_map(|row| solution_id(row, SOLUTION_KEY).ok()) {
            if self.known.get(SOLUTION_DETAIL, key).is_none() {
                self.known.put(SOLUTION_DETAIL, key, &detail_id(key));
            }
        }
    }
}

/// The ids that a row of the list may have. A further one is used if a user has moved the row to another opportunity, or
/// has chosen another solution in it.
fn row_ids(opportunity: &str, key: &str) -> [String; 3] {
    let id = child_id(&["solution", opportunity, key]);
    let second = child_id(&["again", &id]);
    let third = child_id(&["again", &second]);
    [id, second, third]
}

/// What has to be done about a row of the list.
#[derive(Debug, PartialEq, Eq)]
enum RowStatus {
    /// It is created under this id.
    New(String),
    /// It exists, but its opportunity or its solution was emptied: it gets it back.
    Orphan { id: String, etag: String },
    /// It exists and is whole: nothing is written.
    There,
}

impl RowStatus {
    /// `detail`: the row of the catalogue.
    fn of(opportunity: &str, key: &str, detail: &str, taken: &[Value]) -> RowStatus {
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let ids = row_ids(opportunity, key);
        let last = ids[2].clone();
        for id in ids {
            let is_it =
                |row: &&Value| text(row, &id_of(SOLUTION)).is_some_and(|i| i.eq_ignore_ascii_case(&id));
            let Some(row) = taken.iter().find(is_it) else { return RowStatus::New(id) };
            let other = |name: &str, ours: &str| {
                text(row, &value_of(name)).map(|now| !now.eq_ignore_ascii_case(ours))
            };
            let differs = [other(SOLUTION_OPPORTUNITY, opportunity), other(SOLUTION_DETAIL_LOOKUP, detail)];
            match (differs, text(row, "@odata.etag")) {
                ([Some(true), _] | [_, Some(true)], _) => {}
                ([None, _] | [_, None], Some(etag)) => return RowStatus::Orphan { id, etag },
                _ => return RowStatus::There,
            }
        }
        RowStatus::New(last)
    }
}

/// The id of a row of the catalogue that we create.
fn detail_id(key: &str) -> String {
    child_id(&["solution detail", key])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_lost_its_deal_or_solution_gets_it_back_and_one_of_another_stays_as_it_is() {
        let [first, second, _] = row_ids("deal", "SOL-1");
        let with = |id: &str, deal: Option<&str>, detail: Option<&str>| {
            json!({ id_of(SOLUTION): id, value_of(SOLUTION_OPPORTUNITY): deal,
                value_of(SOLUTION_DETAIL_LOOKUP): detail, "@odata.etag": "W/\"7\"" })
        };
        let row = |id: &str, deal: Option<&str>| with(id, deal, Some("Detail"));
        let of = |taken: &[Value]| RowStatus::of("deal", "SOL-1", "detail", taken);
        assert_eq!(of(&[]), RowStatus::New(first.clone()));
        assert_eq!(of(&[row("other", None)]), RowStatus::New(first.clone()));
        assert_eq!(of(&[row(&first, None)]), RowStatus::Orphan { id: first.clone(), etag: "W/\"7\"".into() });
        assert_eq!(of(&[row(&first, Some("DEAL"))]), RowStatus::There);
        assert_eq!(of(&[row(&first, Some("another"))]), RowStatus::New(second.clone()));
        assert_eq!(of(&[with(&first, Some("deal"), Some("other"))]), RowStatus::New(second.clone()));
        let emptied = with(&first, Some("deal"), None);
        assert_eq!(of(&[emptied]), RowStatus::Orphan { id: first.clone(), etag: "W/\"7\"".into() });
        let moved = [row(&first, Some("another")), row(&second, None)];
        assert_eq!(of(&moved), RowStatus::Orphan { id: second, etag: "W/\"7\"".into() });
    }
}
