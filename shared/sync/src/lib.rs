//! The protocol (design §5): one story for a link, [`settle::settle`]; one for a record without,
//! [`engagement::create_engagement`]. Webhook, sweep, poll, backfill and retry only say where to look.
//!
//! Generic over a few small [`ports`]; owns no socket, no clock (time is an argument) and no randomness, so that a
//! test can run it a million times and drop it at any await.

pub mod audit;
mod bounds;
mod consent;
mod deal;
pub mod engagement;
pub mod failure;
mod help;
pub mod hint;
pub mod hold;
pub mod identity;
pub mod images;
pub mod in_log;
pub mod intent;
pub mod link;
pub mod merge;
mod microsoft;
pub mod note;
mod park;
pub mod parked;
pub mod planted;
pub mod poll;
mod portion;
pub mod ports;
pub mod receive;
pub mod repair;
pub mod run;
pub mod settle;
pub mod storm;
pub mod table;
pub mod version;
mod work;
