//! Before-save flows of the customer's that change what is about to be stored.

use super::Salesforce;
use super::metadata::{Field, FieldKind, Object};
use super::refusal::{SalesforceOutcome, bad};
use super::store::SalesforceRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a flow makes of a value. `Round` is for numbers, the others are for texts; other values stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowRewrite {
    /// Without blanks and line ends at its end.
    TrimEnd,
    Upper,
    /// One blank in place of several.
    SingleBlanks,
    /// To so many decimals.
    Round(u32),
    /// This text before it, unless it begins with it.
    Prefix(String),
}

#[derive(Clone, Debug)]
pub(super) struct Flow {
    object: String,
    field: String,
    rewrite: FlowRewrite,
}

impl FlowRewrite {
    fn of(&self, value: &Value) -> Value {
        match (self, value) {
            (FlowRewrite::Round(decimals), Value::Number(number)) => {
                let unit = 10f64.powi(i32::try_from(*decimals).unwrap_or(i32::MAX));
                number.as_f64().map_or(value.clone(), |n| json!((n * unit).round() / unit))
            }
            (_, Value::String(text)) => match self.of_text(text) {
                text if text.is_empty() => Value::Null,
                text => json!(text),
            },
            _ => value.clone(),
        }
    }

    fn of_text(&self, text: &str) -> String {
        match self {
            FlowRewrite::TrimEnd => text.trim_end().to_owned(),
            FlowRewrite::Upper => text.to_uppercase(),
            FlowRewrite::SingleBlanks => {
                let mut last = None;
                let single = text.chars().filter(|c| last.replace(*c) != Some(' ') || *c != ' ');
                single.collect()
            }
            FlowRewrite::Prefix(prefix) if !text.starts_with(prefix.as_str()) => format!("{prefix}{text}"),
            FlowRewrite::Prefix(_) | FlowRewrite::Round(_) => text.to_owned(),
        }
    }
}

impl Salesforce {
    /// From now on a flow rewrites the field with each create or update that sets it, by the API or by a person.
    pub fn rewrite(&mut self, object: &str, field: &str, rewrite: FlowRewrite) {
        self.rewrites.push(Flow { object: object.to_owned(), field: field.to_owned(), rewrite });
    }

    /// What the flows make of a row that is about to be stored.
    pub(super) fn rewrite_fields(
        &self,
        object: &Object,
        row: &mut SalesforceRow,
        changes: &SalesforceRow,
    ) -> SalesforceOutcome<()> {
        let own = self.rewrites.iter().filter(|flow| flow.object == object.name);
        for flow in own.filter(|flow| changes.contains_key(&flow.field)) {
            let Some(field) = object.field(&flow.field).filter(|field| rewritable(field)) else { continue };
            let value = flow.rewrite.of(&row[&field.name]);
            if let Some(text) = value.as_str().filter(|text| text.encode_utf16().count() > field.length) {
                let (label, most) = (&field.label, field.length);
                let told = format!("{label}: data value too large: {text} (max length={most})");
                return Err(bad("STRING_TOO_LONG", told, &[&field.name]));
            }
            row.insert(field.name.clone(), value);
        }
        Ok(())
    }
}

/// Texts and numbers; not what has a form or a list of its own.
fn rewritable(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Text
            | FieldKind::TextArea
            | FieldKind::LongText
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
            | FieldKind::Number(..)
    )
}
