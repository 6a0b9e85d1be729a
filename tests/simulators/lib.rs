//! The outside systems at the wire: real HTTP, strict, written from their references and never from our types. One
//! module for each; what they share is [`server`], and README.md goes through them item by item.
//!
//! What a simulator does not know it answers with 501 and the request printed; a run that met one fails.

pub mod aws;
pub mod clock;
#[cfg(test)]
mod compare;
pub mod dataverse;
pub mod login;
pub mod partner_center;
pub mod salesforce;
pub mod server;
pub mod weather;
