//! An answer beside its sample, member by member; what may differ is the caller's rule for leaves.

use serde_json::Value;

/// What differs, as lines. `alike(path, sample, seen)`: two unequal leaves that count as the same.
pub(crate) fn differences(
    sample: &Value,
    seen: &Value,
    at: &str,
    alike: &dyn Fn(&str, &Value, &Value) -> bool,
    into: &mut Vec<String>,
) {
    match (sample, seen) {
        (Value::Object(expected), Value::Object(members)) => {
            let missing = expected.keys().filter(|k| !members.contains_key(*k));
            into.extend(missing.map(|k| format!("{at}/{k} missing")));
            let invented = members.keys().filter(|k| !expected.contains_key(*k));
            into.extend(invented.map(|k| format!("{at}/{k} invented")));
            for (name, value) in expected {
                if let Some(seen) = members.get(name) {
                    differences(value, seen, &format!("{at}/{name}"), alike, into);
                }
            }
        }
        (Value::Array(expected), Value::Array(items)) if expected.len() == items.len() => {
            for (n, (value, seen)) in expected.iter().zip(items).enumerate() {
                differences(value, seen, &format!("{at}/{n}"), alike, into);
            }
        }
        (a, b) if a == b || alike(at, a, b) => {}
        (a, b) => into.push(format!("{at}: {a} became {b}")),
    }
}
