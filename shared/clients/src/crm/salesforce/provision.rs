//! What an administrator's command creates in an org: the shipped metadata (`shared/salesforce`) by deployment,
//! changes of fields by the Tooling API, and rights by writing rows.

pub mod deploy;
mod package;
pub mod rights;
pub mod shipped;
pub mod tooling;
mod zip;
