//! The errors of this crate: faults of a map file, values that are refused, and values that are missing.

use std::fmt;

/// A fault of a map file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The line in the override; 0 if the fault is in none of its lines.
    pub line: usize,
    /// The dotted key, such as `fields.notes.crm`; empty for the whole file.
    pub key: String,
    /// What was expected there, for an administrator.
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

/// A value that cannot be, or must not be, written to the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{unit}: {text}")]
pub struct Refusal {
    /// The unit, by its name in the map.
    pub unit: String,
    /// The reason, as a seller reads it.
    pub text: String,
}

impl Refusal {
    pub(crate) fn new(unit: &str, text: impl Into<String>) -> Self {
        Refusal { unit: unit.to_owned(), text: text.into() }
    }
}

/// A value that is required and missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{unit} ({column}): {what}")]
pub struct Missing {
    /// The unit, by its name in the map.
    pub unit: String,
    /// The name of the field that a seller has to fill in.
    pub column: String,
    /// What is needed, as a seller reads it.
    pub what: String,
}
