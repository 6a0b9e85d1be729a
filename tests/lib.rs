//! No library: `cargo test --test scenarios`, `cargo test --test tidy` and `cargo run --release --example load` are all
//! there is. README.md says what each proves.
