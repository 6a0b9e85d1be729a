//! Who wrote what: each side's units with their source, so that every write of ours can be judged the moment it
//! lands. No edit of a person is overwritten before the other side has seen it, unless an audit line says so first; no
//! value is written that nobody wrote; no stage moves back by our doing.

use crate::{invariant::Invariant, trace::short, world::State};
use jiff::{SignedDuration, Timestamp};
use mapping::{Direction, Fields, RecordKind, Side, Unit, Value};
use std::collections::{BTreeMap, BTreeSet};
use sync::audit::Line;

/// An audit line may carry the instant of a clock that runs a little behind.
const SKEW: SignedDuration = SignedDuration::from_secs(6);

/// A read may show what was there so long ago.
const LAG: SignedDuration = SignedDuration::from_secs(crate::world::LAGS);

/// From a run's first read to the landing of its last write, at most.
const A_RUN: SignedDuration = SignedDuration::from_secs(300 + crate::world::LANDS + crate::world::LAGS);

/// What each entity of either side shows, and since when by whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(BTreeMap<(Side, String), Entity>);

#[derive(Clone, Debug, Default)]
struct Entity {
    fields: Fields,
    cells: BTreeMap<String, Cell>,
    /// Every value a unit ever showed.
    shown: BTreeMap<String, Vec<Value>>,
    /// What a unit showed before, and until when.
    left: BTreeMap<String, Vec<(Value, Timestamp)>>,
    /// Every element a list ever had.
    had: BTreeSet<String>,
    /// Since another rule reads a unit it showed something there.
    refilled: bool,
}

/// A unit, or an element of a list (`solutions/SOL-1`).
#[derive(Clone, Debug)]
struct Cell {
    by_person: bool,
    /// The other side has shown the same since.
    told: bool,
    /// Since when both show the same by our doing.
    settled: Option<Timestamp>,
    at: Timestamp,
    /// What this side showed when both last showed the same: whoever goes back to that has changed nothing.
    /// More than one while nobody but people made them agree.
    agreed: Vec<Value>,
}

impl Entity {
    /// Since when a unit has shown this value, now or before: whoever was told of it then knows it.
    fn first_shown(&self, name: &str, value: &Value, now_since: Timestamp) -> Timestamp {
        let left = self.left.get(name).into_iter().flatten();
        let before = left.filter(|(shown, _)| shown == value).map(|(_, until)| *until - A_RUN);
        before.chain([now_since]).min().unwrap_or(now_since)
    }

    /// What a run that ends now may have seen of a unit.
    fn lately(&self, name: &str, now: Timestamp) -> impl Iterator<Item = &Value> {
        let left = self.left.get(name).into_iter().flatten();
        let left = left.filter(move |(_, until)| now.duration_since(*until) < A_RUN).map(|(shown, _)| shown);
        left.chain(self.fields.get(name))
    }
}

impl Cell {
    /// To agree on this once more changes nothing.
    fn has_agreed(&self, shown: &Value, ours: bool) -> bool {
        self.told && self.agreed.contains(shown) && (!ours || self.agreed.len() == 1)
    }

    fn agrees(&mut self, shown: Value, ours: bool, now: Timestamp) {
        self.told = true;
        if ours {
            self.settled = Some(now);
            self.agreed = vec![shown];
        } else if !self.agreed.contains(&shown) {
            self.agreed.push(shown);
        }
    }
}

pub(crate) fn other(side: Side) -> Side {
    match side {
        Side::PartnerCenter => Side::Crm,
        Side::Crm => Side::PartnerCenter,
    }
}

/// Whether a unit is kept in step after creation.
pub(crate) fn is_kept(unit: &Unit) -> bool {
    // People go one way only and differ in number: the scenarios hold them.
    unit.is_kept_in_step() && !["external_reference", "contacts", "team"].contains(&unit.name.as_str())
}

/// How far a deal is: 0 waiting, 1 active, 2 closed.
pub(crate) fn phase(side: Side, kind: RecordKind, status: &Value) -> u8 {
    let text = |name| status.member(name).text().unwrap_or_default();
    match side {
        Side::PartnerCenter => match text("status") {
            "New" => 0,
            "Active" => 1,
            _ => 2,
        },
        Side::Crm => match (text("state"), text("status")) {
            ("0", _) if kind == RecordKind::Lead => 0,
            ("1", _) if kind == RecordKind::Lead => 1,
            ("0", "2") => 0,
            ("0", _) => 1,
            _ => 2,
        },
    }
}

