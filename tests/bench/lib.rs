//! No library: `cargo run --release --example bench` is all there is.
