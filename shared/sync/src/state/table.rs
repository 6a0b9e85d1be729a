//! The rows of the one table (sync/README.md, *The table*) and their keys.

use crate::state::{audit::Line, intent::Intent, link::Link, parked::Parked};
use jiff::Timestamp;
use mapping::{Readings, RecordId, ReferralId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The address of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key, such as `REFERRAL#…`.
    pub pk: String,
    /// The sort key, such as `LINK`.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: &str) -> Self {
        Key { pk, sk: sk.to_owned() }
    }
    /// The link of a referral.
    pub fn link(id: &ReferralId) -> Self {
        Key::new(["REFERRAL#", id.as_str()].concat(), "LINK")
    }
    /// The alias that leads from Microsoft's half to our referral.
    pub fn sibling(id: &ReferralId) -> Self {
        Key::new(["REFERRAL#", id.as_str()].concat(), "ALIAS")
    }
    /// The tombstone of a referral that is not ours.
    pub fn foreign(id: &ReferralId) -> Self {
        Key::new(["REFERRAL#", id.as_str()].concat(), "FOREIGN")
    }
    /// The alias that leads from a record to its referral.
    pub fn record(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "LINK")
    }
    /// The alias that leads from a child row to its record.
    pub fn child(id: &str) -> Self {
        Key::new(["CHILD#", id].concat(), "LINK")
    }
    /// The referrals that name a record without its consent. They are read again before another referral is made for
    /// the record.
    pub fn named(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "NAMED")
    }
    /// The intent of a create in Partner Center.
    pub fn intent(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "CREATE")
    }
    /// The watermark of a part of the poller: a feed, the sweep or the daily round.
    pub fn watermark(feed: &str) -> Self {
        Key::new(["WATERMARK#", feed].concat(), "-")
    }
    /// The hold of the system with this name.
    pub fn hold(system: &str) -> Self {
        Key::new(["HOLD#", system].concat(), "-")
    }
    /// What is parked, by referral or record id. Rows written before there was [`Key::message`] may have a message id.
    pub fn parked(what: &str) -> Self {
        Key::new("PARKED".to_owned(), what)
    }
    /// A parked message that could not be read. A message id has the form of a referral's, so it has a prefix of its
    /// own.
    pub fn message(id: &str) -> Self {
        Key::new("PARKED".to_owned(), &["MESSAGE#", id].concat())
    }
    /// One audit line, the `n`th of a save. `about` is a link's or a record's partition key.
    pub fn audit(about: &str, at: Timestamp, rev: u64, n: usize) -> Self {
        Key { pk: about.to_owned(), sk: format!("AUDIT#{at}#{rev}.{n}") }
    }
    /// The lease of the poller that runs.
    pub fn lease() -> Self {
        Key::new("LEASE#poller".to_owned(), "-")
    }
    /// One command of an administrator; these rows are in the order of time. `request`: the id of the Lambda
    /// invocation.
    pub fn act(at: Timestamp, request: &str) -> Self {
        Key { pk: Key::ACTS.to_owned(), sk: format!("{at:.6}#{request}") }
    }
    /// The partition key of the administrators' commands.
    pub const ACTS: &str = "ACTS";
    /// The override of the field map that is in effect.
    pub fn active_map() -> Self {
        Key::new("MAP".to_owned(), "ACTIVE")
    }
    /// The counts of the last runs of `watch`.
    pub fn history() -> Self {
        Key::new("HISTORY".to_owned(), "-")
    }
    /// One of all overrides of the field map that were ever set, in the order of their versions.
    pub fn map(version: u32) -> Self {
        Key::new("MAP".to_owned(), &format!("{version:06}"))
    }
}

/// The content of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// A link of a referral and a record.
    Link(Box<Link>),
    /// An alias: leads from another id to a link.
    Alias {
        /// The referral of that link.
        referral: ReferralId,
    },
    /// The referrals that name a record without its consent.
    Named {
        /// Their ids, newest last.
        referrals: Vec<ReferralId>,
    },
    /// An alias of a child row: leads to its record.
    Parent {
        /// The record that the child row belongs to.
        record: RecordId,
    },
    /// A create in Partner Center that is in flight.
    Intent(Box<Intent>),
    /// A tombstone: webhook hints of this id are dropped without a call.
    Foreign,
    /// How far a part of the poller has come.
    Watermark(Watermark),
    /// A hold: the system is not called until an instant.
    Hold(Hold),
    /// What is parked, with the reason.
    Parked(Parked),
    /// One line of the audit.
    Audit(Line),
    /// The lease of the poller that runs.
    Lease {
        /// Until when no other poller begins.
        until: Timestamp,
    },
    /// An override of the field map, as an administrator set it.
    Map(StoredMap),
    /// A command of an administrator that changes something.
    Act(Act),
    /// The counts of the last runs of `watch`, as one text: a tree of attributes would take three times as much room.
    History {
        /// The counts; `watch` defines the format.
        samples: String,
    },
}

