//! The source of the time: the machine's clock in production, a simulated one in tests. `sync` itself never reads it.

use jiff::Timestamp;
use std::{fmt, sync::Arc};

/// A clock; clones return the same time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Reads the machine's clock at each call.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn system() -> Self {
        Clock(Arc::new(Timestamp::now))
    }

    /// A clock that calls this function.
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// The instant that this clock has reached.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl sync::ports::Clock for Clock {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
