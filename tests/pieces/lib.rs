//! No library: `cargo bench -p pieces`, which measures verifying, parsing, converting and merging, is all there is.
