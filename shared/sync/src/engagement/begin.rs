//! Decides whether a record gets a referral of its own, is linked with an existing one, or waits; saves the intent of a
//! create.

use super::{go_on_or_release, namer::of_its_namer, of_lead::of_lead};
use crate::{
    identity::{
        adopt,
        consent::{may_link, refused_by_referral},
    },
    planted::{self, Bug},
    ports::{Found, Links, Ports, Referrals, Seen},
    rows::{
        aliases::is_linked,
        held::{Held, first_save},
        parking::{park_record, parked_row},
        run::{Ended, Run},
        stop::Outcome,
        telling::lacking,
    },
    state::{
        deal,
        image::digest,
        intent::{Intent, Step, Unknown},
        table::{Change, Expect, Key},
    },
};
use mapping::{DealKind, RecordKind, ReferralId, names::STATUS};

/// Handles a record that may want a referral and has no intent yet.
pub(super) async fn begin<P: Ports>(run: &Run<'_, P>, seen: Seen) -> Outcome {
    let record = seen.record.id.clone();
    if run.map.of(record.kind).wants_referral(&seen.record) != Some(true) {
        return Ok(Ended::done("skipped", "Sync with Partner Center is not set to Yes"));
    }
    if let Some(ended) = of_lead(run, &seen).await? {
        return Ok(ended);
    }
    if let Some(id) = run.map.of(record.kind).record_referral_id(&seen.record) {
        return return_to(run, &id, seen).await;
    }
    if record.kind == RecordKind::Lead {
        return Ok(Ended::done("skipped", "a lead that did not come from Partner Center"));
    }
    let status = run.map.record_field(STATUS, &seen.record);
    if status.is_some_and(|status| deal::is_closed_record(run.map, &status)) {
        return Ok(Ended::done("skipped", "the record is closed"));
    }
    if !run.settings.writes {
        return Ok(Ended::done(
            "skipped",
            "a referral would be made, but this stack writes nothing to Partner Center",
        ));
    }
    let kind = match run.map.deal_kind(&seen.record) {
        Ok(kind) => kind,
        Err(refusal) => return lacking(run, &seen, &format!("{}: {}", refusal.unit, refusal.text)).await,
    };
    let request = match run.map.new_referral(&seen.record) {
        Ok(request) => request.to_string(),
        Err(missing) => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            return lacking(run, &seen, &format!("not sent to Partner Center: {}", missing.join("; "))).await;
        }
    };
    let now = run.now();
    if let Some(ended) = Box::pin(of_its_namer(run, &seen)).await? {
        return Ok(ended);
    }
    let parked = parked_row(run, &record.to_string()).await?;
    if let Some(parked) = parked.as_ref().filter(|parked| parked.holds(&digest(&request), now)) {
        return Ok(Ended::done("parked", parked.reason.clone()));
    }
    let intent = Intent {
        record,
        claim_until: run.deadline(),
        step: Step::Own,
        cosell: matches!(kind, DealKind::CoSell { .. }),
        request,
        n: 0,
        began: now,
        referral: None,
        engagement: None,
        microsoft: None,
        unknown: Some(Unknown { since: now, look_ups: 0 }).filter(|_| !planted::is(Bug::PostNotWrittenAhead)),
    };
    let mut begun = first_save(&intent, parked);
    // The save demands that the record has no link: a run that read the table before this intent existed may have
    // linked it.
    if !planted::is(Bug::IntentNotAsked) {
        begun.push(Change::delete(Key::record(&intent.record), Expect::Absent));
    }
    if !run.ports.links().commit(begun).await? && !planted::is(Bug::TwoHolders) {
        return Ok(Ended::later(2, "somebody else is creating its referral, or has linked it"));
    }
    go_on_or_release(Held { run, intent, rev: 1, about_to_post: true }, seen).await
}

/// Handles a record that carries a Referral Identifier but has no link: adopts the referral if both sides consent.
pub(super) async fn return_to<P: Ports>(run: &Run<'_, P>, id: &ReferralId, seen: Seen) -> Outcome {
    let record = &seen.record.id;
    let words = match run.ports.referrals().fetch(id).await? {
        Found::Referral(referral) => {
            let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
            if !referral.belongs_to(&run.settings.organization) {
                format!("its Referral Identifier `{id}` is another organisation's")
            } else if names.as_ref().is_some_and(|named| named != record) {
                format!("its Referral Identifier `{id}` belongs to another record")
            } else {
                // A text that is not shaped like a record id counts as empty.
                let agreed = if names.is_some() { Ok(()) } else { may_link(run, &referral, &seen) };
                match agreed {
                    _ if is_linked(run, id).await? => {
                        let words = format!("its Referral Identifier `{id}` belongs to another record");
                        return park_record(run, &seen, &words, &digest(&words)).await;
                    }
                    Ok(()) => return Box::pin(adopt(run, *referral, seen)).await,
                    Err(lacks) => return Box::pin(refused_by_referral(run, &referral, &seen, &lacks)).await,
                }
            }
        }
        Found::Missing | Found::Forbidden => {
            format!("its Referral Identifier `{id}` is not known in Partner Center")
        }
    };
    park_record(run, &seen, &words, &digest(&words)).await
}
