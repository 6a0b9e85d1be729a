//! The few traits that the stories need; each method states its promise, and each trait shows one of them. `clients`
//! implements them over real sockets and the model in memory; the dry run of `admin` wraps those of `clients`.
//! The longer examples are in `ports/`.
//!
//! Common to all: a write is sent once. What may have been sent is never sent again by a port; it ends as
//! [`Written::Unknown`], and the story decides. A read may be older than a read before it: the story compares versions.

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

/// The result of reading one referral.
#[derive(Clone, Debug)]
pub enum Found {
    /// The referral, with its whole body.
    Referral(Box<Referral>),
    /// 404: not there, or not yet (vendors/partner-center.md, *Lists*).
    Missing,
    /// 403: we may not read it, or our user has lost its role.
    Forbidden,
}

/// Partner Center's referrals.
///
/// Every change is conditional on the eTag that was read:
///
#[doc = include_str!("ports/referrals.md")]
pub trait Referrals: Sync {
    /// Reads one referral by id.
    fn fetch(&self, id: &ReferralId) -> impl Future<Output = Result<Found, Failure>> + Send;
    /// Reads all referrals of an engagement, all pages.
    fn engagement(&self, id: &EngagementId) -> impl Future<Output = Result<Vec<Referral>, Failure>> + Send;
    /// Reads one page of the referrals that were updated at or after `since`, newest first. `cursor` is the previous
    /// page's `next`.
    fn changed_since(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, Failure>> + Send;
    /// The same page; each referral may hold only what [`Referral::parse`] needs: most of them are known and need no
    /// more.
    fn stamps_since(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, Failure>> + Send {
        self.changed_since(since, cursor)
    }
    /// Sends a conditional JSON Patch; never creates. `Lost`: the referral has another eTag by now, and nothing was
    /// written. `None`: the write happened, but the answer does not show the new state.
    fn patch(
        &self,
        id: &ReferralId,
        etag: &str,
        operations: &[serde_json::Value],
    ) -> impl Future<Output = Written<Option<Referral>>> + Send;
    /// Creates a referral, which cannot be undone. `request_id` is sent as `MS-RequestId`.
    fn create(&self, body: &str, request_id: &str) -> impl Future<Output = Written<Referral>> + Send;
}

/// One page of referrals.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows, newest first.
    pub referrals: Vec<Referral>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// A record as it was read, with its version.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its columns and lists.
    pub record: Record,
    /// The version that was read.
    pub version: Version,
    /// The lead that it was made of, if any.
    pub lead: Option<RecordId>,
}

/// The opportunity a lead was qualified into.
#[derive(Clone, Debug)]
pub struct Qualified {
    /// The opportunity as it was read.
    pub deal: Seen,
    /// We qualified the lead, and no other user has written the opportunity since: a value in it that did not come from
    /// the lead is the CRM's own default.
    pub ours: bool,
}

/// What [`Crm::prepare`] has looked up for a new record.
#[derive(Clone, Debug)]
pub struct Ready<T> {
    /// The account, contact and the like, for the create.
    pub prepared: T,
    /// What the seller should read about it in the Audit field: which of several accounts was taken, who became the
    /// owner.
    pub told: Vec<String>,
}

/// The CRM's opportunities (and leads). A create never overwrites, an update never creates:
///
#[doc = include_str!("ports/crm.md")]
pub trait Crm: Sync {
    /// What the CRM has to look up before a create.
    type Prepared: Send;
    /// Reads one record by id with its related rows and lists; `None`: it was deleted or never existed.
    fn fetch(&self, id: &RecordId) -> impl Future<Output = Result<Option<Seen>, Failure>> + Send;
    /// Finds the record of this kind that carries this Referral Identifier.
    fn find(
        &self,
        kind: RecordKind,
        referral: &ReferralId,
    ) -> impl Future<Output = Result<Option<Seen>, Failure>> + Send;
    /// How many rows of a list one write takes, added and removed rows together; no write contains more.
    fn rows_at_once(&self) -> usize;
    /// Looks up the account, contact and the like of a new record; writes nothing. Returns `Done`, `Later` or
    /// `Refused`.
    fn prepare(&self, new: &NewRecord) -> impl Future<Output = Written<Ready<Self::Prepared>>> + Send;
    /// Creates the record in one transaction with what is missing of account and contact. The answer shows the record
    /// with its lists. Never overwrites: `Exists` if the key is taken.
    fn create(&self, new: &NewRecord, prepared: Self::Prepared)
    -> impl Future<Output = Written<Seen>> + Send;
    /// Sends a conditional update; never creates. `Lost`: the record has another version by now, and nothing was
    /// written. `patch.action` is `None`. The answer shows the record's own columns.
    fn patch(
        &self,
        id: &RecordId,
        version: &Version,
        patch: &RecordPatch,
    ) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// Executes an action that takes no version (Win, Lose). The caller has read the record's state just before.
    fn act(&self, id: &RecordId, action: &Action) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// Adds a note to a record unless the record has it; `Exists`: it has. The caller holds the link's claim, so where
    /// the CRM cannot refuse a second note it is enough to look for the first one before.
    fn add_note(&self, id: &RecordId, note: &Note) -> impl Future<Output = Written<()>> + Send;
    /// Qualifies an open lead into an opportunity, in one transaction with what is missing of account and contact, and
    /// only if the lead still has this version. The answer shows the opportunity. `None`: the lead was qualified
    /// outside a transaction, as it had been read just before, and [`Crm::qualified`] returns the opportunity.
    fn qualify(
        &self,
        lead: &RecordId,
        version: &Version,
        new: &NewRecord,
    ) -> impl Future<Output = Written<Option<Seen>>> + Send;
    /// Reads the opportunity that a lead was qualified into; `None`: there is none.
    fn qualified(&self, lead: &RecordId) -> impl Future<Output = Result<Option<Qualified>, Failure>> + Send;
    /// Finds the record that this one, which [`Crm::fetch`] no longer returns, was merged into; `None`: it was not
    /// merged.
    fn merged_into(
        &self,
        _record: &RecordId,
    ) -> impl Future<Output = Result<Option<RecordId>, Failure>> + Send {
        async { Ok(None) }
    }
    /// The feeds of this CRM, in the order in which the poller follows them.
    fn feeds(&self) -> &'static [Feed] {
        &[Feed::Opportunities, Feed::Solutions]
    }
    /// Reads one page of a feed. Each row that changed since the position is in one of the round's pages at least;
    /// it may be in two.
    fn changes(
        &self,
        feed: Feed,
        position: &Position,
    ) -> impl Future<Output = Result<Changes, Failure>> + Send;
}

