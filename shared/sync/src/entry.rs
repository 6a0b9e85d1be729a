//! Where a run begins: with hints from the queue, with a tick of the poller, with an administrator's word.

pub mod batch;
pub mod poll;
pub mod receive;
pub mod repair;
pub(crate) mod route;
pub mod storm;