fn keys(list: Option<&Value>) -> BTreeSet<String> {
    list.and_then(Value::members).map(|m| m.keys().cloned().collect()).unwrap_or_default()
}

impl State {
    /// A side shows `after` from now on.
    pub(crate) fn observe(&mut self, side: Side, id: &str, mut after: Fields, ours: bool) {
        let mut one = self.ledger.0.remove(&(side, id.to_owned())).unwrap_or_default();
        let peer = self.peer(side, id);
        let record = if side == Side::Crm { Some(id) } else { peer.as_deref() };
        let kind = record.map_or(RecordKind::Opportunity, |record| self.crm.kind(record));
        let (map, units) = (self.map.of(kind), self.map);
        let mut two =
            peer.as_ref().map(|p| self.ledger.0.remove(&(other(side), p.clone())).unwrap_or_default());
        let about = match side {
            Side::PartnerCenter => Some(id.to_owned()),
            Side::Crm => peer.clone(),
        };
        let new = one.fields.is_empty();
        let born = if new && side == Side::Crm { self.born_of_lead(id, &after) } else { None };
        let of_lead = born.is_some();
        one = born.unwrap_or(one);
        let (mut faults, mut closes, mut changed) = (vec![], false, BTreeSet::new());
        for unit in units.units().filter(|u| is_kept(u)) {
            let name = &unit.name;
            let before = one.fields.get(name);
            let Some(value) = after.get(name) else {
                // Not shown any more (a closed referral hides data): as it was.
                after.extend(before.map(|value| (name.clone(), value.clone())));
                continue;
            };
            if before == Some(value) {
                continue;
            }
            let (before, value) = (before.cloned(), value.clone());
            let moved = self.remapped.filter(|_| name == "notes");
            one.refilled |= moved.is_some() && side == Side::Crm && !value.is_null();
            if ours
                && side == Side::PartnerCenter
                && moved.is_some_and(|since| self.now.duration_since(since) > A_RUN)
                && before.as_ref().is_some_and(|before| !before.is_null())
                && value.is_null()
                && two.as_ref().is_some_and(|two| !two.refilled)
            {
                let words = format!("referral {}: we cleared `{name}`, which nobody emptied", short(id));
                faults.push((Invariant::NewRule, words));
            }
            changed.insert(name.clone());
            if unit.list {
                let (had, has) = (keys(before.as_ref()), keys(Some(&value)));
                for key in had.symmetric_difference(&has) {
                    let cell = format!("{name}/{key}");
                    let adds = has.contains(key);
                    let theirs = two.as_ref().map(|two| keys(two.fields.get(name)));
                    if ours && !new {
                        let lost = one.cells.get(&cell).is_some_and(|c| c.by_person && !c.told);
                        let at = one.cells.get(&cell).map_or(self.now, |c| c.at);
                        if lost && !self.is_told(about.as_deref(), name, None, at) {
                            let verb = if adds { "put back" } else { "took away" };
                            faults.push((Invariant::Unseen, format!("{side:?} {}: we {verb} `{cell}` over a person's edit that nobody else had seen, without a word", short(id))));
                        }
                        if adds && !two.as_ref().is_some_and(|two| two.had.contains(key)) {
                            let words = format!(
                                "{side:?} {}: we added `{cell}`, which the other side never had",
                                short(id)
                            );
                            faults.push((Invariant::Sourced, words));
                        }
                    }
                    // What the other side has just stopped showing may be all that a run saw of it.
                    let met = two.as_ref().and_then(|two| two.cells.get(&cell));
                    let met = met.is_some_and(|theirs| self.now.duration_since(theirs.at) < A_RUN);
                    let told = met || theirs.is_some_and(|theirs| theirs.contains(key) == adds);
                    // What neither side had is what they agreed on.
                    let none = || if new { vec![] } else { vec![Value::Bool(false)] };
                    let agreed = one.cells.get(&cell).map_or_else(none, |c| c.agreed.clone());
                    let by_person = !ours && !agreed.contains(&Value::Bool(adds));
                    let agreed = if ours { vec![Value::Bool(adds)] } else { agreed };
                    // What it was made from is what the link remembers of the other side.
                    if let Some(theirs) =
                        two.as_mut().and_then(|two| two.cells.get_mut(&cell)).filter(|_| ours)
                    {
                        theirs.agreed.push(Value::Bool(adds));
                    }
                    one.cells.insert(cell, Cell { by_person, told, settled: None, at: self.now, agreed });
                }
                one.had.extend(has);
                continue;
            }
            // What one side alone decides, it may write as it likes; a new "not visible" is no edit.
            let decides = match side {
                Side::PartnerCenter => unit.direction == Direction::ToCrm,
                Side::Crm => unit.direction == Direction::ToPartnerCenter,
            };
            // A run that began before the map was another one still writes by the old one.
            let moving = moved.is_some_and(|since| self.now.duration_since(since) <= A_RUN);
            if ours && !decides && !moving {
                if let (Some(before), "status") = (&before, name.as_str())
                    && phase(side, kind, &value) < phase(side, kind, before)
                {
                    faults.push((
                        Invariant::Forward,
                        format!("{side:?} {}: we moved the status back", short(id)),
                    ));
                }
                closes |= name == "status"
                    && phase(side, kind, &value) == 2
                    && before.as_ref().is_some_and(|before| phase(side, kind, before) == 1);
                if let (Side::PartnerCenter, Some(Value::Text(long)), Value::Text(cut)) =
                    (side, &before, &value)
                    && cut.strip_suffix('…').is_some_and(|head| long.starts_with(head.trim_end()))
                {
                    let words = format!("{} : we cut `{name}` to what the CRM holds of it", short(id));
                    faults.push((Invariant::Undone, words));
                }
                let equal = |theirs: &Value| same(map, name, side, &value, theirs);
                if let (Some(two), Some(cell), Some(before)) = (&two, one.cells.get(name), &before)
                    && let (Some(theirs), Some(settled)) = (two.fields.get(name), cell.settled)
                    && !unit.rise_only
                    && same(map, name, side, before, theirs)
                    && !equal(theirs)
                    && !two.left.get(name).is_some_and(|all| {
                        all.iter().any(|(theirs, until)| *until + LAG > settled && equal(theirs))
                    })
                {
                    let (before, value) = (serde_json::json!(before), serde_json::json!(value));
                    let words = format!(
                        "{side:?} {}: we undid `{name}` = {before}, which we had made both show, by {value}",
                        short(id)
                    );
                    faults.push((Invariant::Undone, words));
                }
                // Help makes a deal visible on both sides, by rule.
                let helped =
                    unit.rise_only && value == Value::Bool(true) && self.asks_for_help(side, id, &peer);
                let free = name == "status" || (new && unit.rise_only) || helped;
                let wrote =
                    two.as_ref().and_then(|two| two.shown.get(name)).is_some_and(|all| all.iter().any(equal));
                let born_empty = new && value.is_null();
                let by_conversion = side == Side::Crm && self.is_of_conversion(id, new, name, &value);
                if !free && !wrote && !born_empty && !by_conversion {
                    let value = serde_json::json!(value);
                    let words = format!(
                        "{side:?} {}: we wrote `{name}` = {value}, which the other side never showed",
                        short(id)
                    );
                    faults.push((Invariant::Sourced, words));
                }
                if let (Some(cell), Some(before)) = (one.cells.get(name), &before)
                    && cell.by_person
                    && !cell.told
                    // An action takes no version, and may land late: what a seller does after the read it went out on
                    // cannot be seen.
                    && !(name == "status" && side == Side::Crm && self.acted_unseen(id, cell.at))
                    // On is final by rule, whoever turned it off.
                    && !(unit.rise_only && value == Value::Bool(true))
                    && !self.is_told(about.as_deref(), name, Some(before), one.first_shown(name, before, cell.at))
                {
                    let before = serde_json::json!(before);
                    let words = format!(
                        "{side:?} {}: we overwrote a person's `{name}` = {before} that nobody else had seen, without a word",
                        short(id)
                    );
                    faults.push((Invariant::Unseen, words));
                }
            }
            let mut agreed = one.cells.get(name).map(|c| c.agreed.clone()).unwrap_or_default();
            // What was answered in words stands as it is: to go back to it is no edit either.
            if let (false, Some(cell), Some(before)) = (ours, one.cells.get(name), &before)
                && cell.by_person
                && self.is_told(about.as_deref(), name, Some(before), cell.at)
            {
                agreed.push(before.clone());
            }
            // The link goes on with what the referral would show in an opportunity: to go back to that is no edit.
            if let (true, "status", Some(two)) = (of_lead, name.as_str(), &two) {
                agreed.extend(two.lately(name, self.now).filter_map(|theirs| map.to_crm(name, theirs).ok()));
            }
            let born = new && unit.rise_only;
            let edit = !ours && !born && unit.direction == Direction::Both && !agreed.contains(&value);
            // What the other side has just stopped showing may be all that a run saw of it.
            let just_left = |two: &Entity| {
                two.left.get(name).is_some_and(|left| {
                    left.iter().any(|(theirs, until)| {
                        self.now.duration_since(*until) < A_RUN && same(map, name, side, &value, theirs)
                    })
                })
            };
            let others = if side == Side::Crm { self.named_by(id) } else { vec![] };
            let others = others.into_iter().filter_map(|id| self.ledger.0.get(&(Side::PartnerCenter, id)));
            let met = two.iter().chain(others).any(just_left);
            one.left.entry(name.clone()).or_default().extend(before.map(|before| (before, self.now)));
            // What we wrote is what the link remembers of this side, and so is what a run saw on both, one after the other.
            // ... unless it was born without what its lead had been agreed on, or what its seller had written in the
            // lead was brought over.
            let lead_edit =
                if ours && side == Side::Crm { self.edit_of_lead(id, name, &value) } else { None };
            let as_in_lead = name != "status" && (of_lead || lead_edit.is_some());
            let mut agreed = if ours && !as_in_lead { vec![] } else { agreed };
            if ours {
                agreed.push(value.clone());
            }
            if met && !agreed.contains(&value) {
                agreed.push(value.clone());
            }
            one.cells.insert(
                name.clone(),
                Cell {
                    by_person: edit || lead_edit.is_some(),
                    told: met,
                    settled: None,
                    at: lead_edit.unwrap_or(self.now),
                    agreed,
                },
            );
            if let (true, Some(two)) = (ours, &mut two) {
                // What it was made from is what the link remembers of the other side.
                let from: Vec<Value> = two
                    .shown
                    .get(name)
                    .into_iter()
                    .flatten()
                    .filter(|theirs| same(map, name, side, &value, theirs))
                    .cloned()
                    .collect();
                if let Some(cell) = two.cells.get_mut(name) {
                    cell.agreed.extend(from);
                }
            }
            let shown = one.shown.entry(name.clone()).or_default();
            if !shown.contains(&value) {
                shown.push(value);
            }
        }
        one.fields = after;
        if let Some(two) = &mut two {
            let (pc, crm) = match side {
                Side::PartnerCenter => (&mut one, two),
                Side::Crm => (two, &mut one),
            };
            for unit in units.units().filter(|u| is_kept(u)) {
                tell(map, unit, pc, crm, ours && changed.contains(&unit.name), self.now);
            }
        }
        // Others name it too, and may be the one it becomes.
        for name in if side == Side::Crm { self.named_by(id) } else { vec![] } {
            if let Some(mut pc) = self.ledger.0.remove(&(Side::PartnerCenter, name.clone())) {
                units
                    .units()
                    .filter(|u| is_kept(u))
                    .for_each(|u| tell(map, u, &mut pc, &mut one, false, self.now));
                self.ledger.0.insert((Side::PartnerCenter, name), pc);
            }
        }
        if let (true, Some(two), Some(peer)) = (closes, &two, &peer) {
            faults.extend(self.closed_over(side, peer, two, about.as_deref()));
        }
        self.ledger.0.insert((side, id.to_owned()), one);
        if let (Some(peer), Some(two)) = (peer, two) {
            self.ledger.0.insert((other(side), peer), two);
        }
        for (invariant, words) in faults {
            self.violate(invariant, words);
        }
    }

