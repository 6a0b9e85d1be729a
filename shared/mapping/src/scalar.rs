//! One value: read from either side's JSON, converted to the other side's form, and written as either side's JSON.

use crate::{
    Direction, Value, country, day,
    reader::bare,
    rule::{Kind, Required, Rule},
    text,
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;
use std::borrow::Cow;

/// A value of a referral.
pub(crate) fn from_partner_center(rule: &Rule, shown: &Json) -> Value {
    let value = from_json(rule, shown);
    match (&value, &rule.empty) {
        (Value::Text(word), Some(empty)) if same_word(word, empty) => Value::Null,
        (Value::Text(text), _) if rule.entities => Value::of_text(text::without_entities(text)),
        _ => value,
    }
}

/// A value of a record.
pub(crate) fn from_crm(rule: &Rule, shown: &Json) -> Value {
    from_json(rule, shown)
}

/// A plain value of the map file, in canonical form.
pub(crate) fn from_map(rule: &Rule, plain: &Json) -> Value {
    let value = from_json(rule, plain);
    value.text().and_then(|text| code(rule.kind, text)).map_or(value.clone(), Value::Text)
}

/// The code that a country or currency of the map file names; `None`: it names none, or the kind has no codes.
fn code(kind: Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Country => country::alpha2(text).map(str::to_owned),
        Kind::Currency => country::currency(text),
        _ => None,
    }
}

/// What is wrong with a plain value of the map file: a country or currency that does not exist.
pub(crate) fn unknown_code(rule: &Rule, plain: &Json) -> Option<String> {
    let text = bare(plain);
    let what = match rule.kind {
        Kind::Country => "an ISO 3166 country",
        Kind::Currency => "an ISO 4217 currency",
        _ => return None,
    };
    (!text.is_empty() && code(rule.kind, &text).is_none()).then(|| format!("`{text}`: expected {what}"))
}

fn from_json(rule: &Rule, shown: &Json) -> Value {
    let text = match shown {
        Json::Null if rule.kind == Kind::Boolean => return Value::Bool(false),
        Json::Null => return Value::Null,
        Json::Bool(yes) if rule.kind != Kind::Choice => return Value::Bool(*yes),
        plain => bare(plain),
    };
    // A text that cannot be read is kept as it is: the conversion refuses it, so that it is not lost silently.
    match rule.kind {
        Kind::Email => Value::of_text(text.trim().to_lowercase()),
        Kind::Id => Value::of_text(guid(text.trim()).map_or_else(|| text.trim().into(), Cow::Owned)),
        Kind::Money | Kind::Number => {
            Value::of_text(decimal(&text).map_or(text, |number| number.to_string().into()))
        }
        Kind::Date => day::read(&text, rule.zone).unwrap_or_else(|| Value::of_text(text)),
        Kind::Country | Kind::Currency => Value::of_text(text.trim()),
        Kind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Value::Bool(true),
            "false" | "no" | "0" | "" => Value::Bool(false),
            _ => Value::Text(text.into_owned()),
        },
        _ => Value::of_text(text),
    }
}

/// The value as the CRM would store it.
pub(crate) fn to_crm(rule: &Rule, shown: &Value) -> Result<Value, String> {
    to_crm_within(rule.length, rule, shown)
}

/// The value as the CRM would store it in a column of this length.
pub(crate) fn to_crm_within(length: Option<usize>, rule: &Rule, shown: &Value) -> Result<Value, String> {
    let stored = shown.text().map(text::storable).map(|text| match rule.references {
        true => Cow::Owned(text::without_references(&text).into_owned()),
        false => text,
    });
    let stored = stored.filter(|text| matches!(text, Cow::Owned(_))).map(Value::of_text);
    let shown = stored.as_ref().unwrap_or(shown);
    match (rule.kind, shown) {
        (Kind::Choice, Value::Text(word)) if !rule.values.is_empty() => {
            let exact = rule.values.iter().find(|(name, _)| name == word);
            let found = exact.or_else(|| rule.values.iter().find(|(name, _)| same_word(name, word)));
            found.map(|(_, option)| Value::Text(bare(option).into_owned())).ok_or_else(|| unlisted(word))
        }
        (kind, Value::Text(text)) if kind.is_identifier() && !fits(text, length) => Ok(Value::Null),
        (Kind::Email, Value::Text(text)) if !text::is_address(text) => Ok(Value::Null),
        _ => common(rule, shown, length),
    }
}

/// Why the CRM will not have an identifier: it is longer than the column, and cut it would lead nowhere, or it is not
/// an address.
pub(crate) fn unusable(rule: &Rule, shown: &Value) -> Option<String> {
    let text = shown.text()?;
    if rule.kind == Kind::Email && !text::is_address(text) {
        return Some(format!("is left out: `{}` is no address", text::shortened(text, 100)));
    }
    let length = rule.length?;
    let long = rule.kind.is_identifier() && !text::fits(text, length);
    long.then(|| format!("is left out: it has more than the {length} characters that fit, and is never cut"))
}

/// The value as Partner Center would store it.
pub(crate) fn to_partner_center(rule: &Rule, shown: &Value) -> Result<Value, String> {
    match (rule.kind, shown) {
        (Kind::Choice, Value::Text(option)) if !rule.values.is_empty() => {
            let found = rule.values.iter().find(|(_, value)| bare(value) == *option);
            found.map(|(name, _)| Value::Text(name.clone())).ok_or_else(|| unlisted(option))
        }
        (kind, Value::Text(text)) if kind.is_identifier() && !fits(text, rule.referral_length) => {
            Err(format!("`{text}` is longer than what fits there, and is never cut"))
        }
        // An entity is sent as its character, because it is also read as one.
        (Kind::Text, Value::Text(text)) if rule.entities => {
            common(rule, &Value::of_text(text::without_entities(text)), rule.referral_length)
        }
        _ => common(rule, shown, rule.referral_length),
    }
}

