//! Reads the answers by which Dataverse refuses or fails (vendors/dataverse.md, *Errors* and *Limits*) and gives each
//! one meaning. A code counts more than the status, because some codes are documented under two.

use super::batch::Reply;
use crate::http::{self, Answer, one_line, text::unread};
use jiff::SignedDuration;
use serde_json::Value;
use std::fmt;
use sync::failure::Class;

/// The longest message that is kept of an answer, in characters.
const MOST: usize = 500;

/// Status, code and message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataverseError {
    pub(super) status: u16,
    /// In lower case; may be empty or `0x0`.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) after: Option<SignedDuration>,
}

/// What an answer means, no matter for which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataverseMeaning {
    /// The condition did not hold.
    Lost,
    /// A create-only write, or a value of an alternate key, met a row that has it.
    Taken,
    /// The row, or a row bound to, is not there.
    Gone,
    /// The delta token is too old.
    Expired,
    /// It did not happen, and time cures it; `wide`: every other call meets the same.
    Later { wide: bool },
    /// The application user lacks the right to do this; an administrator can grant it.
    Right,
    /// Dataverse understood the request and refused it.
    Refused,
    /// It is unknown whether it happened; `wide`: every other call meets the same.
    Unknown { wide: bool },
}

impl DataverseError {
    pub(super) fn of(answer: &Answer) -> Self {
        DataverseError::read(answer.status, &answer.body, answer.retry_after())
    }

    pub(super) fn of_reply(reply: &Reply) -> Self {
        let after =
            reply.header("retry-after").and_then(|text| http::retry_after(text, reply.header("date")));
        DataverseError::read(reply.status, &reply.body, after)
    }

    fn read(status: u16, body: &[u8], after: Option<SignedDuration>) -> Self {
        let body_json = http::text::json(body).ok();
        let error = body_json.as_ref().and_then(|b| b.get("error"));
        let text = |name: &str| error.and_then(|e| e.get(name)).and_then(Value::as_str);
        let words = match text("message") {
            Some(words) => words.to_owned(),
            None if (200..300).contains(&status) => format!("unreadable answer: {}", unread(body)),
            // Gateways send HTML or nothing.
            None => String::from_utf8_lossy(body).into_owned(),
        };
        let code = text("code").unwrap_or_default().to_ascii_lowercase();
        DataverseError { status, code, message: one_line(&words, MOST), after }
    }

    pub(super) fn meaning(&self) -> DataverseMeaning {
        match self.code.as_str() {
            "0x80044352" => return DataverseMeaning::Expired,
            // Service protection limits; inside a batch they come with various statuses.
            "0x80072322" | "0x80072321" | "0x80072326" => return DataverseMeaning::Later { wide: true },
            // CouldNotObtainLockOnResource: the transaction was rolled back.
            "0x80044339" => return DataverseMeaning::Later { wide: false },
            // The user is no member of the organisation, or has no licence: every call of ours fails so.
            "0x80072560" | "0x80050304" => return DataverseMeaning::Later { wide: true },
            "0x80040220" | "0x80048306" | "0x80040231" => return DataverseMeaning::Right,
            "0x80060892" | "0x80040237" => return DataverseMeaning::Taken,
            "0x80060882" => return DataverseMeaning::Lost,
            // A duplicate detection rule; documented under both 412 and 500.
            "0x80040333" => return DataverseMeaning::Refused,
            "0x80040217" | "0x80060891" => return DataverseMeaning::Gone,
            _ => {}
        }
        match self.status {
            401 | 429 => DataverseMeaning::Later { wide: true },
            423 => DataverseMeaning::Later { wide: false },
            403 => DataverseMeaning::Right,
            // Without a code it is a wrong URL, not a missing row.
            404 if self.code.is_empty() && self.message.contains("HTTP resource") => {
                DataverseMeaning::Refused
            }
            404 if self.code == "0x8006088a" => DataverseMeaning::Refused,
            404 | 410 => DataverseMeaning::Gone,
            409 | 412 => DataverseMeaning::Lost,
            408 | 500 => DataverseMeaning::Unknown { wide: false },
            501.. => DataverseMeaning::Unknown { wide: true },
            400..=499 => DataverseMeaning::Refused,
            // A 2xx or 3xx that is not what was asked for.
            _ => DataverseMeaning::Unknown { wide: false },
        }
    }

    /// What Dataverse would answer to more requests than one batch may have.
    pub(super) fn too_many() -> Self {
        let message = "more requests than one batch takes: none was sent".to_owned();
        DataverseError { status: 400, code: String::new(), message, after: None }
    }

    /// For the answer to a whole batch: none of it was begun, and time does not cure it.
    pub(super) fn is_of_the_batch(&self) -> bool {
        !matches!(self.meaning(), DataverseMeaning::Later { .. } | DataverseMeaning::Unknown { .. })
    }

    /// The class of a read that failed with this answer, and whether it is wide.
    pub(super) fn of_read(&self) -> (Class, bool) {
        let retryable = Class::Retryable { after: self.after };
        match self.meaning() {
            DataverseMeaning::Later { wide } | DataverseMeaning::Unknown { wide } => (retryable, wide),
            // The codes do not distinguish a missing right to one row from one to a whole table, so it counts for the
            // row only.
            DataverseMeaning::Right => (Class::Permanent, false),
            DataverseMeaning::Lost | DataverseMeaning::Taken => (retryable, false),
            DataverseMeaning::Gone | DataverseMeaning::Expired | DataverseMeaning::Refused => {
                (Class::Permanent, false)
            }
        }
    }

    /// The column, among those sent, that the message names: in quotes or, if the column's name has an underscore,
    /// anywhere.
    pub(super) fn field<'a>(&self, sent: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let mut sent: Vec<&str> = sent.into_iter().collect();
        // For a status reason that does not belong to its state, the message does not name the column.
        if self.code == "0x80048408" && sent.contains(&"statuscode") {
            return Some("statuscode".to_owned());
        }
        sent.sort_by_key(|column| std::cmp::Reverse(column.len()));
        let found = sent.into_iter().find(|column| names(&self.message, column));
        found.map(str::to_owned)
    }
}

impl fmt::Display for DataverseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for part in [&self.code, &self.message] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        Ok(())
    }
}

fn names(text: &str, column: &str) -> bool {
    let folded = (text.to_lowercase(), column.to_lowercase());
    let (text, column) = (folded.0.as_str(), folded.1.as_str());
    let forms = [column.to_owned(), format!("_{column}_value"), format!("{column}@odata.bind")];
    let quoted = |form: &String| ["'", "\"", "`"].iter().any(|q| text.contains(&format!("{q}{form}{q}")));
    // `cosell_referralid` cannot be a word of a sentence; `name` can.
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let alone = || {
        text.match_indices(column).any(|(at, _)| {
            let after = &text[at + column.len()..];
            !text[..at].chars().next_back().is_some_and(part)
                && (!after.chars().next().is_some_and(part) || after.starts_with("_key"))
        })
    };
    !column.is_empty() && (forms.iter().any(quoted) || (column.contains('_') && alone()))
}

#[cfg(test)]
#[path = "errors/tests.rs"]
mod tests;
