//! One clock for all simulators of a world: the machine's, shifted, or one that stands. Tests move it; nothing sleeps.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct ClockState {
    shift: SignedDuration,
    /// It stands here, all advances aside.
    stopped: Option<Timestamp>,
}

/// A shared clock; clones show the same time.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<ClockState>>);

impl Clock {
    /// The machine's time plus all advances so far.
    pub fn now(&self) -> Timestamp {
        let state = self.0.lock().expect("clock");
        state.stopped.unwrap_or_else(Timestamp::now) + state.shift
    }

    /// Moves the time of everything that shares this clock.
    pub fn advance(&self, by: SignedDuration) {
        self.0.lock().expect("clock").shift += by;
    }

    /// From now on only [`Clock::advance`] moves it: a slow machine changes nothing.
    pub fn stop(&self) {
        self.0.lock().expect("clock").stopped.get_or_insert_with(Timestamp::now);
    }

    /// From now on it stands at `at` until it is advanced.
    pub fn stop_at(&self, at: Timestamp) {
        *self.0.lock().expect("clock") = ClockState { shift: SignedDuration::ZERO, stopped: Some(at) };
    }

    /// Moves on to `at`, unless it is later already.
    pub fn advance_to(&self, at: Timestamp) {
        let mut state = self.0.lock().expect("clock");
        let now = state.stopped.unwrap_or_else(Timestamp::now) + state.shift;
        if at > now {
            state.shift += at.duration_since(now);
        }
    }
}
