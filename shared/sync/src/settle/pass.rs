//! One attempt at a link: what it has read and done so far.

use super::sides::Sides;
use crate::state::version::Version;
use mapping::RecordId;

/// An attempt under way.
pub(super) struct Pass {
    pub(super) record: RecordId,
    pub(super) sides: Sides,
    /// Outside writes.
    pub(super) written: u32,
    /// Of these, whose condition did not hold.
    pub(super) lost: u32,
    /// The version of a lead that was followed: another one may be qualified by now.
    pub(super) followed: Option<Version>,
}

impl Pass {
    pub(super) fn new(record: RecordId) -> Self {
        Pass { record, sides: Sides::default(), written: 0, lost: 0, followed: None }
    }
}
