//! Salesforce's versions and feeds (vendors/salesforce.md, *Stamps as versions* and *Changes*): a row's version is a
//! stamp of whole seconds, taken before its change can be seen; a write is conditional on "not modified since"; what
//! changed is asked for by stamp, with an overlap. All else of the CRM is as the rest of this folder has it.

use super::{Shape, record_id};
use crate::{faults::Kind, trace::say, world::State};
use jiff::{SignedDuration, Timestamp};
use mapping::{RecordId, RecordKind};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};
use sync::{
    failure::{Class, Failure, System, Written},
    planted::{self, Bug},
    ports::{Changed, Changes, Feed, Position},
    version::{BESIDES, Version},
};

/// A stamp this young may be shared by a later change.
const FRESH: i64 = 2;
/// The longest from a stamp to its commit.
const UNSEEN: i64 = 240;
/// How far a round reaches back.
const OVERLAP: i64 = 600;
/// Rows of a page.
const PAGE: usize = 2;

impl Shape {
    /// As a read at this instant tells it.
    pub(super) fn stamped(&self, at: Timestamp) -> Version {
        let mut token = self.stamp.to_string();
        if at.as_second() - self.stamp < FRESH && !planted::is(Bug::FreshIsCondition) {
            token += &format!("{BESIDES}{:x}", self.digest());
        }
        Version { token, order: Some(self.stamp) }
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", self.own).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether nothing has modified it since.
    pub(super) fn is_unmodified(&self, version: &Version) -> bool {
        version.token.parse().is_ok_and(|since: i64| self.stamp <= since)
    }
}

/// A row of a feed: its stamp, its id, what is told of it.
type Row = (i64, String, Changed);

/// Where a round is: it began there, goes on after this row, and has told these child rows.
struct Place {
    from: i64,
    after: Option<(i64, String)>,
    told: BTreeMap<String, i64>,
}

impl Place {
    fn read(position: &Position) -> Self {
        let at = |from| Place { from, after: None, told: BTreeMap::new() };
        let Position::At(text) = position else {
            return match position {
                Position::Since(since) => at(since.as_second() - 2 * OVERLAP),
                _ => at(0),
            };
        };
        let number = |text: &str| text.parse().expect("a place of ours");
        let mut parts = text.split(';');
        let mut place = parts.next().unwrap_or_default().split(' ');
        let from = number(place.next().unwrap_or_default());
        let after = place.next().zip(place.next()).map(|(at, id)| (number(at), id.to_owned()));
        let told = parts.filter_map(|told| told.split_once('@'));
        Place { from, after, told: told.map(|(id, second)| (id.to_owned(), number(second))).collect() }
    }

    fn write(&self) -> String {
        let after = self.after.iter().map(|(at, id)| format!(" {at} {id}"));
        let told = self.told.iter().map(|(id, second)| format!(";{id}@{second}"));
        self.from.to_string() + &after.chain(told).collect::<String>()
    }
}

impl State {
    /// The stamp of a change that shows now. A transaction holds its row from the stamp to the commit: no stamp is
    /// before `last`, the commit before it. One in that very second that commits much later is left out: nothing that
    /// Salesforce shows tells it from the version before it.
    pub(super) fn stamp(&mut self, last: Option<Timestamp>, ours: bool) -> i64 {
        let now = self.now.as_second();
        if !self.faults.sort.stamps || ours || !self.dice.chance(200) {
            return now;
        }
        let first = last.map_or(now - UNSEEN, |last| (last.as_second() + 1).max(now - UNSEEN));
        self.dice.between(first.min(now), now)
    }

