//! Where the time comes from: the machine in production, a world's clock in tests. Never asked by `sync` itself.

use jiff::Timestamp;
use std::{fmt, sync::Arc};

/// A source of time; clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn system() -> Self {
        Clock(Arc::new(Timestamp::now))
    }

    /// Any other.
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// Now.
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
