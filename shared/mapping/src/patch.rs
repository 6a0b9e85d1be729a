//! What to write into a CRM record, and what a new one consists of.

use crate::{Fields, Missing, RecordKind, ReferralId};
use std::collections::BTreeMap;

/// What to write into a record. Columns go first; an action stands alone and goes after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPatch {
    /// Column to value.
    pub columns: BTreeMap<String, CrmValue>,
    /// List to its changes.
    pub lists: BTreeMap<String, ListChange>,
    /// A state change that is no column (Dynamics).
    pub action: Option<Action>,
}

impl RecordPatch {
    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.lists.is_empty() && self.action.is_none()
    }
}

/// What to add to and remove from a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListChange {
    /// New rows by the columns' names as they are read, `detail.` included.
    pub add: Vec<BTreeMap<String, CrmValue>>,
    /// Keys of the elements that go.
    pub remove: Vec<String>,
}

/// A value for one column.
#[derive(Clone, Debug, PartialEq)]
pub enum CrmValue {
    /// As is.
    Plain(serde_json::Value),
    /// A reference to the row of `table` whose `column` holds `value`; `None` clears it.
    Lookup {
        /// The table pointed to.
        table: String,
        /// Its column to match.
        column: String,
        /// The text to match.
        value: Option<String>,
    },
}

/// A state change of a Dynamics opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `WinOpportunity`.
    Win {
        /// The status reason.
        status: i64,
    },
    /// `LoseOpportunity`.
    Lose {
        /// The status reason.
        status: i64,
        /// Why, for the close activity's description.
        reason: Option<String>,
    },
}

/// A record to create for a referral.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// Its table.
    pub kind: RecordKind,
    /// The referral whose id is its key.
    pub referral: ReferralId,
    /// The customer, to be found or created.
    pub account: Party,
    /// The customer's contact, to be found or created.
    pub contact: Option<Party>,
    /// Who is to own it.
    pub owner: Owner,
    /// The record's own columns.
    pub columns: BTreeMap<String, CrmValue>,
    /// List to rows.
    pub lists: BTreeMap<String, Vec<BTreeMap<String, CrmValue>>>,
    /// What the referral shows and the record will not: it does not fit, and cut it would lead nowhere.
    pub left_out: Vec<Missing>,
    /// What the record shows although the referral shows nothing, by unit, in the CRM's form: it stays there until
    /// somebody changes it.
    pub defaults: Fields,
}

/// Who is to own a new record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The lookup.
    pub column: String,
    /// The first of these that is there; none of them is: the connector's own user.
    pub wanted: Vec<OwnerWish>,
}

/// A row that is to own a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerWish {
    /// Its table.
    pub table: String,
    /// The column that shows `text`.
    pub column: String,
    /// An e-mail address or a name.
    pub text: String,
}

/// An account or contact to be found or created.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Its unique key in the CRM, see [`customer_key`](crate::customer_key) and [`contact_key`](crate::contact_key).
    pub key: String,
    /// Company name, or first and last name.
    pub name: String,
    /// For the match by name and postal code.
    pub postal_code: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// For the match by e-mail.
    pub email: Option<String>,
    /// The columns of a new row (without the relation's name; the key column is not among them).
    pub columns: BTreeMap<String, CrmValue>,
}

/// How a status change reaches the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrmStep {
    /// As columns, together with others.
    InPatch,
    /// As an action of its own, after the columns.
    Action,
}

/// The sign before a record's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// ✔: in step.
    Ok,
    /// ✖: something was refused or is missing.
    Failed,
}

/// What travels along with a patch of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// The check mark to show (written only if the switch is on, and never by itself).
    pub mark: Option<Mark>,
    /// The name the record shows at present, mark included, so that the mark can travel with other fields.
    pub name: Option<String>,
    /// The audit column's new text.
    pub audit: Option<String>,
    /// What the record shows at present, in the CRM's form. Needed for lists, to tell what comes and what goes.
    pub present: Fields,
}

/// Which kind of deal a record asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DealKind {
    /// Pipeline of one's own.
    Private,
    /// Visible to Microsoft sellers, no help asked.
    PartnerLed,
    /// Help asked.
    CoSell {
        /// `assistanceRequestCode`.
        help: String,
    },
}
