//! The few traits the stories need; each verb with its promise. Implemented by `clients` over real sockets and by
//! the model in memory, and by nothing else.

use crate::state::{
    failure::{Failure, Written},
    hint::Hint,
    note::Note,
    table::{Change, Key, Row},
    version::Version,
};
use jiff::Timestamp;
use mapping::{
    Action, EngagementId, NewRecord, Record, RecordId, RecordKind, RecordPatch, Referral, ReferralId,
};
use std::future::Future;

/// What reading one referral may find.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is there.
    Referral(Box<Referral>),
    /// 404: not there, or not yet (vendors/partner-center.md, *Lists*).
    Missing,
    /// 403: not ours to see, or the role is gone.
    Forbidden,
}

/// Partner Center's referrals.
pub trait Referrals: Sync {
    /// One by id.
    fn fetch(&self, id: &ReferralId) -> impl Future<Output = Result<Found, Failure>> + Send;
    /// All referrals of an engagement, all pages.
    fn engagement(&self, id: &EngagementId) -> impl Future<Output = Result<Vec<Referral>, Failure>> + Send;
    /// One page of those updated at or after `since`, newest first. `cursor` is the previous page's `next`.
    fn changed_since(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, Failure>> + Send;
    /// The same, of each referral no more than what [`Referral::parse`] needs: most of them are known.
    fn stamps_since(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, Failure>> + Send {
        self.changed_since(since, cursor)
    }
    /// A conditional JSON Patch; never creates. `None`: it happened, but the answer shows no state.
    fn patch(
        &self,
        id: &ReferralId,
        etag: &str,
        operations: &[serde_json::Value],
    ) -> impl Future<Output = Written<Option<Referral>>> + Send;
    /// Creates a referral; cannot be undone. `request_id` is `MS-RequestId`.
    fn create(&self, body: &str, request_id: &str) -> impl Future<Output = Written<Referral>> + Send;
}

/// One page of referrals.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows, newest first.
    pub referrals: Vec<Referral>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// A record in a known version.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it shows.
    pub record: Record,
    /// In which version.
    pub version: Version,
    /// The lead it was made of, if it was made of one.
    pub lead: Option<RecordId>,
}

/// The opportunity a lead was qualified into.
#[derive(Clone, Debug)]
pub struct Qualified {
    /// As it is.
    pub deal: Seen,
    /// We qualified the lead, and nobody else has written the opportunity since: whatever it shows that was not handed
    /// on is the CRM's own default.
    pub ours: bool,
}

/// What a new record will belong to.
#[derive(Clone, Debug)]
pub struct Ready<T> {
    /// For the create.
    pub prepared: T,
    /// What sellers should be told of it: which of several accounts, whom as owner.
    pub told: Vec<String>,
}

/// The CRM's opportunities (and leads).
pub trait Crm: Sync {
    /// What a create has looked up before.
    type Prepared: Send;
    /// One by id with its related rows and lists; `None`: deleted or never there.
    fn fetch(&self, id: &RecordId) -> impl Future<Output = Result<Option<Seen>, Failure>> + Send;
    /// The record of this kind that carries this Referral Identifier.
    fn find(
        &self,
        kind: RecordKind,
        referral: &ReferralId,
    ) -> impl Future<Output = Result<Option<Seen>, Failure>> + Send;
    /// Rows of a list that one write takes, added and removed together; it is not asked for more.
    fn rows_at_once(&self) -> usize;
    /// Looks up what a new record belongs to; writes nothing. `Done`, `Later` or `Refused`.
    fn prepare(&self, new: &NewRecord) -> impl Future<Output = Written<Ready<Self::Prepared>>> + Send;
    /// Create-only, in one transaction with what is missing of account and contact. The answer shows the record
    /// with its lists. Never overwrites: `Exists` if the key is taken.
    fn create(&self, new: &NewRecord, prepared: Self::Prepared)
    -> impl Future<Output = Written<Seen>> + Send;
    /// A conditional update; never creates. `patch.action` is `None`. The answer shows the record's own columns.
    fn patch(
        &self,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// An action that takes no version (Win, Lose). The caller has read the state just before.
    fn act(&self, id: &RecordId, action: &Action) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// Puts a note at a record unless it has it. `Exists`: it has. Whoever asks holds the link's claim: where the CRM
    /// cannot refuse a second one, looking first is enough.
    fn add_note(&self, id: &RecordId, note: &Note) -> impl Future<Output = Written<()>> + Send;
    /// Qualifies an open lead into an opportunity, in one transaction with what is missing of account and contact, and
    /// only in this version. The answer shows the opportunity. `None`: it happened outside a transaction, to the lead as
    /// it was read just before, and [`Crm::qualified`] shows what came of it.
    fn qualify(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// The opportunity a lead was qualified into; `None`: there is none.
    fn qualified(&self, lead: &RecordId) -> impl Future<Output = Result<Option<Qualified>, Failure>> + Send;
    /// The record that this one, which [`Crm::fetch`] no longer shows, was merged into; `None`: it was not.
    fn merged_into(
        &self,
        _record: &RecordId,
    ) -> impl Future<Output = Result<Option<RecordId>, Failure>> + Send {
        async { Ok(None) }
    }
    /// What there is to follow, in the order in which it is followed.
    fn feeds(&self) -> &'static [Feed] {
        &[Feed::Opportunities, Feed::Solutions]
    }
    /// One page of a feed.
    fn changes(
        &self,
        feed: Feed,
        position: &Position,
    ) -> impl Future<Output = Result<Changes, Failure>> + Send;
}

/// What the poller follows in the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The leads.
    Leads,
    /// The opportunities themselves.
    Opportunities,
    /// Rows of Microsoft Solutions.
    Solutions,
    /// The customers' people: what a record lacks may be missing there.
    Contacts,
    /// The customers: of records that have no referral yet.
    Accounts,
    /// Who of the customer's people is part of which deal.
    ContactRoles,
    /// The colleagues who work on deals.
    SalesTeam,
}

impl Feed {
    /// The name in the watermark's key and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Feed::Leads => "leads",
            Feed::Opportunities => "opportunities",
            Feed::Solutions => "solutions",
            Feed::Contacts => "contacts",
            Feed::Accounts => "accounts",
            Feed::ContactRoles => "contact_roles",
            Feed::SalesTeam => "sales_team",
        }
    }
}

