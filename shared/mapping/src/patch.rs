//! The types of what is written into a CRM: changes of a record, and a new record.

use crate::{Fields, Missing, RecordKind, ReferralId};
use std::collections::BTreeMap;

/// What is written into a record. Columns and lists come first; an action is a write of its own and comes last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPatch {
    /// The values of columns, by name.
    pub columns: BTreeMap<String, CrmValue>,
    /// The changes of lists, by name.
    pub lists: BTreeMap<String, ListChange>,
    /// A change of the state that is not written to a column (Dynamics).
    pub action: Option<Action>,
}

impl RecordPatch {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.lists.is_empty() && self.action.is_none()
    }
}

/// The rows to add to a list and to remove from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListChange {
    /// New rows, by the names of their columns, with `detail.` before those of the catalogue.
    pub add: Vec<BTreeMap<String, CrmValue>>,
    /// The keys of elements to remove.
    pub remove: Vec<String>,
}

/// A value for one column.
#[derive(Clone, Debug, PartialEq)]
pub enum CrmValue {
    /// A value that is written as it is.
    Plain(serde_json::Value),
    /// A reference to the row of `table` whose `column` has the text `value`; `None` clears it.
    Lookup {
        /// The table to which it leads.
        table: String,
        /// The column whose text is compared.
        column: String,
        /// The text to find.
        value: Option<String>,
    },
}

/// A state change of a Dynamics opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `WinOpportunity`: the opportunity is closed as won.
    Win {
        /// The status reason that it then has.
        status: i64,
    },
    /// `LoseOpportunity`: the opportunity is closed as lost.
    Lose {
        /// The status reason that it then has.
        status: i64,
        /// The reason of the loss, for the description of the close activity.
        reason: Option<String>,
    },
}

/// A record to create for a referral.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// Its kind, which decides the table.
    pub kind: RecordKind,
    /// The referral whose id is the record's key.
    pub referral: ReferralId,
    /// The customer, to be found or created.
    pub account: Party,
    /// The customer's contact, to be found or created.
    pub contact: Option<Party>,
    /// Who is to own it.
    pub owner: Owner,
    /// The record's own columns.
    pub columns: BTreeMap<String, CrmValue>,
    /// The rows of its lists, by the lists' names.
    pub lists: BTreeMap<String, Vec<BTreeMap<String, CrmValue>>>,
    /// Values of the referral that the record will not have: each is too long, and would lead nowhere if it were cut.
    pub left_out: Vec<Missing>,
    /// Default values of the record for units that are empty in the referral, in the CRM's form. They stay until a
    /// user changes them.
    pub defaults: Fields,
}

/// Who is to own a new record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The lookup that names the owner.
    pub column: String,
    /// The owner is the first of these that exists, else the connector's own user.
    pub wanted: Vec<OwnerWish>,
}

/// A user or team that may own a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerWish {
    /// Its table: users or teams.
    pub table: String,
    /// The column that has `text`.
    pub column: String,
    /// An e-mail address or a name.
    pub text: String,
}

/// An account or contact to be found or created.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Its unique key in the CRM: [`customer_key`](crate::customer_key) or [`contact_key`](crate::contact_key).
    pub key: String,
    /// Company name, or first and last name.
    pub name: String,
    /// The postal code, of an account.
    pub postal_code: Option<String>,
    /// The country as ISO 3166 alpha-2, of an account.
    pub country: Option<String>,
    /// The e-mail address, of a contact.
    pub email: Option<String>,
    /// The columns of a new row, without the relation's name and without the key column.
    pub columns: BTreeMap<String, CrmValue>,
}

/// How a change of the status is written to the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrmStep {
    /// As columns, together with others.
    InPatch,
    /// As an action of its own, after the columns.
    Action,
}

/// The check mark before a record's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// ✔: both sides are in step.
    Ok,
    /// ✖: a value was refused or is missing.
    Failed,
}

/// What is written along with a patch of a record, but never alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// The check mark; written only if its switch is on.
    pub mark: Option<Mark>,
    /// The record's present name, check mark included, so that the mark can be written along with other fields.
    pub name: Option<String>,
    /// The audit column's new text.
    pub audit: Option<String>,
    /// The record's present values, in the CRM's form. Lists need them, to decide which rows to add and to remove.
    pub present: Fields,
}

/// The kind of deal that a record asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DealKind {
    /// A deal of our own pipeline.
    Private,
    /// Visible to Microsoft's sellers, without a request for help.
    PartnerLed,
    /// With a request for help.
    CoSell {
        /// `assistanceRequestCode`, such as `ProofOfConceptOrDemo`.
        help: String,
    },
}
