//! The log: one JSON line per event on standard output, for CloudWatch; the level from `RUST_LOG`, else `info`.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts it; once, in `main`. CloudWatch stamps each line, so no time is written twice.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_env_filter(filter)
        .init();
}
