//! No library: `cargo test --test scenarios` and `cargo run --release --example load` are all there is.
