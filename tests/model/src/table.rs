//! The table in memory: consistent reads, conditional saves of many items at once; answers that get lost.

use crate::{
    faults::Kind,
    late::{Late, What},
    step::step,
    trace::say,
    world::{State, World},
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use sync::{
    audit::Line,
    failure::{Failure, System},
    ports::Links,
    table::{Change, Expect, Item, Key, Row},
};

/// Links shown at once.
const PAGE: usize = 4;

/// The rows, and every audit line that was ever saved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<Key, (u64, Item, Option<Timestamp>)>,
    pub(crate) audit: BTreeMap<String, Vec<Line>>,
    /// Which revision of a watermark each run read last.
    pub(crate) marks: BTreeMap<(std::sync::Arc<str>, Key), u64>,
}

impl Table {
    pub(crate) fn get(&self, key: &Key, now: Timestamp) -> Option<Row> {
        let (rev, item, _) = self.rows.get(key).filter(|(.., until)| until.is_none_or(|at| at > now))?;
        Some(Row { key: key.clone(), rev: *rev, item: item.clone() })
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = (&Key, &Item)> {
        self.rows.iter().map(|(key, (_, item, _))| (key, item))
    }

    /// What tells one state of it from another; which run read what is in the runs.
    pub(crate) fn told(&self, to: &mut impl std::fmt::Write) {
        _ = write!(to, "{:?}{:?}", self.rows, self.audit);
    }

    /// Makes all changes or none; `false`: what one of them expects does not hold.
    pub(crate) fn commit(&mut self, changes: Vec<Change>, now: Timestamp) -> bool {
        let there = |key: &Key| {
            self.rows.get(key).filter(|(.., until)| until.is_none_or(|at| at > now)).map(|(rev, ..)| *rev)
        };
        let holds = |change: &Change| match (change.expect, there(&change.key)) {
            (Expect::Any, _) | (Expect::Absent, None) => true,
            (Expect::Rev(expected), Some(rev)) => rev == expected,
            _ => false,
        };
        if !changes.iter().all(holds) {
            return false;
        }
        for change in changes {
            let rev = match change.expect {
                Expect::Absent => 1,
                Expect::Rev(rev) => rev + 1,
                Expect::Any => u64::try_from(now.as_microsecond()).unwrap_or(1),
            };
            match change.item {
                Some(Item::Audit(line)) => self.audit.entry(change.key.pk).or_default().push(line),
                Some(item) => {
                    self.rows.insert(change.key, (rev, item, change.expires_at));
                }
                None => {
                    self.rows.remove(&change.key);
                }
            }
        }
        true
    }
}

/// Rows that only the poller looks at: in a small world with one poller nobody can tell when it did.
fn is_pollers(key: &Key) -> bool {
    ["WATERMARK#", "LEASE#", "HOLD#"].iter().any(|start| key.pk.starts_with(start))
}

impl Links for World {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Failure> {
        if !(self.is_small() && keys.iter().all(is_pollers)) {
            step().await;
        }
        let rows = self.lock().read_rows(keys);
        self.after().await;
        rows
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<bool, Failure> {
        if !(self.is_small() && changes.iter().all(|change| is_pollers(&change.key))) {
            step().await;
        }
        let answer = self.lock().save(changes);
        self.after().await;
        answer
    }

    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Row>, Option<String>), Failure> {
        step().await;
        let page = {
            let mut state = self.lock();
            let links = state.table.items().filter(|(_, item)| matches!(item, Item::Link(_)));
            let mut keys: Vec<Key> = links
                .map(|(k, _)| k.clone())
                .filter(|k| cursor.is_none_or(|last| k.pk.as_str() > last))
                .collect();
            let next = (keys.len() > PAGE).then(|| keys[PAGE - 1].pk.clone());
            keys.truncate(PAGE);
            state.read_rows(&keys).map(|rows| (rows.into_iter().flatten().collect(), next))
        };
        self.after().await;
        page
    }

    async fn parked(&self) -> Result<Vec<Row>, Failure> {
        step().await;
        let rows = {
            let mut state = self.lock();
            let keys: Vec<Key> =
                state.table.items().filter(|(k, _)| k.pk == "PARKED").map(|(k, _)| k.clone()).collect();
            state.read_rows(&keys).map(|rows| rows.into_iter().flatten().collect())
        };
        self.after().await;
        rows
    }
}

impl State {
    fn read_rows(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, Failure> {
        self.counts.table_reads += 1;
        if self.strikes(Kind::TableThrottle) {
            say!(self, self.runs.name, "table read throttled");
            return Err(Failure::later(System::Table, "read", "throttled"));
        }
        let now = self.now + self.runs.skew;
        let rows: Vec<_> = keys.iter().map(|key| self.table.get(key, now)).collect();
        self.saw(&rows);
        self.marks(keys.iter());
        Ok(rows)
    }

    /// Remembers which watermarks this run has read, or saved itself.
    fn marks<'a>(&mut self, keys: impl Iterator<Item = &'a Key>) {
        for key in keys.filter(|key| key.pk.starts_with("WATERMARK#")) {
            if let Some(row) = self.table.get(key, self.now) {
                self.table.marks.insert((self.runs.name.clone(), key.clone()), row.rev);
            }
        }
    }

