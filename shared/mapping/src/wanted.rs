//! What a map expects of the CRM: each column it names, with what must fit there. `provision` makes what is missing of
//! it, `doctor` and `map check` hold it against the CRM's own metadata.

use crate::{
    CrmKind, Direction, Map, RecordKind,
    list::text_column,
    load::Shape,
    names::{REFERRAL_ID, SOLUTIONS},
    rule::{Kind, Rule},
};
use serde_json::Value as Json;

/// The table a column lies in, as maps name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WantedTable {
    /// A deal.
    Opportunity,
    /// A lead.
    Lead,
    /// A customer.
    Account,
    /// A customer's person.
    Contact,
    /// A colleague.
    Owner,
    /// A row of Microsoft Solutions.
    Solution,
    /// A row of the catalogue.
    SolutionDetail,
}

/// What must fit into a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedKind {
    /// Text of so many characters; `None`: the map does not limit it.
    Text(Option<usize>),
    /// Text of several lines.
    Memo(usize),
    /// Yes or no.
    Boolean,
    /// One of these options: the CRM's value (a number in Dynamics, a text in Salesforce), and what sellers read.
    Choice(Vec<(Json, String)>),
    /// An amount.
    Money,
    /// A day.
    Date,
    /// A number.
    Number,
    /// A reference to a row of this table, found by this column of it.
    Lookup(String, String),
}

/// A column the map names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    /// Its table.
    pub table: WantedTable,
    /// Its name there.
    pub name: String,
    /// What sellers call it.
    pub label: String,
    /// What must fit.
    pub kind: WantedKind,
    /// No two rows may show the same: an alternate key, an external id.
    pub key: bool,
    /// Written by the connector alone: what somebody types there is lost.
    pub read_only: bool,
}

impl Map {
    /// Every column that the map names, once, in the map's order; a lead's after the opportunity's.
    pub fn wanted_columns(&self) -> Vec<WantedColumn> {
        let mut wanted = vec![];
        self.wanted_of(WantedTable::Opportunity, &mut wanted);
        if self.has_leads() {
            self.of(RecordKind::Lead).wanted_of(WantedTable::Lead, &mut wanted);
        }
        let keys = [
            (WantedTable::Account, &self.account.key, "Partner Center Customer Key"),
            (WantedTable::Contact, &self.contact.key, "Partner Center Contact Key"),
        ];
        for (table, name, label) in keys {
            let kind = WantedKind::Text(Some(100));
            let (name, label) = (name.clone(), label.into());
            wanted.push(WantedColumn { table, name, label, kind, key: true, read_only: true });
        }
        let mut once: Vec<WantedColumn> = vec![];
        for one in wanted {
            match once.iter_mut().find(|known| (known.table, &known.name) == (one.table, &one.name)) {
                Some(known) => known.key |= one.key,
                None => once.push(one),
            }
        }
        once
    }

    fn wanted_of(&self, table: WantedTable, wanted: &mut Vec<WantedColumn>) {
        let wanted_by = |rule: &Rule, table| wanted_by(rule, table, self.crm);
        let own = |rule: &Rule| wanted_by(rule, table);
        for one in &self.rules {
            match &one.shape {
                Shape::Plain(rule) => {
                    let key = rule.name == REFERRAL_ID;
                    wanted.extend(own(rule).map(|column| WantedColumn { key, ..column }));
                }
                Shape::Group(rules) => wanted.extend(rules.iter().filter_map(own)),
                Shape::List(list) if list.crm.as_deref() == Some(SOLUTIONS) => {
                    let of_row = |rule: &Rule| wanted_by(rule, WantedTable::Solution);
                    let keyed = |rule: &Rule, column: WantedColumn| {
                        let key = list.key.as_deref() == Some(rule.name.as_str());
                        WantedColumn { key, ..column }
                    };
                    wanted.extend(list.members.iter().filter_map(|rule| Some(keyed(rule, of_row(rule)?))));
                    wanted.extend(text_column(list).map(|name| WantedColumn {
                        table,
                        name: name.to_owned(),
                        label: list.shown_as().to_owned(),
                        kind: WantedKind::Text(None),
                        key: false,
                        read_only: false,
                    }));
                }
                Shape::List(list) => wanted.extend(list.members.iter().filter_map(own)),
                Shape::Status => {
                    let columns = self.status.columns.iter().map(|(_, column)| column);
                    wanted.extend(columns.chain(&self.status.reason).map(|name| {
                        // Whatever its type: the CRM's own.
                        let kind = WantedKind::Text(None);
                        let (name, label) = (name.clone(), name.clone());
                        WantedColumn { table, name, label, kind, key: false, read_only: false }
                    }));
                }
            }
        }
        if let Some(name) = &self.audit.crm {
            let kind = WantedKind::Memo(self.audit.length);
            let (name, label) = (name.clone(), "Audit".into());
            wanted.push(WantedColumn { table, name, label, kind, key: false, read_only: true });
        }
    }

    /// Whether a column is one of the connector's own, which it may make: by the default map's prefix or ending.
    pub fn is_ours(&self, column: &str) -> bool {
        match self.crm {
            CrmKind::Dynamics365 => column.starts_with("cosell_"),
            CrmKind::Salesforce => column.ends_with("__c"),
        }
    }
}

