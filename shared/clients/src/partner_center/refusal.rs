//! Reads the answers by which Partner Center refuses or fails (vendors/partner-center.md, *Errors*), in any of three
//! shapes or in none, and finds which of the paths that were sent they name.

use crate::http::{Answer, one_line};
use serde_json::Value;
use std::fmt;

/// The longest message that is kept of an answer, in characters.
const MOST: usize = 500;

/// Status and message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    status: u16,
    text: String,
}

impl Words {
    pub(super) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        // A referral has members of the same names, which are no refusal.
        let is_refusal =
            |body: &&Value| !answer.is_success() || member(body, "error").is_some_and(Value::is_object);
        let told = body.as_ref().filter(is_refusal).map(told).filter(|text| !text.is_empty());
        let text = match told {
            Some(text) => one_line(&text, MOST),
            None if answer.is_success() => answer.unread(),
            None => answer.text(MOST),
        };
        Words { status: answer.status, text }
    }

    /// The path, among those sent, that the message names: as a path, with dots, or by its last segment.
    pub(super) fn field(&self, sent: &[String]) -> Option<String> {
        let mut sent: Vec<&String> = sent.iter().collect();
        sent.sort_by_key(|path| std::cmp::Reverse(path.len()));
        let whole = |path: &&&String| {
            let bare = path.trim_start_matches('/');
            names(&self.text, bare) || names(&self.text, &bare.replace('/', "."))
        };
        let last = |path: &&&String| path.rsplit('/').next().is_some_and(|name| names(&self.text, name));
        sent.iter().find(whole).or_else(|| sent.iter().find(last)).map(|path| (*path).clone())
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            write!(f, "{}", self.status)
        } else {
            write!(f, "{} {}", self.status, self.text)
        }
    }
}

/// `code: message: target`, then the same of the inner error.
fn told(body: &Value) -> String {
    let body = member(body, "error").filter(|e| e.is_object()).unwrap_or(body);
    let text = |name: &str| match member(body, name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let words = [text("code"), text("message").or_else(|| text("description")), text("target")];
    let mut parts: Vec<String> = words.into_iter().flatten().filter(|t| !t.is_empty()).collect();
    if let Some(inner) = member(body, "innerError").filter(|i| i.is_object()) {
        parts.push(told(inner));
    }
    parts.join(": ")
}

/// A member by its name in upper or lower case: documents write `innerError` and `innererror`.
pub(super) fn member<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether a text contains a name as a whole word.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

/// The paths of all members of a body; positions in lists are left out.
pub(super) fn paths(body: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let path = format!("{at}/{name}");
                    found.push(path.clone());
                    walk(value, &path, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, at, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    walk(body, "", &mut found);
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;
    use serde_json::json;

    fn words(status: u16, body: &str) -> Words {
        Words::of(&Answer { status, headers: HeaderMap::new(), body: body.into() })
    }

    fn invalid(inner: &str) -> Words {
        let error = json!({ "code": "invalidRequest", "message": "One or more fields are invalid.", "target": "referral",
            "innererror": { "code": "invalidValue", "message": inner } });
        words(400, &json!({ "error": error }).to_string())
    }

    #[test]
    fn every_shape_is_told_with_its_status() {
        let said = |status, body: &str| words(status, body).to_string();
        assert_eq!(
            said(429, r#"{"statusCode":429,"message":"Rate limit is exceeded."}"#),
            "429 Rate limit is exceeded."
        );
        assert_eq!(said(401, r#"{"code":"900421","description":"MFA","data":[]}"#), "401 900421: MFA");
        assert_eq!(said(502, "<html>\n<b>Bad Gateway</b></html>"), "502 <html> <b>Bad Gateway</b></html>");
        assert_eq!(said(503, ""), "503");
        assert_eq!(
            invalid("`/name`: null").to_string(),
            "400 invalidRequest: One or more fields are invalid.: referral: invalidValue: `/name`: null"
        );
    }

    #[test]
    fn of_a_good_answer_that_is_not_what_was_asked_for_no_word_is_told() {
        let said = |body: &str| words(200, body).to_string();
        assert_eq!(said(r#"{"value":[{"city":"Zug"#), "200 22 bytes, no JSON at line 1 column 22");
        let referral = r#"{"message":"Zug","code":"Zug"}"#;
        assert_eq!(said(referral), "200 30 bytes of JSON without what was asked for");
        assert_eq!(said(r#"{"error":{"code":"busy","message":"later"}}"#), "200 busy: later");
    }

    #[test]
    fn the_field_is_one_that_was_sent() {
        let sent = ["/details/currency", "/details/dealValue", "/name"].map(String::from);
        let field = |inner: &str| invalid(inner).field(&sent);
        assert_eq!(field("`/details/dealValue`: 0").as_deref(), Some("/details/dealValue"));
        assert_eq!(field("details.currency must be ISO 4217").as_deref(), Some("/details/currency"));
        assert_eq!(field("The field dealValue is required").as_deref(), Some("/details/dealValue"));
        assert_eq!(field("`/details/notes` is frozen"), None);
        assert_eq!(field("customerName is missing"), None, "part of another word");
    }

    #[test]
    fn paths_of_a_body_leave_out_list_positions() {
        let body =
            json!({ "name": "x", "customerProfile": { "team": [{ "email": "a" }, { "email": "b" }] } });
        let found = paths(&body);
        assert!(found.contains(&"/customerProfile/team/email".to_owned()));
        assert!(found.contains(&"/name".to_owned()));
    }
}
