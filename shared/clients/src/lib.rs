//! Every socket of the product, a file or folder for each outside system: the ports of `sync` over real connections,
//! and the quirks of each vendor. This crate decides nothing about deals. README.md says which file talks to what; a
//! request can be followed from `partner_center.rs` or `crm/` through `session.rs` to `http.rs`. Feature `ingress` is
//! what the webhook needs (no table, no CRM, one secret), `full` is the rest.
//!
//! With either feature:
//!
//! - [`config`]: the environment, read once; all faults together
//! - [`aws`]: how AWS is called, and what its errors mean
//! - [`http`]: the one path of a request to a vendor
//! - [`queue`]: SQS, the queue of hints
//! - [`secrets`]: Secrets Manager; values print as `***`
//! - [`door`]: the webhook's address, whose last segment is a secret
//! - [`certificates`]: those with which Partner Center signs events
//! - `pem`: PEM as people paste it
//! - [`clock`]: the machine's time, or a simulated one
//! - [`log`], [`metrics`]: JSON lines on standard output
//!
//! With `full` only:
//!
//! - `outside`: all ports of one function, from its configuration
//! - `live`: the field map in effect
//! - `partner_center`: the Referrals API, and the Webhooks API
//! - `crm`: Dataverse or Salesforce, one folder each
//! - `links`: DynamoDB, the table
//! - `token`: access tokens, and the rotation of the refresh token
//! - `session`: a token on each call, and another one after a 401
//! - `gather`: the writes of one batch to one CRM, in one request
//! - `caller`: who invokes the admin function

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
