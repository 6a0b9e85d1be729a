//! Who wrote what: each side's units with their source, so that every write of ours can be judged the moment it
//! lands. No edit of a person is overwritten before the other side has seen it, unless an audit line says so first; no
//! value is written that nobody wrote; no stage moves back by our doing.

use crate::{trace::short, world::State};
use jiff::{SignedDuration, Timestamp};
use mapping::{Direction, Fields, On, Side, Unit, Value};
use std::collections::{BTreeMap, BTreeSet};
use sync::audit::Line;

/// An audit line may carry the instant of a clock that runs a little behind.
const SKEW: SignedDuration = SignedDuration::from_secs(6);

/// Between the read before an action and the action itself.
const BLIND: SignedDuration = SignedDuration::from_secs(60);

/// What each entity of either side shows, and since when by whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(BTreeMap<(Side, String), Entity>);

#[derive(Clone, Debug, Default)]
struct Entity {
    fields: Fields,
    cells: BTreeMap<String, Cell>,
    /// Every value a unit ever showed.
    shown: BTreeMap<String, Vec<Value>>,
    /// Every element a list ever had.
    had: BTreeSet<String>,
}

/// A unit, or an element of a list (`solutions/SOL-1`).
#[derive(Clone, Debug)]
struct Cell {
    by_person: bool,
    /// The other side has shown the same since.
    told: bool,
    at: Timestamp,
    /// What this side showed when both last showed the same: whoever goes back to that has changed nothing.
    /// More than one while nobody but people made them agree.
    agreed: Vec<Value>,
}

