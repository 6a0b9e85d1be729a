//! Names of rules that the protocol knows.

/// Status, substatus and reason in Partner Center, and the record's state in the CRM.
pub const STATUS: &str = "status";
/// Amount and currency, which travel as one.
pub const VALUE: &str = "value";
/// Sync with Partner Center.
pub const SYNC: &str = "sync";
/// The kind of help that Microsoft is asked for.
pub const HELP: &str = "help";
/// Whether Microsoft's sellers see the deal.
pub const VISIBLE: &str = "visible";
/// The Referral Identifier of a record.
pub const REFERRAL_ID: &str = "referral_id";
/// The list of solutions.
pub const SOLUTIONS: &str = "solutions";
/// Not a field: the CRM's list of colleagues who work on a deal with its owner.
pub const SALES_TEAM: &str = "sales_team";