    fn save(&mut self, changes: Vec<Change>) -> Result<bool, Failure> {
        self.counts.commits += 1;
        let unknown = || Err(Failure::later(System::Table, "save", "the answer never came"));
        if self.strikes(Kind::TableThrottle) {
            say!(self, self.runs.name, "save throttled");
            return Err(Failure::later(System::Table, "save", "throttled"));
        }
        let lease = |change: &Change| matches!(change.item, Some(Item::Lease { .. }));
        if changes.iter().all(lease) && self.strikes(Kind::DoubleTick) {
            // The lease is thrift, not safety: two pollers harm nothing.
            return Ok(true);
        }
        if self.strikes(Kind::TableConflict) {
            say!(self, self.runs.name, "save met a transaction");
            return Ok(false);
        }
        if self.strikes(Kind::TableLate) {
            // The SDK gives up after a while and the request may be on its way for some seconds more.
            let at = self.now + jiff::SignedDuration::from_millis(self.dice.between(1, 20_000));
            say!(self, self.runs.name, "save will land late: {}", told(&changes));
            self.late.push(Late { at, by: self.runs.name.clone(), what: What::Save(changes) });
            return unknown();
        }
        let words = if self.trace.on { told(&changes) } else { String::new() };
        let unread = crate::invariants::mark_unread(self, &changes);
        let keys: Vec<Key> = changes.iter().map(|change| change.key.clone()).collect();
        let strangers = crate::invariants::strangers(self, &changes);
        let saved = self.apply_save(changes);
        if let Some(words) = strangers.filter(|_| saved) {
            self.violate(crate::Invariant::Consent, words);
        }
        if let Some(words) = unread.filter(|_| saved) {
            self.violate(crate::Invariant::Mark, words);
        }
        if saved {
            self.marks(keys.iter());
        }
        say!(self, self.runs.name, "save {words}: {saved}");
        self.saw(&saved);
        if self.strikes(Kind::TableLost) {
            say!(self, self.runs.name, "the answer of that save is lost");
            return unknown();
        }
        Ok(saved)
    }

    pub(crate) fn apply_save(&mut self, changes: Vec<Change>) -> bool {
        self.table.commit(changes, self.now + self.runs.skew)
    }
}

/// A save in words.
fn told(changes: &[Change]) -> String {
    let one = |change: &Change| {
        let what = match &change.item {
            None => "delete".to_owned(),
            Some(Item::Link(link)) => {
                let settled = |memory: &sync::link::Memory| {
                    memory.settled.as_ref().map_or("-".to_owned(), |v| v.token.clone())
                };
                let claim = link.claim.as_ref().map(|c| format!(" claim {:?} {:?}", c.side, c.units));
                format!(
                    "link {:?} pc@{} crm@{}{}{}{}",
                    link.state,
                    settled(&link.partner_center),
                    settled(&link.crm),
                    claim.unwrap_or_default(),
                    if link.awaiting.is_empty() {
                        String::new()
                    } else {
                        format!(" awaiting {:?}", link.awaiting)
                    },
                    if link.parked.is_empty() {
                        String::new()
                    } else {
                        format!(" parked {:?}", link.parked.keys())
                    },
                )
            }
            Some(Item::Audit(line)) => format!("audit {}: {}", line.decision, line.text),
            Some(Item::Intent(intent)) => format!(
                "intent {:?} n{} referral {:?} unknown {:?}",
                intent.step,
                intent.n,
                intent.referral.as_ref().map(|r| crate::trace::short(r.as_str()).to_owned()),
                intent.unknown
            ),
            Some(Item::Alias { .. }) => "alias".to_owned(),
            Some(Item::Parked(parked)) => format!("parked: {}", parked.reason),
            Some(Item::Watermark(mark)) => format!("mark {:?} walk {:?}", mark.position, mark.walk.is_some()),
            Some(other) => format!("{other:?}").chars().take(30).collect(),
        };
        let key = format!("{}/{}", change.key.pk, change.key.sk);
        let key: String = key.chars().take(30).collect();
        format!("[{key} {:?} {what}]", change.expect)
    };
    changes
        .iter()
        .filter(|c| !matches!(c.item, Some(Item::Lease { .. })))
        .map(one)
        .collect::<Vec<_>>()
        .join(" ")
}