impl Cell {
    fn agrees(&mut self, shown: Value, ours: bool) {
        self.told = true;
        if ours {
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
    unit.has_referral && unit.has_crm && unit.on != On::Create && unit.name != "external_reference"
}

/// How far a deal is: 0 waiting, 1 active, 2 closed.
pub(crate) fn phase(side: Side, status: &Value) -> u8 {
    let text = |name| status.member(name).text().unwrap_or_default();
    match side {
        Side::PartnerCenter => match text("status") {
            "New" => 0,
            "Active" => 1,
            _ => 2,
        },
        Side::Crm => match (text("state"), text("status")) {
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
        let map = self.map;
        let mut one = self.ledger.0.remove(&(side, id.to_owned())).unwrap_or_default();
        let peer = self.peer(side, id);
        let mut two =
            peer.as_ref().map(|p| self.ledger.0.remove(&(other(side), p.clone())).unwrap_or_default());
        let about = match side {
            Side::PartnerCenter => Some(id.to_owned()),
            Side::Crm => peer.clone(),
        };
        let new = one.fields.is_empty();
        let mut faults = vec![];
        for unit in map.units().filter(|u| is_kept(u)) {
            let name = &unit.name;
            let before = one.fields.get(name).cloned();
            let Some(value) = after.get(name).cloned() else {
                // Not shown any more (a closed referral hides data): as it was.
                after.extend(before.map(|value| (name.clone(), value)));
                continue;
            };
            if before.as_ref() == Some(&value) {
                continue;
            }
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
                            faults.push(format!("{side:?} {}: we {verb} `{cell}` over a person's edit that nobody else had seen, without a word", short(id)));
                        }
                        if adds && !two.as_ref().is_some_and(|two| two.had.contains(key)) {
                            faults.push(format!(
                                "{side:?} {}: we added `{cell}`, which the other side never had",
                                short(id)
                            ));
                        }
                    }
                    let told = theirs.is_some_and(|theirs| theirs.contains(key) == adds);
                    // What neither side had is what they agreed on.
                    let none = || if new { vec![] } else { vec![Value::Bool(false)] };
                    let agreed = one.cells.get(&cell).map_or_else(none, |c| c.agreed.clone());
                    let by_person = !ours && !agreed.contains(&Value::Bool(adds));
                    let agreed = if ours { vec![Value::Bool(adds)] } else { agreed };
                    one.cells.insert(cell, Cell { by_person, told, at: self.now, agreed });
                }
                one.had.extend(has);
                continue;
            }
            // What one side alone decides, it may write as it likes; a new "not visible" is no edit.
            let decides = match side {
                Side::PartnerCenter => unit.direction == Direction::ToCrm,
                Side::Crm => unit.direction == Direction::ToPartnerCenter,
            };
            if ours && !decides {
                if let (Some(before), "status") = (&before, name.as_str())
                    && phase(side, &value) < phase(side, before)
                {
                    faults.push(format!("{side:?} {}: we moved the status back", short(id)));
                }
                let equal = |theirs: &Value| match side {
                    Side::PartnerCenter => map.equal(name, &value, theirs),
                    Side::Crm => map.equal(name, theirs, &value),
                };
                let free = name == "status" || (new && unit.rise_only);
                let wrote =
                    two.as_ref().and_then(|two| two.shown.get(name)).is_some_and(|all| all.iter().any(equal));
                let born_empty = new && value.is_null();
                if !free && !wrote && !born_empty {
                    faults.push(format!(
                        "{side:?} {}: we wrote `{name}` = {}, which the other side never showed",
                        short(id),
                        serde_json::json!(value)
                    ));
                }
                if let (Some(cell), Some(before)) = (one.cells.get(name), &before)
                    && cell.by_person
                    && !cell.told
                    // An action takes no version: what a seller does between the read just before and the action itself
                    // cannot be seen.
                    && !(name == "status" && side == Side::Crm && self.now.duration_since(cell.at) < BLIND)
                    // On is final by rule, whoever turned it off.
                    && !(unit.rise_only && value == Value::Bool(true))
                    && !self.is_told(about.as_deref(), name, Some(before), cell.at)
                {
                    faults.push(format!("{side:?} {}: we overwrote a person's `{name}` = {} that nobody else had seen, without a word", short(id), serde_json::json!(before)));
                }
            }
            let agreed = one.cells.get(name).map(|c| c.agreed.clone()).unwrap_or_default();
            let born = new && unit.rise_only;
            let edit = !ours && !born && unit.direction == Direction::Both && !agreed.contains(&value);
            // What we wrote is what the link remembers of this side.
            let agreed = if ours { vec![value.clone()] } else { agreed };
            one.cells.insert(name.clone(), Cell { by_person: edit, told: false, at: self.now, agreed });
            if let (true, Some(two)) = (ours, &mut two) {
                // What it was made from is what the link remembers of the other side.
                let from: Vec<Value> = two
                    .shown
                    .get(name)
                    .into_iter()
                    .flatten()
                    .filter(|theirs| match side {
                        Side::PartnerCenter => map.equal(name, &value, theirs),
                        Side::Crm => map.equal(name, theirs, &value),
                    })
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
            for unit in map.units().filter(|u| is_kept(u)) {
                tell(map, unit, pc, crm, ours);
            }
        }
        self.ledger.0.insert((side, id.to_owned()), one);
        if let (Some(peer), Some(two)) = (peer, two) {
            self.ledger.0.insert((other(side), peer), two);
        }
        for fault in faults {
            self.violate(fault);
        }
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
        self.audit(about).filter(|line| line.at >= since - SKEW).any(|line| match line.decision.as_str() {
            "conflict" => {
                line.text.starts_with(&quoted) && exact.as_ref().is_none_or(|loser| line.text.contains(loser))
            }
            "refused" => unit == "status" || line.text.contains(&quoted),
            _ => false,
        })
    }
}