    /// Edits on the other side of what we just closed that any run could have seen, and that now go nowhere.
    fn closed_over(
        &self,
        closed: Side,
        peer: &str,
        theirs: &Entity,
        about: Option<&str>,
    ) -> Vec<(Invariant, String)> {
        let goes = |unit: &&Unit| {
            // A closed referral may hide data.
            let shown = !self.center.hides;
            let scalar = !unit.list && !unit.rise_only && unit.name != "status";
            shown && scalar && unit.direction == Direction::Both && (closed == Side::Crm || unit.patchable)
        };
        let lost = |unit: &&Unit| {
            theirs.cells.get(&unit.name).is_some_and(|cell| {
                let seen = self.now.duration_since(cell.at) > A_RUN;
                let told = cell.told || self.is_told(about, &unit.name, None, cell.at);
                cell.by_person && seen && !told
            })
        };
        let words = |unit: &Unit| {
            let name = &unit.name;
            let words = format!("{closed:?}: we closed the deal over an edit of `{name}` of {}", short(peer));
            (Invariant::Unseen, words)
        };
        self.map.units().filter(|u| is_kept(u)).filter(goes).filter(lost).map(words).collect()
    }

    /// An opportunity that was made of a lead goes on where the lead stood: what its seller wrote there is still unseen.
    fn born_of_lead(&self, id: &str, after: &Fields) -> Option<Entity> {
        let lead = self.crm.last(id)?.lead.clone()?;
        let mut entity = self.ledger.0.get(&(Side::Crm, lead))?.clone();
        // A lead's status reads alike and means something else.
        entity.fields.retain(|name, value| name != "status" && after.get(name) == Some(value));
        entity.cells.retain(|name, _| name != "status" && !name.contains('/'));
        // What was not handed on is still what both had agreed on: whoever types it once more changes nothing.
        for (name, cell) in &mut entity.cells {
            if !entity.fields.contains_key(name) {
                (cell.by_person, cell.told, cell.settled) = (false, true, None);
            }
        }
        Some(entity)
    }