fn wanted_by(rule: &Rule, of: WantedTable, in_crm: CrmKind) -> Option<WantedColumn> {
    let crm = rule.crm.as_deref()?;
    let (table, name) = match crm.split_once('.') {
        None => (of, crm),
        // A lead is its own customer and contact.
        Some((_, column)) if of == WantedTable::Lead => (of, column),
        Some(("account", column)) => (WantedTable::Account, column),
        Some(("contact", column)) => (WantedTable::Contact, column),
        Some(("owner", column)) => (WantedTable::Owner, column),
        Some(("detail", column)) => (WantedTable::SolutionDetail, column),
        Some(_) => return None,
    };
    let kind = match (&rule.lookup, rule.kind) {
        (Some((table, column)), _) => WantedKind::Lookup(table.clone(), column.clone()),
        // Short words of a text column in Dynamics, such as 1P and 3P; in Salesforce an option is its own label.
        (_, Kind::Choice) => {
            let label = |word: &str, value: &Json| value.as_str().map_or_else(|| spaced(word), str::to_owned);
            let option = |(word, value): &(String, Json)| (value.clone(), label(word, value));
            let words = rule.values.iter().all(|(_, value)| value.is_string());
            match in_crm {
                CrmKind::Dynamics365 if words => WantedKind::Text(None),
                _ => WantedKind::Choice(rule.values.iter().map(option).collect()),
            }
        }
        (_, Kind::Boolean) => WantedKind::Boolean,
        (_, Kind::Money) => WantedKind::Money,
        (_, Kind::Date) => WantedKind::Date,
        (_, Kind::Number) => WantedKind::Number,
        _ => WantedKind::Text(rule.length),
    };
    // Maps write a lookup of Dynamics as it is bound, in its schema name's case; the column's own name has none.
    let name = if in_crm == CrmKind::Dynamics365 { name.to_lowercase() } else { name.to_owned() };
    // A constant is where a new record begins; afterwards the column is its seller's.
    let read_only = rule.direction == Some(Direction::ToCrm) && rule.constant.is_none();
    let label = rule.shown_as().to_owned();
    Some(WantedColumn { table, name, label, kind, key: false, read_only })
}

/// Partner Center's word as a person would write it: `QuotesOrLicensing` is "Quotes or licensing".
fn spaced(word: &str) -> String {
    let mut text = String::new();
    for c in word.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push(' ');
            text.extend(c.to_lowercase());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(table: WantedTable, name: &str) -> WantedColumn {
        let all = Map::standard(CrmKind::Dynamics365).wanted_columns();
        let found: Vec<_> = all.into_iter().filter(|w| w.table == table && w.name == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn columns_say_what_must_fit() {
        use WantedTable::{Account, Contact, Lead, Opportunity, Solution, SolutionDetail};
        let kind = |table, name| wanted(table, name).kind;
        assert_eq!(kind(Opportunity, "cosell_syncwithpartnercenter"), WantedKind::Boolean);
        assert_eq!(kind(Lead, "cosell_referrallink"), WantedKind::Text(Some(255)));
        assert_eq!(kind(Opportunity, "cosell_audit"), WantedKind::Memo(10_000));
        assert_eq!(kind(Opportunity, "estimatedvalue"), WantedKind::Money);
        assert_eq!(kind(Account, "address1_country"), WantedKind::Text(None));
        assert_eq!(kind(Solution, "cosell_name"), WantedKind::Text(Some(200)));
        let currency = WantedKind::Lookup("transactioncurrency".into(), "isocurrencycode".into());
        assert_eq!(kind(Opportunity, "transactioncurrencyid"), currency);
        for (table, key) in [
            (Opportunity, "cosell_referralid"),
            (Lead, "cosell_referralid"),
            (Account, "cosell_customerkey"),
            (Contact, "cosell_contactkey"),
            (SolutionDetail, "cosell_solutionid"),
        ] {
            assert!(wanted(table, key).key, "{key}");
        }
    }

    #[test]
    fn what_the_connector_alone_writes_is_known() {
        use WantedTable::{Lead, Opportunity};
        let read_only = |table, name: &str| wanted(table, name).read_only;
        for name in ["referralid", "referrallink", "microsoftcrmid", "referralprogram", "audit"] {
            assert!(read_only(Opportunity, &format!("cosell_{name}")), "{name}");
        }
        for name in ["syncwithpartnercenter", "helprequested", "visibletomicrosoft", "marketplaceintent"] {
            assert!(!read_only(Opportunity, &format!("cosell_{name}")), "{name}");
        }
        assert!(read_only(Lead, "cosell_referralid") && !read_only(Opportunity, "name"));
    }

    #[test]
    fn options_are_read_by_people() {
        let WantedKind::Choice(options) = wanted(WantedTable::Opportunity, "cosell_helprequested").kind
        else {
            panic!("a choice")
        };
        assert_eq!(options.len(), 6);
        assert_eq!(options[3], (serde_json::json!(100_000_004), "Quotes or licensing".to_owned()));
    }
}
