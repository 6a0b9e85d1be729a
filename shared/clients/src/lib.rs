//! Every socket of the product, a file or folder for each outside system: the ports of `sync` over real connections,
//! and the quirks of each vendor. This crate decides nothing about deals. README.md says which file talks to what; a
//! request can be followed from `partner_center.rs` or `crm/` through `session.rs` to `http.rs`. Feature `ingress` is
//! what the webhook needs (no table, no CRM, one secret), `full` is the rest.

pub mod aws;
pub mod certificates;
pub mod clock;
pub mod config;
pub mod door;
pub mod http;
pub mod log;
pub mod metrics;
mod pem;
pub mod queue;
pub mod secrets;

#[cfg(feature = "full")]
pub mod caller;
#[cfg(feature = "full")]
pub mod crm;
#[cfg(feature = "full")]
pub mod gather;
#[cfg(feature = "full")]
pub mod links;
#[cfg(feature = "full")]
pub mod live;
#[cfg(feature = "full")]
pub mod outside;
#[cfg(feature = "full")]
pub mod partner_center;
#[cfg(feature = "full")]
mod session;
#[cfg(feature = "full")]
pub mod token;
