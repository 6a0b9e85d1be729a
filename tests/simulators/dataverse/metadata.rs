//! What a table is: columns with their types, lookups, states, alternate keys.

use std::collections::BTreeMap;

/// Lookups the vendor's documents name whose tables are not modelled: 501 instead of the 400 of an unknown column.
pub(super) const COLUMNS_ELSEWHERE: &[&str] = &["pricelevelid", "competitorid"];

/// One option of a choice: value and label.
pub(super) type OptionValue = (i64, String);

/// One state with the status reasons that belong to it, the default one first.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub value: i64,
    pub label: String,
    pub reasons: Vec<OptionValue>,
}

/// The type of a column, with the limits the platform enforces.
#[derive(Clone, Debug)]
pub(super) enum ColumnKind {
    Id,
    Text {
        max: usize,
    },
    Memo {
        max: usize,
    },
    Integer {
        min: i64,
        max: i64,
    },
    BigInt,
    Decimal,
    Money {
        limit: f64,
    },
    Boolean {
        default: Option<bool>,
    },
    Choice {
        options: Vec<OptionValue>,
    },
    State,
    Status,
    DateTime,
    Date,
    /// Navigation property and target table, one pair per target.
    Lookup {
        targets: Vec<(String, String)>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Logical name; a lookup's value is read as `_<name>_value`.
    pub name: String,
    pub kind: ColumnKind,
    pub read_only: bool,
}

impl Column {
    /// The property of a row that shows this column.
    pub(super) fn property(&self) -> String {
        match self.kind {
            ColumnKind::Lookup { .. } => format!("_{}_value", self.name),
            _ => self.name.clone(),
        }
    }

    /// What stands for `*` in its type, `Microsoft.Dynamics.CRM.*AttributeMetadata`.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            ColumnKind::Id => "UniqueIdentifier",
            ColumnKind::Text { .. } => "String",
            ColumnKind::Memo { .. } => "Memo",
            ColumnKind::Integer { .. } => "Integer",
            ColumnKind::BigInt => "BigInt",
            ColumnKind::Decimal => "Decimal",
            ColumnKind::Money { .. } => "Money",
            ColumnKind::Boolean { .. } => "Boolean",
            ColumnKind::Choice { .. } => "Picklist",
            ColumnKind::State => "State",
            ColumnKind::Status => "Status",
            ColumnKind::DateTime | ColumnKind::Date => "DateTime",
            ColumnKind::Lookup { .. } => "Lookup",
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyStatus {
    Pending,
    InProgress,
    Active,
    Failed,
}

/// An alternate key; only an active one may be used and is enforced.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub schema_name: String,
    pub label: String,
    pub columns: Vec<String>,
    pub status: KeyStatus,
    pub polls: u32,
    pub metadata_id: String,
}

/// A collection of child rows that can be expanded: navigation property, child table, the child's lookup column.
#[derive(Clone, Debug)]
pub(super) struct Children {
    pub navigation: String,
    pub table: String,
    pub lookup: String,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub name: String,
    pub set: String,
    pub id: String,
    /// The column whose value names a row to people.
    pub title: String,
    pub columns: BTreeMap<String, Column>,
    pub states: Vec<State>,
    pub keys: Vec<Key>,
    pub children: Vec<Children>,
    pub tracked: bool,
    pub metadata_id: String,
}

impl Table {
    pub(super) fn column_of_property(&self, property: &str) -> Option<&Column> {
        let lookup = property.strip_prefix('_').and_then(|p| p.strip_suffix("_value"));
        let column = self.columns.get(lookup.unwrap_or(property))?;
        (lookup.is_some() == matches!(column.kind, ColumnKind::Lookup { .. })).then_some(column)
    }

    /// The lookup column behind a navigation property, with the tables it may point to.
    pub(super) fn navigation(&self, name: &str) -> Option<(&Column, Vec<&str>)> {
        self.columns.values().find_map(|column| {
            let ColumnKind::Lookup { targets } = &column.kind else { return None };
            let tables: Vec<&str> = targets.iter().filter(|t| t.0 == name).map(|t| t.1.as_str()).collect();
            (!tables.is_empty()).then_some((column, tables))
        })
    }

    pub(super) fn active_key(&self, names: &[&str]) -> Option<&Key> {
        self.keys.iter().find(|key| {
            key.status == KeyStatus::Active
                && key.columns.len() == names.len()
                && key.columns.iter().all(|c| names.contains(&c.as_str()))
        })
    }

    pub(super) fn state_label(&self, state: i64) -> &str {
        self.states.iter().find(|s| s.value == state).map_or("?", |s| &s.label)
    }

    pub(super) fn reason_label(&self, reason: i64) -> &str {
        let mut reasons = self.states.iter().flat_map(|s| &s.reasons);
        reasons.find(|r| r.0 == reason).map_or("?", |r| &r.1)
    }

    pub(super) fn default_reason(&self, state: i64) -> Option<i64> {
        self.states.iter().find(|s| s.value == state)?.reasons.first().map(|r| r.0)
    }

    pub(super) fn reason_fits(&self, state: i64, reason: i64) -> bool {
        self.states.iter().any(|s| s.value == state && s.reasons.iter().any(|r| r.0 == reason))
    }

    pub(super) fn has_money(&self) -> bool {
        self.column_of_property("_transactioncurrencyid_value").is_some()
    }
}
