//! `@{refAccount.id}`: values out of earlier answers of the same composite.

use serde_json::Value;
use std::collections::BTreeMap;

type Bodies = BTreeMap<String, Value>;

/// A text with its references filled in; else what is told of the first that has no value.
pub(super) fn fill(text: &str, names: &[String], bodies: &Bodies) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("@{") {
        let (inside, after) = after.split_once('}').ok_or_else(|| unknown(after, after))?;
        filled.push_str(before);
        match value(inside, names, bodies)? {
            Value::String(text) => filled.push_str(&text),
            Value::Null => return Err(unknown(inside, inside)),
            other => filled.push_str(&other.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A body with the references of all its texts filled in.
pub(super) fn fill_all(body: Value, names: &[String], bodies: &Bodies) -> Result<Value, String> {
    Ok(match body {
        Value::String(text) => Value::String(fill(&text, names, bodies)?),
        Value::Array(items) => {
            items.into_iter().map(|item| fill_all(item, names, bodies)).collect::<Result<_, _>>()?
        }
        Value::Object(members) => {
            let filled = members.into_iter().map(|(n, v)| Ok((n, fill_all(v, names, bodies)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        other => other,
    })
}

fn unknown(inside: &str, name: &str) -> String {
    format!("Invalid reference specified. No value for {inside} found in {name}")
}

/// The path is case-sensitive: `id` of a write, `records[0].Id` of a query.
fn value(inside: &str, names: &[String], bodies: &Bodies) -> Result<Value, String> {
    let (name, path) = inside.split_once('.').unwrap_or((inside, ""));
    let told = || unknown(inside, if names.iter().any(|n| n == name) { name } else { inside });
    let mut at = bodies.get(name).ok_or_else(told)?;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (member, index) = match part.split_once('[') {
            Some((member, index)) => (member, Some(index.trim_end_matches(']'))),
            None => (part, None),
        };
        at = at.get(member).ok_or_else(told)?;
        if let Some(index) = index {
            at = index.parse::<usize>().ok().and_then(|n| at.get(n)).ok_or_else(told)?;
        }
    }
    Ok(at.clone())
}
