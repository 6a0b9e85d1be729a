//! The words in which `tables.rs` describes a table.

use super::metadata::{Children, Column, ColumnKind, Key, KeyStatus, State, Table};
use std::collections::BTreeMap;
use uuid::Uuid;

const AMOUNT: f64 = 1e12;
const USER: &str = "systemuser";

/// Value, label, and the reasons that belong to it.
type StateWords<'a> = (i64, &'a str, &'a [(i64, &'a str)]);

/// Metadata ids are stable from run to run.
pub(super) fn metadata_id(of: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, of.as_bytes()).to_string()
}

/// A table with the columns that every owned or unowned row has.
pub(super) fn table(name: &str, set: &str, id: &str, title: &str) -> Table {
    let empty = Table {
        name: name.to_owned(),
        set: set.to_owned(),
        id: id.to_owned(),
        title: title.to_owned(),
        columns: BTreeMap::new(),
        states: vec![],
        keys: vec![],
        children: vec![],
        tracked: false,
        metadata_id: metadata_id(name),
    };
    empty
        .add(id, ColumnKind::Id)
        .fixed("createdon", ColumnKind::DateTime)
        .fixed("modifiedon", ColumnKind::DateTime)
        .fixed("versionnumber", ColumnKind::BigInt)
        .fixed("createdby", to(&[("createdby", USER)]))
        .fixed("modifiedby", to(&[("modifiedby", USER)]))
        .fixed("modifiedonbehalfby", to(&[("modifiedonbehalfby", USER)]))
        .add("overriddencreatedon", ColumnKind::DateTime)
}

pub(super) fn to(targets: &[(&str, &str)]) -> ColumnKind {
    ColumnKind::Lookup { targets: targets.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect() }
}

fn options(values: &[(i64, &str)]) -> Vec<(i64, String)> {
    values.iter().map(|(v, l)| (*v, (*l).to_owned())).collect()
}

pub(super) fn choice(values: &[(i64, &str)]) -> ColumnKind {
    ColumnKind::Choice { options: options(values) }
}

impl Table {
    pub(super) fn add(mut self, name: &str, kind: ColumnKind) -> Self {
        self.columns.insert(name.to_owned(), Column { name: name.to_owned(), kind, read_only: false });
        self
    }

    pub(super) fn fixed(mut self, name: &str, kind: ColumnKind) -> Self {
        self.columns.insert(name.to_owned(), Column { name: name.to_owned(), kind, read_only: true });
        self
    }

    pub(super) fn texts(self, columns: &[(&str, usize)]) -> Self {
        columns.iter().fold(self, |t, (name, max)| t.add(name, ColumnKind::Text { max: *max }))
    }

    pub(super) fn memos(self, names: &[&str], max: usize) -> Self {
        names.iter().fold(self, |t, name| t.add(name, ColumnKind::Memo { max }))
    }

    pub(super) fn flag(self, name: &str) -> Self {
        self.add(name, ColumnKind::Boolean { default: Some(false) })
    }

    /// Money columns with their computed twins in the base currency.
    pub(super) fn money(self, names: &[&str]) -> Self {
        let with_currency = self
            .add("transactioncurrencyid", to(&[("transactioncurrencyid", "transactioncurrency")]))
            .fixed("exchangerate", ColumnKind::Decimal);
        names.iter().fold(with_currency, |t, name| {
            t.add(name, ColumnKind::Money { limit: AMOUNT })
                .fixed(&format!("{name}_base"), ColumnKind::Money { limit: f64::INFINITY })
        })
    }

    pub(super) fn lookup(self, name: &str, targets: &[(&str, &str)]) -> Self {
        self.add(name, to(targets))
    }

    pub(super) fn owned(self) -> Self {
        self.add("ownerid", to(&[("ownerid", USER)])).fixed("owninguser", to(&[("owninguser", USER)]))
    }

    pub(super) fn states(mut self, states: &[StateWords]) -> Self {
        self.states = states
            .iter()
            .map(|(value, label, reasons)| State {
                value: *value,
                label: (*label).to_owned(),
                reasons: options(reasons),
            })
            .collect();
        self.add("statecode", ColumnKind::State).add("statuscode", ColumnKind::Status)
    }

    pub(super) fn simple_states(self) -> Self {
        self.states(&[(0, "Active", &[(1, "Active")]), (1, "Inactive", &[(2, "Inactive")])])
    }

    pub(super) fn key(mut self, column: &str, label: &str) -> Self {
        let schema_name = format!("{column}_key");
        self.keys.push(Key {
            metadata_id: metadata_id(&schema_name),
            schema_name,
            label: label.to_owned(),
            columns: vec![column.to_owned()],
            status: KeyStatus::Active,
            polls: 0,
        });
        self
    }

    pub(super) fn tracked(mut self) -> Self {
        self.tracked = true;
        self
    }

    pub(super) fn children(mut self, navigation: &str, table: &str, lookup: &str) -> Self {
        self.children.push(Children {
            navigation: navigation.to_owned(),
            table: table.to_owned(),
            lookup: lookup.to_owned(),
        });
        self
    }

    pub(super) fn address(self) -> Self {
        self.texts(&[
            ("address1_line1", 250),
            ("address1_line2", 250),
            ("address1_line3", 250),
            ("address1_city", 80),
            ("address1_stateorprovince", 50),
            ("address1_postalcode", 20),
            ("address1_country", 80),
        ])
    }

    pub(super) fn cosell_columns(self) -> Self {
        self.flag("cosell_syncwithpartnercenter")
            .texts(&[
                ("cosell_referralid", 100),
                ("cosell_referrallink", 255),
                ("cosell_microsoftcrmid", 100),
                ("cosell_referralprogram", 100),
            ])
            .key("cosell_referralid", "Referral Identifier")
            .add(
                "cosell_helprequested",
                choice(&[
                    (100_000_001, "Workload specific value proposition"),
                    (100_000_002, "Customer technical architecture"),
                    (100_000_003, "Proof of concept or demo"),
                    (100_000_004, "Quotes or licensing"),
                    (100_000_005, "Post sales customer success"),
                    (100_000_006, "General or other"),
                ]),
            )
            .flag("cosell_visibletomicrosoft")
            .add(
                "cosell_marketplaceintent",
                choice(&[(100_000_000, "Have not decided"), (100_000_001, "Yes"), (100_000_002, "No")]),
            )
            .memos(&["cosell_audit"], 10_000)
    }

    /// Only opportunities have these.
    pub(super) fn solution_area(self) -> Self {
        let numbered =
            |words: &[&'static str]| choice(&(100_000_001..).zip(words.iter().copied()).collect::<Vec<_>>());
        self.add("cosell_solutionarea", numbered(&AREAS)).add("cosell_solutionplay", numbered(&PLAYS))
    }
}

/// The labels of Partner Center's forms (vendors/partner-center.md, *Solution area and play*).
const AREAS: [&str; 3] = ["AI Business Solutions", "Cloud and AI Platforms", "Security"];
const PLAYS: [&str; 16] = [
    "Copilot and Agents at Work",
    "Innovate with Low Code AI and Agents",
    "Secure AI Productivity",
    "Scale Business Operations with AI",
    "Sales Transformation with AI",
    "Service Transformation with AI",
    "ERP Transformation with AI",
    "Converged Communications",
    "Scale with Cloud and AI Endpoints",
    "AI Ready with Surface Copilot PCs",
    "Migrate and Modernize your Estate",
    "Innovate with Azure AI Apps and Agents",
    "Unify Your Data Platform",
    "Modern SecOps with Unified Platform",
    "Data Security",
    "Protect Cloud AI Platform and Apps",
];
