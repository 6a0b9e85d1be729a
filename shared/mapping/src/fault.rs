//! What may be wrong: with a map file, with a value, with a record that lacks something.

use std::fmt;

/// A fault of a map file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The line in the given text; 0 if the fault is not in one line of it.
    pub line: usize,
    /// The dotted key.
    pub key: String,
    /// What was expected.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// A value that cannot or must not go to the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{unit}: {text}")]
pub struct Refusal {
    /// The unit.
    pub unit: String,
    /// The reason, as a seller reads it.
    pub text: String,
}

impl Refusal {
    pub(crate) fn new(unit: &str, text: impl Into<String>) -> Self {
        Refusal { unit: unit.to_owned(), text: text.into() }
    }
}

/// Something that must be there first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{unit} ({column}): {what}")]
pub struct Missing {
    /// The unit.
    pub unit: String,
    /// Where a seller fills it in.
    pub column: String,
    /// What is needed.
    pub what: String,
}
