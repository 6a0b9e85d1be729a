//! The log: one JSON line per event on standard output, for CloudWatch; the level from `RUST_LOG`, else `info`.

use crate::config::environment;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts it; once, in `main`. CloudWatch stamps each line, so no time is written twice.
pub fn init() {
    let wanted = environment("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    // Not an `EnvFilter`: its patterns for spans bring two regular-expression engines along.
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