/// A command of an administrator that changes something, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The instant at which it began.
    pub at: Timestamp,
    /// The command, by the name in its JSON.
    pub command: String,
    /// Its arguments as text, shortened.
    pub on: String,
    /// The caller: `proven: ARN`, or `not proven` and why.
    pub who: String,
    /// Lambda's id of the invocation, by which CloudTrail names the caller.
    pub request: String,
    /// The first sentence of the answer; `None`: the command has not ended, or its run was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// An override of the field map: what differs from the default map of the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMap {
    /// Counts from 1, one for each change.
    pub version: u32,
    /// TOML; empty: the default map as it is.
    pub toml: String,
    /// When it was set.
    pub at: Timestamp,
    /// Only in the active override: how each unit was read by the map that was in effect before links stored their
    /// readings.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub readings: Readings,
    /// Only in the active override: the optional rules whose column was seen in the CRM ([`mapping::Map::with_seen`]).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen: BTreeSet<String>,
}

/// How far a part of the poller has come. Saved only over the revision that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watermark {
    /// Live work: the CRM's delta position; `None` while a walk has not ended.
    pub position: Option<String>,
    /// Live work has seen every change before this instant.
    pub seen_until: Timestamp,
    /// When the poller first started: live work looks for no older change.
    pub since: Timestamp,
    /// The round of live work that is under way; `None`: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Walk>,
    /// The walk behind the live work; of the sweep and the daily round, how far the present one has come.
    pub walk: Option<Walk>,
    /// Only of the sweep: the states that its overlap lists again and that need no further look, as digests of id and
    /// stamp.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<String>,
    /// The hash of the map that the rows were read with; with another map the whole table is walked again.
    pub map: String,
}

impl Watermark {
    /// The first watermark: nothing was read yet, and nothing that changed before this instant will be.
    pub fn since(since: Timestamp, map: &str) -> Self {
        let (position, round, walk, settled) = (None, None, None, BTreeSet::new());
        Watermark { position, seen_until: since, since, round, walk, settled, map: map.to_owned() }
    }
}

/// How far a round of live work, a walk over a whole table, or a list of several pages has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// The instant at which it began.
    pub began: Timestamp,
    /// The position of its next page; `None` before the first page.
    pub cursor: Option<String>,
    /// How far that page is done: its records up to this one are, unless their version is newer than this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(RecordId, i64)>,
}

impl Walk {
    /// A walk at the beginning of a page.
    pub fn at(began: Timestamp, cursor: Option<String>) -> Self {
        Walk { began, cursor, after: None }
    }
}

/// No run calls the system until an instant; all environments share the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// The instant from which on the system is called again.
    pub until: Timestamp,
    /// Why the system is held.
    pub reason: String,
    /// How many holds followed one another, by which the pause grows.
    pub attempts: u32,
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The address of the row.
    pub key: Key,
    /// Its revision, which grows by one with each save.
    pub rev: u64,
    /// What the row holds.
    pub item: Item,
}

/// What a change demands of the row it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row has this revision; the save makes it the next one.
    Rev(u64),
    /// The change is saved, whatever is there.
    Any,
}

/// One conditional save or delete.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The address of the row.
    pub key: Key,
    /// The condition of the save.
    pub expect: Expect,
    /// The new content; `None` deletes the row.
    pub item: Option<Item>,
    /// When the table may delete the row. Readers check it too: the table deletes late.
    pub expires_at: Option<Timestamp>,
}

impl Change {
    /// A save without an expiry.
    pub fn put(key: Key, expect: Expect, item: Item) -> Self {
        Change { key, expect, item: Some(item), expires_at: None }
    }

    /// A delete under this condition.
    pub fn delete(key: Key, expect: Expect) -> Self {
        Change { key, expect, item: None, expires_at: None }
    }

    /// Whether it saves the alias of a child row, which depends on no other row.
    pub fn is_child(&self) -> bool {
        self.expect == Expect::Any && matches!(self.item, Some(Item::Parent { .. }))
    }

    /// Lets the row expire at this instant.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}
