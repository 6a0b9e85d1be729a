//! GET of one row and of lists: filter, order, pages.

use super::address::{Address, Prefer, options};
use super::filter::{self, DataverseFilter};
use super::metadata::Table;
use super::order::{Order, compare, order, values_of};
use super::refusal::{DataverseOutcome, bad_request, no_such_key, no_such_row, not_modelled};
use super::shape::{Shape, etag};
use super::store::DataverseRow;
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;

const MOST: usize = 5000;

/// Where a paged read goes on.
#[derive(Clone, Debug)]
pub(super) struct PageCursor {
    pub set: String,
    pub options: BTreeMap<String, String>,
    pub prefer: Prefer,
    pub page: usize,
    /// Rows on the pages before.
    pub given: usize,
    pub at: PagePosition,
}

#[derive(Clone, Debug)]
pub(super) enum PagePosition {
    /// After the row with these order values and this id.
    After(Vec<Value>, String),
    /// What is left of a delta: changed rows, deleted rows, the version of the next token.
    Delta { rows: Vec<String>, deleted: Vec<String>, until: u64 },
}

pub(super) type Options = BTreeMap<String, String>;

/// Whether `$count` asks for the number of all rows.
fn counted(options: &Options) -> DataverseOutcome<bool> {
    match options.get("$count").map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(bad_request(format!("Invalid value '{other}' for $count query option."))),
    }
}

impl Dataverse {
    /// Only these options are known at this place.
    pub(super) fn only(&self, options: &Options, known: &[&str]) -> DataverseOutcome<()> {
        for name in options.keys() {
            match name.as_str() {
                "tag" => {}
                name if known.contains(&name) => {}
                "$skip" => return Err(bad_request("Skip Clause is not supported in CRM")),
                name => return Err(not_modelled(format!("query option `{name}`"))),
            }
        }
        Ok(())
    }

    /// The row as a reader sees it now: while it is stale, as it was before its last write.
    pub(super) fn seen(&self, set: &str, id: &str) -> Option<&DataverseRow> {
        let mut lagging = self.lagging.keys().filter(|(of, row)| of == set && row == id);
        match lagging.next() {
            Some(key) => self.previous[key].as_ref(),
            None => self.get(set, id),
        }
    }

    /// One read has happened: stale rows come nearer to the present.
    pub(super) fn aged(&mut self, set: &str, id: Option<&str>) {
        self.lagging.retain(|(of, row), reads| {
            *reads -= u32::from(of == set && id.is_none_or(|id| id == row));
            *reads > 0
        });
    }

    pub(super) fn context(&self, table: &Table, options: &Options, tail: &str) -> String {
        let columns: Vec<&str> =
            ["$select", "$expand"].iter().filter_map(|o| options.get(*o)).map(String::as_str).collect();
        let columns = if columns.is_empty() { String::new() } else { format!("({})", columns.join(",")) };
        format!("{}/$metadata#{}{columns}{tail}", self.root(), table.set)
    }

    pub(super) fn read_one(
        &mut self,
        call: &DataverseCall,
        table: &Table,
        address: &Address,
    ) -> DataverseOutcome<Response> {
        let options = options(&call.request.query)?;
        self.only(&options, &["$select", "$expand"])?;
        let shape = self.shape(table, options.get("$select"), options.get("$expand"))?;
        let id = match address {
            Address::Id(id) => id.clone(),
            Address::Key(pairs) => self.find(&table.set, pairs).ok_or_else(|| no_such_key(table))?,
        };
        let row = self.seen(&table.set, &id).cloned();
        self.aged(&table.set, Some(&id));
        let row = row.ok_or_else(|| match address {
            Address::Id(_) => no_such_row(table, &id),
            Address::Key(_) => no_such_key(table),
        })?;
        let plain = shape.expands.is_empty() && !call.prefer.annotations;
        match call.request.header("if-none-match") {
            None | Some("null") => {}
            Some(known) if known.starts_with("W/\"") => {
                if plain && known == etag(&row) {
                    return Ok(Response::new(304).with("OData-Version", "4.0"));
                }
            }
            Some(other) => return Err(not_modelled(format!("If-None-Match `{other}` on a read"))),
        }
        let mut body = self.show(table, &row, &shape, call.prefer.annotations);
        body.insert("@odata.context".into(), json!(self.context(table, &options, "/$entity")));
        Ok(self.ok(call, body).with("ETag", etag(&row)))
    }