/// Where in a feed a page is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The first page of a walk over the whole table.
    Start,
    /// A later page, or the changes since a delta link: path and query as the CRM gave them.
    At(String),
    /// All rows modified at or after an instant (the live work while a walk runs behind it).
    Since(Timestamp),
}

/// One page of a feed.
#[derive(Clone, Debug)]
pub enum Changes {
    /// Rows, and where to go on.
    Page {
        /// In the CRM's order.
        rows: Vec<Changed>,
        /// The next page of this round.
        next: Option<String>,
        /// On the last page: where the next round begins (`None` for `Since` rounds).
        resume: Option<String>,
    },
    /// The position is too old or no longer fits the table; walk anew.
    Expired,
}

/// One row of a feed.
#[derive(Clone, Debug)]
pub enum Changed {
    /// A record with its own columns; lists and related rows are not observed.
    Record(Seen),
    /// A child row that belongs to this record.
    Child(RecordId),
    /// A deleted record, or a deleted child row of which only the id is known.
    Gone(String),
}

/// The table. Reads are consistent.
pub trait Links: Sync {
    /// The rows under these keys, in their order.
    fn read(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Option<Row>>, Failure>> + Send;
    /// All changes or none. `Ok(false)`: a condition did not hold. `Err`: it may or may not have been saved.
    fn commit(&self, changes: Vec<Change>) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// One page of the links, in the table's own order, and where the next one begins; `cursor`: as the page before said.
    fn page(
        &self,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<(Vec<Row>, Option<String>), Failure>> + Send;
    /// All parked items.
    fn parked(&self) -> impl Future<Output = Result<Vec<Row>, Failure>> + Send;
}

/// The queue.
pub trait Hints: Sync {
    /// Stored when this returns.
    fn send(&self, hints: &[Hint]) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Time as an argument.
pub trait Clock: Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// All ports of one run.
pub trait Ports: Sync {
    /// Partner Center.
    type Referrals: Referrals;
    /// The CRM.
    type Crm: Crm;
    /// The table.
    type Links: Links;
    /// The queue.
    type Hints: Hints;
    /// The clock.
    type Clock: Clock;
    /// Partner Center.
    fn referrals(&self) -> &Self::Referrals;
    /// The CRM.
    fn crm(&self) -> &Self::Crm;
    /// The table.
    fn links(&self) -> &Self::Links;
    /// The queue.
    fn hints(&self) -> &Self::Hints;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
}
