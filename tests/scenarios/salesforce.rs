//! Salesforce.

mod deal;
mod sync;
