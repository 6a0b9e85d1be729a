//! The switches of a map: those that Microsoft's connectors have as environment variables, and one for each behaviour
//! of a vendor that its documents leave open.

use jiff::tz::Offset;

/// The switches that an administrator may want to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Put ✔ or ✖ before the record's name.
    pub check_mark: bool,
    /// Create no records for leads of Partner Center; new deals of the CRM are not affected.
    pub cosell_only: bool,
    /// Send a changed name to an existing referral.
    pub patch_name: bool,
    /// Add a row to the catalogue for a solution that it lacks.
    pub add_unknown_solutions: bool,
    /// Read the engagements of open links once a day.
    pub daily_engagements: bool,
    /// Give hints about what registering a deal with Microsoft demands.
    pub registration_hints: bool,
    /// Write what Microsoft's half says as a note at the record, besides the line in Audit.
    pub microsoft_note: bool,
    /// What links a referral and a record if only one of them names the other.
    pub crm_id_links: CrmIdLinks,
}

/// What is needed to link a referral and a record if only one of them names the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrmIdLinks {
    /// The record is open, its Sync is Yes, and both have the same customer.
    SameCustomer,
    /// Nothing more: one name is enough.
    Always,
    /// The other must name it too.
    Never,
}

/// Who creates Microsoft's half of a co-sell engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicrosoftHalf {
    /// We do, if the engagement, read again, still lacks it.
    PostIfMissing,
    /// We do, right after our own half, without reading the engagement.
    Post,
    /// Microsoft does; we only wait for it.
    Appears,
}

/// Behaviours of the vendors that are *unverified* in the pages of `shared/clients/vendors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Who creates Microsoft's half.
    pub microsoft_half: MicrosoftHalf,
    /// Whether Dataverse's `versionnumber` orders the versions of one row.
    pub versionnumber_orders: bool,
    /// Whether `related-*` events may have the sibling's id instead of our own.
    pub related_event_sibling_id: bool,
    /// Whether `Closed/Error` may be written, and not only read.
    pub error_substatus_writable: bool,
    /// Whether the contact of a `Shared` referral can no longer be changed.
    pub contact_frozen_once_shared: bool,
    /// Whether `updatedDateTime` may be used in `$filter`.
    pub filter_updated: bool,
    /// By how many seconds an event may be later than its referral's `updatedDateTime` without another read.
    pub event_tolerance: u32,
    /// The offset of the easternmost office, if it is UTC+12 or beyond; instants are then read as closing dates there.
    pub closing_date_zone: Option<Offset>,
    /// Whether `provision` changes sellers' forms (Dynamics 365).
    pub forms_by_api: bool,
    /// What to do if a duplicate rule gives an alert (Salesforce).
    pub duplicates: Duplicates,
    /// How an accepted lead becomes an opportunity (Salesforce).
    pub convert_lead: ConvertLead,
    /// From this percentage of the day's calls on, the CRM is asked for changes less often (Salesforce).
    pub api_share: u32,
}

/// What to do if one of Salesforce's duplicate rules gives an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Save the row nevertheless; our unique keys prevent duplicates of ours.
    AllowSave,
    /// Use the row that the rule found.
    Adopt,
}

/// How an accepted lead becomes an opportunity in Salesforce, which has no REST call for a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertLead {
    /// The opportunity is created beside the lead, which stays open.
    Off,
    /// The lead is converted, by SOAP's `convertLead`.
    Soap,
}

/// How the customer of an inbound referral is found or created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRule {
    /// The account's unique key column.
    pub key: String,
    /// The columns of accounts that must all match if no account has the key.
    pub match_on: Vec<String>,
    /// Whether to use an account that reads alike (only letters and digits count, without case) if none matches
    /// exactly.
    pub alike: bool,
    /// Whether to create an account if none matches.
    pub create: bool,
}

/// How the customer's contact of an inbound referral is found or created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRule {
    /// The contact's unique key column.
    pub key: String,
    /// The columns of contacts that must match if no contact has the key: the e-mail address.
    pub match_on: Vec<String>,
    /// Whether to create a contact if none matches.
    pub create: bool,
}
