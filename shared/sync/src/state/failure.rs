//! How calls fail and how writes end. The client sets the class where it understands the answer; a handler acts on it,
//! once.

use jiff::SignedDuration;

/// A system that we call, under the name that holds and messages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// The Referrals and Webhooks APIs and the login in front of them.
    PartnerCenter,
    /// Dataverse or Salesforce and the login in front of it.
    Crm,
    /// Our own table in DynamoDB.
    Table,
    /// Our own queue in SQS.
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

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A later try may succeed.
    Retryable {
        /// The vendor's `Retry-After`, if it named one.
        after: Option<SignedDuration>,
    },
    /// The request was understood and refused.
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

/// A call that failed, and what it says of later calls.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system} {operation}: {class}: {text}", system = system.as_str(), class = class.as_str())]
pub struct Failure {
    /// The system that was called.
    pub system: System,
    /// The operation and its object: ``fetch referral `0f9d…` ``.
    pub operation: String,
    /// Whether a later try may succeed.
    pub class: Class,
    /// Every call to the system would meet it (throttling, outage, lost credentials): the system is held, not only this
    /// link.
    pub wide: bool,
    /// The vendor's message; never logged as it is ([`in_log`](crate::in_log)).
    pub text: String,
}

impl Failure {
    /// A failure of one operation for which a later try may succeed.
    pub fn later(system: System, operation: impl Into<String>, text: impl Into<String>) -> Self {
        Failure {
            system,
            operation: operation.into(),
            class: Class::Retryable { after: None },
            wide: false,
            text: text.into(),
        }
    }

    /// Whether a later try may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, Class::Retryable { .. })
    }
}

/// How a write ended (sync/README.md, *How a write ends*). A client never sends a write again that may have been sent.
#[derive(Clone, Debug)]
pub enum Written<T> {
    /// The write happened; this is what the answer shows.
    Done(T),
    /// A create-only write found that its row exists already.
    Exists,
    /// The condition did not hold (409, 412): read and merge again.
    Lost,
    /// The write did not happen; a later try may succeed (401, 429, lock and limit codes).
    Later(Failure),
    /// The write did not happen and will not happen unless its input, or a rule or role of the vendor's, changes.
    Refused(Refused),
    /// The write may or may not have happened (time-out, broken connection, 408, any 5xx, unreadable 2xx).
    Unknown(Failure),
}

impl<T> Written<T> {
    /// Converts the answer and keeps how the write ended.
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

/// What a vendor refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The vendor's column or path, if it named one.
    pub field: Option<String>,
    /// The vendor's message; never logged as it is ([`in_log`](crate::in_log)).
    pub text: String,
}
