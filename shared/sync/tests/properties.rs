//! What holds for every merge, whatever the two sides show: no value is made up, none is lost without an audit line, and a
//! unit that was written needs no write afterwards.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mapping::{CrmKind, Fields, Map, ReferralId, Side, Value};
use proptest::{collection::btree_set, option, prelude::*};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use sync::{
    link::{Link, State, image},
    merge::{Plan, SideFields, UnitChange, merge},
};

/// Units that hold one value; the list has tests of its own.
const PLAIN: [&str; 5] = ["name", "notes", "value", "closing_date", "external_reference"];

fn map() -> &'static Map {
    Map::standard(CrmKind::Dynamics365)
}

fn value(json: Json) -> Value {
    serde_json::from_value(json).unwrap()
}

fn text() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        "[abc]{1,2}".prop_map(Json::from),
        "\\PC{1,20}".prop_map(Json::from),
        (2100usize..2200).prop_map(|n| json!("a word ".repeat(n / 7))),
    ]
}

/// What a referral shows, in canonical form. A unit that is missing was not observed.
fn shown() -> impl Strategy<Value = Fields> {
    let amount = (1u32..5, prop_oneof!["CHF", "EUR"]).prop_map(|(deal_value, currency)| {
        json!({ "deal_value": (deal_value * 1000).to_string(), "currency": currency })
    });
    let date = (1u8..28).prop_map(|day| json!(format!("2027-03-{day:02}")));
    let reference = option::of(0u8..3).prop_map(|n| json!(n.map(|n| format!("r-{n}"))));
    let solutions = btree_set("[A-D]", 1..4)
        .prop_map(|ids| Json::Object(ids.into_iter().map(|id| (id.clone(), json!({ "id": id }))).collect()));
    (
        option::of(text()),
        option::of(text()),
        option::of(amount),
        option::of(date),
        option::of(reference),
        option::of(solutions),
        option::of(any::<bool>()),
    )
        .prop_map(|(name, notes, amount, date, reference, solutions, visible)| {
            let all = [
                ("name", name),
                ("notes", notes),
                ("value", amount),
                ("closing_date", date),
                ("external_reference", reference),
                ("solutions", solutions),
                ("visible", visible.map(Json::from)),
            ];
            all.into_iter().filter_map(|(unit, json)| Some((unit.to_owned(), value(json?)))).collect()
        })
}

/// The same values as the CRM would show them; a value that it cannot show is not observed there.
fn in_crm(fields: &Fields) -> Fields {
    let there = |(unit, value): (&String, &Value)| {
        let there =
            if unit == "external_reference" { value.clone() } else { map().to_crm(unit, value).ok()? };
        Some((unit.clone(), there))
    };
    fields.iter().filter_map(there).collect()
}

fn over(below: &Fields, above: Fields) -> Fields {
    let mut fields = below.clone();
    fields.extend(above);
    fields
}

/// Both sides and the link between them.
#[derive(Clone, Debug)]
struct Deal {
    link: Link,
    partner_center: Fields,
    crm: Fields,
}

impl Deal {
    /// An accepted deal on which both sides agree.
    fn agreed(fields: Fields) -> Self {
        let status = [(
            "status".to_owned(),
            value(json!({ "status": "Active", "substatus": "Accepted", "reason": null })),
        )];
        let crm_status = [("status".to_owned(), value(json!({ "state": "0", "status": "1" })))];
        let mut crm = in_crm(&fields);
        let mut partner_center: Fields =
            fields.into_iter().filter(|(unit, _)| crm.contains_key(unit)).collect();
        partner_center.extend(status);
        crm.extend(crm_status);
        let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01").unwrap();
        let mut link = Link::new(referral, None, State::Linked);
        for (unit, shown) in &partner_center {
            link.agree(unit, shown, &crm[unit]);
        }
        Deal { link, partner_center, crm }
    }

    fn merged(&self) -> Plan {
        merge(
            map(),
            &self.link,
            SideFields { partner_center: Some(&self.partner_center), crm: Some(&self.crm) },
        )
    }

    /// Carries a plan out as a settle would: agreements, then the writes.
    fn carry_out(&mut self, plan: &Plan) {
        for (unit, (partner_center, crm)) in &plan.agree {
            self.link.agree(unit, partner_center, crm);
        }
        for (unit, change) in &plan.to_crm {
            self.crm.insert(unit.clone(), change.value.clone());
            self.settled(unit, change, &change.source, &change.value);
        }
        for (unit, change) in &plan.to_partner_center {
            self.partner_center.insert(unit.clone(), change.value.clone());
            self.settled(unit, change, &change.value, &change.source);
        }
    }

