//! Dynamics 365 Sales over the Dataverse Web API (vendors/dataverse.md, *Addressing*): opportunities with their
//! customer, contact, owner and Microsoft Solutions; leads. Every write is conditional or create-only; none is sent
//! twice.

pub mod batch;
mod change;
mod columns;
mod create;
pub mod definitions;
mod encode;
mod errors;
mod feed;
pub mod forms;
mod lead;
mod lookups;
mod note;
mod odata;
mod owner;
pub mod page;
mod party;
mod patch;
pub mod removal;
mod solution;
mod wire;

use crate::crm::not_begun::NotBegun;
use crate::{gather::Gather, http::Http, token::Tokens};
use batch::{Reply, Request};
use columns::{Columns, SOLUTION, SOLUTION_OPPORTUNITY, Texts};
pub use create::PreparedChangeSet;
use errors::{DataverseError, DataverseMeaning};
use futures_util::future::try_join_all;
use jiff::SignedDuration;
use lookups::Lookups;
use mapping::{Action, Map, NewRecord, Record, RecordId, RecordKind, RecordPatch, ReferralId, names};
use odata::{escaped, guid, id_of, quoted, set_of, value_of};
use page::PageSize;
use party::PartyCache;
use patch::Patched;
use serde_json::{Map as Object, Value};
use std::sync::{Arc, OnceLock};
use sync::{
    failure::{Failure, Written},
    note::Note,
    ports::{Changes, Feed, Position, Qualified, Ready, Seen},
    version::Version,
};
use wire::DataverseWire;

/// How many rows a page of a feed is asked for. A row with a full audit column has 30 KB, so a page stays below the
/// largest answer that is read.
pub const PAGE: u32 = 250;

/// The record that a connection belongs to.
const RECORD1: &str = "_record1id_value";

/// The column of the Referral Identifier if the map has no rule for it.
const REFERRAL_ID: &str = "cosell_referralid";

/// One environment, with the columns that one map names.
pub struct Dynamics {
    wire: DataverseWire,
    map: Arc<Map>,
    columns: Columns,
    lead_columns: Columns,
    /// The column of the Referral Identifier; it is an alternate key.
    key: String,
    lead_key: String,
    lookups: Arc<Lookups>,
    known: Arc<PartyCache>,
    patches: Gather<Request, Patched>,
    /// The environment's base language, once it was read.
    language: OnceLock<i64>,
    page: Arc<PageSize>,
}

impl Dynamics {
    /// The environment at `url` (its origin), its columns as `map` names them.
    pub fn new(http: Http, tokens: Arc<Tokens>, url: &str, map: Arc<Map>) -> Self {
        let wire = DataverseWire::new(http, tokens, url);
        Self::through(map, wire, Arc::default(), Arc::default(), Arc::new(PageSize::of(PAGE)))
    }

    /// The same environment, connections and caches with another map.
    #[must_use]
    pub fn with_map(&self, map: Arc<Map>) -> Self {
        Self::through(map, self.wire.clone(), self.lookups.clone(), self.known.clone(), self.page.clone())
    }

    /// By how much the environment's clock is ahead of ours, by its last answer.
    pub fn skew(&self) -> Option<SignedDuration> {
        self.wire.skew()
    }

    fn through(
        map: Arc<Map>,
        wire: DataverseWire,
        lookups: Arc<Lookups>,
        known: Arc<PartyCache>,
        page: Arc<PageSize>,
    ) -> Self {
        let leads = map.of(RecordKind::Lead);
        Dynamics {
            wire,
            columns: Columns::of(&map, RecordKind::Opportunity),
            lead_columns: Columns::of(&map, RecordKind::Lead),
            key: key_column(&map),
            lead_key: key_column(leads),
            map,
            lookups,
            known,
            patches: Gather::default(),
            language: OnceLock::new(),
            page,
        }
    }

    fn columns_of(&self, kind: RecordKind) -> &Columns {
        match kind {
            RecordKind::Opportunity => &self.columns,
            RecordKind::Lead => &self.lead_columns,
        }
    }

    fn key_of(&self, kind: RecordKind) -> &str {
        match kind {
            RecordKind::Opportunity => &self.key,
            RecordKind::Lead => &self.lead_key,
        }
    }

    fn record_request(&self, kind: RecordKind, id: &str) -> Request {
        let (set, query) = (set_of(kind.as_str()), self.columns_of(kind).record_query());
        Request::get(format!("{set}({id})?{query}"))
    }

    /// Reads a record by the alternate key, also one that this connector did not make.
    fn record_by_key_request(&self, kind: RecordKind, referral: &ReferralId) -> Request {
        let key = format!("{}={}", self.key_of(kind), escaped(&quoted(referral.as_str())));
        self.record_request(kind, &key)
    }

