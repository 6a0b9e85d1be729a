//! Merges lists element by element.

use super::{
    plan::{Plan, UnitChange},
    view::View,
};
use crate::{
    planted::{self, Bug},
    state::image::is_image,
};
use mapping::{Direction, Map, Side, Unit, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Merges a list element by element, by key. The target's list must have been read, since it is sent whole.
pub(super) fn lists(map: &Map, unit: &Unit, pc: View<'_>, crm: View<'_>, plan: &mut Plan) {
    let name = &unit.name;
    let (Some(p), Some(c)) = (pc.value, crm.value) else {
        plan.need = Some(if pc.value.is_none() { Side::PartnerCenter } else { Side::Crm });
        return;
    };
    let (p, c) = (elements(p), elements(c));
    let base = |look: View<'_>| look.base.map(elements).unwrap_or_default();
    let (pb, cb) = (base(pc), base(crm));
    let owner = map.owner(name, None);
    let (mut to_p, mut to_c) = (p.clone(), c.clone());
    let mut other_words = BTreeSet::new();
    for key in p.keys().chain(c.keys()).chain(pb.keys()).chain(cb.keys()).collect::<BTreeSet<_>>() {
        let differs = |now: &BTreeMap<String, Value>, base: &BTreeMap<String, Value>| {
            // Only the keys are compared: after an answer without state, the base holds the other side's form of the
            // element.
            now.contains_key(key) != base.contains_key(key)
        };
        let (p_new, c_new) = match planted::is(Bug::ListsWhole) {
            true => (pc.changed(), crm.changed()),
            false => (differs(&p, &pb), differs(&c, &cb)),
        };
        let from_p = match (p_new, c_new) {
            (false, false) => {
                if let Some(element) = reworded(map, unit, key, [&p, &c, &cb]) {
                    to_p.insert(key.clone(), element);
                    other_words.insert(key.clone());
                }
                continue;
            }
            (true, false) => true,
            (false, true) => false,
            (true, true) => owner == Side::PartnerCenter,
        };
        let (from, to) = if from_p { (&p, &mut to_c) } else { (&c, &mut to_p) };
        match from.get(key) {
            // An element that both sides have stays as each side has it: each may hold columns that the other does not
            // know.
            Some(element) if !to.contains_key(key) => {
                to.insert(key.clone(), element.clone());
            }
            Some(_) => {}
            None => {
                to.remove(key);
            }
        }
    }
    if to_p.is_empty() && !p.is_empty() {
        plan.refused.insert(name.clone(), format!("`{name}`: the last one cannot be removed"));
        plan.agree.insert(name.clone(), (Value::Map(p), Value::Map(c)));
        return;
    }
    let differing = |a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>| -> BTreeSet<String> {
        a.keys().chain(b.keys()).filter(|key| a.contains_key(*key) != b.contains_key(*key)).cloned().collect()
    };
    let (mut for_p, for_c) = (differing(&to_p, &p), differing(&to_c, &c));
    for_p.append(&mut other_words);
    if !for_p.is_empty() && unit.direction != Direction::ToCrm {
        let change = UnitChange { value: Value::Map(to_p), source: Value::Map(c), pending: for_c };
        plan.to_partner_center.insert(name.clone(), change);
    } else if !for_c.is_empty() && unit.direction != Direction::ToPartnerCenter {
        let change = UnitChange { value: Value::Map(to_c), source: Value::Map(p), pending: for_p };
        plan.to_crm.insert(name.clone(), change);
    } else {
        plan.agree.insert(name.clone(), (Value::Map(p), Value::Map(c)));
    }
}

fn elements(value: &Value) -> BTreeMap<String, Value> {
    match value {
        Value::Map(elements) => elements.clone(),
        _ => BTreeMap::new(),
    }
}

/// For a list that only the CRM decides (people): the new form of an element that a user changed in the CRM. A field
/// that is empty in the CRM is left out and stays as it is in Partner Center: several people may share one key, and one
/// person's values must not replace another's.
fn reworded(map: &Map, unit: &Unit, key: &str, [p, c, base]: [&BTreeMap<String, Value>; 3]) -> Option<Value> {
    let (p, c, base) = (p.get(key)?, c.get(key)?, base.get(key)?);
    if unit.direction != Direction::ToPartnerCenter || is_image(c, base) {
        return None;
    }
    let mut wanted = c.members()?.clone();
    wanted.retain(|_, value| !value.is_null());
    let mut would_show = p.members()?.clone();
    would_show.extend(wanted.clone());
    let alone = |element: Value| Value::Map(BTreeMap::from([(key.to_owned(), element)]));
    let same = map.equal(&unit.name, &alone(p.clone()), &alone(Value::Map(would_show)));
    (!same).then_some(Value::Map(wanted))
}
