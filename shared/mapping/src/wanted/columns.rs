//! The columns that the rules of one kind of record name.

use super::{WantedColumn, WantedKind, WantedTable};
use crate::{
    CrmKind, Direction, Map,
    list::text_column,
    names::{REFERRAL_ID, SOLUTIONS},
    rule::{Kind, Rule},
    shape::Shape,
};
use serde_json::Value as Json;

impl Map {
    pub(super) fn wanted_of(&self, table: WantedTable, wanted: &mut Vec<WantedColumn>) {
        let wanted_by = |rule: &Rule, table| wanted_by(rule, table, self.crm);
        let own = |rule: &Rule| wanted_by(rule, table);
        for one in self.rules.iter().chain(&self.unseen) {
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
                        WantedColumn { key, ..member(list, rule, column) }
                    };
                    wanted.extend(list.members.iter().filter_map(|rule| Some(keyed(rule, of_row(rule)?))));
                    wanted.extend(text_column(list).map(|name| WantedColumn {
                        table,
                        name: name.to_owned(),
                        label: list.shown_as().to_owned(),
                        kind: WantedKind::Text(None),
                        key: false,
                        written: false,
                        read_only: false,
                        optional: false,
                        at: format!("fields.{}.further", list.name),
                    }));
                }
                Shape::List(list) => {
                    let members = list.members.iter();
                    wanted.extend(members.filter_map(|rule| Some(member(list, rule, own(rule)?))));
                }
                Shape::Status => {
                    let columns = self.status.columns.iter().map(|(member, column)| (*member, column));
                    let reason = self.status.reason.iter().map(|column| ("reason", column));
                    wanted.extend(columns.chain(reason).map(|(member, name)| {
                        // It is the CRM's own column, of whatever type.
                        let (kind, at) = (WantedKind::Text(None), format!("status.{member}"));
                        let written = !matches!(member, "closed" | "won");
                        let (name, label) = (name.clone(), name.clone());
                        let (key, read_only, optional) = (false, false, false);
                        WantedColumn { table, name, label, kind, key, written, read_only, optional, at }
                    }));
                }
            }
        }
        if let Some(name) = &self.audit.crm {
            let (kind, at) = (WantedKind::Memo(self.audit.length), "audit.crm".to_owned());
            let (name, label) = (name.clone(), "Audit".to_owned());
            wanted.push(WantedColumn {
                table,
                name,
                label,
                kind,
                key: false,
                written: true,
                read_only: true,
                optional: false,
                at,
            });
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
        // In Dynamics the options may be short words of a text column, such as 1P and 3P; in Salesforce an option is
        // its own label.
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
    // Maps write a lookup of Dynamics in the case of its schema name, with which it is bound; the column's name is
    // lower case.
    let name = if in_crm == CrmKind::Dynamics365 { name.to_lowercase() } else { name.to_owned() };
    // A constant is only the first value of a new record; later the seller may change the column.
    let read_only = rule.direction == Some(Direction::ToCrm) && rule.constant.is_none();
    let label = rule.shown_as().to_owned();
    // A new contact gets the referral's values, in whatever direction its fields are written later.
    let goes_there = rule.direction != Some(Direction::ToPartnerCenter) || table == WantedTable::Contact;
    let written = goes_there && table != WantedTable::Owner;
    Some(WantedColumn {
        table,
        name,
        label,
        kind,
        key: false,
        written,
        read_only,
        optional: rule.optional,
        at: format!("fields.{}.crm", rule.name),
    })
}

/// A member of a list is written in the list's direction.
fn member(list: &Rule, rule: &Rule, column: WantedColumn) -> WantedColumn {
    let at = format!("fields.{}.members.{}.crm", list.name, rule.name);
    let goes_there =
        list.direction != Some(Direction::ToPartnerCenter) || column.table == WantedTable::Contact;
    WantedColumn { written: column.written && goes_there, at, ..column }
}

/// Partner Center's word as a person would write it: `QuotesOrLicensing` becomes "Quotes or licensing". A name
/// with blanks in it, as `ERP transformation with AI`, is left as it is.
fn spaced(word: &str) -> String {
    if word.contains(' ') {
        return word.to_owned();
    }
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
