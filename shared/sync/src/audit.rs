//! Decisions that mattered, one line each, and their rendering for the CRM's Audit field.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many lines a link keeps beside the table's own, for the CRM's Audit field.
const KEPT: usize = 12;

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// A fixed word: `created`, `conflict`, `refused`, `parked`, `healed`, ...
    pub decision: String,
    /// A sentence a seller understands; no personal data beyond the deal's own field values.
    pub text: String,
}

/// The last lines of a link or record, newest last, and what the CRM shows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    lines: Vec<Line>,
    /// The text without times that the CRM's Audit field shows by our last write.
    shown: String,
    /// Something sellers should see has happened since.
    due: bool,
}

impl Journal {
    /// Notes a decision. `show`: it belongs into the CRM's Audit field (create, refusal, conflict, parking, healing).
    pub fn note(&mut self, line: Line, show: bool) {
        self.due |= show;
        self.lines.push(line);
        let excess = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..excess);
    }

    /// The Audit field's new text, if it should be written: newest line first, never longer than `length`
    /// characters, newest kept. `None`: nothing due, or the text without times is what the CRM shows already.
    pub fn to_show(&self, length: usize) -> Option<String> {
        (self.due && self.render(length, false) != self.shown).then(|| self.render(length, true))
    }

    /// The CRM shows the present text.
    pub fn shown(&mut self, length: usize) {
        self.shown = self.render(length, false);
        self.due = false;
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn render(&self, length: usize, times: bool) -> String {
        let mut text = String::new();
        let mut used = 0;
        for line in self.lines.iter().rev() {
            let line = if times {
                format!("{} - {}\n", line.at.strftime("%Y-%m-%d %H:%M"), line.text)
            } else {
                format!("{}\n", line.text)
            };
            // Room for the times counts even where they are left out, so that both renderings keep the same lines.
            used += line.chars().count() + if times { 0 } else { 19 };
            if used > length {
                break;
            }
            text.push_str(&line);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, minute: i64) -> Line {
        let at = Timestamp::from_second(1_774_000_000 + 60 * minute).unwrap();
        Line { at, decision: "refused".into(), text: text.into() }
    }

    #[test]
    fn the_same_words_at_another_time_are_not_written_again() {
        let mut journal = Journal::default();
        journal.note(line("closing date is in the past", 0), true);
        assert!(journal.to_show(10_000).unwrap().contains("closing date"));
        journal.shown(10_000);
        assert_eq!(journal.to_show(10_000), None);
        let mut again = Journal { lines: vec![line("closing date is in the past", 9)], due: true, ..journal };
        assert_eq!(again.to_show(10_000), None);
        again.note(line("created", 10), true);
        assert!(again.to_show(10_000).is_some());
    }

    #[test]
    fn never_longer_than_the_field_and_newest_first() {
        let mut journal = Journal::default();
        for n in 0..KEPT as i64 {
            journal.note(line(&format!("line {n}"), n), true);
        }
        let text = journal.to_show(60).unwrap();
        assert!(text.chars().count() <= 60);
        assert!(text.lines().next().unwrap().ends_with("line 11"));
    }
}
