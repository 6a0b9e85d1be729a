//! WHERE and ORDER BY on rows: paths to parents, types of literals, comparison as the vendor does it.

use super::Salesforce;
use super::elsewhere::FIELDS_ELSEWHERE;
use super::ids;
use super::lexer::SoqlToken;
use super::matching::{compare, like};
use super::metadata::{Field, FieldKind, Object};
use super::refusal::{SalesforceOutcome, not_modelled, refuse};
use super::soql::{Name, OrderBy, SoqlCondition};
use super::store::SalesforceRow;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::sync::Arc;

/// The query that is being answered, for messages that show it.
pub(super) struct QueryContext<'a> {
    pub soql: &'a str,
    pub user: &'a str,
}

/// A condition ready to be asked of rows.
pub(super) type Test<'a> = Box<dyn Fn(&SalesforceRow) -> bool + 'a>;

/// Where a path ends, and through which lookups.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub through: Vec<(Field, Arc<Object>)>,
    pub field: Field,
}

impl QueryContext<'_> {
    pub(super) fn refuse(
        &self,
        code: &str,
        column: usize,
        message: &str,
    ) -> super::refusal::SalesforceRefusal {
        let caret = " ".repeat(column.saturating_sub(1));
        let text = format!("\n{}\n{caret}^\nERROR at Row:1:Column:{column}\n{message}", self.soql);
        refuse(400, code, text)
    }
}

