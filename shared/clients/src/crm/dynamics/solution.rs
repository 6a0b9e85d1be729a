//! Microsoft Solutions of an opportunity: rows that point into the catalogue. Both are made create-only, under ids
//! that are the same for each run.

use super::{
    Dynamics,
    batch::Request,
    columns::{SOLUTION, SOLUTION_DETAIL, SOLUTION_DETAIL_LOOKUP, SOLUTION_KEY, SOLUTION_OPPORTUNITY},
    odata::{any_of, escaped, id_of, quoted, set_of},
};
use crate::crm::{
    not_begun::NotBegun,
    solution_row::{DETAIL, ListRow, columns, solution_id},
};
use mapping::child_id;
use serde_json::{Value, json};

/// Rows that one change set takes: each may need one in the catalogue, and a change set has a thousand requests and two
/// minutes.
pub(super) const AT_ONCE: usize = 100;

impl Dynamics {
    /// The solution ids of rows whose catalogue row this process does not know.
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

    /// The query that finds catalogue rows.
    pub(super) fn details_request(&self, ids: &[String]) -> Option<Request> {
        let filter = escaped(&any_of(SOLUTION_KEY, ids.iter().map(|id| quoted(id))));
        let select = format!("{},{SOLUTION_KEY}", id_of(SOLUTION_DETAIL));
        let set = set_of(SOLUTION_DETAIL);
        (!ids.is_empty()).then(|| Request::get(format!("{set}?$select={select}&$filter={filter}")))
    }

    /// Create-only requests for catalogue rows that are missing, and for the rows of the list.
    pub(super) async fn solution_requests(
        &self,
        opportunity: &str,
        rows: &[ListRow],
        found: &[Value],
    ) -> Result<(Vec<Request>, Vec<Request>), NotBegun> {
        for row in found {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            if let (Some(key), Some(id)) = (text(SOLUTION_KEY), text(&id_of(SOLUTION_DETAIL))) {
                // The collation ignores case; both spellings are the same row.
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
            let id = child_id(&["solution", opportunity, key]);
            let path = format!("{}({id})", set_of(SOLUTION));
            solutions.push(Request::write("PATCH", path, Value::Object(body)).with("If-None-Match", "*"));
        }
        Ok((details, solutions))
    }

    /// After a change set: what was missing in the catalogue is there.
    pub(super) fn remember_details(&self, rows: &[ListRow]) {
        for key in rows.iter().filter_map(|row| solution_id(row, SOLUTION_KEY).ok()) {
            if self.known.get(SOLUTION_DETAIL, key).is_none() {
                self.known.put(SOLUTION_DETAIL, key, &detail_id(key));
            }
        }
    }
}

/// The id of a catalogue row that we make.
fn detail_id(key: &str) -> String {
    child_id(&["solution detail", key])
}