    fn settled(&mut self, unit: &str, change: &UnitChange, partner_center: &Value, crm: &Value) {
        let before =
            [Side::PartnerCenter, Side::Crm].map(|side| self.link.side(side).images.get(unit).cloned());
        self.link.agree(unit, partner_center, crm);
        for (side, before) in [Side::PartnerCenter, Side::Crm].into_iter().zip(before) {
            let image = self.link.side_mut(side).images.get_mut(unit);
            let (Some(Value::Map(now)), Some(Value::Map(before))) = (image, before) else { continue };
            for key in &change.pending {
                match before.get(key) {
                    Some(element) => now.insert(key.clone(), element.clone()),
                    None => now.remove(key),
                };
            }
        }
    }

    fn changed(&self, side: Side, unit: &str) -> bool {
        let shown = if side == Side::Crm { &self.crm } else { &self.partner_center };
        let base = self.link.side(side).images.get(unit);
        shown.get(unit).zip(base).is_some_and(|(now, base)| image(now) != *base)
    }
}

fn deal() -> impl Strategy<Value = Deal> {
    shown().prop_map(Deal::agreed)
}

/// A deal that users on both sides have edited since.
fn edited() -> impl Strategy<Value = Deal> {
    (deal(), shown(), shown()).prop_map(|(deal, here, there)| {
        let known = |fields: Fields| -> Fields {
            fields.into_iter().filter(|(unit, _)| deal.partner_center.contains_key(unit)).collect()
        };
        let partner_center = over(&deal.partner_center, known(here));
        let crm = over(&deal.crm, in_crm(&known(there)));
        Deal { partner_center, crm, ..deal }
    })
}

fn writes(plan: &Plan) -> BTreeSet<&String> {
    plan.to_crm.keys().chain(plan.to_partner_center.keys()).collect()
}

/// The keys of a list.
fn keys(list: Option<&Value>) -> BTreeSet<String> {
    list.and_then(Value::members).map(|m| m.keys().cloned().collect()).unwrap_or_default()
}

/// Whether each solution was removed by a user on one side or the other. A referral keeps at least one: the removals are
/// refused, and both sides stay as they are.
fn all_solutions_gone(deal: &Deal) -> bool {
    let base = keys(deal.link.side(Side::Crm).images.get("solutions"));
    let (here, there) = (keys(deal.partner_center.get("solutions")), keys(deal.crm.get("solutions")));
    let gone = |key: &String| base.contains(key) && !(here.contains(key) && there.contains(key));
    base.iter().chain(&here).chain(&there).all(gone)
}

