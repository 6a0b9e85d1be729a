//! "How can Microsoft help?" is answered once by the seller. If the deal is in step already, Microsoft is then invited
//! into its engagement. If the seller changes the answer or takes it back afterwards, the CRM's field is set back to
//! what was asked.

use crate::{
    merge::{Plan, Unfit, UnitChange as Write},
    ports::{Links, Ports, Seen},
    rows::{
        held::{Begun, first_save},
        work::Work,
    },
    state::{
        deal,
        failure::Failure,
        intent::{Intent, Step},
        link::Link,
        table::Key,
    },
};
use mapping::{
    Map, Referral, Side, Value,
    names::{HELP, STATUS, VISIBLE},
};

/// The two sides as far as they were read.
pub(crate) struct ReadSides<'a> {
    pub(crate) referral: Option<&'a Referral>,
    pub(crate) record: Option<&'a Seen>,
}

impl ReadSides<'_> {
    /// The record, if it was read with its related rows and not only its own columns.
    fn whole(&self) -> Option<&Seen> {
        self.record.filter(|seen| !seen.record.lists.is_empty())
    }
}

/// Adds what the seller's choice means for a linked deal to the plan; no patch of the referral transports it.
pub(crate) fn look<P: Ports>(work: &Work<'_, P>, shown: &ReadSides<'_>, plan: &mut Plan) {
    let (map, link) = (work.run.map, &work.link);
    if map.unit(HELP).is_none() || closed(map, link, shown) {
        return;
    }
    let image = |side: Side| link.side(side).images.get(HELP).cloned().filter(|value| !value.is_null());
    let in_center = match shown.referral {
        Some(referral) => map.referral_field(HELP, referral).filter(|value| !value.is_null()),
        None => image(Side::PartnerCenter),
    };
    let Some(chosen) = shown.record.and_then(|seen| map.record_field(HELP, &seen.record)) else {
        // The help was asked for in Partner Center: read the CRM, which should show it once.
        if in_center.is_some() && image(Side::PartnerCenter).is_none() {
            plan.need = plan.need.or(Some(Side::Crm));
        }
        return;
    };
    // Our own half asks for help and Microsoft was not invited: the seller had set Sync to No.
    if link.awaiting.contains(HELP) && link.microsoft.is_none() && !chosen.is_null() {
        return ask(work, shown, plan, chosen);
    }
    let source = in_center.clone().unwrap_or(Value::Null);
    if let Some(asked) = link.asked.clone().or_else(|| image(Side::Crm)) {
        if chosen != asked {
            restore(plan, asked, source);
        }
        return;
    }
    match in_center {
        Some(code) if chosen.is_null() => {
            if let Ok(value) = map.to_crm(HELP, &code) {
                plan.to_crm.insert(HELP.to_owned(), Write::new(value, code));
            }
        }
        Some(code) if map.equal(HELP, &code, &chosen) => {
            plan.agree.insert(HELP.to_owned(), (code, chosen));
        }
        Some(code) => {
            if let Ok(value) = map.to_crm(HELP, &code) {
                restore(plan, value, code);
            }
        }
        None if chosen.is_null() => {}
        None if link.microsoft.is_some() => restore(plan, Value::Null, Value::Null),
        None => ask(work, shown, plan, chosen),
    }
}

/// Whether the deal is closed on a side: then no help is asked for.
fn closed(map: &Map, link: &Link, shown: &ReadSides<'_>) -> bool {
    let of_record = shown.record.and_then(|seen| map.record_field(STATUS, &seen.record));
    let of_record = of_record.as_ref().or(link.crm.images.get(STATUS));
    let of_referral = shown.referral.and_then(|referral| map.referral_field(STATUS, referral));
    let of_referral = of_referral.as_ref().or(link.partner_center.images.get(STATUS));
    of_record.is_some_and(|status| deal::is_closed_record(map, status))
        || of_referral.is_some_and(deal::is_terminal)
}

fn restore(plan: &mut Plan, value: Value, source: Value) {
    let words = "`help` was sent to Partner Center and can no longer be changed";
    plan.refused.insert(HELP.to_owned(), words.to_owned());
    plan.to_crm.insert(HELP.to_owned(), Write::new(value, source));
}

/// Plans to invite Microsoft, once everything is there that its half needs; the deal becomes visible to Microsoft
/// first.
fn ask<P: Ports>(work: &Work<'_, P>, shown: &ReadSides<'_>, plan: &mut Plan, chosen: Value) {
    let map = work.run.map;
    let (Some(referral), Some(seen)) = (shown.referral, shown.whole()) else {
        let side = if shown.referral.is_none() { Side::PartnerCenter } else { Side::Crm };
        plan.need = plan.need.or(Some(side));
        return;
    };
    let waits = map.referral_field(STATUS, referral).as_ref().is_none_or(deal::is_new);
    if waits || !work.run.settings.writes {
        plan.waiting.insert(HELP.to_owned());
        return;
    }
    match map.new_referral(&seen.record) {
        Err(missing) => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let words = format!("Microsoft is not invited yet: {}", missing.join("; "));
            let value = Value::Text(format!("{chosen:?} {words}"));
            let unfit = Unfit { target: Side::PartnerCenter, words, value };
            plan.unfit.insert(HELP.to_owned(), unfit);
        }
        Ok(request) => {
            // Visibility that is on for one side is on for both; without help it may be off on either side.
            let on = Some(Value::Bool(true));
            let yes = || Write::new(Value::Bool(true), Value::Bool(true));
            if map.referral_field(VISIBLE, referral) != on {
                plan.to_partner_center.insert(VISIBLE.to_owned(), yes());
            }
            if map.record_field(VISIBLE, &seen.record) != on
                && map.to_crm(VISIBLE, &Value::Bool(true)).is_ok()
            {
                plan.to_crm.insert(VISIBLE.to_owned(), yes());
            }
            plan.waiting.insert(HELP.to_owned());
            plan.invite = Some(request.to_string());
        }
    }
}

/// Prepares the save of an intent to invite Microsoft, together with what was learnt. `None`: another run has begun
/// one.
pub(super) async fn begin<P: Ports>(
    work: &mut Work<'_, P>,
    request: String,
    seen: Seen,
) -> Result<Option<Begun>, Failure> {
    let record = seen.record.id.clone();
    let key = Key::intent(&record);
    if work.run.ports.links().read(&[key]).await?.pop().flatten().is_some() {
        return Ok(None);
    }
    let intent = Intent {
        record,
        claim_until: work.run.deadline(),
        step: Step::Microsoft,
        cosell: true,
        request,
        n: 0,
        began: work.run.now(),
        referral: Some(work.link.referral.clone()),
        engagement: work.link.engagement.clone(),
        microsoft: None,
        unknown: None,
    };
    work.besides.extend(first_save(&intent, None));
    Ok(Some(Begun { intent, seen }))
}

/// Microsoft takes part: remembers what was asked as agreed on both sides.
pub(crate) fn sent<P: Ports>(work: &mut Work<'_, P>, request: &str) {
    let request: serde_json::Value = serde_json::from_str(request).unwrap_or_default();
    if let Some(asked) = work.run.map.help_asked(&request) {
        let shown = work.link.partner_center.images.get(HELP).cloned().unwrap_or(Value::Null);
        work.link.agree(HELP, &shown, &asked);
        work.link.asked = Some(asked);
    }
    work.heal(HELP);
    work.link.awaiting.remove(HELP);
}