    /// Since when a person's edit that nobody else has seen has stood in the lead that this opportunity was made of.
    fn edit_of_lead(&self, id: &str, name: &str, value: &Value) -> Option<Timestamp> {
        let lead = self.ledger.0.get(&(Side::Crm, self.crm.last(id)?.lead.clone()?))?;
        let cell = lead.cells.get(name).filter(|cell| cell.by_person && !cell.told)?;
        (lead.fields.get(name) == Some(value)).then_some(cell.at)
    }

    /// Where we convert leads, an opportunity has the conversion's own date, and then what its lead showed.
    fn is_of_conversion(&self, id: &str, new: bool, name: &str, value: &Value) -> bool {
        let Some(lead) = self.crm.last(id).and_then(|shape| shape.lead.clone()) else { return false };
        let lead = self.ledger.0.get(&(Side::Crm, lead));
        let showed = |lead: &Entity| lead.shown.get(name).is_some_and(|all| all.contains(value));
        self.crm.converts && (new && name == "closing_date" || lead.is_some_and(showed))
    }

    /// Whether the pair's record asks Microsoft for help.
    fn asks_for_help(&self, side: Side, id: &str, peer: &Option<String>) -> bool {
        let record = if side == Side::Crm { Some(id) } else { peer.as_deref() };
        let shape = record.and_then(|record| self.crm.last(record));
        shape.is_some_and(|shape| shape.own.get("cosell_helprequested").is_some_and(|help| !help.is_null()))
    }

