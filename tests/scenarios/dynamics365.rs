//! Dynamics 365.

mod bad_input;
mod closing;
mod conflict;
mod inbound;
mod leads;
mod operation;
mod outbound;
