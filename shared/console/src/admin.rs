//! The admin function, wherever it runs.

use futures_util::future::BoxFuture;
use serde_json::Value;
use std::fmt;

/// Takes commands as JSON and answers with a report: `{ok, lines: [{level, text, cure}], data}`.
pub trait Admin: Send + Sync {
    /// One command, one answer.
    fn invoke<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, Unreachable>>;

    /// Where it runs, as people name it: `local run`, a stack's name.
    fn name(&self) -> String;

    /// What whoever asks may do.
    fn may(&self) -> May {
        May::Act
    }

    /// What the command line needs to reach it again: `--local`, `--stack NAME`.
    fn flags(&self) -> String;
}

/// What whoever asks may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Commands that change nothing.
    Look,
    /// Every command.
    Act,
}

impl May {
    /// As the page is told.
    pub fn as_str(self) -> &'static str {
        match self {
            May::Look => "look",
            May::Act => "act",
        }
    }
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// Whoever asks has to sign in, or has no right to ask; what helps.
    SignIn(String),
    /// Anything else; what helps.
    Failed(String),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreachable::SignIn(text) | Unreachable::Failed(text) => f.write_str(text),
        }
    }
}

/// A report, or what says that it is none of a version this program knows.
pub fn report(answer: Value) -> Result<Value, Unreachable> {
    if answer["ok"].is_boolean() && answer["lines"].is_array() {
        return Ok(answer);
    }
    let what = answer["errorMessage"].as_str().map_or_else(|| clipped(&answer), str::to_owned);
    Err(Unreachable::Failed(format!("the admin function answered with no report: {what}")))
}

fn clipped(answer: &Value) -> String {
    answer.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_of_another_version_is_no_report() {
        for (answer, words) in [
            (json!({ "errorMessage": "timed out" }), "timed out"),
            (json!({ "ok": "yes", "lines": [] }), "no report"),
            (json!({ "report": { "ok": true, "lines": [] } }), "no report"),
            (json!("done"), "done"),
        ] {
            let wrong = report(answer.clone()).unwrap_err();
            assert!(matches!(&wrong, Unreachable::Failed(told) if told.contains(words)), "{answer}: {wrong}");
        }
        let good = json!({ "ok": false, "lines": [], "data": null });
        assert_eq!(report(good.clone()), Ok(good));
    }
}
