//! Commands that take a while or concern many deals at once.

use super::word;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// Which items: those with this text, else all.
#[derive(Debug, Args)]
pub struct Filter {
    /// Part of an id or of a reason.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

impl Filter {
    pub(super) fn event(&self, command: &str) -> Value {
        json!({ "command": command, "filter": self.filter })
    }
}

/// Which messages, and whether they are followed.
#[derive(Debug, Args)]
pub struct Redrive {
    /// Which messages: those with this text, else all.
    #[command(flatten)]
    pub filter: Filter,
    /// Wait until the queue is empty, with progress on standard error.
    #[arg(long)]
    pub wait: bool,
}

/// A command that needs many calls.
#[derive(Debug, Args)]
pub struct Long {
    /// Start or continue it, say how far it is, or stop it where it is.
    #[arg(value_enum, default_value = "status")]
    pub action: Action,
    /// Wait until it is over, with progress on standard error; else 5 says that it is still under way.
    #[arg(long)]
    pub wait: bool,
}

impl Long {
    pub(super) fn event(&self, command: &str) -> Value {
        json!({ "command": command, "action": word(self.action) })
    }
}

/// What is done with a command that needs many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Action {
    Start,
    Status,
    Stop,
}
