//! The admin function, wherever it runs.

use crate::wrong::{Code, Wrong};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::fmt;

/// The newest `schema_version` of an answer that this program understands.
pub const SCHEMA: u64 = 1;

/// Takes commands as JSON and answers with a report: `{schema_version, ok, lines: [{level, text, cure}], data}`.
pub trait Admin: Send + Sync {
    /// One command, one answer.
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>>;

    /// Where it runs, as people name it: `local run`, a stack's name.
    fn name(&self) -> String;

    /// What the user may do, as far as is known by now.
    fn may(&self) -> May {
        May::Act
    }

    /// The flags with which the command line reaches the same one again: `--local`, `--stack NAME`.
    fn flags(&self) -> String;
}

/// What the user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Send commands that change nothing.
    Look,
    /// Send every command, also one that changes something.
    Act,
}

impl May {
    /// The word for the page.
    pub fn as_str(self) -> &'static str {
        match self {
            May::Look => "look",
            May::Act => "act",
        }
    }
}

/// Why there is no answer that could be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The user has to sign in, or lacks a right; the text says what helps.
    SignIn(String),
    /// No local run listens there.
    NoLocalRun(String),
    /// The answer is no report.
    NoReport(String),
    /// The answer has a schema that is newer than this program.
    Newer(String),
    /// Anything else; the text says what failed.
    Failed(String),
}

impl Unreachable {
    /// As the command line says it.
    pub fn wrong(&self) -> Wrong {
        let (code, cure) = match self {
            Unreachable::SignIn(_) => (Code::SignIn, ""),
            Unreachable::NoLocalRun(_) => (Code::NoLocalRun, ""),
            Unreachable::NoReport(_) => {
                (Code::NoReport, "is this the connector's admin function, and is it deployed whole?")
            }
            Unreachable::Newer(_) => {
                (Code::NewerSchema, "install the `cosell` of the version that is deployed")
            }
            Unreachable::Failed(_) => (Code::Failed, ""),
        };
        Wrong::new(code, self.to_string()).cured(cure)
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreachable::SignIn(text)
            | Unreachable::NoLocalRun(text)
            | Unreachable::NoReport(text)
            | Unreachable::Newer(text)
            | Unreachable::Failed(text) => f.write_str(text),
        }
    }
}

/// The answer, if it is a report that this program understands. A report without `schema_version` is older than the
/// first schema and is accepted.
pub fn report(answer: Value) -> Result<Value, Unreachable> {
    let version = &answer["schema_version"];
    if !version.is_null() && version.as_u64().is_none_or(|version| version > SCHEMA) {
        return Err(Unreachable::Newer(format!(
            "the admin function answers with schema {version}, this program understands {SCHEMA} at most"
        )));
    }
    if answer["ok"].is_boolean() && answer["lines"].is_array() {
        return Ok(answer);
    }
    let what = answer["errorMessage"].as_str().map_or_else(|| clipped(&answer), str::to_owned);
    Err(Unreachable::NoReport(format!("the admin function answered with no report: {what}")))
}

fn clipped(answer: &Value) -> String {
    answer.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_report_of_a_known_schema_is_one() {
        let of = |version: Value| report(json!({ "schema_version": version, "ok": true, "lines": [] }));
        assert!(of(json!(SCHEMA)).is_ok() && of(Value::Null).is_ok(), "this one, and those before the first");
        for version in [json!(SCHEMA + 1), json!("2"), json!(-1), json!(1.5), json!([])] {
            assert!(matches!(of(version.clone()), Err(Unreachable::Newer(_))), "{version}");
        }
        for none in
            [json!(null), json!([]), json!({ "ok": true }), json!({ "errorMessage": "out of memory" })]
        {
            assert!(matches!(report(none.clone()), Err(Unreachable::NoReport(_))), "{none}");
        }
    }

    #[test]
    fn an_answer_of_another_version_is_no_report() {
        for (answer, words) in [
            (json!({ "errorMessage": "timed out" }), "timed out"),
            (json!({ "ok": "yes", "lines": [] }), "no report"),
            (json!({ "report": { "ok": true, "lines": [] } }), "no report"),
            (json!("done"), "done"),
        ] {
            let wrong = report(answer.clone()).unwrap_err();
            assert!(
                matches!(&wrong, Unreachable::NoReport(told) if told.contains(words)),
                "{answer}: {wrong}"
            );
        }
        let good = json!({ "ok": false, "lines": [], "data": null });
        assert_eq!(report(good.clone()), Ok(good));
    }
}
