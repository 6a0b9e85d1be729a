//! Where the caller of `settle` says to look.

use crate::ports::Seen;
use jiff::Timestamp;
use mapping::Referral;

/// What may have changed, and what of it the caller has already read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// A hint says that the referral changed.
    pub(crate) referral: bool,
    /// A hint says that something in its engagement changed.
    pub(crate) engagement: bool,
    /// The instant of the referral's change: an older read is repeated.
    pub(crate) since: Option<Timestamp>,
    /// A hint says that the record changed.
    pub(crate) record: bool,
    /// The order of the record's version that the hint's sender saw: an older read is repeated.
    pub(crate) at_least: Option<i64>,
    /// The CRM's feed says that the record was deleted.
    pub(crate) gone: bool,
    /// The record's row of a feed, just read (own columns only).
    pub(crate) row: Option<Seen>,
    /// The referral, just read.
    pub(crate) body: Option<Referral>,
}

impl Look {
    /// Another run saved the link first: what was read before is only a reason to read again.
    pub(crate) fn anew(self) -> Self {
        Look {
            referral: self.referral || self.body.is_some(),
            record: self.record || self.row.is_some(),
            body: None,
            row: None,
            ..self
        }
    }
}
