//! Which columns are asked for, and how rows become records: a related row's columns carry the relation's name, and a
//! lookup has the text of the column by which its row is found.

use super::{
    lead::{MASTER, ORIGIN},
    odata::{id_of, is_name, value_of},
};
use crate::crm::solution_row::DETAIL;
use mapping::{ColumnUse, Map, RecordKind, names};
use serde_json::{Map as Object, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Our own tables: the child rows of an opportunity, and the catalogue of solutions to which they point.
pub(super) const SOLUTION: &str = "cosell_solution";
pub(super) const SOLUTION_DETAIL: &str = "cosell_solutiondetail";
/// Their lookups, as navigation properties, which have the upper case of the schema name; column names are lower case.
pub(super) const SOLUTION_OPPORTUNITY: &str = "cosell_OpportunityId";
pub(super) const SOLUTION_DETAIL_LOOKUP: &str = "cosell_SolutionDetailId";
/// The column of the catalogue that holds a solution's id, by which a row is found.
pub(super) const SOLUTION_KEY: &str = "cosell_solutionid";
/// A connection: its id, the user it leads to, and the role of that user (vendors/dataverse.md, *Sales team*).
pub(super) const CONNECTION_ID: &str = "connectionid";
const MEMBER: &str = "record2id_systemuser";
const ROLE: &str = "record2roleid";
/// The category of a role that makes a connection part of the Sales Team.
const SALES_TEAM_CATEGORY: i64 = 1001;

/// Under this name a row of a list carries its own id.
const ROW: &str = "@id";

/// Relations, and the lookups that say which row each leads to; the first that is set counts.
const POINTERS: [(&str, &str); 5] = [
    ("account", "parentaccountid"),
    ("account", "customerid"),
    ("contact", "parentcontactid"),
    ("contact", "customerid"),
    ("owner", "ownerid"),
];

/// Relations, each with a navigation property and the table to which that leads; the first that is set counts.
const RELATIONS: [(&str, &str, &str); 5] = [
    ("account", "parentaccountid", "account"),
    ("account", "customerid_account", "account"),
    ("contact", "parentcontactid", "contact"),
    ("contact", "customerid_contact", "contact"),
    ("owner", "owninguser", "systemuser"),
];

/// The text of a lookup, by its table, the column that has the text, and the GUID.
pub(super) type Texts = BTreeMap<(String, String, String), String>;
/// A row's columns, by their names.
pub(super) type Row = BTreeMap<String, Value>;

/// The columns that a map reads.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    own: Vec<ColumnUse>,
    /// Asked for in any case, no matter what the map reads.
    always: Vec<String>,
    related: BTreeMap<&'static str, Vec<ColumnUse>>,
    solution: Vec<ColumnUse>,
    detail: Vec<ColumnUse>,
    sales_team: bool,
}

impl Columns {
    pub(super) fn of(map: &Map, kind: RecordKind) -> Self {
        let mut always = vec![id_of(kind.as_str()), "versionnumber".to_owned()];
        if kind == RecordKind::Opportunity {
            always.extend(POINTERS.map(|(_, lookup)| value_of(lookup)));
            always.extend(map.has_leads().then(|| value_of(ORIGIN)));
        }
        if kind == RecordKind::Lead {
            always.push(value_of(MASTER));
        }
        let map = map.of(kind);
        let uses = |relation: &str| -> Vec<ColumnUse> {
            let unique: BTreeSet<ColumnUse> = map.columns(relation).into_iter().collect();
            unique.into_iter().filter(|u| is_name(u.name.strip_prefix(DETAIL).unwrap_or(&u.name))).collect()
        };
        // A lead has no related rows.
        let of_related = |r: &str| if kind == RecordKind::Lead { vec![] } else { uses(r) };
        let related = ["account", "contact", "owner"].map(|r| (r, of_related(r))).into_iter().collect();
        let (details, solution): (Vec<_>, Vec<_>) =
            uses(names::SOLUTIONS).into_iter().partition(|u| u.name.starts_with(DETAIL));
        let bare = |u: ColumnUse| ColumnUse { name: u.name.trim_start_matches(DETAIL).to_owned(), ..u };
        let mut detail: Vec<ColumnUse> = details.into_iter().map(bare).collect();
        if !detail.iter().any(|u| u.name == SOLUTION_KEY) {
            detail.push(ColumnUse { name: SOLUTION_KEY.to_owned(), lookup: None });
        }
        let sales_team = map.has_sales_team();
        Columns { own: uses(""), always, related, solution, detail, sales_team }
    }

    /// `$select` of the record's own columns.
    pub(super) fn own_select(&self) -> String {
        select(&self.own, self.always.iter().map(String::as_str))
    }

    /// `$select` and `$expand` of the record and its related rows.
    pub(super) fn record_query(&self) -> String {
        let expands: Vec<String> = RELATIONS
            .iter()
            .filter(|(relation, ..)| !self.related[relation].is_empty())
            .map(|(relation, navigation, table)| {
                format!("{navigation}($select={})", select(&self.related[relation], [id_of(table).as_str()]))
            })
            .collect();
        let expand =
            if expands.is_empty() { String::new() } else { format!("&$expand={}", expands.join(",")) };
        format!("$select={}{expand}", self.own_select())
    }

    /// `$select` and `$expand` of the solutions' rows.
    pub(super) fn solutions_query(&self) -> String {
        let own = select(&self.solution, [id_of(SOLUTION).as_str()]);
        let detail = select(&self.detail, [id_of(SOLUTION_DETAIL).as_str()]);
        format!("$select={own}&$expand={SOLUTION_DETAIL_LOOKUP}($select={detail})")
    }