impl Salesforce {
    pub(super) fn resolve(
        &self,
        query: &QueryContext,
        object: &Arc<Object>,
        path: &Name,
    ) -> SalesforceOutcome<Resolved> {
        let mut at = object.clone();
        let mut through = vec![];
        let mut parts: Vec<&str> = path.text.split('.').collect();
        if parts.len() > 1 && parts[0] == object.name && object.relationship(parts[0]).is_none() {
            parts.remove(0);
        }
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let field =
                at.relationship(part).and_then(|f| self.visible(&at, &f.name, Some(query.user))).cloned();
            let Some((field, FieldKind::Reference { to, .. })) = field.map(|f| (f.clone(), f.kind)) else {
                let text = format!(
                    "Didn't understand relationship '{part}' in field path. If you are attempting to use a custom \
                     relationship, be sure to append the '__r' after the custom relationship name. Please reference \
                     your WSDL or the describe call for the appropriate names."
                );
                return Err(query.refuse("INVALID_FIELD", path.column, &text));
            };
            let [target] = &to[..] else { return Err(not_modelled("a path through a polymorphic field")) };
            let target = self.object(target).ok_or_else(|| not_modelled("a path to a hidden object"))?;
            through.push((field, target.clone()));
            at = target;
        }
        match self.visible(&at, last, Some(query.user)) {
            Some(field) => Ok(Resolved { through, field: field.clone() }),
            None if FIELDS_ELSEWHERE.contains(&last) => Err(not_modelled(format!("the field `{last}`"))),
            None if at.fields.iter().any(|f| f.name != last && f.name.eq_ignore_ascii_case(last)) => {
                Err(not_modelled(format!("`{last}` in another case than the field's own")))
            }
            None => {
                let text = format!(
                    "No such column '{last}' on entity '{}'. If you are attempting to use a custom field, be sure to \
                     append the '__c' after the custom field name. Please reference your WSDL or the describe call for \
                     the appropriate names.",
                    at.name
                );
                Err(query.refuse("INVALID_FIELD", path.column, &text))
            }
        }
    }

    /// What a path holds in a row; null where a parent is missing.
    pub(super) fn follow(&self, row: &SalesforceRow, path: &Resolved) -> Value {
        let mut at = row;
        for (field, object) in &path.through {
            let parent = at[&field.name].as_str().and_then(|id| self.row(&object.name, id));
            let Some(parent) = parent else { return Value::Null };
            at = parent;
        }
        at.get(&path.field.name).cloned().unwrap_or(Value::Null)
    }

    /// A condition whose names and types are right, as a test of a row.
    pub(super) fn test<'a>(
        &'a self,
        query: &QueryContext,
        object: &Arc<Object>,
        condition: &SoqlCondition,
    ) -> SalesforceOutcome<Test<'a>> {
        let each = |all: &[SoqlCondition]| {
            all.iter().map(|c| self.test(query, object, c)).collect::<SalesforceOutcome<Vec<_>>>()
        };
        Ok(match condition {
            SoqlCondition::All(all) => {
                let all = each(all)?;
                Box::new(move |row| all.iter().all(|test| test(row)))
            }
            SoqlCondition::Any(all) => {
                let all = each(all)?;
                Box::new(move |row| all.iter().any(|test| test(row)))
            }
            SoqlCondition::Not(inside) => {
                let inside = self.test(query, object, inside)?;
                Box::new(move |row| !inside(row))
            }
            SoqlCondition::Like(path, pattern) => {
                let resolved = self.filterable(query, object, path)?;
                let textual = !matches!(resolved.field.type_name(), "id" | "reference");
                self.literal(query, path, &resolved.field, &SoqlToken::Text(String::new()), textual)?;
                let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
                Box::new(move |row| {
                    let value = self.follow(row, &resolved);
                    value
                        .as_str()
                        .is_some_and(|t| like(&t.to_lowercase().chars().collect::<Vec<_>>(), &pattern))
                })
            }
            SoqlCondition::In(path, wanted, values) => {
                let resolved = self.filterable(query, object, path)?;
                let values = values.iter().map(|v| self.literal(query, path, &resolved.field, v, true));
                let values = values.collect::<SalesforceOutcome<Vec<_>>>()?;
                let wanted = *wanted;
                Box::new(move |row| {
                    let value = self.follow(row, &resolved);
                    values.iter().any(|v| compare(&value, v, &resolved.field) == Some(Ordering::Equal))
                        == wanted
                })
            }
            SoqlCondition::Compare(path, sign, token) => {
                let resolved = self.filterable(query, object, path)?;
                let wanted = self.literal(query, path, &resolved.field, token, true)?;
                let sign = *sign;
                let equality = sign == "=" || sign == "!=";
                if !equality && (wanted.is_null() || resolved.field.kind == FieldKind::Boolean) {
                    return Err(query.refuse("INVALID_FIELD", path.column, "invalid operator on this field"));
                }
                Box::new(move |row| {
                    let value = self.follow(row, &resolved);
                    let found = compare(&value, &wanted, &resolved.field);
                    match sign {
                        "=" => found == Some(Ordering::Equal),
                        "!=" => found != Some(Ordering::Equal),
                        "<" => found == Some(Ordering::Less),
                        ">" => found == Some(Ordering::Greater),
                        "<=" => matches!(found, Some(Ordering::Less | Ordering::Equal)),
                        _ => matches!(found, Some(Ordering::Greater | Ordering::Equal)),
                    }
                })
            }
        })
    }

    fn filterable(
        &self,
        query: &QueryContext,
        object: &Arc<Object>,
        path: &Name,
    ) -> SalesforceOutcome<Resolved> {
        let resolved = self.resolve(query, object, path)?;
        if resolved.field.filterable() {
            return Ok(resolved);
        }
        let text = format!("field '{}' can not be filtered in a query call", resolved.field.name);
        Err(query.refuse("INVALID_FIELD", path.column, &text))
    }

    /// A literal of the field's type, as rows hold it.
    fn literal(
        &self,
        query: &QueryContext,
        path: &Name,
        field: &Field,
        token: &SoqlToken,
        fits: bool,
    ) -> SalesforceOutcome<Value> {
        let value = token.value().unwrap_or_default();
        let quoted = matches!(token, SoqlToken::Text(_));
        let (kind, right) = match &field.kind {
            FieldKind::Boolean => ("boolean", value.is_boolean()),
            FieldKind::Integer => ("int", matches!(token, SoqlToken::Number(_, true))),
            FieldKind::Number(name, ..) => (*name, matches!(token, SoqlToken::Number(..))),
            FieldKind::Date => ("date", matches!(token, SoqlToken::Date(_))),
            FieldKind::DateTime => ("dateTime", matches!(token, SoqlToken::DateTime(_))),
            _ => ("string", quoted),
        };
        if !fits || !(right || value.is_null() && !matches!(field.kind, FieldKind::Boolean)) {
            let rule = if kind == "string" { "should be" } else { "should not be" };
            let text = format!(
                "value of filter criterion for field '{}' must be of type {kind} and {rule} enclosed in quotes",
                field.name
            );
            return Err(query.refuse("INVALID_FIELD", path.column, &text));
        }
        if matches!(field.kind, FieldKind::Id | FieldKind::Reference { .. }) && !value.is_null() {
            let text = value.as_str().unwrap_or_default();
            return ids::parsed(text).map(|id| json!(id)).ok_or_else(|| {
                let told = format!("invalid ID field: {text}");
                query.refuse("INVALID_QUERY_FILTER_OPERATOR", path.column, &told)
            });
        }
        Ok(value)
    }

    /// Sorts by several paths; ids and numbers of equal rows decide last.
    pub(super) fn sort(
        &self,
        query: &QueryContext,
        object: &Arc<Object>,
        order: &[OrderBy],
        rows: &mut Vec<&SalesforceRow>,
    ) -> SalesforceOutcome<()> {
        let mut keys = vec![];
        for by in order {
            let resolved = self.resolve(query, object, &by.path)?;
            if !resolved.field.filterable() {
                let text = format!("field '{}' can not be sorted in a query call", resolved.field.name);
                return Err(query.refuse("INVALID_FIELD", by.path.column, &text));
            }
            keys.push((resolved, by.descending, by.nulls_last));
        }
        rows.sort_by(|a, b| {
            for (path, descending, nulls_last) in &keys {
                let (a, b) = (self.follow(a, path), self.follow(b, path));
                let nulls = a.is_null().cmp(&b.is_null());
                let found = match (nulls, nulls_last) {
                    (Ordering::Equal, _) => {
                        let found = compare(&a, &b, &path.field).unwrap_or(Ordering::Equal);
                        if *descending { found.reverse() } else { found }
                    }
                    (_, true) => nulls,
                    (_, false) => nulls.reverse(),
                };
                if found != Ordering::Equal {
                    return found;
                }
            }
            Ordering::Equal
        });
        Ok(())
    }
}
