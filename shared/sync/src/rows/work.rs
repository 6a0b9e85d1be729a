//! A link that a story works on: what was loaded, what was learnt, and the one way to save it.

use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, TRANSACTION},
    rows::{
        run::{Ended, Run},
        stop::Stop,
    },
    state::{
        audit::{Line, cut},
        bounds,
        failure::Failure,
        link::{Link, OWN_WRITES_AN_HOUR},
        parked::{Parked, print},
        table::{Change, Expect, Item, Key},
    },
};
use jiff::Timestamp;
use mapping::{Map, RecordKind, Side, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The key under which a whole link is parked.
pub(crate) const WHOLE: &str = "*";
/// The fingerprint of a link that the brake has parked: no input changes it, so only time ends it.
const BRAKE: &str = "brake";
/// The most characters of all reasons of a link together.
const REASONS: usize = 4_000;
/// The most characters of the CRM's Audit field.
pub(crate) const AUDIT_LENGTH: usize = 10_000;

/// A link that a story works on.
pub(crate) struct Work<'a, P: Ports> {
    pub(crate) run: Run<'a, P>,
    /// Every read of this story began after this instant, however late its answer came.
    pub(crate) began: Timestamp,
    /// The link as it should be saved next.
    pub(crate) link: Link,
    saved: Option<Link>,
    rev: u64,
    notes: Vec<Line>,
    told: BTreeSet<(String, String)>,
    /// Other changes of the next save, once: aliases, an intent's end.
    pub(crate) besides: Vec<Change>,
}

impl<'a, P: Ports> Work<'a, P> {
    /// A link that was loaded in this revision.
    pub(crate) fn loaded(run: &Run<'a, P>, link: Link, rev: u64) -> Self {
        let saved = Some(link.clone());
        let mut work = Work { saved, rev, ..Work::fresh(run, link) };
        work.link.forget_other_readings(work.map());
        work
    }

    /// A link that is not in the table yet.
    pub(crate) fn fresh(run: &Run<'a, P>, link: Link) -> Self {
        Work {
            run: run.clone(),
            began: run.now(),
            link,
            saved: None,
            rev: 0,
            notes: vec![],
            told: BTreeSet::new(),
            besides: vec![],
        }
    }