    /// Reads an opportunity's lists, in the order that [`with_lists`](Self::with_lists) expects.
    fn lists_requests(&self, id: &str) -> Vec<Request> {
        let team = self.columns.team_query().map(|query| {
            let filter = escaped(&format!("{RECORD1} eq {id} and statecode eq 0"));
            Request::get(format!("connections?{query}&$filter={filter}"))
        });
        std::iter::once(self.solutions_request(id)).chain(team).collect()
    }

    fn solutions_request(&self, id: &str) -> Request {
        let filter = escaped(&format!("{} eq {id}", value_of(SOLUTION_OPPORTUNITY)));
        Request::get(format!("{}?{}&$filter={filter}", set_of(SOLUTION), self.columns.solutions_query()))
    }

    /// The record, from the reply about it and those about its lists; `None`: it is not there.
    async fn shown(&self, operation: &str, record: &Reply, lists: &[Reply]) -> Result<Option<Seen>, Failure> {
        let Some(row) = self.row(operation, record)? else { return Ok(None) };
        let lists = try_join_all(lists.iter().map(|reply| self.wire.list(operation, reply))).await?;
        self.with_lists(operation, &row, &lists).await.map(Some)
    }

    /// The lead, from the reply about it; `None`: it is not there.
    async fn shown_lead(&self, operation: &str, reply: &Reply) -> Result<Option<Seen>, Failure> {
        match self.row(operation, reply)? {
            Some(row) if !lead::was_merged(&row) => {
                self.own(operation, RecordKind::Lead, &row, false).await.map(Some)
            }
            // A lead that was merged into another one is no lead any more.
            Some(_) | None => Ok(None),
        }
    }

    async fn with_lists(
        &self,
        operation: &str,
        row: &Object<String, Value>,
        lists: &[Vec<Value>],
    ) -> Result<Seen, Failure> {
        let [solutions, team @ ..] = lists else { return Err(self.unreadable(operation)) };
        let texts = self.lookups.texts(&self.wire, self.columns.lookups(row, solutions)).await?;
        let seen = self.seen(RecordKind::Opportunity, row, &texts, true);
        let mut seen = seen.ok_or_else(|| self.unreadable(operation))?;
        seen.record.lists.insert(names::SOLUTIONS.to_owned(), self.columns.solutions(solutions, &texts));
        if let [team, ..] = team {
            seen.record.lists.insert(names::SALES_TEAM.to_owned(), self.columns.team(team, &texts));
        }
        Ok(seen)
    }

    /// A record with its own columns and, with `related`, those of its related rows.
    async fn own(
        &self,
        operation: &str,
        kind: RecordKind,
        row: &Object<String, Value>,
        related: bool,
    ) -> Result<Seen, Failure> {
        let texts = self.lookups.texts(&self.wire, self.columns_of(kind).lookups(row, &[])).await?;
        self.seen(kind, row, &texts, related).ok_or_else(|| self.unreadable(operation))
    }

    /// `None`: the row lacks its id or its version, and a record needs both.
    fn seen(
        &self,
        kind: RecordKind,
        row: &Object<String, Value>,
        texts: &Texts,
        related: bool,
    ) -> Option<Seen> {
        let id = row.get(&id_of(kind.as_str()))?.as_str()?.to_lowercase();
        let version = self.version(row.get("@odata.etag")?.as_str()?);
        let columns = self.columns_of(kind).record(row, texts, related);
        let id = RecordId { kind, id };
        let lead = row.get(&value_of(lead::ORIGIN)).and_then(Value::as_str);
        let lead = lead.map(|id| RecordId { kind: RecordKind::Lead, id: id.to_lowercase() });
        Some(Seen { record: Record { id, columns, lists: Default::default() }, version, lead })
    }

    fn version(&self, etag: &str) -> Version {
        let number = etag.strip_prefix("W/\"").and_then(|t| t.strip_suffix('"')).and_then(|n| n.parse().ok());
        let order = number.filter(|_| self.map.vendor().versionnumber_orders);
        Version { token: etag.to_owned(), order }
    }

    /// The row of a reply to a read by id or key; `None`: 404.
    fn row(&self, operation: &str, reply: &Reply) -> Result<Option<Object<String, Value>>, Failure> {
        if reply.status == 200 {
            return match reply.json() {
                Some(Value::Object(row)) => Ok(Some(row)),
                _ => Err(self.unreadable(operation)),
            };
        }
        let said = DataverseError::of_reply(reply);
        if said.meaning() == DataverseMeaning::Gone {
            Ok(None)
        } else {
            Err(self.wire.failed(operation, &said))
        }
    }

    fn unreadable(&self, operation: &str) -> Failure {
        self.wire.retryable(operation, "unreadable answer: no row with its id and version")
    }

