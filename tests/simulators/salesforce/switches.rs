//! Every behaviour that the vendor's documents leave open, and what an admin switches on: by name. Defaults: the
//! stricter reading, and an org as it is delivered.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesforceSwitches {
    /// The org has several currencies: `CurrencyIsoCode` and `CurrencyType` are there.
    pub multi_currency: bool,
    /// The currency of the org, or its corporate one.
    pub currency: String,
    /// `Organization.DefaultCurrencyIsoCode` is a column.
    pub organization_currency: bool,
    /// Billing country and state are picklists with codes.
    pub state_country_picklists: bool,
    /// Accounts may be persons: `IsPersonAccount` is there, and a contact with each of them.
    pub person_accounts: bool,
    /// Opportunity teams are on: `OpportunityTeamMember` is there.
    pub team_selling: bool,
    /// Notes are on: `ContentNote` is there.
    pub notes: bool,
    /// An unknown stage is refused; else any text is taken.
    pub restricted_stages: bool,
    /// Other standard picklists refuse unknown values too.
    pub restricted_picklists: bool,
    /// Scopes the app was given; `refresh_token` is what setup calls *refresh_token, offline_access*.
    pub app_scopes: Vec<String>,
    /// The app is installed in this org.
    pub app_installed: bool,
    /// The app is an external client app, as every app made since Spring '26: known on My Domain only, and only to users who
    /// are approved for it. Off: a connected app.
    pub external_client_app: bool,
    /// This is a sandbox: the audience of assertions is `https://test.salesforce.com`.
    pub sandbox: bool,
    /// This listener's own address counts as an audience: it stands for the login host.
    pub own_address_is_audience: bool,
    /// How far ahead an assertion may expire; the vendor may grant 300 with skew.
    pub assertion_seconds: i64,
    /// Lifetime of a session.
    pub session_seconds: i64,
    /// Status of `invalid_client`: 400 or 401.
    pub invalid_client_status: u16,
    pub logins_per_hour: u32,
    /// Every sign-in is refused with this OAuth error, one of `token.rs`.
    pub refuse: Option<String>,
    /// API requests in 24 hours before 403.
    pub daily_api_requests: usize,
    /// Rows of a query page, below what `batchSize` asks for: wide rows make pages small.
    pub page_size: Option<usize>,
    /// Rows of child subqueries count towards the rows of a page, which then holds fewer parents: what the vendor does.
    /// Off here, for clients that take a short page for the last one.
    pub child_rows_count: bool,
    /// Life of a query locator; 15 minutes in older versions.
    pub locator_minutes: i64,
    /// Ids that `/updated/` and `/deleted/` give before `EXCEEDED_ID_LIMIT`.
    pub replication_ids: usize,
    /// A key of a row in the recycle bin still counts for an upsert: it answers `ENTITY_IS_DELETED`.
    pub upsert_matches_deleted: bool,
    /// Conditional headers are honoured on external-id URLs; else they are ignored there.
    pub conditions_on_external_id: bool,
    /// A 412 carries an error array; else it has no body.
    pub precondition_body: bool,
    /// `Sforce-Duplicate-Rule-Header` in a subrequest's `httpHeaders` is honoured; else it is ignored.
    pub duplicate_header_in_subrequests: bool,
    /// What a lock that was not got answers: 400 or 500.
    pub lock_status: u16,
    /// Status of a missing right on an object or row: 400 or 403.
    pub access_status: u16,
    /// The member that tells of duplicates: `duplicateResut` or `duplicateResult`.
    pub duplicate_member: String,
    /// The standard alert rules for accounts, contacts and leads are active.
    pub standard_duplicate_rules: bool,
    /// The value in a message about a missing parent is in lower case.
    pub missing_parent_lower_case: bool,
    /// Code of a call with too many subrequests or rows.
    pub too_many_code: String,
    /// Code of a retired version's 410.
    pub retired_code: String,
    /// `""` is stored as null.
    pub empty_text_is_null: bool,
    /// Blanks around a text are not stored.
    pub trims_text: bool,
    /// Addresses of e-mail are stored in lower case: what the vendor does.
    pub emails_in_lower_case: bool,
    /// Line ends of long texts are stored as CR LF.
    pub newlines_as_crlf: bool,
    /// Money keeps more decimals than its field has; else it is rounded.
    pub keeps_extra_decimals: bool,
    /// A custom object is invisible until `ObjectPermissions` grant it.
    pub object_permissions: bool,
    /// Custom fields an object takes.
    pub most_custom_fields: usize,
    /// Objects, fields and rights are for administrators only.
    pub only_administrators_customize: bool,
    /// So many seconds after each API write an automated process touches the row: `SystemModstamp` alone moves.
    pub system_process_after: Option<i64>,
    /// Fields of a lead that are copied to the opportunity of its conversion, besides the standard ones.
    pub convert_copies: Vec<String>,
}

impl Default for SalesforceSwitches {
    fn default() -> Self {
        SalesforceSwitches {
            multi_currency: false,
            currency: "EUR".to_owned(),
            organization_currency: false,
            state_country_picklists: false,
            person_accounts: false,
            team_selling: false,
            notes: false,
            restricted_stages: true,
            restricted_picklists: true,
            app_scopes: vec!["api".to_owned(), "refresh_token".to_owned()],
            app_installed: true,
            external_client_app: true,
            sandbox: false,
            own_address_is_audience: true,
            assertion_seconds: 180,
            session_seconds: 7200,
            invalid_client_status: 400,
            logins_per_hour: 3600,
            refuse: None,
            daily_api_requests: 104_000,
            page_size: None,
            child_rows_count: false,
            locator_minutes: 2 * 24 * 60,
            replication_ids: 600_000,
            upsert_matches_deleted: false,
            conditions_on_external_id: false,
            precondition_body: false,
            duplicate_header_in_subrequests: false,
            lock_status: 400,
            access_status: 400,
            duplicate_member: "duplicateResut".to_owned(),
            standard_duplicate_rules: true,
            missing_parent_lower_case: false,
            too_many_code: "LIMIT_EXCEEDED".to_owned(),
            retired_code: "UNSUPPORTED_API_VERSION".to_owned(),
            empty_text_is_null: true,
            trims_text: true,
            emails_in_lower_case: false,
            newlines_as_crlf: false,
            keeps_extra_decimals: false,
            object_permissions: true,
            most_custom_fields: 500,
            only_administrators_customize: false,
            system_process_after: None,
            convert_copies: vec![],
        }
    }
}