    /// Whether the link is not in the table yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.saved.is_none()
    }

    /// The map for the kind of the link's record.
    pub(crate) fn map(&self) -> &'a Map {
        let record = self.link.record.as_ref();
        self.run.map.of(record.map_or(RecordKind::Opportunity, |record| record.kind))
    }

    /// Notes a decision that matters: an audit line in the transaction of the next save. `show`: the seller should see
    /// it.
    pub(crate) fn note(&mut self, decision: &str, text: impl Into<String>, show: bool) {
        let line = Line { at: self.run.now(), decision: decision.to_owned(), text: text.into() };
        // After a lost race, or in the next pass of the loop, the same is decided again: it is noted once a run.
        if !self.told.insert((line.decision.clone(), line.text.clone())) {
            return;
        }
        self.link.journal.note(line.clone(), show);
        self.notes.push(line);
    }

    /// Saves what was learnt. [`Stop::Overtaken`]: another run saved this row first.
    pub(crate) async fn save(&mut self) -> Result<(), Stop> {
        if self.try_save().await? { Ok(()) } else { Err(Stop::Overtaken) }
    }

    /// Saves what was learnt, then ends the story.
    pub(crate) async fn end(&mut self, ended: Ended) -> Stop {
        match self.save().await {
            Ok(()) => Stop::Ended(ended),
            Err(stop) => stop,
        }
    }

    /// Saves what changed, all or nothing, over the revision that was read; saves nothing if nothing was learnt.
    /// `false`: another run saved this row first.
    pub(crate) async fn try_save(&mut self) -> Result<bool, Failure> {
        if self.saved.as_ref() == Some(&self.link) && self.notes.is_empty() && self.besides.is_empty() {
            return Ok(true);
        }
        self.link.note_readings(self.map());
        bounds::fit(&mut self.link);
        let expect = self.saved.as_ref().map_or(Expect::Absent, |_| Expect::Rev(self.rev));
        let key = Key::link(&self.link.referral);
        let kept_until = self.run.now() + self.run.settings.audit_kept;
        let mut changes = vec![Change::put(key.clone(), expect, Item::Link(Box::new(self.link.clone())))];
        let untold = self.link.claim.is_some() && planted::is(Bug::ConflictToldLate);
        for (n, line) in self.notes.iter().enumerate().filter(|_| !untold) {
            let key = Key::audit(&key.pk, line.at, self.rev + 1, n);
            changes.push(Change::put(key, Expect::Any, Item::Audit(line.bounded())).until(kept_until));
        }
        let parked_before = self.saved.as_ref().map(|l| &l.parked).filter(|p| !p.is_empty());
        let parked_now = Some(&self.link.parked).filter(|p| !p.is_empty());
        if parked_before != parked_now {
            let key = Key::parked(self.link.referral.as_str());
            changes.push(match parked_now.and_then(summary) {
                Some(parked) => Change::put(key, Expect::Any, Item::Parked(parked)),
                None => Change::delete(key, Expect::Any),
            });
        }
        // A transaction may change a row once: the change that this save makes itself takes precedence.
        for beside in &self.besides {
            if changes.iter().all(|change| change.key != beside.key) {
                changes.push(beside.clone());
            }
        }
        self.save_ahead(&mut changes).await?;
        if !self.run.ports.links().commit(changes).await? {
            return Ok(false);
        }
        self.rev += 1;
        self.saved = Some(self.link.clone());
        if !untold {
            self.notes.clear();
        }
        self.besides.clear();
        Ok(true)
    }

    /// Saves aliases of child rows before the link if one transaction does not take them all: a deal may have 50
    /// solutions and as many people. An alias that leads to a link which is not saved yet harms nothing.
    async fn save_ahead(&self, changes: &mut Vec<Change>) -> Result<(), Failure> {
        let spare = changes.len().saturating_sub(TRANSACTION);
        let mut ahead = vec![];
        while ahead.len() < spare {
            match changes.iter().rposition(Change::is_child) {
                Some(at) => ahead.push(changes.remove(at)),
                None => break,
            }
        }
        for part in ahead.chunks(TRANSACTION) {
            self.run.ports.links().commit(part.to_vec()).await?;
        }
        Ok(())
    }

    /// The change that takes the link out of the table, if it is there.
    pub(crate) fn remove(&self) -> Vec<Change> {
        match self.saved {
            Some(_) => vec![Change::delete(Key::link(&self.link.referral), Expect::Rev(self.rev))],
            None => vec![],
        }
    }

    /// Whether the table still holds a claim that has ended: that is saved before anything else is read.
    pub(crate) fn claim_is_over(&self) -> bool {
        self.link.claim.is_none() && self.saved.as_ref().is_some_and(|saved| saved.claim.is_some())
    }

    /// Parks a unit (or the whole link) with the reason.
    pub(crate) fn park(&mut self, unit: &str, words: &str, fingerprint: String, side: Option<Side>) {
        let before = self.link.parked.get(unit);
        let told = before.is_some_and(|p| p.tells(words, &fingerprint));
        let field = (unit != WHOLE).then(|| unit.to_owned());
        let parked =
            Parked { side, ..Parked::again(words.to_owned(), field, fingerprint, self.run.now(), before) };
        self.link.parked.insert(unit.to_owned(), parked);
        if !told {
            let about = if unit == WHOLE { String::new() } else { format!("`{unit}`: ") };
            self.note("parked", format!("{about}{words}"), true);
        }
    }

    /// Ends the parking of a unit (or of the whole link), and notes that it healed.
    pub(crate) fn heal(&mut self, unit: &str) {
        if self.link.parked.remove(unit).is_some() {
            let about = if unit == WHOLE { "the deal" } else { unit };
            self.note("healed", format!("`{about}` is in step again"), true);
        }
    }

    /// Counts a write that is about to be sent. `false`: there were too many, and the brake has parked the link.
    pub(crate) fn brake_allows(&mut self, units: &str) -> bool {
        let now = self.run.now();
        if self.link.own_writes.add(now) <= OWN_WRITES_AN_HOUR {
            return true;
        }
        self.brake(units);
        false
    }

    /// Parks the link because its values change back and forth.
    pub(crate) fn brake(&mut self, units: &str) {
        tracing::error!(referral.id = %self.link.referral, units, alarm = "oscillates", "link is parked: it oscillates");
        self.park(WHOLE, &format!("oscillates: `{units}`"), BRAKE.to_owned(), None);
        // Feed rows are acknowledged unread while the link is parked: afterwards both sides are read.
        self.link.partner_center.settled = None;
        self.link.crm.settled = None;
    }

    /// Whether the brake still holds the link.
    pub(crate) fn is_braked(&self) -> bool {
        self.link.parked.get(WHOLE).is_some_and(|p| p.holds(BRAKE, self.run.now()))
    }

    /// The fingerprint of an attempt to write these values with this map.
    pub(crate) fn fingerprint(&self, values: &BTreeMap<&str, &Value>) -> String {
        let mut inputs = serde_json::json!(values).to_string();
        if planted::is(Bug::AuditInFingerprint) {
            inputs += &format!("{:?}", self.link.journal);
        }
        print(&inputs, self.run.map)
    }
}

/// The one parked row of a link: the time at which the first of its units is due, and all reasons.
fn summary(parked: &BTreeMap<String, Parked>) -> Option<Parked> {
    let first = parked.values().min_by_key(|p| p.next_try)?;
    let reasons: Vec<_> = parked.iter().map(|(unit, p)| format!("{unit}: {}", p.reason)).collect();
    Some(Parked { reason: cut(&reasons.join("; "), REASONS), ..first.clone() })
}
