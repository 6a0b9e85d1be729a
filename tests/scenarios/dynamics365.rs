//! Dynamics 365.

mod admin;
mod bad_input;
mod closing;
mod conflict;
mod create;
mod healing;
mod inbound;
mod leads;
mod microsoft;
mod operation;
mod optional;
mod update;
