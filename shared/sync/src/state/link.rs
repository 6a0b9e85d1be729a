//! The link row: which referral and record belong together, each side's values when both agreed, which versions were
//! seen, and the claim of a write that is in flight.

pub use super::{
    image::{digest, image},
    memory::{Memory, Sighting},
};
use crate::{
    planted::{self, Bug},
    state::{audit::Journal, note::Note, parked::Parked, version::Version},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{EngagementId, Map, RecordId, ReferralId, Side, Unit, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The brake parks a link with more writes of ours within an hour than this.
pub const OWN_WRITES_AN_HOUR: u32 = 20;
/// The brake parks a link with more lost races within an hour than this.
pub const LOST_RACES_AN_HOUR: u32 = 60;

/// A link between one referral and one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Our own referral, which the link's key names.
    pub referral: ReferralId,
    /// The engagement of the referral.
    pub engagement: Option<EngagementId>,
    /// Microsoft's half of the engagement, once it is known.
    pub microsoft: Option<ReferralId>,
    /// Microsoft's own number of the deal, from Microsoft's half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_crm_id: Option<String>,
    /// Microsoft's last message, from its half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_said: Option<String>,
    /// Notes that are still to be written at the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The kind of help that was asked of Microsoft, as the CRM shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Value>,
    /// The rows that the record pointed to (contact, owner) when its related rows were last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// The ids of the rows of its lists at that time: the feed reports a deleted child row by its id alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub children: BTreeSet<String>,
    /// The record; `None` while it is being created.
    pub record: Option<RecordId>,
    /// The lead that the record was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<RecordId>,
    /// The values that an opportunity is filled in with when it takes its lead's place, where they differ from what was
    /// agreed with the lead: Partner Center's image and the CRM's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filling: BTreeMap<String, (Value, Value)>,
    /// Where the link is in its life.
    pub state: State,
    /// What is remembered of Partner Center.
    pub partner_center: Memory,
    /// What is remembered of the CRM.
    pub crm: Memory,
    /// The claim of a write in flight. It binds every run until its deadline, its maker's next run too.
    pub claim: Option<Claim>,
    /// Parked units; `*` stands for the whole link.
    #[serde(default)]
    pub parked: BTreeMap<String, Parked>,
    /// How each unit's images were read ([`mapping::Unit::reading`]). A unit whose rule now reads otherwise has no
    /// images. A unit without an entry, in a link from before readings were stored, counts as read by the map of that
    /// time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, String>,
    /// Units whose change waits for acceptance.
    #[serde(default)]
    pub awaiting: BTreeSet<String>,
    /// When a detached link's record was last not found; of any other link, when a read first did not return the
    /// record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Timestamp>,
    /// Units whose text the CRM holds in shortened form.
    #[serde(default)]
    pub shortened: BTreeSet<String>,
    /// The last audit lines.
    #[serde(default)]
    pub journal: Journal,
    /// Our own writes within the present hour, for the brake.
    #[serde(default)]
    pub own_writes: Hourly,
    /// The lost races within the present hour, for the brake.
    #[serde(default)]
    pub lost_races: Hourly,
}

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The record is being created.
    Creating,
    /// Both sides exist and are kept in step.
    Linked,
    /// The record is gone; nothing is written or made again.
    Detached,
    /// The referral is terminal and both sides show it.
    Closed,
    /// The seller set Sync to No.
    Stopped,
}

/// A saved announcement of one write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The side that is written.
    pub side: Side,
    /// The units that are written; empty for a write of the Audit field alone.
    pub units: BTreeSet<String>,
    /// The version the write is conditional on; `None` for a create.
    pub base: Option<Version>,
    /// A read that began after this instant may judge the claim.
    pub deadline: Timestamp,
}

/// A count that begins anew after an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hourly {
    since: Option<Timestamp>,
    count: u32,
}

impl Hourly {
    /// Counts one more, and returns the count of the present hour.
    pub fn add(&mut self, now: Timestamp) -> u32 {
        if self.since.is_none_or(|since| now.duration_since(since) > SignedDuration::from_hours(1)) {
            *self = Hourly { since: Some(now), count: 0 };
        }
        self.count += 1;
        self.count
    }
}

impl Link {
    /// A new link between a referral and a record, without any base.
    pub fn new(referral: ReferralId, record: Option<RecordId>, state: State) -> Self {
        Link {
            referral,
            engagement: None,
            microsoft: None,
            microsoft_crm_id: None,
            microsoft_said: None,
            notes: vec![],
            asked: None,
            related: None,
            children: BTreeSet::new(),
            record,
            lead: None,
            filling: BTreeMap::new(),
            state,
            partner_center: Memory::default(),
            crm: Memory::default(),
            claim: None,
            parked: BTreeMap::new(),
            readings: BTreeMap::new(),
            awaiting: BTreeSet::new(),
            gone: None,
            shortened: BTreeSet::new(),
            journal: Journal::default(),
            own_writes: Hourly::default(),
            lost_races: Hourly::default(),
        }
    }

