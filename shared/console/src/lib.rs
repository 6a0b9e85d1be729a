//! What a person sees of the connector: one page and one command line, over the admin function wherever it runs. It
//! decides nothing: every answer is the admin function's own, and who may invoke that may use this. The program is in
//! `shared/cosell`. Start at [`command`].
//!
//! - [`command`]: the command line's words, and the admin command each of them is
//! - [`admin`]: the admin function, wherever it runs
//! - [`local`]: that of a local run
//! - `stack` (feature `aws`): that of a deployed stack
//! - `proof` (feature `proof`): the signed request that says who asks
//! - `logs` (feature `aws`): the decisions of a stack, followed in CloudWatch Logs
//! - [`decision`]: what a log line says of a deal
//! - [`present`]: an answer as text for people
//! - [`wrong`]: why there is no answer, and what to do
//! - [`page`]: the page and its small API, on loopback

pub mod admin;
pub mod command;
pub mod decision;
pub mod local;
#[cfg(feature = "aws")]
pub mod logs;
pub mod page;
pub mod present;
#[cfg(feature = "proof")]
pub mod proof;
#[cfg(feature = "aws")]
pub mod stack;
pub mod wrong;
