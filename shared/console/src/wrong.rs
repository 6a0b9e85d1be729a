//! Why there is no answer: what, where, what to do, and a code that can be searched for.

use std::fmt;

/// The kinds; the table of README.md, *Commands*, has each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The words of the command line, or what they name.
    Usage,
    /// Neither a stack nor the local run was named.
    NoTarget,
    /// Something has to be asked, and there is no terminal to ask at.
    NoTerminal,
    /// The question was answered with no.
    Declined,
    /// Whoever asks has to sign in, or lacks a right.
    SignIn,
    /// No local run listens there.
    NoLocalRun,
    /// What came is no report.
    NoReport,
    /// The admin function is newer than this program.
    NewerSchema,
    /// This program was built without it.
    NotBuilt,
    /// Anything else.
    Failed,
}

impl Code {
    /// All of them.
    pub const ALL: [Code; 10] = [
        Code::Usage,
        Code::NoTarget,
        Code::NoTerminal,
        Code::Declined,
        Code::SignIn,
        Code::NoLocalRun,
        Code::NoReport,
        Code::NewerSchema,
        Code::NotBuilt,
        Code::Failed,
    ];

    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Code::Usage => "usage",
            Code::NoTarget => "no-target",
            Code::NoTerminal => "no-terminal",
            Code::Declined => "declined",
            Code::SignIn => "sign-in",
            Code::NoLocalRun => "no-local-run",
            Code::NoReport => "no-report",
            Code::NewerSchema => "newer-schema",
            Code::NotBuilt => "not-built",
            Code::Failed => "failed",
        }
    }

    /// With what the program ends.
    pub fn exit(self) -> u8 {
        match self {
            Code::Usage | Code::NoTarget | Code::NoTerminal | Code::NotBuilt => 2,
            Code::Declined => 3,
            Code::SignIn => 4,
            Code::NoLocalRun | Code::NoReport | Code::NewerSchema | Code::Failed => 1,
        }
    }
}

/// One of them, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its kind.
    pub code: Code,
    what: String,
    cure: String,
}

impl Wrong {
    /// What is wrong, and where.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Wrong { code, what: what.into(), cure: String::new() }
    }

    /// With what to do about it.
    pub fn cured(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code.word(), self.what)?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, "\n        -> {}", self.cure) }
    }
}
