//! `/query`, `/queryAll`, and the pages that follow.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::elsewhere::OBJECTS_ELSEWHERE;
use super::filter::{QueryContext, Resolved};
use super::ids;
use super::matching::demand_filter;
use super::metadata::{FieldKind, Object};
use super::refusal::{SalesforceOutcome, method_not_allowed, no_such_object, not_modelled, refuse};
use super::soql::{Select, SelectItem, parse};
use super::store::SalesforceRow;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A result of which not all has been fetched.
pub(super) struct QueryCursor {
    id: String,
    user: String,
    since: Timestamp,
    total: usize,
    records: Vec<Value>,
}

impl Salesforce {
    pub(super) fn query(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        all: bool,
        rest: &[&str],
    ) -> SalesforceOutcome<Reply> {
        if step.method != "GET" {
            return Err(method_not_allowed(&step.method, "HEAD,GET"));
        }
        let asked = step.header("sforce-query-options").and_then(|o| o.trim().strip_prefix("batchSize="));
        let asked = asked.and_then(|n| n.trim().parse().ok()).unwrap_or(2000).clamp(200, 2000);
        let size = self.switches.page_size.unwrap_or(2000).min(asked);
        let [locator] = rest else {
            step.only(&["q"])?;
            let soql = step.parameter("q")?.ok_or_else(|| not_modelled("a query without `q`"))?;
            if soql.chars().count() > 100_000 {
                return Err(not_modelled("a query of more than 100,000 characters"));
            }
            let (total, records) = self.select(call, &soql, all)?;
            return Ok(Reply::new(200, self.page(call, size, total, records, None)));
        };
        let gone = || refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        let (id, offset) = locator.rsplit_once('-').ok_or_else(gone)?;
        let offset: usize = offset.parse().map_err(|_| gone())?;
        let life = self.switches.locator_minutes * 60;
        self.cursors.retain(|c| call.now.as_second() - c.since.as_second() < life);
        let found =
            self.cursors.iter().find(|c| c.id == id && c.user == call.user && offset < c.records.len());
        let cursor = found.ok_or_else(gone)?;
        let (total, records) = (cursor.total, cursor.records[offset..].to_vec());
        Ok(Reply::new(200, self.page(call, size, total, records, Some((id.to_owned(), offset)))))
    }

    fn page(
        &mut self,
        call: &SalesforceCall,
        size: usize,
        total: usize,
        mut records: Vec<Value>,
        cursor: Option<(String, usize)>,
    ) -> Value {
        let fits = self.fits(size, &records);
        if records.len() == fits {
            return json!({ "totalSize": total, "done": true, "records": records });
        }
        let (id, offset) = cursor.unwrap_or_else(|| {
            let id = self.new_id("01g");
            let kept = records.clone();
            let (user, since) = (call.user.clone(), call.now);
            self.cursors.push(QueryCursor { id: id.clone(), user, since, total, records: kept });
            (id, 0)
        });
        records.truncate(fits);
        let next = format!("/services/data/v{}.0/query/{id}-{}", call.version, offset + fits);
        json!({ "totalSize": total, "done": false, "nextRecordsUrl": next, "records": records })
    }

    /// How many records go on a page of so many rows: at least one, however many rows are below it.
    fn fits(&self, size: usize, records: &[Value]) -> usize {
        if !self.switches.child_rows_count {
            return size.min(records.len());
        }
        let mut held = 0;
        let full = records.iter().position(|record| {
            held += rows_of(record);
            held > size
        });
        full.map_or(records.len(), |n| n.max(1))
    }

    /// Every locator given out so far is void.
    pub fn expire_locators(&mut self) {
        self.cursors.clear();
    }

    fn select(&self, call: &SalesforceCall, soql: &str, all: bool) -> SalesforceOutcome<(usize, Vec<Value>)> {
        let select = parse(soql)?;
        let name = select.from.text.as_str();
        let object = self.object(name).filter(|o| self.may(o, &call.user, "read"));
        let object = match object {
            Some(object) => object,
            None if OBJECTS_ELSEWHERE.contains(&name) => {
                return Err(not_modelled(format!("the object `{name}`")));
            }
            None => return Err(no_such_object(name)),
        };
        demand_filter(&object, select.filter.as_ref())?;
        let query = QueryContext { soql, user: &call.user };
        let rows = self.rows.get(name).into_iter().flat_map(|rows| rows.values());
        let rows = rows.filter(|row| all || row["IsDeleted"] != json!(true)).collect();
        if let [SelectItem::Count] = select.items[..] {
            let found = self.narrow(&query, &object, &select, rows)?.len();
            return Ok((found, vec![]));
        }
        let records = self.records(call, &query, &object, &select, rows, all)?;
        Ok((records.len(), records))
    }

