//! No library: `cargo bench -p pieces` is all there is.
