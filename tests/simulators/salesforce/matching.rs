//! Values beside each other: order, LIKE, and objects that must be narrowed.

use super::lexer::{ESCAPED_PERCENT, ESCAPED_UNDERSCORE, malformed};
use super::metadata::{Field, FieldKind, Object};
use super::refusal::SalesforceOutcome;
use super::soql::SoqlCondition;
use super::times;
use serde_json::Value;
use std::cmp::Ordering;

/// Text without case, unless the field tells case apart; ids with it. `None`: one of them is null.
pub(super) fn compare(a: &Value, b: &Value, field: &Field) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::String(a), Value::String(b)) => {
            let exact =
                field.case_sensitive || matches!(field.kind, FieldKind::Id | FieldKind::Reference { .. });
            if field.kind == FieldKind::DateTime {
                return Some(times::instant(a).cmp(&times::instant(b)));
            }
            Some(if exact { a.cmp(b) } else { a.to_lowercase().cmp(&b.to_lowercase()) })
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        _ => None,
    }
}

pub(super) fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|n| like(&text[n..], rest)),
        [wanted, rest @ ..] => {
            let one = |c: char| match *wanted {
                '_' => true,
                ESCAPED_PERCENT => c == '%',
                ESCAPED_UNDERSCORE => c == '_',
                other => c == other,
            };
            text.first().is_some_and(|c| one(*c)) && like(&text[1..], rest)
        }
    }
}

/// Some objects are only searched by certain fields.
pub(super) fn demand_filter(object: &Object, condition: Option<&SoqlCondition>) -> SalesforceOutcome<()> {
    let by = |name: &str| ["ContentDocumentId", "LinkedEntityId"].contains(&name);
    fn narrow(condition: &SoqlCondition, by: &dyn Fn(&str) -> bool) -> bool {
        match condition {
            SoqlCondition::All(all) => all.iter().any(|c| narrow(c, by)),
            SoqlCondition::Compare(path, "=", _) => by(&path.text),
            SoqlCondition::In(path, true, _) => by(&path.text),
            _ => false,
        }
    }
    if object.name != "ContentDocumentLink" || condition.is_some_and(|c| narrow(c, &by)) {
        return Ok(());
    }
    Err(malformed(
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or \
         LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
    ))
}
