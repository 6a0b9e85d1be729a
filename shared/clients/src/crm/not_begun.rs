//! Why a write to a CRM was not begun; the same for both CRMs.

use sync::failure::{Failure, Refused, Written};

/// Why a write was not begun.
pub(super) enum NotBegun {
    /// A read before it failed.
    Failed(Failure),
    /// The values cannot be written as they are.
    Refused(Refused),
    /// Another run created or changed meanwhile what this write needs: it has to be looked up again.
    Overtaken,
}

impl NotBegun {
    pub(super) fn refused(field: &str, text: impl Into<String>) -> Self {
        NotBegun::Refused(Refused { field: Some(field.to_owned()), text: text.into() })
    }

    pub(super) fn written<T>(self) -> Written<T> {
        match self {
            NotBegun::Failed(failure) if failure.is_retryable() => Written::Later(failure),
            NotBegun::Failed(failure) => Written::Refused(Refused { field: None, text: failure.to_string() }),
            NotBegun::Refused(refused) => Written::Refused(refused),
            NotBegun::Overtaken => Written::Lost,
        }
    }

    /// A write that had to come first did not end as needed. However it ended, the write itself was not begun.
    pub(super) fn after<T>(written: Written<T>) -> Self {
        match written {
            Written::Refused(refused) => NotBegun::Refused(refused),
            Written::Later(failure) | Written::Unknown(failure) => NotBegun::Failed(failure),
            Written::Lost | Written::Exists | Written::Done(_) => NotBegun::Overtaken,
        }
    }
}

impl From<Failure> for NotBegun {
    fn from(failure: Failure) -> Self {
        NotBegun::Failed(failure)
    }
}
