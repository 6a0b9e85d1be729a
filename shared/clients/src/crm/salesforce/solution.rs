//! Microsoft Solutions of an opportunity: rows that point to the catalogue. Missing rows of the catalogue are created
//! in the same composite if there is room, else before it.

use super::{
    Salesforce,
    composite::{PARTS, Part},
    errors::SalesforceMeaning,
    rows::{
        SOLUTION, SOLUTION_DETAIL, SOLUTION_DETAIL_LOOKUP, SOLUTION_KEY, SOLUTION_OPPORTUNITY, solution_of,
    },
    soql::{any_of, quoted},
};
use crate::crm::{
    not_begun::NotBegun,
    solution_row::{DETAIL, ListRow, columns, solution_id},
};
use mapping::ListChange;
use serde_json::{Value, json};
use sync::failure::Written;

/// The most parts that a composite may need besides rows of solutions: a lead or the record itself, account, contact,
/// role, and the reads.
const BESIDES: usize = 9;
/// The most rows of solutions in one composite.
pub(super) const AT_ONCE: usize = PARTS - BESIDES;

/// The requests that change the solutions of an opportunity.
#[derive(Default)]
pub(super) struct Solutions {
    /// Requests that create missing rows of the catalogue.
    catalogue: Vec<Part>,
    rows: Vec<Part>,
}

impl Salesforce {
    /// The requests that add rows to the solutions and delete rows from them.
    pub(super) async fn changed_solutions(
        &self,
        operation: &str,
        id: &str,
        change: &ListChange,
    ) -> Result<Solutions, NotBegun> {
        let mut looks: Vec<Part> = self.details_query(&change.add)?.into_iter().collect();
        if !change.remove.is_empty() {
            let select = self.fields.solution_select();
            let of = quoted(id);
            let soql = format!("SELECT {select} FROM {SOLUTION} WHERE {SOLUTION_OPPORTUNITY} = {of}");
            looks.push(Part::query("present", &soql));
        }
        if looks.is_empty() {
            return Ok(Solutions::default());
        }
        let found = self.wire.look(operation, &looks).await?;
        let rows = |reference: &str| match looks.iter().any(|look| look.reference == reference) {
            true => found.rows(reference).map_err(|said| self.wire.failed(operation, &said)),
            false => Ok(vec![]),
        };
        let mut solutions = self.new_solutions(id, &change.add, &rows("details")?)?;
        for row in rows("present")? {
            let goes = solution_of(&row)
                .filter(|(key, _)| change.remove.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
            if let Some((_, row)) = goes {
                let reference = format!("gone{}", solutions.rows.len());
                solutions.rows.push(Part::delete(reference, SOLUTION, row));
            }
        }
        Ok(solutions)
    }

    /// The query for the rows of the catalogue to which these rows point.
    pub(super) fn details_query(&self, rows: &[ListRow]) -> Result<Option<Part>, NotBegun> {
        let keys = rows.iter().map(|row| solution_id(row, SOLUTION_KEY)).collect::<Result<Vec<_>, _>>()?;
        let soql = format!(
            "SELECT Id, {SOLUTION_KEY} FROM {SOLUTION_DETAIL} WHERE {SOLUTION_KEY} IN ({})",
            any_of(&keys)
        );
        Ok((!keys.is_empty()).then(|| Part::query("details", &soql)))
    }

    /// The requests that create these rows for an opportunity (an id or a reference), and those of the catalogue that
    /// `known` lacks.
    pub(super) fn new_solutions(
        &self,
        opportunity: &str,
        rows: &[ListRow],
        known: &[Value],
    ) -> Result<Solutions, NotBegun> {
        let mut solutions = Solutions::default();
        let mut seen: Vec<&str> = vec![];
        for (n, row) in rows.iter().enumerate() {
            let key = solution_id(row, SOLUTION_KEY)?;
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let same = |row: &&Value| row[SOLUTION_KEY].as_str().is_some_and(|k| k.eq_ignore_ascii_case(key));
            let detail = match known.iter().find(same).and_then(|row| row["Id"].as_str()) {
                Some(id) => id.to_owned(),
                None if !self.map.switches().add_unknown_solutions => {
                    let field = format!("{DETAIL}{SOLUTION_KEY}");
                    return Err(NotBegun::refused(
                        &field,
                        format!("solution `{key}` is not in the catalogue"),
                    ));
                }
                None => {
                    let mut body = self.body(&columns(row, true))?;
                    body.insert(SOLUTION_KEY.to_owned(), json!(key));
                    body.entry("Name").or_insert_with(|| json!(key));
                    let detail = Part::create(format!("detail{n}"), SOLUTION_DETAIL, Value::Object(body));
                    let reference = detail.made_id();
                    solutions.catalogue.push(detail);
                    reference
                }
            };
            let mut body = self.body(&columns(row, false))?;
            body.insert(SOLUTION_OPPORTUNITY.to_owned(), json!(opportunity));
            body.insert(SOLUTION_DETAIL_LOOKUP.to_owned(), json!(detail));
            solutions.rows.push(Part::create(format!("solution{n}"), SOLUTION, Value::Object(body)));
        }
        Ok(solutions)
    }

    /// The requests, to be sent beside `others` more. If the composite has no room for rows of the catalogue, these
    /// are created now, under their unique key, so that a later run finds them.
    pub(super) async fn with_catalogue(
        &self,
        operation: &str,
        solutions: Solutions,
        others: usize,
    ) -> Result<Vec<Part>, NotBegun> {
        let Solutions { mut catalogue, mut rows } = solutions;
        if others + catalogue.len() + rows.len() <= PARTS {
            catalogue.append(&mut rows);
            return Ok(catalogue);
        }
        let made = match self.wire.write_in_turn(operation, &catalogue).await {
            Ok(made) => made,
            Err(unwritten) => return Err(NotBegun::after(self.wire.unwritten::<()>(operation, unwritten))),
        };
        if let Some(said) = made.refusal() {
            return Err(NotBegun::after(match said.meaning() {
                SalesforceMeaning::Taken | SalesforceMeaning::Gone => Written::Lost,
                _ => self.wire.ended::<()>(operation, &said, []),
            }));
        }
        for body in rows.iter_mut().filter_map(|part| part.body.as_mut()) {
            let detail = body[SOLUTION_DETAIL_LOOKUP].as_str().unwrap_or_default();
            // If the answer contains no id, the next attempt finds the row by its key.
            let id = made.id(detail).ok_or(NotBegun::Overtaken)?;
            body[SOLUTION_DETAIL_LOOKUP] = json!(id);
        }
        Ok(rows)
    }
}