    /// Whether the link is clean: no claim, nothing outstanding, both versions settled.
    pub fn is_clean(&self) -> bool {
        self.claim.is_none()
            && self.parked.is_empty()
            && self.notes.is_empty()
            && self.awaiting.is_empty()
            && self.partner_center.settled.is_some()
            && self.crm.settled.is_some()
    }

    /// What the link remembers of one side.
    pub fn side(&self, side: Side) -> &Memory {
        match side {
            Side::PartnerCenter => &self.partner_center,
            Side::Crm => &self.crm,
        }
    }

    /// What the link remembers of one side, for a change.
    pub fn side_mut(&mut self, side: Side) -> &mut Memory {
        match side {
            Side::PartnerCenter => &mut self.partner_center,
            Side::Crm => &mut self.crm,
        }
    }

    /// Saves what both sides agree on for a unit: each side's own value becomes its image.
    pub fn agree(&mut self, unit: &str, partner_center: &Value, crm: &Value) {
        self.partner_center.images.insert(unit.to_owned(), image(partner_center));
        let agreed = if planted::is(Bug::OneAgreedValue) { partner_center } else { crm };
        self.crm.images.insert(unit.to_owned(), image(agreed));
        let shortened = match (partner_center, crm) {
            (Value::Text(long), Value::Text(short)) => short.ends_with('…') && short.len() < long.len(),
            _ => false,
        };
        if shortened {
            self.shortened.insert(unit.to_owned());
        } else {
            self.shortened.remove(unit);
        }
    }

    /// Takes the base from these units: it is no longer known what both sides agreed on.
    pub fn forget(&mut self, units: &BTreeSet<String>) {
        for unit in units {
            self.partner_center.images.remove(unit);
            self.crm.images.remove(unit);
        }
    }

    /// The units whose images another rule read: the value of one column says nothing about another column.
    pub fn read_otherwise<'a>(&'a self, map: &'a Map) -> impl Iterator<Item = &'a Unit> {
        let known = |unit: &&Unit| {
            let images = [&self.partner_center.images, &self.crm.images];
            images.into_iter().any(|images| images.contains_key(&unit.name))
        };
        let other = |unit: &&Unit| {
            let noted = self.readings.get(&unit.name).map(String::as_str);
            noted.or(map.reading_before(&unit.name)).is_some_and(|reading| reading != unit.reading)
        };
        // A closed deal is no longer compared.
        let over = self.state == State::Closed || planted::is(Bug::ReadingsIgnored);
        map.units().filter(move |_| !over).filter(known).filter(other)
    }

    /// Takes the base from the units that another rule read, and has both sides read again.
    pub fn forget_other_readings(&mut self, map: &Map) {
        let other: BTreeSet<String> = self.read_otherwise(map).map(|unit| unit.name.clone()).collect();
        if other.is_empty() {
            return;
        }
        self.forget(&other);
        for unit in other {
            // An empty reading is another rule's as well: a unit without one must not count as read by the present
            // rule.
            self.readings.entry(unit).or_default();
        }
        self.partner_center.settled = None;
        self.crm.settled = None;
    }

    /// Saves by which rule the present images were read.
    pub fn note_readings(&mut self, map: &Map) {
        if self.state == State::Closed {
            // A closed link keeps its images, whichever rule read them.
            return;
        }
        for unit in map.units() {
            let images = [&self.partner_center.images, &self.crm.images];
            if images.into_iter().any(|images| images.contains_key(&unit.name)) {
                self.readings.insert(unit.name.clone(), unit.reading.clone());
            }
        }
    }

    /// The record's kind has changed, or is now known. A unit that the rule of the map `before` read counts from now on
    /// as read by the rule of the same name in `map`; a unit that was read by neither keeps its reading.
    pub(crate) fn is_read_by(&mut self, map: &Map, before: &Map) {
        for unit in map.units() {
            let same = |reading: &String| before.unit(&unit.name).is_some_and(|old| old.reading == *reading);
            if self.readings.get(&unit.name).is_none_or(same) {
                self.readings.insert(unit.name.clone(), unit.reading.clone());
            }
        }
    }

    /// Whether the unit has no usable images because another rule read it before, or none did.
    pub fn is_new_to(&self, unit: &Unit) -> bool {
        self.readings.get(&unit.name) != Some(&unit.reading)
    }

    /// Judges a claim whose deadline has passed, by a read that began after it. The read returned the claimed version:
    /// the write never happened. Any other version: the claimed units have no base. An equal value proves nothing, a
    /// person may have typed it. `loose` units lose their base in either case: the rows of a CRM's list are no part of
    /// the record's version.
    pub fn judge_claim(&mut self, read: &Version, loose: impl Fn(&str) -> bool) {
        if let Some(claim) = self.claim.take() {
            if planted::is(Bug::DeadWriteForgotten) {
                return;
            }
            let same = claim.base.as_ref().is_some_and(|base| base.was_not_written_over(read));
            self.forget(
                &claim
                    .units
                    .into_iter()
                    .filter(|unit| !same || loose(unit) && !planted::is(Bug::ListVersionTrusted))
                    .collect(),
            );
        }
    }
}
