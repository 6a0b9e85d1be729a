//! Plain data that is stored: the rows of the table, their parts, and the questions that can be answered from them
//! alone.

pub mod audit;
pub(crate) mod bounds;
pub(crate) mod deal;
pub mod failure;
pub mod hint;
pub mod image;
pub mod images;
pub mod in_log;
pub mod intent;
pub mod link;
pub mod memory;
pub mod note;
pub mod parked;
pub mod table;
pub mod version;
