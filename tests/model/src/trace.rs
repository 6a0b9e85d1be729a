//! A schedule in words, one line per event; kept only where somebody wants to read it.

use jiff::Timestamp;
use std::fmt;

/// The lines so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) on: bool,
    pub(crate) lines: Vec<String>,
}

impl Trace {
    pub(crate) fn say(&mut self, now: Timestamp, who: fmt::Arguments<'_>, what: fmt::Arguments<'_>) {
        if self.on {
            self.lines.push(format!("{} {who}: {what}", now.strftime("%d %H:%M:%S%.3f")));
        }
    }
}

/// A line of the trace; costs nothing while nobody reads.
macro_rules! say {
    ($state:expr, $who:expr, $($what:tt)*) => {
        if $state.trace.on {
            let now = $state.now;
            $state.trace.say(now, format_args!("{}", $who), format_args!($($what)*));
        }
    };
}
pub(crate) use say;

/// The first characters of an id.
pub(crate) fn short(id: &str) -> &str {
    let id = id.rsplit('/').next().unwrap_or(id);
    id.get(..4).unwrap_or(id)
}
