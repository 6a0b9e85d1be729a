//! What a command answers: lines a person can read, and data for a program.

use crate::sign_in;
use mapping::one_line;
use serde::Serialize;
use serde_json::Value;
use sync::failure::Failure;

/// Characters of a line: others write what it repeats.
const LONGEST: usize = 8_000;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Fault,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it is meant.
    pub level: Level,
    /// What is so.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

/// Of answers; raised when what reads them would misunderstand a new one.
pub const SCHEMA: u32 = 1;

/// The whole answer.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema_version: u32,
    /// No line is a fault.
    pub ok: bool,
    /// In the order of what was done.
    pub lines: Vec<Line>,
    /// By command.
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

    /// As it should be.
    pub fn good(&mut self, text: impl Into<String>) {
        self.line(Level::Ok, text.into(), "");
    }

    /// Somebody should look.
    pub fn warn(&mut self, text: impl Into<String>, cure: &str) {
        self.line(Level::Warning, text.into(), cure);
    }

    /// It does not work.
    pub fn fault(&mut self, text: impl Into<String>, cure: &str) {
        self.line(Level::Fault, text.into(), cure);
    }

    /// A call that failed, with what usually helps.
    pub fn failed(&mut self, failure: &Failure) {
        let later = if failure.is_retryable() { "try again later" } else { "" };
        self.fault(failure.to_string(), sign_in::cure(failure).unwrap_or(later));
    }

    /// All lines of another one.
    pub fn append(&mut self, other: Report) {
        self.ok &= other.ok;
        self.lines.extend(other.lines);
    }

    /// All lines of another one that decides nothing here: its faults are worth a look.
    pub fn advise(&mut self, other: Report) {
        for line in other.lines {
            self.line(line.level.min(Level::Warning), line.text, &line.cure);
        }
    }

    /// The first thing that is not as it should be, else the last that was done: for where there is room for one
    /// sentence only.
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
    fn every_answer_says_its_schema() {
        assert_eq!(json!(Report::default())["schema_version"], 1);
        assert_eq!(json!(Report::fault_only("wrong", ""))["schema_version"], 1);
    }
}
