//! What a read asks for (`$select`, `$expand`) and how rows are shown.

use super::Dataverse;
use super::filter::{self, DataverseFilter};
use super::metadata::{Children, Column, ColumnKind, Table};
use super::refusal::{DataverseOutcome, bad_request, no_such_property, not_modelled};
use super::store::{DataverseRow, TARGET};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Columns and related rows to show; `columns: None` is every column.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub columns: Option<Vec<String>>,
    pub expands: Vec<Expand>,
}

#[derive(Clone, Debug)]
pub(super) struct Expand {
    navigation: String,
    table: Arc<Table>,
    /// The children's lookup, for a collection.
    children: Option<Children>,
    shape: Shape,
    filter: Option<DataverseFilter>,
}

/// Cuts at a separator outside parentheses and quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = vec![];
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            c if c == separator && !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Dataverse {
    pub(super) fn shape(
        &self,
        table: &Table,
        select: Option<&String>,
        expand: Option<&String>,
    ) -> DataverseOutcome<Shape> {
        let columns = match select {
            None => None,
            Some(list) => Some(self.selected(table, list)?),
        };
        let expands = match expand {
            None => vec![],
            Some(list) => {
                let items = split(list, ',').into_iter();
                items.map(|item| self.expand(table, item.trim(), false)).collect::<DataverseOutcome<_>>()?
            }
        };
        Ok(Shape { columns, expands })
    }

    fn selected(&self, table: &Table, list: &str) -> DataverseOutcome<Vec<String>> {
        list.split(',')
            .map(|name| {
                let name = name.trim();
                if table.column_of_property(name).is_some() {
                    return Ok(name.to_owned());
                }
                if table.navigation(name).is_some() {
                    return Err(not_modelled(format!("`$select` of the navigation property `{name}`")));
                }
                Err(no_such_property(table, name))
            })
            .collect()
    }

    fn expand(&self, table: &Table, item: &str, in_collection: bool) -> DataverseOutcome<Expand> {
        let (navigation, inner) = match item.split_once('(') {
            None => (item, ""),
            Some((name, rest)) => {
                let inner = rest.strip_suffix(')');
                (name, inner.ok_or_else(|| bad_request(format!("Syntax error in '$expand={item}'.")))?)
            }
        };
        let children = table.children.iter().find(|c| c.navigation == navigation).cloned();
        let target = match (&children, table.navigation(navigation)) {
            (Some(children), _) => children.table.as_str(),
            (None, Some((_, targets))) if navigation != "ownerid" => targets[0],
            (None, Some(_)) => return Err(not_modelled("`$expand` of `ownerid`")),
            (None, None) => return Err(no_such_property(table, navigation)),
        };
        let target = self.table_named(target).expect("a lookup's target is a table");
        if in_collection && !self.switches.nested_collection_expand {
            return Err(bad_request("$expand inside the $expand of a collection is not supported."));
        }
        let mut expand = Expand {
            navigation: navigation.into(),
            children,
            shape: Shape::default(),
            filter: None,
            table: target,
        };
        for option in split(inner, ';').into_iter().filter(|o| !o.is_empty()) {
            match option.split_once('=').unwrap_or((option, "")) {
                ("$select", list) => expand.shape.columns = Some(self.selected(&expand.table, list)?),
                ("$filter", text) if expand.children.is_some() => {
                    expand.filter = Some(filter::parse(&expand.table, text)?);
                }
                ("$expand", list) => {
                    let collection = in_collection || expand.children.is_some();
                    for item in split(list, ',') {
                        let inner = self.expand(&expand.table, item.trim(), collection)?;
                        expand.shape.expands.push(inner);
                    }
                }
                (other, _) => return Err(not_modelled(format!("`{other}` inside `$expand`"))),
            }
        }
        Ok(expand)
    }

    /// A row as the wire shows it.
    pub(super) fn show(
        &self,
        table: &Table,
        row: &DataverseRow,
        shape: &Shape,
        annotated: bool,
    ) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("@odata.etag".into(), json!(etag(row)));
        // With whether it was asked for: what comes along is not annotated.
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        let every: Vec<String>;
        match &shape.columns {
            Some(columns) => {
                names.extend(columns.iter().map(|c| (c.as_str(), true)));
                names.entry(&table.id).or_insert(false);
                let money = |c: &String| {
                    matches!(table.columns.get(c), Some(Column { kind: ColumnKind::Money { .. }, .. }))
                };
                if columns.iter().any(money) {
                    names.entry("_transactioncurrencyid_value").or_insert(false);
                }
            }
            None => {
                every = table.columns.values().map(Column::property).collect();
                names.extend(every.iter().map(|c| (c.as_str(), true)));
            }
        }
        for (name, asked) in names {
            let value = row.get(name).cloned().unwrap_or(Value::Null);
            if annotated && asked && !value.is_null() {
                self.annotate(table, row, name, &value, &mut shown);
            }
            shown.insert(name.to_owned(), value);
        }
        for expand in &shape.expands {
            shown.insert(expand.navigation.clone(), self.related(table, row, expand, annotated));
        }
        shown
    }

    fn related(&self, table: &Table, row: &DataverseRow, expand: &Expand, annotated: bool) -> Value {
        let show = |r: &DataverseRow| Value::Object(self.show(&expand.table, r, &expand.shape, annotated));
        if let Some(children) = &expand.children {
            let property = format!("_{}_value", children.lookup);
            let wanted = |r: &&DataverseRow| {
                expand.filter.as_ref().is_none_or(|f| f.holds(r, self.switches.case_insensitive))
            };
            let mine = row[&table.id].as_str().expect("a row's id");
            let rows = self.holding(&expand.table.set, &property, mine);
            return rows.map(|(_, row)| row).filter(wanted).map(show).collect();
        }
        let (column, _) = table.navigation(&expand.navigation).expect("checked when it was parsed");
        let property = column.property();
        // One navigation property per target: the others are null.
        let target = row.get(&format!("{property}{TARGET}")).and_then(Value::as_str);
        if target.is_some_and(|t| t != expand.table.name) {
            return Value::Null;
        }
        let id = row[&property].as_str();
        id.and_then(|id| self.get(&expand.table.set, id)).map_or(Value::Null, show)
    }
}

pub(super) fn etag(row: &DataverseRow) -> String {
    format!("W/\"{}\"", row["versionnumber"])
}
