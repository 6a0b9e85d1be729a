//! The switches of a map: what Microsoft's connectors have as environment variables, and one per vendor behaviour
//! that no vendor's page settles.

use jiff::tz::Offset;

/// The switches an administrator may want to turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    /// ✔ or ✖ before the record's name.
    pub check_mark: bool,
    /// Skip leads inbound; never limits CRM to Partner Center.
    pub cosell_only: bool,
    /// Send a changed name of an existing referral.
    pub patch_name: bool,
    /// A solution the catalogue does not know adds a row to it.
    pub add_unknown_solutions: bool,
    /// Look once a day at the engagements of open links.
    pub daily_engagements: bool,
    /// Say what registering a deal with Microsoft asks for.
    pub registration_hints: bool,
    /// What Microsoft's half says becomes a note at the record, besides its line in Audit.
    pub microsoft_note: bool,
    /// What a referral and a record need to be linked if only one of them names the other.
    pub crm_id_links: CrmIdLinks,
}

/// What else than one side's word links a referral and a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrmIdLinks {
    /// The record is open, its Sync is Yes, and its customer is the referral's.
    SameCustomer,
    /// Nothing: one side's word is enough.
    Always,
    /// The other side's word: both name each other.
    Never,
}

/// Who posts Microsoft's half of a co-sell engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicrosoftHalf {
    /// Read the engagement again, post only if it is missing.
    PostIfMissing,
    /// Post it right after our own half, without a look.
    Post,
    /// It appears by itself; only wait for it.
    Appears,
}

/// Behaviours of the vendors that are *unverified* in the pages of `shared/clients/vendors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Who posts Microsoft's half.
    pub microsoft_half: MicrosoftHalf,
    /// Dataverse's `versionnumber` orders the versions of one row.
    pub versionnumber_orders: bool,
    /// `related-*` events may carry the sibling's id instead of our own.
    pub related_event_sibling_id: bool,
    /// `Closed/Error` may be written, not only read.
    pub error_substatus_writable: bool,
    /// The contact of a `Shared` referral can no longer be changed.
    pub contact_frozen_once_shared: bool,
    /// `updatedDateTime` may be used in `$filter`.
    pub filter_updated: bool,
    /// Seconds by which an event's instant may lie after its referral's `updatedDateTime` without another look.
    pub event_tolerance: u32,
    /// The offset of the easternmost office, if that is at UTC+12 or beyond: where instants are read as closing dates.
    pub closing_date_zone: Option<Offset>,
    /// `provision` lays out sellers' forms: Dynamics 365's by their XML.
    pub forms_by_api: bool,
    /// What is done where a duplicate rule alerts (Salesforce).
    pub duplicates: Duplicates,
    /// How an accepted lead becomes an opportunity (Salesforce).
    pub convert_lead: ConvertLead,
    /// Percent of the day's calls from which on the CRM is asked for changes more seldom (Salesforce).
    pub api_share: u32,
}

/// What is done where one of Salesforce's duplicate rules alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The row is saved nevertheless; our keys keep us from doubling.
    AllowSave,
    /// The row that the rule found is taken.
    Adopt,
}

/// How an accepted lead becomes an opportunity in Salesforce, which has no REST call for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertLead {
    /// The opportunity is made beside the lead, which stays open.
    Off,
    /// SOAP's `convertLead`.
    Soap,
}

/// How an inbound referral finds or makes its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRule {
    /// The account's unique key column.
    pub key: String,
    /// Account columns that must match when no row has the key: all of them.
    pub match_on: Vec<String>,
    /// If none shows the same, one that reads alike (letters and digits, whatever their case) is taken.
    pub alike: bool,
    /// Create an account if none matches.
    pub create: bool,
}

/// How an inbound referral finds or makes the customer's contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRule {
    /// The contact's unique key column.
    pub key: String,
    /// The contact's e-mail column, to match by when no row has the key.
    pub match_on: Vec<String>,
    /// Create a contact if none matches.
    pub create: bool,
}
