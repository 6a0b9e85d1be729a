//! Why there is no answer: what, where, what to do, and a code that can be searched for.

use std::fmt;

/// The kinds; the table of README.md, *Commands*, has each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The command line's arguments are wrong, or a file that they name.
    Usage,
    /// Neither a stack nor the local run was named.
    NoTarget,
    /// Something has to be asked, and there is no terminal to ask at.
    NoTerminal,
    /// The question was answered with no.
    Declined,
    /// The user has to sign in, or lacks a right.
    SignIn,
    /// No local run listens there.
    NoLocalRun,
    /// The answer is no report.
    NoReport,
    /// The admin function is newer than this program.
    NewerSchema,
    /// This program was built without a feature that the command needs.
    NotBuilt,
    /// A failure that no other code names.
    Failed,
}

impl Code {
    /// Every code, each of them once.
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

    /// The program's exit code.
    pub fn exit(self) -> u8 {
        match self {
            Code::Usage | Code::NoTarget | Code::NoTerminal | Code::NotBuilt => 2,
            Code::Declined => 3,
            Code::SignIn => 4,
            Code::NoLocalRun | Code::NoReport | Code::NewerSchema | Code::Failed => 1,
        }
    }
}

/// One failure: its kind, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The kind, which sets the exit code.
    pub code: Code,
    what: String,
    cure: String,
}

impl Wrong {
    /// A failure without a cure.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Wrong { code, what: what.into(), cure: String::new() }
    }

    /// The same with what to do about it.
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
