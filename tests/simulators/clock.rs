//! One clock for all simulators of a world: the machine's, shifted. Tests move it; nothing sleeps.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

/// A shared clock; clones show the same time.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<SignedDuration>>);

impl Clock {
    /// The machine's time plus all advances so far.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + *self.0.lock().expect("clock")
    }

    /// Moves the time of everything that shares this clock.
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().expect("clock") += by;
    }
}