    /// Whether our action on this record went out on a read older than this edit.
    fn acted_unseen(&self, record: &str, edit: Timestamp) -> bool {
        self.crm.acted_on.get(record).is_some_and(|read| edit >= *read)
    }

    /// The CRM refused to add or remove these elements: what the link remembers of the other side stands as it was.
    pub(crate) fn set_aside(&mut self, record: &str, elements: Vec<(String, bool)>) {
        let Some(peer) = self.peer(Side::Crm, record) else { return };
        let Some(theirs) = self.ledger.0.get_mut(&(Side::PartnerCenter, peer)) else { return };
        for (key, adds) in elements {
            if let Some(cell) = theirs.cells.get_mut(&format!("solutions/{key}")) {
                cell.agreed.push(Value::Bool(!adds));
            }
        }
    }

    /// Another rule reads this unit of a record from now on: what the old one read says nothing of it.
    pub(crate) fn read_otherwise(&mut self, record: &str, unit: &str, shows: Option<Value>) {
        let Some(entity) = self.ledger.0.get_mut(&(Side::Crm, record.to_owned())) else { return };
        entity.cells.remove(unit);
        entity.refilled = shows.as_ref().is_some_and(|value| !value.is_null());
        match shows {
            Some(value) => entity.fields.insert(unit.to_owned(), value),
            None => entity.fields.remove(unit),
        };
    }

