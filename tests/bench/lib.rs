//! No library: `cargo run --release --example bench`, which measures what the functions cost, is all there is.
