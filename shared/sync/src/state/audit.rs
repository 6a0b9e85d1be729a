//! The audit: one line for each decision that mattered, and the text of these lines for the CRM's Audit field.

use crate::state::image::digest;
use jiff::Timestamp;
use mapping::one_line;
use serde::{Deserialize, Serialize};

/// How many lines a link keeps for the CRM's Audit field; the table keeps all of them in rows of their own.
const KEPT: usize = 12;
/// The most characters of a line within a link: other systems write what a line quotes, and the link has to fit into an
/// item of the table.
const LINE: usize = 500;
/// The most characters of a line in a row of its own.
const ROW: usize = 30_000;
/// Characters of a line's time and of the separator before its text.
const TIME: usize = 19;
/// What is kept of the journal of a link that would be too large: this many lines, this many characters of each.
const LEAST: (usize, usize) = (3, 100);

/// One decision that mattered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was made.
    pub at: Timestamp,
    /// Its kind, a fixed word: `created`, `conflict`, `refused`, `parked`, `healed`, ...
    pub decision: String,
    /// A sentence a seller understands; no personal data beyond the deal's own field values.
    pub text: String,
}

/// The last lines of a link or record, newest last, and what the CRM's Audit field shows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    lines: Vec<Line>,
    /// The digest of what our last write of the Audit field showed, without times; in a row from before there were
    /// digests, the text itself.
    shown: String,
    /// Whether a decision that the seller should see was made since that write.
    due: bool,
    /// How many of the last lines are newer than that write.
    news: usize,
}

impl Journal {
    /// Notes a decision. `show`: the seller should see it in the CRM's Audit field (create, refusal, conflict, parking,
    /// healing).
    pub fn note(&mut self, line: Line, show: bool) {
        self.due |= show;
        self.news = (self.news + 1).min(KEPT);
        // Other systems write what a line quotes: line breaks are taken out.
        self.lines.push(Line { text: one_line(&line.text, LINE), ..line });
        let excess = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..excess);
    }

    /// The Audit field's new text: newest line first, at most `length` characters, always with the beginning of the
    /// newest line. `None`: the seller need not see anything new, or the CRM already shows this text, times apart.
    pub fn to_show(&self, length: usize) -> Option<String> {
        let is_shown = || {
            let text = self.render(length, false);
            self.shown == text || self.shown == digest(&text)
        };
        (self.due && !is_shown()).then(|| self.render(length, true))
    }

    /// Remembers that the CRM's Audit field now shows the present text.
    pub fn shown(&mut self, length: usize) {
        self.shown = digest(&self.render(length, false));
        (self.due, self.news) = (false, 0);
    }

    /// The lines that the seller should see and the Audit field does not show yet, oldest first.
    pub fn news(&self) -> Option<String> {
        let lines = self.lines.iter().rev().take(self.news).rev().map(|line| line.text.as_str());
        self.due.then(|| lines.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
    }

    /// Keeps only the last few lines, shortened.
    pub(crate) fn shrink(&mut self) {
        let (lines, characters) = LEAST;
        let excess = self.lines.len().saturating_sub(lines);
        self.lines.drain(..excess);
        for line in &mut self.lines {
            line.text = cut(&line.text, characters);
        }
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
            // The room for the times counts even where they are left out, so that both renderings keep the same lines.
            let left = length.saturating_sub(used + if times { 0 } else { TIME });
            used += line.chars().count() + if times { 0 } else { TIME };
            if used > length {
                text.push_str(&cut(&line, left));
                break;
            }
            text.push_str(&line);
        }
        text
    }
}

impl Line {
    /// The line as it is stored in a row of its own.
    pub(crate) fn bounded(&self) -> Line {
        Line { text: one_line(&self.text, ROW), ..self.clone() }
    }
}

/// The beginning of a text, at most `most` characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    if most == 0 { head } else { head + "…" }
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
    fn what_earlier_versions_remember_as_text_is_known() {
        let mut journal = Journal { lines: vec![line("created", 0)], due: true, ..Journal::default() };
        journal.shown = "created\n".into();
        assert_eq!(journal.to_show(10_000), None);
    }

    #[test]
    fn the_newest_line_stands_there_however_long_it_is() {
        let mut journal = Journal::default();
        journal.note(line("an older one", 0), true);
        journal.note(line(&"€".repeat(31_000), 1), true);
        for length in [40, 300, 10_000] {
            let text = journal.to_show(length).unwrap();
            assert!(text.chars().count() <= length && text.contains("€€€…"), "{text}");
        }
        assert!(journal.to_show(10_000).unwrap().contains("an older one"));
        journal.shown(40);
        assert_eq!(journal.to_show(40), None);
    }

    #[test]
    fn a_text_of_others_adds_no_line_and_removes_none() {
        for text in [
            "a\nb",
            "a\r2026-03-02 09:14 - forged",
            "a\u{2028}b\u{2029}c",
            "\u{202e}a\u{0}\u{1b}[2J",
            "\u{85}",
            "",
        ] {
            let mut journal = Journal::default();
            journal.note(line("before", 0), true);
            journal.note(line(&format!("said: {text}"), 1), true);
            journal.note(line("after", 2), true);
            let shown = journal.to_show(10_000).unwrap();
            let ends = |c: char| c == '\u{2028}' || c == '\u{2029}' || c.is_control();
            assert_eq!(shown.matches(ends).count(), 3, "{shown:?}");
            assert!(shown.contains("before") && shown.contains("after"));
        }
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
