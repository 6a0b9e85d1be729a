//! How reliable a read is: whether it is older than one before, and what it says about a write that may have happened.

use crate::{
    planted::{self, Bug},
    ports::Ports,
    rows::{run::Ended, work::Work},
    state::{image::image, link::Link, version::Version},
};
use mapping::{Fields, Map, Side};
use std::collections::BTreeSet;

/// A read older than the newest version seen decides nothing: the read is repeated until the newest was seen so long
/// ago that no replica lags any more. Then the older one is believed, and that is audited.
pub(crate) fn stale<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version) -> Option<Ended> {
    let memory = work.link.side(side);
    if !memory.is_stale(version) {
        return None;
    }
    if !memory.seen_long_ago(work.began, work.run.settings.grace) {
        return Some(Ended::later(5, "the read is older than what was seen before"));
    }
    let name = if side == Side::Crm { "the CRM" } else { "Partner Center" };
    work.note(
        "older",
        format!("{name} shows an older version than seen before; believed after the grace period"),
        false,
    );
    let memory = work.link.side_mut(side);
    memory.replaced.clear();
    memory.seen = None;
    None
}

/// Judges the claim of a write to this side whose outcome is unknown.
pub(super) fn judge<P: Ports>(work: &mut Work<'_, P>, side: Side, version: &Version, fields: &Fields) {
    let map = work.map();
    if let Some(claim) = work.link.claim.as_ref().filter(|claim| claim.side == side) {
        if planted::is(Bug::ValueIsProof) {
            let units = claim.units.clone();
            believe(&mut work.link, &units, side, fields, map);
            work.link.claim = None;
            return;
        }
        work.link.judge_claim(version, |unit| side == Side::Crm && map.unit(unit).is_some_and(|u| u.list));
    }
}

/// [`Bug::ValueIsProof`]: takes what this side shows for what the claimed write wrote.
fn believe(link: &mut Link, units: &BTreeSet<String>, side: Side, fields: &Fields, map: &Map) {
    for unit in units {
        let Some(shown) = fields.get(unit) else { continue };
        let source = match side {
            Side::Crm => map.to_partner_center(unit, shown),
            Side::PartnerCenter => map.to_crm(unit, shown),
        };
        if let Ok(source) = source {
            link.side_mut(side).images.insert(unit.clone(), image(shown));
            let other = if side == Side::Crm { Side::PartnerCenter } else { Side::Crm };
            link.side_mut(other).images.insert(unit.clone(), image(&source));
        }
    }
}
