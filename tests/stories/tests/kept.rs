//! Kept stories.
