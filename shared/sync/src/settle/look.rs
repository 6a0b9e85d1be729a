//! Where the caller says to look.

use crate::ports::Seen;
use jiff::Timestamp;
use mapping::Referral;

/// What may have changed, and what of it was read already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// The referral changed, as somebody says.
    pub(crate) referral: bool,
    /// Something in its engagement changed, as somebody says.
    pub(crate) engagement: bool,
    /// ... at this instant: an older read is looked at again.
    pub(crate) since: Option<Timestamp>,
    /// The record changed, as somebody says.
    pub(crate) record: bool,
    /// ... in a version of this order: an older read is looked at again.
    pub(crate) at_least: Option<i64>,
    /// The record was deleted, as its feed says.
    pub(crate) gone: bool,
    /// A row of the record that was just read (own columns only).
    pub(crate) row: Option<Seen>,
    /// The referral as it was just read.
    pub(crate) body: Option<Referral>,
}

impl Look {
    /// Somebody else saved: what was read stays a reason to look, not a state to decide on.
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
