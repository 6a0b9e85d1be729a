//! One attempt to settle a link: what it has read and done so far.

use super::sides::Sides;
use crate::state::version::Version;
use mapping::RecordId;

/// An attempt that is under way.
pub(super) struct Pass {
    pub(super) record: RecordId,
    pub(super) sides: Sides,
    /// How many requests it has sent that write.
    pub(super) written: u32,
    /// For how many of these the condition did not hold.
    pub(super) lost: u32,
    /// The version of the lead that was last followed: in another version it may be qualified.
    pub(super) followed: Option<Version>,
}

impl Pass {
    pub(super) fn new(record: RecordId) -> Self {
        Pass { record, sides: Sides::default(), written: 0, lost: 0, followed: None }
    }
}
