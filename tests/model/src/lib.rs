//! The protocol of `sync` in a deterministic simulation: its real futures on a seeded executor, the ports in memory,
//! hostile weather, then calm; what must hold is checked at every moment and at the end. Violations are values.

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
