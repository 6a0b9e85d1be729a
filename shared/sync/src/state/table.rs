//! The items of the one table (sync/README.md, *The table*) and their keys. Every save is conditional.

use crate::state::{audit::Line, intent::Intent, link::Link, parked::Parked};
use jiff::Timestamp;
use mapping::{Readings, RecordId, ReferralId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where an item lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
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
    /// From Microsoft's half to our referral.
    pub fn sibling(id: &ReferralId) -> Self {
        Key::new(["REFERRAL#", id.as_str()].concat(), "ALIAS")
    }
    /// An id that is not ours.
    pub fn foreign(id: &ReferralId) -> Self {
        Key::new(["REFERRAL#", id.as_str()].concat(), "FOREIGN")
    }
    /// From a record to its referral.
    pub fn record(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "LINK")
    }
    /// From a child row to its record.
    pub fn child(id: &str) -> Self {
        Key::new(["CHILD#", id].concat(), "LINK")
    }
    /// The referrals that name a record which has not agreed to them: before another is made for it, they are asked.
    pub fn named(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "NAMED")
    }
    /// A create in Partner Center in flight.
    pub fn intent(id: &RecordId) -> Self {
        Key::new(format!("RECORD#{id}"), "CREATE")
    }
    /// A feed's watermark.
    pub fn watermark(feed: &str) -> Self {
        Key::new(["WATERMARK#", feed].concat(), "-")
    }
    /// A system's hold.
    pub fn hold(system: &str) -> Self {
        Key::new(["HOLD#", system].concat(), "-")
    }
    /// Something set aside, by referral or record id; before there was [`Key::message`], by message id too.
    pub fn parked(what: &str) -> Self {
        Key::new("PARKED".to_owned(), what)
    }
    /// A message that could not be read. Its id has the form of a referral's, so it has a space of its own.
    pub fn message(id: &str) -> Self {
        Key::new("PARKED".to_owned(), &["MESSAGE#", id].concat())
    }
    /// One audit line. `about` is a link's or a record's partition key.
    pub fn audit(about: &str, at: Timestamp, rev: u64, n: usize) -> Self {
        Key { pk: about.to_owned(), sk: format!("AUDIT#{at}#{rev}.{n}") }
    }
    /// The poller's lease.
    pub fn lease() -> Self {
        Key::new("LEASE#poller".to_owned(), "-")
    }
    /// One act of an administrator, in the order of time. `request`: the invocation's id.
    pub fn act(at: Timestamp, request: &str) -> Self {
        Key { pk: Key::ACTS.to_owned(), sk: format!("{at:.6}#{request}") }
    }
    /// The partition of the administrators' acts.
    pub const ACTS: &str = "ACTS";
    /// The override of the field map that is in effect.
    pub fn active_map() -> Self {
        Key::new("MAP".to_owned(), "ACTIVE")
    }
    /// The numbers of the schedule's last looks.
    pub fn history() -> Self {
        Key::new("HISTORY".to_owned(), "-")
    }
    /// One of the overrides that were ever set; in their order.
    pub fn map(version: u32) -> Self {
        Key::new("MAP".to_owned(), &format!("{version:06}"))
    }
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// A link.
    Link(Box<Link>),
    /// The way back from another id.
    Alias {
        /// The link's referral.
        referral: ReferralId,
    },
    /// Who names a record in vain, newest last.
    Named {
        /// The referrals.
        referrals: Vec<ReferralId>,
    },
    /// The way back from a child row.
    Parent {
        /// Its record.
        record: RecordId,
    },
    /// A create in flight.
    Intent(Box<Intent>),
    /// Not ours: a replay costs nothing.
    Foreign,
    /// How far a feed was read.
    Watermark(Watermark),
    /// A system rests.
    Hold(Hold),
    /// Set aside, with its reason.
    Parked(Parked),
    /// A decision that mattered.
    Audit(Line),
    /// Who polls now.
    Lease {
        /// Until when.
        until: Timestamp,
    },
    /// An override of the field map, as an admin set it.
    Map(StoredMap),
    /// What an administrator asked for.
    Act(Act),
    /// The numbers of the schedule's last looks, as one text: a tree of attributes would cost three times as much.
    History {
        /// Whoever looks says how they stand in it.
        samples: String,
    },
}

/// What an administrator asked for, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When it began.
    pub at: Timestamp,
    /// The command.
    pub command: String,
    /// Its arguments, shortened.
    pub on: String,
    /// `proven: ARN`, or `not proven` and why.
    pub who: String,
    /// Lambda's id of the invocation, by which CloudTrail names the caller.
    pub request: String,
    /// The first sentence of the answer; `None`: it has not ended, or its run was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// An override of the field map: what differs from the default map of the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMap {
    /// Counts from 1.
    pub version: u32,
    /// TOML; empty: the default map as it is.
    pub toml: String,
    /// Since when.
    pub at: Timestamp,
    /// In the active one: how units were read by the map that was in effect before any link noted it.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub readings: Readings,
    /// In the active one: the optional rules whose column was seen in the CRM ([`mapping::Map::with_seen`]).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen: BTreeSet<String>,
}

/// How far a feed was read. Saved only over the `rev` that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watermark {
    /// Live work: the CRM's delta position; `None` while a walk has not ended.
    pub position: Option<String>,
    /// Everything changed before this instant was seen by live work.
    pub seen_until: Timestamp,
    /// The first start: nothing older is looked for.
    pub since: Timestamp,
    /// The round of live work that is under way; `None` between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Walk>,
    /// The walk behind the live work; for the sweep, its unfinished pages.
    pub walk: Option<Walk>,
    /// Of the sweep: what its overlap will list again and needs no look at, as digests of id and stamp.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<String>,
    /// The map the rows were read with; another one means a resync.
    pub map: String,
}

impl Watermark {
    /// Nothing was read yet; nothing before this instant will be.
    pub fn since(since: Timestamp, map: &str) -> Self {
        let (position, round, walk, settled) = (None, None, None, BTreeSet::new());
        Watermark { position, seen_until: since, since, round, walk, settled, map: map.to_owned() }
    }
}

/// A walk over a whole table: stores positions, settles known links, creates nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// When it began.
    pub began: Timestamp,
    /// Its next page; `None` before the first.
    pub cursor: Option<String>,
    /// How far that page was worked off: up to this record, as long as its version is not after this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(RecordId, i64)>,
}

impl Walk {
    /// At a page's beginning.
    pub fn at(began: Timestamp, cursor: Option<String>) -> Self {
        Walk { began, cursor, after: None }
    }
}

/// A system rests until then; shared by all environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// How often in a row, for the growing pause.
    pub attempts: u32,
}

/// A stored item.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where.
    pub key: Key,
    /// Which revision; grows by one with each save.
    pub rev: u64,
    /// What.
    pub item: Item,
}

/// What a change demands of the row it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It is in this revision; the save makes it the next.
    Rev(u64),
    /// Whatever is there.
    Any,
}

/// One conditional save or delete.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub key: Key,
    /// On what condition.
    pub expect: Expect,
    /// What; `None` deletes.
    pub item: Option<Item>,
    /// When the table may forget it. Readers filter by it too: the table deletes late.
    pub expires_at: Option<Timestamp>,
}

impl Change {
    /// A save that is kept.
    pub fn put(key: Key, expect: Expect, item: Item) -> Self {
        Change { key, expect, item: Some(item), expires_at: None }
    }

    /// A delete.
    pub fn delete(key: Key, expect: Expect) -> Self {
        Change { key, expect, item: None, expires_at: None }
    }

    /// Forgotten after this instant.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}
