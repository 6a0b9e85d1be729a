//! Salesforce.

mod admin;
mod deal;
mod sync;
