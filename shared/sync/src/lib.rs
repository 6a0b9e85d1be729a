//! One story for a link, [`settle::settle`]; one for a record without a link, [`engagement::create_engagement`]. Webhook,
//! sweep, poll, backfill and retry only say where to look. What follows is the crate's README.
//!
#![doc = include_str!("../README.md")]

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
