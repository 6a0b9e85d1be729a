//! One side's value of one unit, and its image.

use crate::state::image::is_image;
use mapping::{Fields, Value};

/// One side's view of one unit.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) read: bool,
    pub(super) value: Option<&'a Value>,
    pub(super) base: Option<&'a Value>,
}

impl<'a> View<'a> {
    pub(super) fn new(fields: Option<&'a Fields>, base: Option<&'a Value>, unit: &str) -> Self {
        View { read: fields.is_some(), value: fields.and_then(|f| f.get(unit)), base }
    }

    pub(super) fn changed(&self) -> bool {
        match (self.value, self.base) {
            (Some(value), Some(base)) => !is_image(value, base),
            _ => false,
        }
    }

    /// The value as far as it is known: what was read, else the image.
    pub(super) fn present(&self) -> Option<&'a Value> {
        self.value.or(self.base)
    }
}