/// Both show the same: what one of them wrote has been seen by the other.
fn tell(map: &mapping::Map, unit: &Unit, pc: &mut Entity, crm: &mut Entity, ours: bool) {
    let name = &unit.name;
    let (Some(p), Some(c)) = (pc.fields.get(name), crm.fields.get(name)) else { return };
    if unit.list {
        let (p, c) = (keys(Some(p)), keys(Some(c)));
        for key in p.union(&c).chain(&pc.had).chain(&crm.had).cloned().collect::<BTreeSet<_>>() {
            if p.contains(&key) == c.contains(&key) {
                let there = Value::Bool(p.contains(&key));
                let cell = format!("{name}/{key}");
                for entity in [&mut *pc, &mut *crm] {
                    if let Some(cell) = entity.cells.get_mut(&cell) {
                        cell.agrees(there.clone(), ours);
                    }
                }
            }
        }
    } else if map.equal(name, p, c) {
        for entity in [pc, crm] {
            let shown = entity.fields.get(name).cloned();
            if let (Some(cell), Some(shown)) = (entity.cells.get_mut(name), shown) {
                cell.agrees(shown, ours);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crm::record_id,
        dice::Dice,
        faults::{Allowed, Faults},
        samples::{CUSTOMERS, incoming},
        world::World,
    };
    use mapping::{CrmKind, CrmValue, Map, RecordPatch, ReferralId};
    use serde_json::json;
    use sync::version::Version;

    /// A referral and the record that was made of it.
    fn deal() -> (World, ReferralId, String) {
        let mut dice = Dice::seeded(1);
        let faults = Faults::of(&Allowed::new(false), &mut dice);
        let world = World::new(Map::standard(CrmKind::Dynamics365), dice, faults, false);
        let (referral, record) = {
            let mut state = world.lock();
            let mut body = incoming(CUSTOMERS[0]);
            body["status"] = json!("Active");
            body["substatus"] = json!("Accepted");
            let id = state.receive_referral(body);
            let shown = state.center.now(&id).cloned().unwrap();
            let new = state.map.new_record(&shown).unwrap();
            _ = state.create_record(&new, None);
            let record = state.peer(Side::PartnerCenter, id.as_str()).unwrap();
            assert_eq!(state.violations, Vec::<String>::new());
            (id, record)
        };
        (world, referral, record)
    }

    fn write(state: &mut State, record: &str, column: &str, value: serde_json::Value) {
        let version = state.crm.now(record).unwrap().version;
        let version = Version { token: format!("W/\"{version}\""), order: Some(version) };
        let mut patch = RecordPatch::default();
        patch.columns.insert(column.to_owned(), CrmValue::Plain(value));
        _ = state.patch_record(&record_id(record), &version, &patch);
    }

    fn told(state: &State, words: &str) -> bool {
        state.violations.iter().any(|violation| violation.contains(words))
    }

    #[test]
    fn an_unseen_edit_that_is_overwritten_without_a_word_is_told() {
        let (world, referral, record) = deal();
        let mut state = world.lock();
        state.sales(&record, "description", json!("the seller's words"));
        state.colleague(&referral, "/details/notes", json!("the colleague's words"));
        write(&mut state, &record, "description", json!("the colleague's words"));
        assert!(told(&state, "we overwrote a person's `notes`"), "{:?}", state.violations);
    }

    #[test]
    fn an_edit_that_was_seen_may_be_superseded() {
        let (world, referral, record) = deal();
        let mut state = world.lock();
        state.sales(&record, "description", json!("the seller's words"));
        state.colleague(&referral, "/details/notes", json!("the seller's words"));
        state.colleague(&referral, "/details/notes", json!("the colleague's words"));
        write(&mut state, &record, "description", json!("the colleague's words"));
        assert_eq!(state.violations, Vec::<String>::new());
    }

    #[test]
    fn a_value_that_nobody_wrote_a_stage_moved_back_and_an_unmapped_column_are_told() {
        let (world, _, record) = deal();
        let mut state = world.lock();
        write(&mut state, &record, "description", json!("nobody's words"));
        assert!(told(&state, "which the other side never showed"), "{:?}", state.violations);
        write(&mut state, &record, "statuscode", json!(2));
        assert!(told(&state, "moved the status back"), "{:?}", state.violations);
        write(&mut state, &record, crate::crm::UNMAPPED, json!("South"));
        assert!(told(&state, "is not mapped"), "{:?}", state.violations);
    }

    #[test]
    fn a_second_half_of_an_engagement_is_told() {
        let (world, referral, _) = deal();
        let mut state = world.lock();
        let shown = state.center.now(&referral).cloned().unwrap();
        for _ in 0..2 {
            _ = state.create_referral(&shown.body().to_string());
        }
        assert!(told(&state, "Microsoft halves of one engagement"), "{:?}", state.violations);
    }
}
