//! Reads the answers by which Salesforce refuses or fails (vendors/salesforce.md, *Errors*) and gives each one
//! meaning. A code counts more than the status, because some codes are documented under two.

use crate::http::{Answer, one_line};
use jiff::SignedDuration;
use serde_json::Value;
use std::fmt;
use sync::failure::Class;

/// The longest message that is kept of an answer, in characters.
const MOST: usize = 500;
/// The code of a part that was rolled back because another part failed.
const HALTED: &str = "PROCESSING_HALTED";

/// Status, code, message and fields of an answer, or of one part of a composite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SalesforceError {
    pub(super) status: u16,
    pub(super) code: String,
    message: String,
    fields: Vec<String>,
    /// Object and id of each row that a duplicate rule named.
    pub(super) duplicates: Box<[(String, String)]>,
    after: Option<SignedDuration>,
}

/// What an answer means, no matter for which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SalesforceMeaning {
    /// The condition did not hold.
    Lost,
    /// A unique value met a row that has it.
    Taken,
    /// The row, or a row pointed to, is not there.
    Gone,
    /// A page or a position is too old.
    Expired,
    /// It did not happen, and time cures it; `wide`: every other call meets the same.
    Later { wide: bool },
    /// Salesforce understood the request and refused it.
    Refused,
    /// It is unknown whether it happened; `wide`: every other call meets the same.
    Unknown { wide: bool },
}

impl SalesforceError {
    pub(super) fn of(answer: &Answer) -> Self {
        let body = answer.json().unwrap_or(Value::Null);
        let said = SalesforceError::read(answer.status, &body, answer.retry_after());
        if answer.is_success() && said.code.is_empty() {
            return SalesforceError { message: format!("unreadable answer: {}", answer.unread()), ..said };
        }
        // Maintenance pages are HTML: their text is the message.
        if said.message.is_empty() { SalesforceError { message: answer.text(MOST), ..said } } else { said }
    }

    /// An answer that was not JSON, from its parts.
    pub(super) fn told(status: u16, code: &str, message: &str, fields: &[&str]) -> Self {
        let error = serde_json::json!({ "errorCode": code, "message": message, "fields": fields });
        SalesforceError::read(status, &error, None)
    }

    /// What Salesforce would answer to more requests than one composite may have.
    pub(super) fn too_many() -> Self {
        SalesforceError::told(
            400,
            "LIMIT_EXCEEDED",
            "more requests than one composite takes: none was sent",
            &[],
        )
    }

    /// A successful answer that lacks what it should contain.
    pub(super) fn unreadable() -> Self {
        SalesforceError::read(502, &serde_json::json!({ "message": "the answer has no id" }), None)
    }

    /// An answer to a query without rows, or without the address of the next ones.
    pub(super) fn unpaged() -> Self {
        SalesforceError::read(
            200,
            &serde_json::json!({ "message": "the answer has no whole list of rows" }),
            None,
        )
    }

