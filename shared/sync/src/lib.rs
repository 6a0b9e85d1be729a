//! The protocol: decides what is written to Partner Center and to the CRM, when, and on what condition, so that nothing
//! is lost, doubled or echoed. Where two edits meet: [`merge`]. Start at *One settle* below and its code, `settle.rs`.
//!
//! One story settles a link, one handles a referral without a link, and one handles a record without a link. Webhook,
//! sweep, poll, backfill and retry only say where to look.
//!
//! Each layer uses those above it in this list and no other: `state` (what is stored), [`ports`] (the outside),
//! [`merge`] (which value goes to which side), `rows` (what every story does with the table), `settle` (the story of a
//! link), `identity` (a referral without a link), `engagement` (a record without one), `entry` (where a run begins).
//! The rest of this page is the crate's README.
#![doc = include_str!("../README.md")]

mod engagement;
mod entry;
mod identity;
pub mod merge;
pub mod planted;
pub mod ports;
mod rows;
mod settle;
mod state;

pub use entry::{batch, poll, receive, repair, storm};
pub use rows::{hold, run};
pub use state::{
    audit, failure, hint, image, images, in_log, intent, link, memory, note, parked, table, version,
};
