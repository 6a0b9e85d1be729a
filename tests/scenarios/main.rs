//! Scenarios at the wire: real HTTP, the real SDK, every message delivered twice. They assert what the outside systems
//! hold and what was sent to them. Names are those of the acceptance tests the project is judged by. README.md says
//! where a test lies and how to add one; `deal.rs` has the verbs.

#![allow(clippy::duplicate_mod, reason = "one source, run with either CRM")]

mod answers;
mod deal;
mod dynamics365;
mod faults;
mod ingress;
mod salesforce;
mod salesforce_full;
mod switches;
