//! The protocol of `sync` in a deterministic simulation: its real futures on a seeded executor, the ports in memory, a
//! storm of faults, then calm. What must hold ([`Invariant`]) is checked at every moment and at the end; violations are
//! values. Start at [`run`], one schedule from its seed; the command line is `examples/model.rs`.

mod actors;
mod crm;
pub mod dice;
mod executor;
pub mod exhaustive;
pub mod faults;
mod handlers;
pub mod invariant;
mod invariants;
mod late;
mod ledger;
mod partner_center;
pub mod planted;
mod queue;
mod samples;
pub mod schedule;
mod step;
mod table;
mod trace;
mod webhooks;
mod world;

pub use invariant::{Invariant, Violation};
pub use schedule::{Outcome, Setting, run};