    /// The answer to one part of a composite.
    pub(super) fn of_part(part: &Value) -> Self {
        let status = part["httpStatusCode"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(500);
        SalesforceError::read(status, &part["body"], None)
    }

    fn read(status: u16, body: &Value, after: Option<SignedDuration>) -> Self {
        let error = match body {
            Value::Array(errors) => errors.first().cloned().unwrap_or(Value::Null),
            other => other.clone(),
        };
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let code = if text("errorCode").is_empty() { text("statusCode") } else { text("errorCode") };
        let fields = error["fields"].as_array().into_iter().flatten();
        let fields = fields.filter_map(|f| f.as_str().map(str::to_owned)).collect();
        // The message of a refused query begins with the query; the reason follows this text.
        let message = text("message");
        let words = message.split_once("ERROR at Row").map_or(message.as_str(), |(_, words)| words);
        SalesforceError {
            status,
            code,
            message: one_line(words, MOST),
            fields,
            duplicates: duplicates(&error),
            after,
        }
    }

    /// Whether this part was rolled back only because another part failed.
    pub(super) fn is_halted(&self) -> bool {
        self.code == HALTED
    }

    /// Whether its text says, too, that another part was the cause.
    pub(super) fn is_rolled_back(&self) -> bool {
        self.is_halted() && self.message.contains("rolled back")
    }

    /// For the answer to a whole composite: none of it was begun, and time does not cure it.
    pub(super) fn is_of_the_composite(&self) -> bool {
        !matches!(self.meaning(), SalesforceMeaning::Later { .. } | SalesforceMeaning::Unknown { .. })
    }

    pub(super) fn meaning(&self) -> SalesforceMeaning {
        // If a customer's trigger failed for a locked row, only the message contains this code.
        if self.code == "UNABLE_TO_LOCK_ROW" || self.message.contains("UNABLE_TO_LOCK_ROW") {
            return SalesforceMeaning::Later { wide: false };
        }
        match self.code.as_str() {
            "REQUEST_LIMIT_EXCEEDED" | "API_CURRENTLY_DISABLED" | "API_DISABLED_FOR_ORG" => {
                return SalesforceMeaning::Later { wide: true };
            }
            "DUPLICATE_VALUE" => return SalesforceMeaning::Taken,
            "ENTITY_IS_DELETED" | "NOT_FOUND" => return SalesforceMeaning::Gone,
            "INVALID_QUERY_LOCATOR" | "INVALID_REPLICATION_DATE" | "EXCEEDED_ID_LIMIT" => {
                return SalesforceMeaning::Expired;
            }
            "QUERY_TIMEOUT" => return SalesforceMeaning::Later { wide: false },
            _ => {}
        }
        match self.status {
            401 | 429 => SalesforceMeaning::Later { wide: true },
            404 | 410 if self.code.is_empty() => SalesforceMeaning::Refused,
            404 => SalesforceMeaning::Gone,
            409 | 412 => SalesforceMeaning::Lost,
            408 | 500 => SalesforceMeaning::Unknown { wide: false },
            501.. => SalesforceMeaning::Unknown { wide: true },
            400..=499 => SalesforceMeaning::Refused,
            // A 2xx or 3xx that is not what was asked for.
            _ => SalesforceMeaning::Unknown { wide: false },
        }
    }

    /// The class of a read that failed with this answer, and whether it is wide.
    pub(super) fn of_read(&self) -> (Class, bool) {
        let retryable = Class::Retryable { after: self.after };
        match self.meaning() {
            SalesforceMeaning::Later { wide } | SalesforceMeaning::Unknown { wide } => (retryable, wide),
            SalesforceMeaning::Lost | SalesforceMeaning::Taken => (retryable, false),
            SalesforceMeaning::Gone | SalesforceMeaning::Expired | SalesforceMeaning::Refused => {
                (Class::Permanent, false)
            }
        }
    }

    pub(super) fn after(&self) -> Option<SignedDuration> {
        self.after
    }

    /// The field, among those sent, that the answer names: in `fields`, else in the message.
    pub(super) fn field<'a>(&self, sent: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let mut sent: Vec<&str> = sent.into_iter().collect();
        sent.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let listed = |name: &&&str| self.fields.iter().any(|field| field.eq_ignore_ascii_case(name));
        // The name of a custom field is no ordinary word; any other field counts only if it is listed.
        let told = |name: &&&str| name.ends_with("__c") && self.message.contains(**name);
        sent.iter().find(listed).or_else(|| sent.iter().find(told)).map(|name| (*name).to_owned())
    }
}

/// The rows that a duplicate rule named. Salesforce uses both spellings of the member.
fn duplicates(error: &Value) -> Box<[(String, String)]> {
    let result = ["duplicateResut", "duplicateResult"].into_iter().find_map(|name| error.get(name));
    let matches = result.and_then(|result| result["matchResults"].as_array()).into_iter().flatten();
    let rows = matches.flat_map(|found| {
        let rows = found["matchRecords"].as_array().into_iter().flatten();
        rows.filter_map(|row| {
            Some((found["entityType"].as_str()?.to_owned(), row["record"]["Id"].as_str()?.to_owned()))
        })
    });
    rows.collect()
}