    /// The rows that a query means, in its order.
    fn narrow<'a>(
        &'a self,
        query: &QueryContext,
        object: &Arc<Object>,
        select: &Select,
        mut rows: Vec<&'a SalesforceRow>,
    ) -> SalesforceOutcome<Vec<&'a SalesforceRow>> {
        if let Some(filter) = &select.filter {
            let test = self.test(query, object, filter)?;
            rows.retain(|row| test(row));
        }
        self.sort(query, object, &select.order, &mut rows)?;
        let limit = select.limit.unwrap_or(usize::MAX);
        Ok(rows.into_iter().skip(select.offset).take(limit).collect())
    }

    fn records(
        &self,
        call: &SalesforceCall,
        query: &QueryContext,
        object: &Arc<Object>,
        select: &Select,
        rows: Vec<&SalesforceRow>,
        all: bool,
    ) -> SalesforceOutcome<Vec<Value>> {
        let mut paths: Vec<Resolved> = vec![];
        let mut children = vec![];
        let mut seen = vec![];
        for item in &select.items {
            match item {
                SelectItem::Path(name) if seen.contains(&name.text) => {
                    let text = format!("duplicate field selected: {}", name.text);
                    return Err(query.refuse("INVALID_FIELD", name.column, &text));
                }
                SelectItem::Path(name) => {
                    seen.push(name.text.clone());
                    paths.push(self.resolve(query, object, name)?);
                }
                SelectItem::Children(inner) => children.push(self.way(query, object, inner)?),
                SelectItem::Count => return Err(not_modelled("COUNT() in a subquery")),
            }
        }
        let rows = self.narrow(query, object, select, rows)?;
        let mut records = vec![];
        for row in rows {
            let mut record = attributes(call, object, row);
            for path in &paths {
                self.put_path(call, object, row, path, &mut record);
            }
            for (child, field, inner) in &children {
                let SelectItem::Children(select) = inner else { continue };
                let FieldKind::Reference { children, .. } = &field.kind else { continue };
                let held = self.rows.get(&child.name).into_iter().flat_map(|rows| rows.values());
                let own = held
                    .filter(|held| {
                        held[&field.name] == row["Id"] && (all || held["IsDeleted"] != json!(true))
                    })
                    .collect();
                let found = self.records(call, query, child, select, own, all)?;
                let shown = match found.len() {
                    0 => Value::Null,
                    total => json!({ "totalSize": total, "done": true, "records": found }),
                };
                record.insert(children.clone(), shown);
            }
            records.push(Value::Object(record));
        }
        Ok(records)
    }

    /// The object behind a child relationship's name, and the field that leads back.
    fn way(
        &self,
        query: &QueryContext,
        parent: &Object,
        inner: &Select,
    ) -> SalesforceOutcome<(Arc<Object>, super::metadata::Field, SelectItem)> {
        let name = inner.from.text.as_str();
        for (child, field, _) in self.children(&parent.name) {
            let Some(found) = self.visible(&child, &field, Some(query.user)) else { continue };
            let FieldKind::Reference { children, .. } = &found.kind else { continue };
            let there = self.has(child.feature) && self.may(&child, query.user, "read");
            if there && children == name {
                return Ok((child.clone(), found.clone(), SelectItem::Children(inner.clone())));
            }
        }
        let text = format!(
            "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom \
             relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or \
             the describe call for the appropriate names."
        );
        Err(query.refuse("INVALID_TYPE", inner.from.column, &text))
    }

    fn put_path(
        &self,
        call: &SalesforceCall,
        object: &Object,
        row: &SalesforceRow,
        path: &Resolved,
        record: &mut Map<String, Value>,
    ) {
        let (mut at, mut row, mut into) = (object, row, record);
        for (field, parent) in &path.through {
            let FieldKind::Reference { relationship, .. } = &field.kind else { return };
            let held = row[&field.name].as_str().and_then(|id| self.row(&parent.name, id));
            let Some(held) = held else {
                into.insert(relationship.clone(), Value::Null);
                return;
            };
            let nested = into
                .entry(relationship.clone())
                .or_insert_with(|| Value::Object(attributes(call, parent, held)));
            let Value::Object(nested) = nested else { return };
            (at, row, into) = (parent, held, nested);
        }
        let value = match path.field.kind {
            FieldKind::Base64 => json!(format!(
                "/services/data/v{}.0/sobjects/{}/{}/{}",
                call.version,
                at.name,
                row["Id"].as_str().unwrap_or_default(),
                path.field.name
            )),
            _ => Self::shown(row, &path.field),
        };
        into.insert(path.field.name.clone(), value);
    }
}

/// A record and the rows of its subqueries.
fn rows_of(record: &Value) -> usize {
    let members = record.as_object().into_iter().flat_map(|record| record.values());
    let below = members.filter_map(|member| member.get("records")?.as_array()).flatten();
    1 + below.map(rows_of).sum::<usize>()
}

fn attributes(call: &SalesforceCall, object: &Object, row: &SalesforceRow) -> Map<String, Value> {
    let id = row["Id"].as_str().map(ids::parsed).unwrap_or_default().unwrap_or_default();
    let url = format!("/services/data/v{}.0/sobjects/{}/{id}", call.version, object.name);
    Map::from_iter([("attributes".to_owned(), json!({ "type": object.name, "url": url }))])
}
