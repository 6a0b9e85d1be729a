//! The answer of a command: lines for a person, and data for a program.

use crate::sign_in;
use mapping::one_line;
use serde::Serialize;
use serde_json::Value;
use sync::failure::Failure;

/// Characters of a line at most: it may repeat a text of a vendor or a stranger.
const LONGEST: usize = 8_000;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but an administrator should look at it.
    Warning,
    /// It does not work.
    Fault,
}

impl Level {
    /// The word of answers and log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Fault => "fault",
        }
    }
}

/// A line of an answer, for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it is meant.
    pub level: Level,
    /// What was found or done.
    pub text: String,
    /// What to do about it; empty: nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

/// The version of an answer's form. Raised when a program that reads answers would misunderstand the new form.
pub const SCHEMA: u32 = 1;

/// The answer of a command, as it is sent.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`], by which a caller knows the form.
    pub schema_version: u32,
    /// No line is a fault.
    pub ok: bool,
    /// In the order in which things were done.
    pub lines: Vec<Line>,
    /// For programs; its form depends on the command.
    pub data: Value,
}

impl Default for Report {
    fn default() -> Self {
        Report { schema_version: SCHEMA, ok: true, lines: vec![], data: Value::Null }
    }
}

impl Report {
    /// One fault and nothing else.
    pub fn fault_only(text: impl Into<String>, cure: &str) -> Self {
        let mut report = Report::default();
        report.fault(text, cure);
        report
    }

    /// Adds a line: it is as it should be.
    pub fn good(&mut self, text: impl Into<String>) {
        self.line(Level::Ok, text.into(), "");
    }

    /// Adds a line: it works, but an administrator should look at it.
    pub fn warn(&mut self, text: impl Into<String>, cure: &str) {
        self.line(Level::Warning, text.into(), cure);
    }

    /// Adds a line: it does not work.
    pub fn fault(&mut self, text: impl Into<String>, cure: &str) {
        self.line(Level::Fault, text.into(), cure);
    }

    /// Adds a fault for a call that failed, with what usually helps.
    pub fn failed(&mut self, failure: &Failure) {
        let later = if failure.is_retryable() { "try again later" } else { "" };
        self.fault(failure.to_string(), sign_in::cure(failure).unwrap_or(later));
    }

    /// Adds a warning: there was no time for all of it. `data.done` is `false` from then on.
    pub fn unfinished(&mut self, text: impl Into<String>, cure: &str) {
        self.warn(text, cure);
        self.data["done"] = Value::Bool(false);
    }

    /// Whether something was left undone for want of time.
    pub fn is_unfinished(&self) -> bool {
        self.data["done"] == false
    }

    /// Adds all lines of another report, and that it was not finished.
    pub fn append(&mut self, other: Report) {
        if other.is_unfinished() {
            self.data["done"] = Value::Bool(false);
        }
        self.ok &= other.ok;
        self.lines.extend(other.lines);
    }

    /// Adds all lines of another report that does not decide over this one: its faults become warnings.
    pub fn advise(&mut self, other: Report) {
        for line in other.lines {
            self.line(line.level.min(Level::Warning), line.text, &line.cure);
        }
    }

    /// The report in one sentence: its first line of the worst level, else, if all is well, its last line.
    pub fn sentence(&self) -> String {
        let worst = self.lines.iter().map(|line| line.level).max().filter(|worst| *worst > Level::Ok);
        let line = self.lines.iter().find(|line| Some(line.level) == worst).or(self.lines.last());
        line.map_or_else(
            || "done".to_owned(),
            |line| {
                if line.cure.is_empty() { line.text.clone() } else { format!("{}: {}", line.text, line.cure) }
            },
        )
    }

    fn line(&mut self, level: Level, text: String, cure: &str) {
        self.ok &= level != Level::Fault;
        self.lines.push(Line { level, text: one_line(&text, LONGEST), cure: one_line(cure, LONGEST) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_not_finished_stays_so_in_the_report_that_takes_it_over() {
        let (mut part, mut whole) = (Report::default(), Report::default());
        assert!(!part.is_unfinished());
        part.unfinished("no time left", "once more");
        whole.append(Report::default());
        assert!(!whole.is_unfinished());
        whole.append(part);
        assert!(whole.ok && whole.is_unfinished(), "{whole:?}");
    }

    #[test]
    fn every_answer_says_its_schema() {
        assert_eq!(json!(Report::default())["schema_version"], 1);
        assert_eq!(json!(Report::fault_only("wrong", ""))["schema_version"], 1);
    }
}