    /// `$select` and `$expand` of connections; `None`: the map has no Sales Team.
    pub(super) fn team_query(&self) -> Option<String> {
        let user = select(&self.related["owner"], ["systemuserid", "isdisabled"]);
        self.sales_team.then(|| {
            format!("$select={CONNECTION_ID}&$expand={MEMBER}($select={user}),{ROLE}($select=category)")
        })
    }

    /// The lookups in these rows whose text is needed before the rows can be read: table, column, GUID.
    pub(super) fn lookups(
        &self,
        row: &Object<String, Value>,
        solutions: &[Value],
    ) -> BTreeSet<(String, String, String)> {
        let mut found = BTreeSet::new();
        collect(&self.own, row, &mut found);
        for (relation, navigation, _) in RELATIONS {
            if let Some(Value::Object(row)) = row.get(navigation) {
                collect(&self.related[relation], row, &mut found);
            }
        }
        for solution in solutions.iter().filter_map(Value::as_object) {
            collect(&self.solution, solution, &mut found);
            if let Some(Value::Object(detail)) = solution.get(SOLUTION_DETAIL_LOOKUP) {
                collect(&self.detail, detail, &mut found);
            }
        }
        found
    }

    /// The columns of a row of the record's own table and, with `related`, those of its related rows. If a relation
    /// leads to no row, each of its columns is null.
    pub(super) fn record(&self, row: &Object<String, Value>, texts: &Texts, related: bool) -> Row {
        let mut columns = Row::new();
        shown(&self.own, row, texts, "", &mut columns);
        for (relation, lookup) in POINTERS {
            let id = row.get(&value_of(lookup)).filter(|id| !id.is_null());
            if let Some(id) = id.filter(|_| !columns.contains_key(relation)) {
                columns.insert(relation.to_owned(), id.clone());
            }
        }
        for (relation, uses) in self.related.iter().filter(|_| related) {
            let navigations = RELATIONS.iter().filter(|(r, ..)| r == relation);
            let target = navigations.filter_map(|(_, n, _)| row.get(*n)?.as_object()).next();
            let prefix = format!("{relation}.");
            match target {
                Some(target) => shown(uses, target, texts, &prefix, &mut columns),
                None => columns.extend(uses.iter().map(|u| (format!("{prefix}{}", u.name), Value::Null))),
            }
        }
        columns
    }

    /// The users among an opportunity's connections who are on its Sales Team and not disabled, with the columns of an
    /// owner.
    pub(super) fn team(&self, rows: &[Value], texts: &Texts) -> Vec<Row> {
        let read = |row: &Value| {
            let (member, role) = (row.get(MEMBER)?.as_object()?, row.get(ROLE)?);
            let left = member.get("isdisabled") == Some(&Value::Bool(true));
            if left || role.get("category").and_then(Value::as_i64) != Some(SALES_TEAM_CATEGORY) {
                return None;
            }
            let mut columns = Row::new();
            columns.extend(row.get(CONNECTION_ID).map(|id| (ROW.to_owned(), id.clone())));
            shown(&self.related["owner"], member, texts, "owner.", &mut columns);
            Some(columns)
        };
        rows.iter().filter_map(read).collect()
    }

    /// The rows of the list of solutions.
    pub(super) fn solutions(&self, rows: &[Value], texts: &Texts) -> Vec<Row> {
        let read = |row: &Object<String, Value>| {
            let mut columns = Row::new();
            columns.extend(row.get(&id_of(SOLUTION)).map(|id| (ROW.to_owned(), id.clone())));
            shown(&self.solution, row, texts, "", &mut columns);
            match row.get(SOLUTION_DETAIL_LOOKUP).and_then(Value::as_object) {
                Some(detail) => shown(&self.detail, detail, texts, DETAIL, &mut columns),
                None => {
                    columns.extend(self.detail.iter().map(|u| (format!("{DETAIL}{}", u.name), Value::Null)))
                }
            }
            columns
        };
        rows.iter().filter_map(Value::as_object).map(read).collect()
    }
}

/// The property of an answer that holds a column.
fn property(column: &ColumnUse) -> String {
    if column.lookup.is_some() { value_of(&column.name) } else { column.name.clone() }
}

fn select<'a>(uses: &[ColumnUse], always: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: BTreeSet<String> = uses.iter().map(property).collect();
    names.extend(always.into_iter().map(str::to_owned));
    names.into_iter().collect::<Vec<_>>().join(",")
}

fn collect(uses: &[ColumnUse], row: &Object<String, Value>, found: &mut BTreeSet<(String, String, String)>) {
    for column in uses {
        let id = row.get(&property(column)).and_then(Value::as_str);
        if let (Some((table, matched)), Some(id)) = (&column.lookup, id) {
            found.insert((table.clone(), matched.clone(), id.to_owned()));
        }
    }
}

fn shown(uses: &[ColumnUse], row: &Object<String, Value>, texts: &Texts, prefix: &str, columns: &mut Row) {
    for column in uses {
        let Some(value) = row.get(&property(column)) else { continue };
        let value = match (&column.lookup, value.as_str()) {
            (Some((table, matched)), Some(id)) => {
                // A lookup whose row was not found counts as not observed: as null it would clear the other side.
                match texts.get(&(table.clone(), matched.clone(), id.to_owned())) {
                    Some(text) => Value::String(text.clone()),
                    None => continue,
                }
            }
            _ => value.clone(),
        };
        columns.insert(format!("{prefix}{}", column.name), value);
    }
}

#[cfg(test)]
#[path = "columns/tests.rs"]
mod tests;