proptest! {
    #[test]
    fn what_nobody_changed_is_left_alone(deal in deal()) {
        let plan = deal.merged();
        prop_assert!(writes(&plan).is_empty() && plan.action.is_none(), "{plan:?}");
        prop_assert!(plan.conflicts.is_empty() && plan.unfit.is_empty() && plan.need.is_none(), "{plan:?}");
    }

    #[test]
    fn only_what_changed_goes_anywhere_and_only_one_way(deal in edited()) {
        let plan = deal.merged();
        for unit in plan.to_crm.keys().filter(|u| PLAIN.contains(&u.as_str())) {
            prop_assert!(deal.changed(Side::PartnerCenter, unit), "`{unit}` to the CRM: {plan:?}");
        }
        for unit in plan.to_partner_center.keys().filter(|u| PLAIN.contains(&u.as_str())) {
            prop_assert!(deal.changed(Side::Crm, unit), "`{unit}` to Partner Center: {plan:?}");
        }
        for unit in plan.to_crm.keys() {
            prop_assert!(!plan.to_partner_center.contains_key(unit), "`{unit}` both ways: {plan:?}");
        }
    }

    #[test]
    fn what_one_side_changed_is_what_the_other_will_show(deal in deal(), here in shown()) {
        let known = here.into_iter().filter(|(unit, _)| deal.partner_center.contains_key(unit)).collect();
        let edited = Deal { partner_center: over(&deal.partner_center, known), ..deal };
        let plan = edited.merged();
        prop_assert!(plan.conflicts.is_empty(), "one side alone: {plan:?}");
        for unit in PLAIN.iter().filter(|u| edited.changed(Side::PartnerCenter, u)) {
            let shown = &edited.partner_center[*unit];
            let lands = plan.to_crm.contains_key(*unit) || plan.agree.contains_key(*unit)
                || plan.unfit.contains_key(*unit);
            prop_assert!(lands, "`{unit}` is forgotten: {plan:?}");
            if let Some(change) = plan.to_crm.get(*unit) {
                prop_assert_eq!(&change.source, shown);
                prop_assert!(map().equal(unit, shown, &change.value), "`{}`: {:?}", unit, change);
            }
        }
    }

    #[test]
    fn who_loses_a_conflict_is_remembered(deal in edited()) {
        let plan = deal.merged();
        for unit in ["name", "notes", "value", "closing_date"] {
            if !(deal.changed(Side::PartnerCenter, unit) && deal.changed(Side::Crm, unit)) {
                prop_assert!(!plan.conflicts.contains_key(unit), "`{unit}` is none: {plan:?}");
                continue;
            }
            let (here, there) = (&deal.partner_center[unit], &deal.crm[unit]);
            match plan.conflicts.get(unit) {
                None => prop_assert!(map().equal(unit, here, there), "`{unit}` is lost: {plan:?}"),
                Some(conflict) => {
                    let loser = if conflict.winner == Side::Crm { here } else { there };
                    prop_assert_eq!(&conflict.loser, loser);
                    prop_assert!(!map().equal(unit, here, there));
                }
            }
        }
    }

    #[test]
    fn once_carried_out_it_is_quiet(deal in edited()) {
        let stays_as_it_is = all_solutions_gone(&deal);
        let mut deal = deal;
        // A list may need one write in each direction.
        for _ in 0..2 {
            let plan = deal.merged();
            deal.carry_out(&plan);
        }
        let plan = deal.merged();
        prop_assert!(writes(&plan).is_empty() && plan.conflicts.is_empty(), "{plan:?}\n{deal:?}");
        for unit in ["name", "notes", "value", "closing_date", "solutions"] {
            if let (Some(here), Some(there)) = (deal.partner_center.get(unit), deal.crm.get(unit)) {
                let agrees = map().equal(unit, here, there)
                    || plan.unfit.contains_key(unit)
                    || (unit == "solutions" && stays_as_it_is);
                prop_assert!(agrees, "`{unit}`: {here:?} and {there:?}");
            }
        }
    }

    #[test]
    fn what_was_not_observed_is_never_written(deal in edited(), hidden in btree_set(0usize..5, 0..5), here in any::<bool>()) {
        let mut deal = deal;
        for n in &hidden {
            let side = if here { &mut deal.partner_center } else { &mut deal.crm };
            side.remove(PLAIN[*n]);
        }
        let plan = deal.merged();
        for n in hidden {
            let away = if here { &plan.to_crm } else { &plan.to_partner_center };
            prop_assert!(!away.contains_key(PLAIN[n]), "`{}`: {plan:?}", PLAIN[n]);
        }
    }

    #[test]
    fn elements_of_a_list_are_neither_invented_nor_brought_back(deal in edited()) {
        let base = keys(deal.link.side(Side::Crm).images.get("solutions"));
        let (here, there) = (keys(deal.partner_center.get("solutions")), keys(deal.crm.get("solutions")));
        let mut after = deal.clone();
        for _ in 0..2 {
            let plan = after.merged();
            after.carry_out(&plan);
        }
        let end = keys(after.crm.get("solutions"));
        for key in &end {
            prop_assert!(here.contains(key) || there.contains(key), "`{key}` is invented");
        }
        for key in here.union(&there).filter(|key| !base.contains(*key)) {
            prop_assert!(end.contains(key), "`{key}` was added and is gone: {base:?} {here:?} {there:?} {end:?}");
        }
        let removed = base.iter().filter(|key| !(here.contains(*key) && there.contains(*key)));
        for key in removed.filter(|_| !all_solutions_gone(&deal)) {
            prop_assert!(!end.contains(key), "`{key}` came back: {base:?} {here:?} {there:?} {end:?}");
        }
    }

    #[test]
    fn without_a_base_equal_agrees_and_different_has_a_loser(deal in edited()) {
        let mut deal = deal;
        deal.link.note_readings(map());
        deal.link.forget(&PLAIN.iter().map(|unit| (*unit).to_owned()).collect());
        let plan = deal.merged();
        for unit in ["name", "notes", "value", "closing_date"] {
            let (Some(here), Some(there)) = (deal.partner_center.get(unit), deal.crm.get(unit)) else { continue };
            if map().equal(unit, here, there) {
                prop_assert!(plan.agree.contains_key(unit) && !plan.conflicts.contains_key(unit), "{plan:?}");
            } else {
                prop_assert!(plan.conflicts.contains_key(unit), "`{unit}`: {plan:?}");
            }
        }
    }

    #[test]
    fn where_a_rule_is_new_an_empty_side_is_filled_and_none_is_cleared(deal in edited()) {
        let mut deal = deal;
        deal.link.forget(&PLAIN.iter().map(|unit| (*unit).to_owned()).collect());
        deal.link.readings.clear();
        let plan = deal.merged();
        for unit in ["name", "notes", "value", "closing_date"] {
            let (Some(here), Some(there)) = (deal.partner_center.get(unit), deal.crm.get(unit)) else { continue };
            if here.is_null() != there.is_null() {
                let cleared = |changes: &BTreeMap<String, UnitChange>| {
                    changes.get(unit).is_some_and(|change| change.value.is_null())
                };
                prop_assert!(!plan.conflicts.contains_key(unit), "`{unit}`: {plan:?}");
                prop_assert!(!cleared(&plan.to_crm) && !cleared(&plan.to_partner_center), "`{unit}`: {plan:?}");
            }
        }
    }

    #[test]
    fn an_image_tells_values_apart(a in text(), b in text()) {
        prop_assert_eq!(image(&value(a.clone())) == image(&value(b.clone())), a == b);
    }
}