/// Whether an option says nothing: it is not listed, its rule goes to Partner Center only, and Partner Center does not
/// require a value.
pub(crate) fn leaves_alone(rule: &Rule, shown: &Value) -> bool {
    let says_nothing = rule.kind == Kind::Choice
        && rule.direction == Some(Direction::ToPartnerCenter)
        && rule.required == Required::Never;
    says_nothing && !shown.is_null() && to_partner_center(rule, shown).is_err()
}

fn fits(text: &str, length: Option<usize>) -> bool {
    length.is_none_or(|length| text::fits(text, length))
}

fn common(rule: &Rule, shown: &Value, length: Option<usize>) -> Result<Value, String> {
    let text = match (rule.kind, shown) {
        (Kind::Boolean, Value::Null) => return Ok(Value::Bool(false)),
        (_, Value::Null) => return Ok(Value::Null),
        (Kind::Boolean, Value::Bool(_)) => return Ok(shown.clone()),
        (Kind::Boolean, _) => return Err(format!("expected yes or no, found {}", named(shown))),
        (_, Value::Text(text)) => text,
        _ => return Err(format!("expected a plain value, found {}", named(shown))),
    };
    let text = match rule.kind {
        Kind::Money | Kind::Number => {
            let number = decimal(text).ok_or_else(|| format!("`{text}` is not a number"))?;
            rounded(number, rule.precision)
        }
        Kind::Date => {
            return day::read(text, rule.zone).ok_or_else(|| format!("`{text}` is not a date"));
        }
        Kind::Country => match country::alpha2(text) {
            Some(code) => code.to_owned(),
            None => return Err(format!("`{text}` is not an ISO 3166 country")),
        },
        Kind::Currency => {
            country::currency(text).ok_or_else(|| format!("`{text}` is not an ISO 4217 currency"))?
        }
        _ => match length {
            Some(length) => text::shortened(text, length),
            None => text.clone(),
        },
    };
    Ok(Value::of_text(text))
}

/// The value as JSON for a JSON Patch or a POST.
pub(crate) fn partner_center_json(rule: &Rule, value: &Value) -> Result<Json, String> {
    match (rule.kind, value) {
        (_, Value::Null) => Ok(rule.empty.as_deref().map_or(Json::Null, Json::from)),
        (Kind::Date, Value::Text(date)) => Ok(day::instant(date, rule.zone).into()),
        _ => json(rule, value),
    }
}

/// The value as JSON for a column.
pub(crate) fn crm_json(rule: &Rule, value: &Value) -> Result<Json, String> {
    match (rule.kind, value) {
        (Kind::Choice, Value::Text(option)) => {
            let listed = rule.values.iter().find(|(_, value)| bare(value) == *option);
            let constant = rule.constant.iter().chain(&rule.crm_default).find(|value| bare(value) == *option);
            Ok(listed.map(|(_, value)| value).or(constant).cloned().unwrap_or_else(|| option.as_str().into()))
        }
        _ => json(rule, value),
    }
}

fn json(rule: &Rule, value: &Value) -> Result<Json, String> {
    match value {
        Value::Null => Ok(Json::Null),
        Value::Bool(yes) => Ok((*yes).into()),
        Value::Text(text) if matches!(rule.kind, Kind::Money | Kind::Number) => number(text),
        Value::Text(text) => Ok(text.as_str().into()),
        Value::Map(_) => Err("expected a plain value, found a group".to_owned()),
    }
}

/// A JSON number that reads back as the same decimal, or an error: JSON numbers are binary, so 16 digits may not.
fn number(text: &str) -> Result<Json, String> {
    let wanted = decimal(text).ok_or_else(|| format!("`{text}` is not a number"))?;
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    let json = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number);
    json.filter(|json| decimal(&json.to_string()) == Some(wanted))
        .ok_or_else(|| format!("`{text}` has more digits than can be sent"))
}

/// A decimal number without superfluous zeros.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let number = text.parse::<Decimal>().ok().or_else(|| Decimal::from_scientific(text).ok())?.normalize();
    // `-0` and `0` are one number and must become the same text.
    Some(if number.is_zero() { Decimal::ZERO } else { number })
}

fn rounded(number: Decimal, precision: u32) -> String {
    let number = number.round_dp_with_strategy(precision, RoundingStrategy::MidpointAwayFromZero).normalize();
    if number.is_zero() { "0".to_owned() } else { number.to_string() }
}

fn guid(text: &str) -> Option<String> {
    let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.contains('-'))?;
    Some(id.hyphenated().to_string())
}

/// Whether two words of a choice are the same: `HaveNotDecided`, `Have not decided` and `havenotdecided` are.
fn same_word(one: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
        letters.collect::<String>()
    };
    letters(one) == letters(other)
}

fn unlisted(word: &str) -> String {
    format!("`{word}` is not in the map's `values`")
}

fn named(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(yes) => format!("`{yes}`"),
        Value::Text(text) => format!("`{text}`"),
        Value::Map(_) => "a group".to_owned(),
    }
}