/// A table of the CRM whose changes the poller follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The table of leads.
    Leads,
    /// The table of opportunities.
    Opportunities,
    /// Rows of Microsoft Solutions.
    Solutions,
    /// The customers' people: a record may be parked because something is missing there.
    Contacts,
    /// The customers, for records that have no referral yet.
    Accounts,
    /// Which of the customer's people take part in which deal.
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
    /// Rows, and where the next page begins.
    Page {
        /// The rows in the CRM's order.
        rows: Vec<Changed>,
        /// The next page of this round; `None` on the last page.
        next: Option<String>,
        /// On the last page: where the next round begins (`None` in a round by `Since`).
        resume: Option<String>,
    },
    /// The position is too old or no longer fits the table: the table must be walked again.
    Expired,
}

/// One row of a feed.
#[derive(Clone, Debug)]
pub enum Changed {
    /// A record with its own columns; its lists and related rows are not observed.
    Record(Seen),
    /// A child row that belongs to this record.
    Child(RecordId),
    /// A deleted record or child row; only the id is known.
    Gone(String),
}

/// The most changes that [`Links::commit`] saves together.
pub const TRANSACTION: usize = 100;

/// The table. Reads are consistent, and a row that has expired counts as absent. All changes of a commit are saved or
/// none:
///
#[doc = include_str!("ports/links.md")]
pub trait Links: Sync {
    /// Reads the rows under these keys, in the order of the keys; `None`: there is no such row.
    fn read(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Option<Row>>, Failure>> + Send;
    /// Saves all changes or none; refuses more than [`TRANSACTION`]. `Ok(false)`: none was saved, because a condition
    /// did not hold or another run is saving one of the rows. `Err`: they may or may not have been saved.
    fn commit(&self, changes: Vec<Change>) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Reads one page of the links, in the table's own order, and where the next page begins. `cursor`: what the page
    /// before returned.
    fn page(
        &self,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<(Vec<Row>, Option<String>), Failure>> + Send;
    /// Reads all parked rows, those of messages too.
    fn parked(&self) -> impl Future<Output = Result<Vec<Row>, Failure>> + Send;
}

/// The queue of hints:
///
/// ```
/// use std::sync::Mutex;
/// use sync::{failure::Failure, hint::{Hint, Subject}, ports::Hints};
/// # use std::{pin::pin, task::{Context, Poll, Waker}};
/// # fn ready<T>(future: impl Future<Output = T>) -> T {
/// #     let Poll::Ready(t) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
/// #     t
/// # }
///
/// #[derive(Default)]
/// struct Queue(Mutex<Vec<String>>);
///
/// impl Hints for Queue {
///     async fn send(&self, hints: &[Hint]) -> Result<(), Failure> {
///         Ok(self.0.lock().unwrap().extend(hints.iter().map(Hint::body)))
///     }
/// }
///
/// let record = Subject::parked("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
/// let hint = Hint::new(record, "retry", "2026-04-10T12:00:05Z".parse()?);
/// let queue = Queue::default();
/// ready(queue.send(&[hint.clone()]))?;
/// assert_eq!(Hint::parse(&queue.0.lock().unwrap()[0])?, hint, "it was stored before `send` returned");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Hints: Sync {
    /// Sends hints. They are stored when this returns; after an error some of them may be stored. A hint that is sent
    /// twice within five minutes is delivered once ([`Hint::deduplication`]).
    fn send(&self, hints: &[Hint]) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The clock; the crate reads no other, so that a test decides how time passes:
///
/// ```
/// use jiff::Timestamp;
/// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
/// use sync::ports::Clock;
///
/// struct Simulated(AtomicI64);
///
/// impl Clock for Simulated {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_second(self.0.load(Relaxed)).unwrap()
///     }
/// }
///
/// let clock = Simulated(1_772_442_861.into());
/// let began = clock.now();
/// assert_eq!(clock.now(), began);
/// clock.0.fetch_add(90, Relaxed);
/// assert_eq!(clock.now().duration_since(began).as_secs(), 90);
/// ```
pub trait Clock: Sync {
    /// The present instant, as this process knows it; another one's may differ by seconds.
    fn now(&self) -> Timestamp;
}

/// All ports of one run.
pub trait Ports: Sync {
    /// The port of Partner Center.
    type Referrals: Referrals;
    /// The port of the CRM.
    type Crm: Crm;
    /// The port of the table.
    type Links: Links;
    /// The port of the queue.
    type Hints: Hints;
    /// The port of the clock.
    type Clock: Clock;
    /// Partner Center: the same port at each call.
    fn referrals(&self) -> &Self::Referrals;
    /// The CRM: the same port at each call.
    fn crm(&self) -> &Self::Crm;
    /// The table: the same port at each call.
    fn links(&self) -> &Self::Links;
    /// The queue: the same port at each call.
    fn hints(&self) -> &Self::Hints;
    /// The clock: the same port at each call.
    fn clock(&self) -> &Self::Clock;
}
