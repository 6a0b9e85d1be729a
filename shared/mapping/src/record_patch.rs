//! Turns changes of units into columns, changes of lists, and at most one action.

use crate::{
    CrmValue, Direction, Fields, ListChange, Map, RecordPatch, Refusal, Trim, Value,
    fields::NAME,
    list::is_relation,
    rule::{Kind, Rule},
    scalar,
    shape::Shape,
    text::{fits, mark_of, marked, shortened},
};
use std::collections::BTreeMap;

impl Map {
    /// What to write so that a record has `changes` (in the CRM's form). Of a list they contain the whole list, and
    /// `trim.present` must have the record's present one. In Dynamics a change to a closed status is an action, which
    /// stands alone.
    ///
    /// ```
    /// use mapping::{Action, CrmKind, CrmValue, Fields, Map, Trim};
    ///
    /// let changes: Fields = serde_json::from_str(
    ///     r#"{ "notes": "Signed", "status": { "state": "1", "status": "3" } }"#,
    /// )?;
    /// let patch = Map::standard(CrmKind::Dynamics365).record_patch(&changes, &Trim::default()).unwrap();
    /// assert_eq!(patch.columns["description"], CrmValue::Plain("Signed".into()));
    /// assert_eq!(patch.action, Some(Action::Win { status: 3 }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn record_patch(&self, changes: &Fields, trim: &Trim) -> Result<RecordPatch, Refusal> {
        let mut patch = RecordPatch::default();
        for (unit, value) in changes {
            let one = self.rule(unit)?;
            let refused = |text: String| Refusal::new(unit, text);
            if !one.unit.has_crm || one.unit.direction == Direction::ToPartnerCenter {
                return Err(refused("is never written into the CRM".to_owned()));
            }
            match &one.shape {
                Shape::Plain(rule) if rule.name == NAME => {
                    let name = self.name_column(value.text().unwrap_or_default(), trim);
                    patch
                        .columns
                        .extend(rule.crm.clone().map(|column| (column, CrmValue::Plain(name.into()))));
                }
                Shape::Plain(rule) => patch.columns.extend(column(rule, value).map_err(refused)?),
                Shape::Group(rules) => {
                    for rule in rules {
                        let member = value.member(&rule.name);
                        // Without an amount the currency is not written: in Salesforce every row has one.
                        if member.is_null() && (rule.lookup.is_some() || rule.kind == Kind::Currency) {
                            continue;
                        }
                        patch.columns.extend(column(rule, member).map_err(refused)?);
                    }
                }
                Shape::List(rule) if is_relation(rule) => {
                    return Err(refused("a related row is never rewritten".to_owned()));
                }
                Shape::List(rule) => {
                    let present = trim.present.get(unit);
                    let present =
                        present.ok_or_else(|| refused("the present list was not read".to_owned()))?;
                    let change = list_change(rule, present, value).map_err(refused)?;
                    if change != ListChange::default() {
                        patch.lists.extend(rule.crm.clone().map(|list| (list, change)));
                    }
                }
                Shape::Status => match self.close_action(value)? {
                    Some(action) => patch.action = Some(action),
                    None => patch.columns.extend(self.status_columns(value)),
                },
            }
        }
        if let (Some(text), Some((audit, length))) = (&trim.audit, self.audit_column()) {
            patch.columns.insert(audit.to_owned(), CrmValue::Plain(shortened(text, length).into()));
        }
        self.let_the_mark_travel(&mut patch, trim);
        Ok(patch)
    }

    /// Adds the check mark, which is never a write of its own, to other columns, if it differs from the present one.
    /// A seller's name is never cut for it: one that leaves it no room stays as it is.
    fn let_the_mark_travel(&self, patch: &mut RecordPatch, trim: &Trim) {
        let (Some(shown), Some(column)) = (&trim.name, self.column(NAME)) else { return };
        if patch.columns.is_empty() || patch.columns.contains_key(column) {
            return;
        }
        let name = self.marked_name(shown, trim);
        let has_room = self.name_length().is_none_or(|length| fits(&name, length));
        if has_room && name != *shown {
            patch.columns.insert(column.to_owned(), CrmValue::Plain(name.into()));
        }
    }

    /// A name from Partner Center as the column holds it.
    fn name_column(&self, name: &str, trim: &Trim) -> String {
        let name = self.marked_name(name, trim);
        match self.name_length() {
            Some(length) => shortened(&name, length),
            None => name,
        }
    }

    /// The name with the check mark of `trim`, else with the one that it has; with none if the switch is off.
    fn marked_name(&self, name: &str, trim: &Trim) -> String {
        let carried = || trim.name.as_deref().and_then(mark_of);
        let mark = trim.mark.or_else(carried).filter(|_| self.switches.check_mark);
        marked(name, mark)
    }

    fn name_length(&self) -> Option<usize> {
        self.plain_rule(NAME).and_then(|rule| rule.length)
    }

    /// The columns of a status. Those that a CRM computes itself (`IsClosed`) are not written.
    pub(crate) fn status_columns(&self, value: &Value) -> BTreeMap<String, CrmValue> {
        let mut columns = BTreeMap::new();
        for (member, column) in &self.status.columns {
            if let Value::Text(text) = value.member(member) {
                let json = text.parse::<i64>().map_or_else(|_| text.as_str().into(), Into::into);
                columns.insert(column.clone(), CrmValue::Plain(json));
            }
        }
        if let (Some(column), Value::Text(reason)) = (&self.status.reason, value.member("reason")) {
            columns.insert(column.clone(), CrmValue::Plain(reason.as_str().into()));
        }
        columns
    }
}

/// A rule's column and its value; `None`: the rule has no column.
pub(crate) fn column(rule: &Rule, value: &Value) -> Result<Option<(String, CrmValue)>, String> {
    let Some(column) = rule.crm.clone() else { return Ok(None) };
    let value = match &rule.lookup {
        Some((table, matched)) => CrmValue::Lookup {
            table: table.clone(),
            column: matched.clone(),
            value: value.text().map(str::to_owned),
        },
        None => CrmValue::Plain(scalar::crm_json(rule, value)?),
    };
    Ok(Some((column, value)))
}

fn list_change(rule: &Rule, present: &Value, target: &Value) -> Result<ListChange, String> {
    let none = BTreeMap::new();
    let (present, target) = (present.members().unwrap_or(&none), target.members().unwrap_or(&none));
    let wanted = |key: &String| target.get(key).is_some_and(|element| *element != Value::Null);
    let mut change =
        ListChange { add: Vec::new(), remove: present.keys().filter(|key| !wanted(key)).cloned().collect() };
    for (key, element) in target.iter().filter(|(key, _)| wanted(key) && !present.contains_key(*key)) {
        change.add.push(list_row(rule, element).map_err(|text| format!("`{key}`: {text}"))?);
    }
    Ok(change)
}

/// A row to add, by the names of its columns.
pub(crate) fn list_row(rule: &Rule, element: &Value) -> Result<BTreeMap<String, CrmValue>, String> {
    let mut row = BTreeMap::new();
    for member in rule.members.iter().filter(|member| member.direction != Some(Direction::ToPartnerCenter)) {
        let value = element.member(&member.name);
        if !value.is_null() {
            row.extend(column(member, value)?);
        }
    }
    Ok(row)
}
