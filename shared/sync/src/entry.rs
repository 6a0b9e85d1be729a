//! Where a run begins: with hints from the queue, with a tick of the poller, or with an administrator's command.

pub mod batch;
pub mod poll;
pub mod receive;
pub mod repair;
pub(crate) mod route;
pub mod storm;
