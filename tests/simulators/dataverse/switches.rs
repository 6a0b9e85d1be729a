//! Every behaviour that the vendor's documents leave open, by name. Defaults: the stricter reading.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataverseSwitches {
    /// 400 unless `OData-Version`, `OData-MaxVersion`, `Accept` (and `Content-Type` with a body) are sent.
    pub strict_headers: bool,
    /// Text compares as the database collation does: without case.
    pub case_insensitive: bool,
    /// `""` is stored as null.
    pub empty_text_is_null: bool,
    /// 400 on text with a character that XML 1.0 cannot hold.
    pub refuses_xml_characters: bool,
    /// Decimals of money; `None`: as the row's currency says.
    pub money_decimals: Option<u32>,
    /// A row created without currency gets the base currency.
    pub default_currency: bool,
    /// 400 on a write to a won or lost opportunity that does not reopen it.
    pub closed_refuses_updates: bool,
    /// 400 on a PATCH that sets an opportunity to won or lost.
    pub state_by_patch_refused: bool,
    /// 400 on a state without its reason; else the state's default reason is taken.
    pub reason_required_with_state: bool,
    /// Reopening cancels the opportunityclose activity.
    pub reopen_cancels_close: bool,
    /// 400 on Win or Lose of a closed opportunity; else a second close activity.
    pub second_close_refused: bool,
    /// `If-Match` with an etag on an alternate-key URL works; else 400.
    pub if_match_by_key: bool,
    /// Status of `If-Match` with an etag on a row that is not there: 404 or 412.
    pub if_match_missing_status: u16,
    /// The stale-version error carries an empty code.
    pub version_mismatch_code_empty: bool,
    /// A violated alternate key answers `0x80040237` as a lost race does; else `0x80060892`.
    pub duplicate_as_race: bool,
    /// `$n` resolves when part n addressed its row by alternate key.
    pub content_id_of_keyed_rows: bool,
    /// A bind by alternate key sees rows created earlier in the same change set.
    pub key_bind_in_change_set: bool,
    /// An outer 400 of a batch also carries the answers before the failure.
    pub batch_keeps_earlier_answers: bool,
    /// `$expand` inside the `$expand` of a collection works; else 400.
    pub nested_collection_expand: bool,
    /// Rows per page that the server answers at most, whatever was asked for; `None`: 5,000.
    pub page_rows: Option<usize>,
    /// A `nextLink` must be called with the preferences of its first page; else 400.
    pub same_preferences_on_next_link: bool,
    /// The token of an initial load is taken at its last page: changes to earlier pages during it are missed.
    pub delta_token_from_last_page: bool,
    /// Days a delta token lives.
    pub delta_days: i64,
    /// Status of an expired delta token.
    pub expired_status: u16,
    /// Tables without change tracking, by logical name.
    pub untracked: Vec<String>,
    /// An asynchronous plug-in touches each row after an API write to it: its etag is old when it arrives.
    pub plugin_bump: bool,
    /// So many reads after each write still show the row as it was before.
    pub stale_reads: u32,
    /// Reads of `Keys` until a new key's index is built.
    pub key_polls: u32,
    /// Requests per user in 300 s before 429; `None`: no limit.
    pub burst_limit: Option<usize>,
    /// Lead columns that QualifyLead copies to the opportunity, besides the platform's own.
    pub qualify_copies: Vec<String>,
    /// Status reason of a lead that was merged into another one; of the state Disqualified.
    pub merged_lead_reason: i64,
    /// Only the administrator's application changes metadata; the reference's samples use one for everything.
    pub only_administrators_customize: bool,
    /// Columns that a managed solution brought, as `table.column`.
    pub managed: Vec<String>,
    /// 401 answers carry a JSON body.
    pub unauthorized_json: bool,
}

impl Default for DataverseSwitches {
    fn default() -> Self {
        DataverseSwitches {
            strict_headers: true,
            case_insensitive: true,
            empty_text_is_null: true,
            refuses_xml_characters: true,
            money_decimals: None,
            default_currency: true,
            closed_refuses_updates: true,
            state_by_patch_refused: true,
            reason_required_with_state: true,
            reopen_cancels_close: false,
            second_close_refused: true,
            if_match_by_key: false,
            if_match_missing_status: 404,
            version_mismatch_code_empty: false,
            duplicate_as_race: false,
            content_id_of_keyed_rows: false,
            key_bind_in_change_set: false,
            batch_keeps_earlier_answers: false,
            nested_collection_expand: false,
            page_rows: None,
            same_preferences_on_next_link: true,
            delta_token_from_last_page: true,
            delta_days: 7,
            expired_status: 400,
            untracked: vec!["connection".to_owned()],
            plugin_bump: false,
            stale_reads: 0,
            key_polls: 2,
            burst_limit: Some(6000),
            qualify_copies: vec![],
            merged_lead_reason: 7,
            only_administrators_customize: false,
            managed: vec![],
            unauthorized_json: false,
        }
    }
}
