//! Dynamics 365.

mod bad_input;
mod closing;
mod conflict;
mod faults;
mod inbound;
mod operation;
mod outbound;