    /// What a write is conditional on. A version that was too fresh to be a condition is looked at again first.
    pub(super) fn condition<T>(&mut self, id: &RecordId, version: &Version) -> Result<Version, Written<T>> {
        let Some((_, digest)) = version.token.split_once(BESIDES).filter(|_| self.faults.sort.stamps) else {
            return Ok(version.clone());
        };
        self.read_fails(System::Crm, "look at a fresh record").map_err(Written::Later)?;
        let now = self.now.as_second();
        match self.crm.now(&id.id) {
            Some(shape) if format!("{:x}", shape.digest()) == digest => match now - shape.stamp < FRESH {
                true => Err(Written::Later(Failure {
                    system: System::Crm,
                    operation: "patch record".to_owned(),
                    class: Class::Retryable { after: Some(SignedDuration::from_secs(FRESH)) },
                    wide: false,
                    text: "its stamp is too fresh".to_owned(),
                })),
                false => Ok(Version { token: shape.stamp.to_string(), order: Some(shape.stamp) }),
            },
            _ => Err(Written::Lost),
        }
    }

    /// A feed as of an instant, by stamp.
    pub(super) fn feed_by_stamp(&mut self, feed: Feed, position: &Position) -> Changes {
        let at = self.view(Kind::StalePage);
        let mut place = Place::read(position);
        let mut rows = match feed {
            Feed::Leads => self.stamped_records(RecordKind::Lead, at),
            Feed::Opportunities => self.stamped_records(RecordKind::Opportunity, at),
            Feed::Solutions => self.stamped_children(at),
            Feed::Contacts | Feed::Accounts | Feed::ContactRoles | Feed::SalesTeam => vec![],
        };
        rows.retain(|(stamp, id, _)| match &place.after {
            Some((second, after)) => (stamp, id) > (second, after),
            None => *stamp >= place.from,
        });
        rows.sort_by(|one, two| (one.0, &one.1).cmp(&(two.0, &two.1)));
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let last = rows.last().map(|(stamp, id, _)| (*stamp, id.clone()));
        let mut shown = vec![];
        for (stamp, id, changed) in rows {
            if matches!(changed, Changed::Child(_)) {
                if place.told.get(&id) == Some(&stamp) {
                    continue;
                }
                place.told.remove(&id);
                if at.as_second() - stamp >= FRESH {
                    place.told.insert(id, stamp);
                }
            }
            shown.push(changed);
        }
        if !shown.is_empty() || more {
            let stale = if at < self.now { " (stale)" } else { "" };
            let name = self.runs.name.clone();
            say!(self, name, "feed {} {position:?} -> {} rows{stale}", feed.as_str(), shown.len());
        }
        self.saw(&(shown.len(), at));
        place.after = last.filter(|_| more);
        let next = more.then(|| place.write());
        place.from = place.from.max(at.as_second() - OVERLAP);
        place.told.retain(|_, second| *second >= place.from);
        Changes::Page { rows: shown, resume: (!more).then(|| place.write()), next }
    }

    fn stamped_records(&self, kind: RecordKind, at: Timestamp) -> Vec<Row> {
        let histories = self.crm.records.iter().filter(|(id, _)| self.crm.kind(id) == kind);
        let row = |(id, history): (&String, &Vec<super::Then>)| {
            let then = history.iter().rev().find(|then| then.since <= at)?;
            let shown = |shape: &std::sync::Arc<Shape>| {
                (shape.stamp, Changed::Record(shape.seen(id, false, Some(at))))
            };
            let gone = || (then.since.as_second(), Changed::Gone(id.clone()));
            let (stamp, changed) = then.shape.as_ref().map_or_else(gone, shown);
            Some((stamp, id.clone(), changed))
        };
        histories.filter_map(row).collect()
    }

    /// A deleted row still names its opportunity.
    fn stamped_children(&self, at: Timestamp) -> Vec<Row> {
        let mut last = BTreeMap::new();
        for child in self.crm.children.iter().filter(|child| child.since <= at) {
            last.insert(&child.id, child);
        }
        let row =
            |child: &super::Child| (child.stamp, child.id.clone(), Changed::Child(record_id(&child.record)));
        last.into_values().map(row).collect()
    }
}
