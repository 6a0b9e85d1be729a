//! The log: one JSON line per event on standard output, for CloudWatch. `RUST_LOG` sets the level; default `info`.

use crate::config::environment;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log; call once, in `main`. Lines have no time, because CloudWatch stamps each line.
pub fn init() {
    let wanted = environment("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    // Not an `EnvFilter`, whose patterns for spans would add two regular-expression engines to the binary.
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time();
    tracing_subscriber::registry().with(filter).with(lines).init();
}
