//! A deal as both sides show it now, field by field, beside what they agreed on.

use clients::outside::App;
use mapping::{Direction, Fields, Map, On, RecordKind, Side, Unit};
use serde_json::{Value as Json, json};
use sync::{
    failure::Failure,
    link::Link,
    ports::{Crm, Found, Ports, Referrals},
};

/// Reads both sides; what we may not read is reported as such.
pub(crate) async fn sides(worker: &App, link: &Link) -> Result<Json, Failure> {
    let referral = match worker.outside.partner_center.fetch(&link.referral).await? {
        Found::Referral(referral) => Some(referral),
        Found::Missing | Found::Forbidden => None,
    };
    let record = match &link.record {
        Some(id) => worker.outside.crm().fetch(id).await?,
        None => None,
    };
    let kind = link.record.as_ref().map_or(RecordKind::Opportunity, |record| record.kind);
    let map = worker.map.of(kind);
    let partner_center = referral.as_ref().map(|referral| map.referral_fields(referral));
    let crm = record.as_ref().map(|seen| map.record_fields(&seen.record));
    let fields: Vec<Json> =
        map.units().map(|unit| field(map, link, unit, partner_center.as_ref(), crm.as_ref())).collect();
    Ok(json!({
        "shown": { "partner_center": partner_center.is_some(), "crm": crm.is_some() },
        "fields": fields,
    }))
}

fn field(map: &Map, link: &Link, unit: &Unit, partner_center: Option<&Fields>, crm: Option<&Fields>) -> Json {
    let now = |fields: Option<&Fields>| fields.and_then(|fields| fields.get(&unit.name)).cloned();
    let (there, here) = (now(partner_center), now(crm));
    let same = match (&there, &here) {
        (Some(there), Some(here)) if map.equal(&unit.name, there, here) => Some(true),
        // What went along when the deal was made is not kept in step.
        (Some(_), Some(_)) if unit.on == On::Create => None,
        (Some(_), Some(_)) => Some(false),
        _ => None,
    };
    json!({
        "field": unit.name, "label": unit.label, "way": way(unit), "on": on(unit), "owner": owner(map.owner(&unit.name, there.as_ref())),
        "agreed": {
            "partner_center": link.partner_center.images.get(&unit.name), "crm": link.crm.images.get(&unit.name),
        },
        "now": { "partner_center": there, "crm": here }, "same": same,
        "parked": link.parked.get(&unit.name).map(|parked| &parked.reason),
        "waits": link.awaiting.contains(&unit.name),
    })
}

fn way(unit: &Unit) -> &'static str {
    match unit.direction {
        Direction::Both => "both",
        Direction::ToCrm => "to_crm",
        Direction::ToPartnerCenter => "to_partner_center",
    }
}

fn on(unit: &Unit) -> &'static str {
    match unit.on {
        On::Create => "create",
        On::Update => "update",
        On::Both => "both",
    }
}

fn owner(side: Side) -> &'static str {
    match side {
        Side::Crm => "crm",
        Side::PartnerCenter => "partner_center",
    }
}