    /// A write that happened. If the row after it could not be read, the end is `Unknown`, and the claim ends with a
    /// read.
    fn happened(&self, operation: &str, shown: Result<Option<Seen>, Failure>) -> Written<Seen> {
        match shown {
            Ok(Some(seen)) => Written::Done(seen),
            Ok(None) => Written::Unknown(self.unreadable(operation)),
            Err(failure) => Written::Unknown(self.wire.retryable(operation, failure.text)),
        }
    }

    /// Forgets all rows that were looked up: some were made, merged or deleted meanwhile.
    fn forget(&self) {
        self.known.forget();
        self.lookups.forget();
    }

    /// The id for a URL. Ids come from our table and from Partner Center, where people type them, so they are checked.
    fn id(&self, operation: &str, id: &RecordId) -> Result<String, Failure> {
        guid(&id.id).ok_or_else(|| self.wire.unusable(operation, format!("`{}` is not a GUID", id.id)))
    }
}

/// The column into which a map writes the referral's id.
fn key_column(map: &Map) -> String {
    let column = map.column(names::REFERRAL_ID).filter(|column| odata::is_name(column));
    column.unwrap_or(REFERRAL_ID).to_owned()
}

impl sync::ports::Crm for Dynamics {
    type Prepared = PreparedChangeSet;

    async fn fetch(&self, id: &RecordId) -> Result<Option<Seen>, Failure> {
        let operation = format!("fetch `{id}`");
        let (kind, id) = (id.kind, self.id(&operation, id)?);
        let own = self.record_request(kind, &id);
        if kind == RecordKind::Lead {
            let replies = self.wire.batch_read(&operation, vec![own]).await?;
            return self.shown_lead(&operation, &replies[0]).await;
        }
        let requests = std::iter::once(own).chain(self.lists_requests(&id)).collect();
        let replies = self.wire.batch_read(&operation, requests).await?;
        self.shown(&operation, &replies[0], &replies[1..]).await
    }

    async fn find(&self, kind: RecordKind, referral: &ReferralId) -> Result<Option<Seen>, Failure> {
        let operation = format!("find the {} of referral `{referral}`", kind.as_str());
        let by_key = self.record_by_key_request(kind, referral);
        let replies = self.wire.batch_read(&operation, vec![by_key]).await?;
        if kind == RecordKind::Lead {
            return self.shown_lead(&operation, &replies[0]).await;
        }
        let Some(row) = self.row(&operation, &replies[0])? else { return Ok(None) };
        let id = row.get("opportunityid").and_then(Value::as_str).and_then(guid);
        let id = id.ok_or_else(|| self.unreadable(&operation))?;
        let lists = self.wire.batch_read(&operation, self.lists_requests(&id)).await?;
        self.shown(&operation, &replies[0], &lists).await
    }

    fn rows_at_once(&self) -> usize {
        solution::AT_ONCE
    }

    async fn prepare(&self, new: &NewRecord) -> Written<Ready<PreparedChangeSet>> {
        let prepared = match new.kind {
            RecordKind::Opportunity => self.prepared(new).await,
            RecordKind::Lead => self.prepared_lead(new).await,
        };
        prepared.map_or_else(NotBegun::written, Written::Done)
    }

    async fn create(&self, new: &NewRecord, prepared: PreparedChangeSet) -> Written<Seen> {
        self.create_record(new, prepared).await
    }

    async fn patch(&self, id: &RecordId, version: &Version, patch: &RecordPatch) -> Written<Option<Seen>> {
        self.patch_record(id, version, patch).await
    }

    async fn act(&self, id: &RecordId, action: &Action) -> Written<Option<Seen>> {
        self.close_record(id, action).await
    }

    async fn add_note(&self, id: &RecordId, note: &Note) -> Written<()> {
        self.write_note(id, note).await
    }

    fn feeds(&self) -> &'static [Feed] {
        let all = &[
            Feed::Leads,
            Feed::Opportunities,
            Feed::Solutions,
            Feed::Contacts,
            Feed::Accounts,
            Feed::SalesTeam,
        ];
        if self.map.has_sales_team() { all } else { &all[..5] }
    }

    async fn qualify(&self, lead: &RecordId, version: &Version, new: &NewRecord) -> Written<Option<Seen>> {
        self.qualify_lead(lead, version, new).await.map(Some)
    }

    async fn qualified(&self, lead: &RecordId) -> Result<Option<Qualified>, Failure> {
        Ok(self.deal_of_lead(lead).await?.map(|deal| Qualified { deal, ours: false }))
    }

    async fn merged_into(&self, record: &RecordId) -> Result<Option<RecordId>, Failure> {
        self.master_of(record).await
    }

    async fn changes(&self, feed: Feed, position: &Position) -> Result<Changes, Failure> {
        self.feed(feed, position).await
    }
}
