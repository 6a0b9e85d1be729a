//! The fields a map's rules have and the protocol knows by name.

/// Status, substatus and reason against the record's state.
pub const STATUS: &str = "status";
/// Amount and currency.
pub const VALUE: &str = "value";
/// Sync with Partner Center.
pub const SYNC: &str = "sync";
/// The kind of help asked of Microsoft.
pub const HELP: &str = "help";
/// Visible to Microsoft.
pub const VISIBLE: &str = "visible";
/// The Referral Identifier a record carries.
pub const REFERRAL_ID: &str = "referral_id";
/// The list of solutions.
pub const SOLUTIONS: &str = "solutions";
/// Not a field: the CRM's list of colleagues who work on a deal with its owner.
pub const SALES_TEAM: &str = "sales_team";
