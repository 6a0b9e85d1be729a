//! The units that move in one direction only: the status by its allowed steps, visibility from off to on.

use super::{
    plan::{Plan, Unfit, UnitChange},
    view::View,
};
use crate::planted::{self, Bug};
use mapping::{CrmStep, Map, Side, Unit, Value, names::STATUS};

/// Plans a move of the status: only an allowed one; each step of a two-step move sets its own image.
pub(super) fn status(map: &Map, target: Side, pc: View<'_>, crm: View<'_>, plan: &mut Plan) {
    let (Some(p), Some(c)) = (pc.present(), crm.present()) else { return };
    let name = STATUS.to_owned();
    let take = |plan: &mut Plan| plan.agree.insert(STATUS.to_owned(), (p.clone(), c.clone()));
    match target {
        Side::PartnerCenter => match map.partner_center_steps(p, c) {
            Ok(steps) => match steps.split_first() {
                None => {
                    take(plan);
                }
                Some((first, rest)) => {
                    // While steps remain, the CRM's image is the status of the step, so that the rest still counts as a
                    // change.
                    let last = rest.is_empty() || planted::is(Bug::StepIsTheEnd);
                    let source = if last { Ok(c.clone()) } else { map.to_crm(STATUS, first) };
                    match source {
                        Ok(source) => {
                            plan.to_partner_center.insert(name, UnitChange::new(first.clone(), source));
                        }
                        Err(refusal) => {
                            plan.unfit.insert(name, Unfit { target, words: refusal.text, value: c.clone() });
                        }
                    }
                }
            },
            Err(refusal) => {
                plan.refused.insert(name, refusal.text);
                take(plan);
            }
        },
        Side::Crm => {
            let wanted = match map.to_crm(STATUS, p) {
                Ok(wanted) => wanted,
                Err(refusal) => {
                    plan.unfit.insert(name, Unfit { target, words: refusal.text, value: p.clone() });
                    return;
                }
            };
            if map.equal(STATUS, p, c) {
                take(plan);
                return;
            }
            let change = UnitChange::new(wanted.clone(), p.clone());
            match map.crm_step(c, &wanted) {
                Ok(CrmStep::InPatch) => {
                    plan.to_crm.insert(name, change);
                }
                Ok(CrmStep::Action) => plan.action = Some(change),
                Err(refusal) => {
                    plan.refused.insert(name, refusal.text);
                    take(plan);
                }
            }
        }
    }
}

/// Merges visibility, which is only ever turned on: if one side shows it on, it is turned on for the other; turning it
/// off is refused and undone.
pub(super) fn rise(map: &Map, unit: &Unit, pc: View<'_>, crm: View<'_>, plan: &mut Plan) {
    let on = |v: Option<&Value>| matches!(v, Some(Value::Bool(true)));
    let (p, c) = (pc.present(), crm.present());
    if (pc.value.is_none() && crm.value.is_none()) || (p.is_none() && !pc.read) || (c.is_none() && !crm.read)
    {
        if pc.value.is_some() && c.is_none() && !crm.read {
            plan.need = Some(Side::Crm);
        } else if crm.value.is_some() && p.is_none() && !pc.read {
            plan.need = Some(Side::PartnerCenter);
        }
        return;
    }
    let name = &unit.name;
    if on(p) == on(c) {
        if pc.changed() || crm.changed() || pc.base.is_none() || crm.base.is_none() {
            let value = |v: Option<&Value>| v.cloned().unwrap_or(Value::Null);
            plan.agree.insert(name.clone(), (value(p), value(c)));
        }
        return;
    }
    let yes = Value::Bool(true);
    let change = UnitChange::new(yes.clone(), yes);
    if on(p) {
        if crm.changed() || on(crm.base) {
            plan.refused.insert(name.clone(), format!("`{name}` cannot be turned off again"));
        }
        if map.to_crm(name, &change.value).is_ok() {
            plan.to_crm.insert(name.clone(), change);
        }
    } else {
        plan.to_partner_center.insert(name.clone(), change);
    }
}