    /// 200 with a JSON body and the preferences that were applied.
    pub(super) fn ok(&self, call: &DataverseCall, body: Map<String, Value>) -> Response {
        let response = Response::json(200, &Value::Object(body)).with("OData-Version", "4.0");
        let mut response = Response {
            headers: response
                .headers
                .into_iter()
                .map(|(n, v)| if n == "content-type" { (n, super::JSON.to_owned()) } else { (n, v) })
                .collect(),
            ..response
        };
        let mut applied = vec![];
        if call.prefer.track {
            applied.push("odata.track-changes".to_owned());
        }
        if let Some(size) = call.prefer.page {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if call.prefer.annotations {
            applied.push("odata.include-annotations=\"*\"".to_owned());
        }
        if call.prefer.representation {
            applied.push("return=representation".to_owned());
        }
        if !applied.is_empty() {
            response = response.with("Preference-Applied", applied.join(","));
        }
        response
    }

    /// The cursor behind a `$skiptoken`; the link must be called as it was given.
    pub(super) fn cursor(
        &self,
        call: &DataverseCall,
        table: &Table,
        options: &mut Options,
    ) -> DataverseOutcome<Option<PageCursor>> {
        let Some(token) = options.remove("$skiptoken") else { return Ok(None) };
        let found = token
            .split_once("pagingcookie=\"opaque-")
            .and_then(|(_, rest)| rest.split_once('"')?.0.parse::<usize>().ok())
            .and_then(|n| self.cursors.get(n))
            .filter(|c| c.set == table.set && c.options == *options);
        let cursor = found.ok_or_else(|| bad_request("The paging cookie does not belong to this query."))?;
        if self.switches.same_preferences_on_next_link && cursor.prefer != call.prefer {
            return Err(bad_request("The preferences of a next page differ from those of the first."));
        }
        Ok(Some(cursor.clone()))
    }

    /// A link to the next page.
    pub(super) fn next_link(&mut self, call: &DataverseCall, cursor: PageCursor) -> String {
        let query: Vec<&str> = call
            .request
            .query
            .split('&')
            .filter(|p| !p.starts_with("$skiptoken=") && !p.is_empty())
            .collect();
        let query = if query.is_empty() { String::new() } else { format!("{}&", query.join("&")) };
        let (number, page, set) = (self.cursors.len(), cursor.page, cursor.set.clone());
        self.cursors.push(cursor);
        format!(
            "{}/{set}?{query}$skiptoken=%3Ccookie%20pagenumber=%22{page}%22%20pagingcookie=%22opaque-{number}%22%20\
             istracking=%22False%22%20/%3E",
            self.root()
        )
    }

    /// How many rows this page may hold.
    pub(super) fn page_size(&self, call: &DataverseCall) -> usize {
        let most = self.switches.page_rows.map_or(MOST, |rows| rows.clamp(1, MOST));
        call.prefer.page.unwrap_or(MOST).min(most)
    }

    /// The rows a list query means, in order.
    fn matching(&self, table: &Table, options: &Options) -> DataverseOutcome<(Vec<&DataverseRow>, Order)> {
        let filter = options.get("$filter").map(|f| filter::parse(table, f)).transpose()?;
        let order = order(table, options.get("$orderby"))?;
        let fold = self.switches.case_insensitive;
        // A row that lags may have held the value before.
        let one = filter.as_ref().and_then(DataverseFilter::one_value).filter(|_| self.lagging.is_empty());
        let found: Vec<&DataverseRow> = match one {
            Some((property, value)) => self.holding(&table.set, property, value).map(|(_, r)| r).collect(),
            None => {
                let ids = self.rows.get(&table.set).into_iter().flat_map(|rows| rows.keys());
                ids.filter_map(|id| self.seen(&table.set, id)).collect()
            }
        };
        let wanted = |r: &&DataverseRow| filter.as_ref().is_none_or(|f| f.holds(r, fold));
        let mut rows: Vec<&DataverseRow> = found.into_iter().filter(wanted).collect();
        rows.sort_by(|a, b| compare(&order, a, &values_of(&order, b), b[&table.id].as_str(), &table.id));
        Ok((rows, order))
    }

    pub(super) fn count(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        let options = options(&call.request.query)?;
        let total = if options.contains_key("$deltatoken") {
            self.delta_count(call, table, &options)?
        } else {
            self.only(&options, &["$filter"])?;
            self.matching(table, &options)?.0.len().min(MOST)
        };
        Ok(Response::new(200)
            .with("Content-Type", "text/plain")
            .with("OData-Version", "4.0")
            .body(total.to_string()))
    }

    pub(super) fn list(&mut self, call: &DataverseCall, table: &Table) -> DataverseOutcome<Response> {
        let mut options = options(&call.request.query)?;
        if call.prefer.track || options.contains_key("$deltatoken") {
            return self.delta(call, table, options);
        }
        self.only(&options, &["$select", "$expand", "$filter", "$orderby", "$top", "$count", "$skiptoken"])?;
        let cursor = self.cursor(call, table, &mut options)?;
        let shape = self.shape(table, options.get("$select"), options.get("$expand"))?;
        let top =
            options.get("$top").map(|t| t.parse::<usize>().map_err(|_| bad_request("$top"))).transpose()?;
        let (rows, order) = self.matching(table, &options)?;
        let total = rows.len();
        let rest: Vec<&DataverseRow> = match &cursor {
            Some(PageCursor { at: PagePosition::After(values, id), .. }) => {
                let after =
                    |r: &&&DataverseRow| compare(&order, r, values, Some(id), &table.id) == Ordering::Greater;
                rows.iter().filter(after).copied().collect()
            }
            _ => rows,
        };
        let given = cursor.as_ref().map_or(0, |c| c.given);
        // `$top` is ignored with a page size.
        let wanted = match (call.prefer.page, top) {
            (None, Some(top)) => top.min(MOST).saturating_sub(given),
            _ => usize::MAX,
        };
        let most = self.page_size(call).min(wanted);
        let more = rest.len() > most && wanted > most;
        let page: Vec<&DataverseRow> = rest.into_iter().take(most).collect();
        let last = page
            .last()
            .map(|r| PagePosition::After(values_of(&order, r), r[&table.id].as_str().unwrap_or("").into()));
        let shown: Vec<Value> = page
            .iter()
            .map(|r| Value::Object(self.show(table, r, &shape, call.prefer.annotations)))
            .collect();
        let mut body = Map::new();
        body.insert("@odata.context".into(), json!(self.context(table, &options, "")));
        if counted(&options)? {
            body.insert("@odata.count".into(), json!(total.min(MOST)));
        }
        body.insert("value".into(), Value::Array(shown));
        self.aged(&table.set, None);
        if let Some(at) = last.filter(|_| more) {
            let page = cursor.map_or(1, |c| c.page) + 1;
            let prefer = call.prefer.clone();
            let given = given + most;
            let next = PageCursor { set: table.set.clone(), options, prefer, page, given, at };
            body.insert("@odata.nextLink".into(), json!(self.next_link(call, next)));
        }
        Ok(self.ok(call, body))
    }

    /// Shows rows by id, for a delta page.
    pub(super) fn show_ids(
        &self,
        table: &Table,
        ids: &[String],
        shape: &Shape,
        annotated: bool,
    ) -> Vec<Value> {
        let rows = ids.iter().filter_map(|id| self.seen(&table.set, id));
        rows.map(|r| Value::Object(self.show(table, r, shape, annotated))).collect()
    }
}
