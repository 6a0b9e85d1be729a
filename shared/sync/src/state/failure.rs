//! How things end that did not go well, and how a write ended. Classes are set once, where a failure is
//! understood, and acted on once, in a handler.

use jiff::SignedDuration;

/// An outside system, as holds and messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// The Referrals and Webhooks APIs and the login in front of them.
    PartnerCenter,
    /// Dataverse or Salesforce and the login in front of it.
    Crm,
    /// Our own table.
    Table,
    /// Our own queue.
    Queue,
}

impl System {
    /// The name in keys and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            System::PartnerCenter => "partner_center",
            System::Crm => "crm",
            System::Table => "table",
            System::Queue => "queue",
        }
    }
}

/// What can be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Time may cure it.
    Retryable {
        /// The vendor's `Retry-After`, if it named one.
        after: Option<SignedDuration>,
    },
    /// Understood and refused.
    Permanent,
}

impl Class {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Retryable { .. } => "retryable",
            Class::Permanent => "permanent",
        }
    }
}

/// A failed call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system} {operation}: {class}: {text}", system = system.as_str(), class = class.as_str())]
pub struct Failure {
    /// Which system.
    pub system: System,
    /// What was tried, on what: ``fetch referral `0f9d…` ``.
    pub operation: String,
    /// What can be done.
    pub class: Class,
    /// Everybody meets it (throttling, outage, lost credentials): the system is held, not just this one link.
    pub wide: bool,
    /// The vendor's words.
    pub text: String,
}

impl Failure {
    /// A failure of one operation that time may cure.
    pub fn later(system: System, operation: impl Into<String>, text: impl Into<String>) -> Self {
        Failure {
            system,
            operation: operation.into(),
            class: Class::Retryable { after: None },
            wide: false,
            text: text.into(),
        }
    }

    /// Whether time may cure it.
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, Class::Retryable { .. })
    }
}

/// How a write ended (sync/README.md, *How a write ends*). A write that may have left is never re-sent by whoever sent it.
#[derive(Clone, Debug)]
pub enum Written<T> {
    /// It happened; what the answer shows.
    Done(T),
    /// A create-only write found the row already there.
    Exists,
    /// The condition did not hold (409, 412): read again and decide again.
    Lost,
    /// It did not happen and time may cure it (401, 429, lock and limit codes).
    Later(Failure),
    /// It did not happen and will not as it stands.
    Refused(Refused),
    /// It may or may not have happened (time-out, broken connection, 408, any 5xx, unreadable 2xx).
    Unknown(Failure),
}

impl<T> Written<T> {
    /// The same end with another answer.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Written::Done(answer) => Written::Done(to(answer)),
            Written::Exists => Written::Exists,
            Written::Lost => Written::Lost,
            Written::Later(failure) => Written::Later(failure),
            Written::Refused(refused) => Written::Refused(refused),
            Written::Unknown(failure) => Written::Unknown(failure),
        }
    }
}

/// A refusal in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The vendor's column or path, if it named one.
    pub field: Option<String>,
    /// Its words.
    pub text: String,
}
