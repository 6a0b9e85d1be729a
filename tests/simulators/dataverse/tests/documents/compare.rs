//! Two answers compared: exact where the vendor's words count, by form where a value was made on the spot.

use serde_json::Value;

/// Made by the server: same form only.
const MADE: [&str; 6] =
    ["@odata.etag", "@odata.nextLink", "@odata.deltaLink", "MetadataId", "opportunityid", "contactid"];
/// As `MADE`, of the sign-in endpoint; and numbers that move.
const MADE_AT_SIGN_IN: [&str; 6] =
    ["access_token", "error_description", "timestamp", "trace_id", "correlation_id", "expires_in"];

/// A made value without its digits: runs of letters, digits and hyphens that hold a digit count as one `#`.
fn form(text: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, shown: &mut String| {
        let made = run.chars().any(|c| c.is_ascii_digit());
        shown.push_str(if made { "#" } else { run });
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            run.push(c);
        } else {
            flush(&mut run, &mut shown);
            shown.push(c);
        }
    }
    flush(&mut run, &mut shown);
    shown
}

/// The form of one line of a multipart body; JSON without its blanks, word for word.
pub(super) fn line_form(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(value) if value.is_object() => value.to_string(),
        _ if line.starts_with("HTTP/1.1") || line.starts_with("OData-Version") => line.to_owned(),
        _ => form(line),
    }
}

/// What differs, as lines.
pub(super) fn differences(sample: &Value, seen: &Value, at: &str, into: &mut Vec<String>) {
    crate::compare::differences(sample, seen, at, &alike, into);
}

fn alike(at: &str, sample: &Value, seen: &Value) -> bool {
    let name = at.rsplit('/').next().unwrap_or_default();
    match (sample, seen) {
        (Value::String(a), Value::String(b)) if name == "@odata.nextLink" => {
            // The samples show blanks unencoded; the cookie is opaque.
            let before = |link: &str| link.split("pagingcookie").next().map(|l| l.replace("%20", " "));
            before(a) == before(b)
        }
        (Value::String(a), Value::String(b)) if MADE.contains(&name) => form(a) == form(b),
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => {
            MADE_AT_SIGN_IN.contains(&name) || name == "versionnumber" || name == "ext_expires_in"
        }
        _ => false,
    }
}