    /// It is gone, and what was written on it with it.
    pub(crate) fn forget(&mut self, side: Side, id: &str) {
        if let Some(entity) = self.ledger.0.get_mut(&(side, id.to_owned())) {
            entity.fields.clear();
            entity.cells.clear();
        }
    }

    /// What a side shows, as far as it is known.
    pub(crate) fn fields(&self, side: Side, id: &str) -> Option<&Fields> {
        self.ledger.0.get(&(side, id.to_owned())).map(|entity| &entity.fields)
    }

    /// Audit lines about a referral or record.
    pub(crate) fn audit<'a>(&'a self, about: &'a str) -> impl Iterator<Item = &'a Line> {
        let keys = [format!("REFERRAL#{about}"), format!("RECORD#opportunity/{about}")];
        keys.into_iter().filter_map(|key| self.table.audit.get(&key)).flatten()
    }

    /// An audit line says what becomes of a person's edit.
    fn is_told(&self, about: Option<&str>, unit: &str, loser: Option<&Value>, since: Timestamp) -> bool {
        let Some(about) = about else { return false };
        let quoted = format!("`{unit}`");
        // A list's and a status' loser is told in more words than the one that was seen here.
        let exact = loser.filter(|_| unit != "status").map(|value| serde_json::json!(value).to_string());
        // A loser's own words are told once a run, also if somebody types them again meanwhile.
        let since = since - if exact.is_some() { A_RUN } else { SKEW };
        self.audit(about).filter(|line| line.at >= since).any(|line| match line.decision.as_str() {
            "conflict" => {
                line.text.starts_with(&quoted) && exact.as_ref().is_none_or(|loser| line.text.contains(loser))
            }
            "refused" => unit == "status" || line.text.contains(&quoted),
            _ => false,
        })
    }
}

/// Whether what this side shows is what the other one shows, in its own words.
fn same(map: &mapping::Map, unit: &str, side: Side, own: &Value, theirs: &Value) -> bool {
    match side {
        Side::PartnerCenter => map.equal(unit, own, theirs),
        Side::Crm => map.equal(unit, theirs, own),
    }
}

/// Both show the same: what one of them wrote has been seen by the other.
fn tell(map: &mapping::Map, unit: &Unit, pc: &mut Entity, crm: &mut Entity, ours: bool, now: Timestamp) {
    let name = &unit.name;
    let (Some(p), Some(c)) = (pc.fields.get(name), crm.fields.get(name)) else { return };
    let known = |one: &Entity, shown| one.cells.get(name).is_none_or(|cell| cell.has_agreed(shown, ours));
    if !unit.list && known(pc, p) && known(crm, c) {
        return;
    }
    if unit.list {
        let (p, c) = (keys(Some(p)), keys(Some(c)));
        for key in p.union(&c).chain(&pc.had).chain(&crm.had).cloned().collect::<BTreeSet<_>>() {
            if p.contains(&key) == c.contains(&key) {
                let there = Value::Bool(p.contains(&key));
                let cell = format!("{name}/{key}");
                for entity in [&mut *pc, &mut *crm] {
                    if let Some(cell) = entity.cells.get_mut(&cell) {
                        cell.agrees(there.clone(), ours, now);
                    }
                }
            }
        }
    } else if map.equal(name, p, c) {
        for entity in [pc, crm] {
            let shown = entity.fields.get(name).cloned();
            if let (Some(cell), Some(shown)) = (entity.cells.get_mut(name), shown) {
                cell.agrees(shown, ours, now);
            }
        }
    }
}

#[cfg(test)]
mod tests;
