//! One value against one column: JSON type, length, range, options. What is stored is what is read back.

use super::metadata::{Column, ColumnKind, Table};
use super::refusal::{DataverseOutcome, bad_payload, not_modelled, refuse};
use super::switches::DataverseSwitches;
use jiff::{Timestamp, civil::Date};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde_json::{Value, json};
use uuid::Uuid;

/// InvalidCharactersInField: Microsoft Learn, *Invalid characters in field*.
const INVALID_CHARACTERS: &str = "0x80040278";

/// Whether XML 1.0 can hold this character; .NET's `XmlConvert.VerifyXmlChars`, which the platform asks.
fn in_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The stored form of a value sent for a column, or the refusal.
pub(super) fn check(
    table: &Table,
    column: &Column,
    value: &Value,
    switches: &DataverseSwitches,
) -> DataverseOutcome<Value> {
    if value.is_null() {
        return match column.kind {
            ColumnKind::State | ColumnKind::Status => {
                Err(not_modelled(format!("`{}` set to null", column.name)))
            }
            _ => Ok(Value::Null),
        };
    }
    let wrong = |edm: &str| {
        let literal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        bad_payload(
            &table.set,
            format!("Cannot convert the literal '{literal}' to the expected type '{edm}'."),
        )
    };
    let out_of_range = || {
        let (column, table) = (&column.name, &table.name);
        let text = format!("The value of '{column}' on record of type '{table}' is outside the valid range.");
        refuse(400, "0x80044330", format!("A validation error occurred. {text}"))
    };
    match &column.kind {
        ColumnKind::Text { max } | ColumnKind::Memo { max } => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.String"))?;
            if switches.refuses_xml_characters && !text.chars().all(in_xml) {
                let text = format!("The field '{}' contains one or more invalid characters.", column.name);
                return Err(refuse(400, INVALID_CHARACTERS, text));
            }
            // .NET counts UTF-16 units.
            if text.encode_utf16().count() > *max {
                let (column, table) = (&column.name, &table.name);
                let text = format!(
                    "A validation error occurred.  The length of the '{column}' attribute of the '{table}' entity \
                     exceeded the maximum allowed length of '{max}'."
                );
                return Err(refuse(400, "0x80044331", text));
            }
            Ok(if text.is_empty() && switches.empty_text_is_null { Value::Null } else { value.clone() })
        }
        ColumnKind::Integer { min, max } => {
            let number = value.as_i64().ok_or_else(|| wrong("Edm.Int32"))?;
            if number < *min || number > *max { Err(out_of_range()) } else { Ok(json!(number)) }
        }
        ColumnKind::BigInt => value.as_i64().map(|n| json!(n)).ok_or_else(|| wrong("Edm.Int64")),
        ColumnKind::Decimal => value.as_f64().map(|n| json!(n)).ok_or_else(|| wrong("Edm.Decimal")),
        ColumnKind::Money { limit } => {
            let number = value.as_f64().ok_or_else(|| wrong("Edm.Decimal"))?;
            if number.abs() > *limit { Err(out_of_range()) } else { Ok(json!(number)) }
        }
        ColumnKind::Boolean { .. } => {
            if value.is_boolean() {
                Ok(value.clone())
            } else {
                Err(wrong("Edm.Boolean"))
            }
        }
        ColumnKind::Choice { options } => {
            let number = value.as_i64().ok_or_else(|| wrong("Edm.Int32"))?;
            if options.iter().any(|o| o.0 == number) {
                Ok(json!(number))
            } else {
                Err(refuse(400, "0x8004431A", "The picklist value is out of the range."))
            }
        }
        ColumnKind::State | ColumnKind::Status => {
            value.as_i64().map(|n| json!(n)).ok_or_else(|| wrong("Edm.Int32"))
        }
        ColumnKind::Date => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.Date"))?;
            date(text).map(|d| json!(d.to_string())).ok_or_else(|| wrong("Edm.Date"))
        }
        ColumnKind::DateTime => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.DateTimeOffset"))?;
            let time: Timestamp = text.parse().map_err(|_| wrong("Edm.DateTimeOffset"))?;
            Ok(json!(whole_seconds(time)))
        }
        ColumnKind::Id => {
            let text = value.as_str().ok_or_else(|| wrong("Edm.Guid"))?;
            guid(text).map(|g| json!(g)).ok_or_else(|| wrong("Edm.Guid"))
        }
        ColumnKind::Lookup { .. } => Err(bad_payload(
            &table.set,
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
        )),
    }
}

/// A key value of a URL as the JSON of its column; `None` if it is no such value.
pub(super) fn key_value(column: &Column, text: &str) -> Option<Value> {
    match column.kind {
        ColumnKind::Text { .. } => Some(json!(text)),
        _ => text.parse::<i64>().ok().map(|n| json!(n)),
    }
}

/// A GUID as OData writes it: hyphens, no braces, no quotes; lower case when stored.
pub(super) fn guid(text: &str) -> Option<String> {
    let hyphenated = text.len() == 36 && text.is_ascii();
    let parsed = Uuid::parse_str(text).ok().filter(|_| hyphenated)?;
    Some(parsed.to_string())
}

/// `YYYY-MM-DD` and nothing else.
pub(super) fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// The wire form of an instant.
pub(super) fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).expect("a second of a valid time").to_string()
}

/// Money as stored: half away from zero.
pub(super) fn rounded(amount: f64, decimals: u32) -> f64 {
    let exact = amount.to_string().parse::<Decimal>().expect("amounts are limited");
    exact
        .round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
        .to_f64()
        .expect("a rounded amount is a number")
}
