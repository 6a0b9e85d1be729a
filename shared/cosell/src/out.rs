//! Where output goes: the answer to standard output, everything else to standard error.

#![expect(clippy::print_stderr, reason = "a command line's messages")]

use console::{
    command::{Color, Cosell},
    present::{self, Look},
    wrong::{Code, Wrong},
};
use serde_json::Value;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// The form in which the user wants the output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    /// Standard output is for a program.
    pub(crate) json: bool,
    color: Color,
}

impl Out {
    pub(crate) fn new(asked: &Cosell) -> Self {
        Out { json: asked.json, color: asked.color }
    }

    /// Prints an answer to standard output.
    pub(crate) fn report(&self, command: &str, report: &Value) -> Result<(), Wrong> {
        if self.json {
            return self.json(report);
        }
        let terminal = io::stdout().is_terminal();
        let variable = |name: &str| std::env::var(name).ok();
        let look = Look {
            width: terminal.then(|| width(variable)),
            colour: present::coloured(self.color, terminal, variable),
        };
        self.put(&present::text(command, report, look))
    }

    /// JSON over several lines.
    pub(crate) fn json(&self, value: &Value) -> Result<(), Wrong> {
        self.put(&(present::harmless_json(value, true) + "\n"))
    }

    /// Writes text at once and unchanged. If the reading program has closed the pipe, as `head` does, this program ends
    /// without a fault.
    pub(crate) fn put(&self, text: &str) -> Result<(), Wrong> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            Err(e) => Err(Wrong::new(Code::Failed, format!("standard output: {e}"))),
        }
    }

    /// Prints a message to standard error.
    pub(crate) fn say(&self, text: &str) {
        eprintln!("{text}");
    }
}

/// Columns of the terminal.
fn width(variable: impl Fn(&str) -> Option<String>) -> u16 {
    let said = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    said.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0)).unwrap_or(120)
}