impl fmt::Display for SalesforceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        let unsaid = self.fields.iter().filter(|field| !self.message.contains(field.as_str()));
        for field in unsaid {
            write!(f, " (`{field}`)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(status: u16, code: &str, message: &str) -> SalesforceError {
        let body = json!([{ "message": message, "errorCode": code, "fields": ["StageName"] }]);
        SalesforceError::read(status, &body, None)
    }

    #[test]
    fn codes_decide_before_the_status() {
        let meaning = |status, code: &str| said(status, code, "").meaning();
        for status in [400, 500] {
            assert_eq!(meaning(status, "UNABLE_TO_LOCK_ROW"), SalesforceMeaning::Later { wide: false });
        }
        assert_eq!(meaning(403, "REQUEST_LIMIT_EXCEEDED"), SalesforceMeaning::Later { wide: true });
        assert_eq!(meaning(400, "DUPLICATE_VALUE"), SalesforceMeaning::Taken);
        assert_eq!(meaning(404, "ENTITY_IS_DELETED"), SalesforceMeaning::Gone);
        assert_eq!(meaning(412, ""), SalesforceMeaning::Lost);
        assert_eq!(meaning(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), SalesforceMeaning::Refused);
        assert_eq!(meaning(500, "UNKNOWN_EXCEPTION"), SalesforceMeaning::Unknown { wide: false });
        assert_eq!(meaning(503, ""), SalesforceMeaning::Unknown { wide: true });
        let trigger = said(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: UNABLE_TO_LOCK_ROW, x");
        assert_eq!(trigger.meaning(), SalesforceMeaning::Later { wide: false });
    }

    #[test]
    fn of_a_good_answer_that_is_not_what_was_asked_for_no_word_is_told() {
        let told = |status, body: &str| {
            let headers = reqwest::header::HeaderMap::new();
            SalesforceError::of(&Answer { status, headers, body: body.into() }).to_string()
        };
        let unread = "200: unreadable answer: 22 bytes, no JSON at line 1 column 22";
        assert_eq!(told(200, r#"{"value":[{"city":"Zug"#), unread);
        let row = "200: unreadable answer: 17 bytes of JSON without what was asked for";
        assert_eq!(told(200, r#"{"message":"Zug"}"#), row);
        assert_eq!(told(503, "<html>Zug"), "503: <html>Zug", "a gateway speaks for itself");
    }

    #[test]
    fn the_field_is_one_that_was_sent() {
        let said = said(400, "X", "Stage: bad value; see Audit__c");
        assert_eq!(said.field(["Name", "StageName"]).as_deref(), Some("StageName"));
        assert_eq!(said.field(["Name", "Audit__c"]).as_deref(), Some("Audit__c"));
        assert_eq!(said.field(["Name"]), None);
    }

    #[test]
    fn duplicates_are_named_under_either_spelling() {
        for name in ["duplicateResut", "duplicateResult"] {
            let row = json!({ "record": { "attributes": {}, "Id": "003Qy00000AAAAAIAV" } });
            let found = json!([{ "entityType": "Contact", "matchRecords": [row] }]);
            let body = json!([{ "errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
                                name: { "matchResults": found } }]);
            let said = SalesforceError::read(400, &body, None);
            assert_eq!(*said.duplicates, [("Contact".to_owned(), "003Qy00000AAAAAIAV".to_owned())]);
        }
    }

    #[test]
    fn collections_write_the_code_otherwise() {
        let body = json!([{ "statusCode": "DUPLICATE_VALUE", "message": "m", "fields": [] }]);
        assert_eq!(SalesforceError::read(400, &body, None).to_string(), "400 DUPLICATE_VALUE: m");
    }
}
