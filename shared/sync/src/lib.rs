//! The protocol: decides what is written to Partner Center and to the CRM, when, and on what condition, so that nothing
//! is lost, doubled or echoed. Where two edits meet: [`merge`]. Start at *One settle* below and its code, `settle.rs`.
//!
//! One story settles a link, one handles a referral without a link, and one handles a record without a link. Webhook,
//! sweep, poll, backfill and retry only say where to look.
//!
//! Each layer uses those above it in this list and no other:
//!
//! - [`planted`]: bugs that the model turns on, to prove that it notices them
//! - `state`: what is stored, and what can be answered from it alone
//!   - [`table`]: the rows of the table and their keys
//!   - [`link`]: the row that ties a referral to a record
//!   - [`memory`]: what a link remembers of one side
//!   - [`image`], [`images`]: the values of units when both sides agreed
//!   - [`version`]: a side's state, and which of two is older
//!   - [`intent`]: a create in Partner Center that is in flight
//!   - [`parked`]: what waits, why, and until when
//!   - [`audit`]: a line for each decision that mattered
//!   - [`note`]: a note on a record
//!   - [`hint`]: the message on the queue
//!   - [`failure`]: how calls fail and how writes end
//!   - [`in_log`]: what may be logged
//! - [`ports`]: the outside: Partner Center, the CRM, the table, the queue, the clock
//! - [`merge`]: which value goes to which side
//! - `rows`: what every story does with the table
//!   - [`run`]: what a run gives to a story, and how a story ends
//!   - [`hold`]: systems that are not called until an instant
//! - `settle`: the story of a link
//! - `identity`: the story of a referral without a link
//! - `engagement`: the story of a record without a link
//! - `entry`: where a run begins
//!   - [`receive`]: with the hints of one group
//!   - [`batch`]: what becomes of a batch of messages
//!   - [`storm`]: one page of the list in place of many reads
//!   - [`poll`]: with a tick of the poller
//!   - [`repair`]: with what an administrator does to a link
//!
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
