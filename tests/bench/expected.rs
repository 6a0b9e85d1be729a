//! Counts beside those that are expected: calls exactly, bytes nearly, since instants differ in length; units less
//! nearly, since a row whose length is about a whole kilobyte is now on this side of it, now on that.

use crate::figure::Figure;
use anyhow::Context;
use serde_json::{Map, Value};
use std::path::Path;

/// Of bytes, either way.
const NEARLY: f64 = 0.05;
/// Of units; another kilobyte of a link is a third of its save.
const ABOUT: f64 = 0.15;

/// Writes what was seen to `file`, as what is expected from now on.
pub(crate) fn write(figures: &[Figure], file: &Path) -> anyhow::Result<()> {
    std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&seen(figures))?))?;
    Ok(())
}

/// What is not as expected, a line each.
pub(crate) fn compare(figures: &[Figure], file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let expected: Map<String, Value> = serde_json::from_str(&text)?;
    let seen = seen(figures);
    let mut lines = vec![];
    for case in expected.keys().chain(seen.keys().filter(|case| !expected.contains_key(*case))) {
        match (expected.get(case), seen.get(case)) {
            (Some(expected), Some(seen)) => differ(case, expected, seen, &mut lines),
            (Some(_), None) => lines.push(format!("{case}: expected, not seen")),
            _ => lines.push(format!("{case}: seen, not expected")),
        }
    }
    Ok(lines)
}

fn seen(figures: &[Figure]) -> Map<String, Value> {
    figures.iter().map(|figure| (figure.name(), figure.counted())).collect()
}

fn differ(case: &str, expected: &Value, seen: &Value, lines: &mut Vec<String>) {
    let names = |value: &Value| value.as_object().into_iter().flatten().map(|(n, _)| n.clone()).collect();
    let mut all: Vec<String> = names(expected);
    all.extend(names(seen));
    all.sort();
    all.dedup();
    for name in all {
        let of = |value: &Value| value[&name].as_f64().unwrap_or_default();
        let (expected, seen) = (of(expected), of(seen));
        let allowed = match name.rsplit('_').next() {
            Some("bytes") => NEARLY * expected,
            Some("units") => ABOUT * expected,
            _ => 1e-9,
        };
        if (seen - expected).abs() > allowed {
            lines.push(format!("{case}: `{name}` for each event: expected {expected}, seen {seen}"));
        }
    }
}
