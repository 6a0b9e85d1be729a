//! Creating a referral (for co-sell: both halves of an engagement) for a record that has none. Cannot be undone, so
//! every step is written down before it is taken, and an unknown outcome is looked up, never repeated blindly.

mod end;
mod invite;
pub(crate) mod lack;
mod look_up;
mod of_lead;
mod post;

use crate::{
    consent::{is_linked, may_link, of_its_namer, refused_by_referral},
    deal,
    failure::Failure,
    identity::{adopt, alias_of},
    intent::{Held, Intent, Step, Unknown},
    link::{Link, digest},
    park::{park_record, parked_row},
    planted::{self, Bug},
    ports::{Crm, Found, Links, Ports, Referrals, Seen},
    run::{Ended, Run, Story},
    settle::{Look, older_than_seen, settle},
    table::{Change, Expect, Item, Key, Row},
};
use end::{end, end_with_the_record, link_up};
use invite::{Invited, invite_microsoft, keep_own};
use jiff::SignedDuration;
use lack::{lacking, park_and_tell};
use look_up::{LookedUp, look_up_own};
use mapping::{DealKind, RecordId, RecordKind, Referral, ReferralId, names::STATUS};
use of_lead::of_lead;
use post::{Posted, post};

/// A record without a link. `intent`: its row, as just read; `at_least`: the order of the version somebody saw.
pub async fn create_engagement<P: Ports>(
    run: &Run<'_, P>,
    record: &RecordId,
    intent: Option<Row>,
    at_least: Option<i64>,
) -> Story {
    let now = run.now();
    let known = match intent {
        Some(Row { rev, item: Item::Intent(intent), .. }) => Some((*intent, rev)),
        _ => None,
    };
    if let Some((intent, _)) =
        known.as_ref().filter(|(intent, _)| now < intent.claim_until && !planted::is(Bug::TwoHolders))
    {
        let after = intent.claim_until.duration_since(now) + SignedDuration::from_secs(1);
        return Ok(Ended::Later { after, why: "its referral is being created".into() });
    }
    let Some(seen) = run.ports.crm().fetch(record).await? else {
        return match known {
            Some((intent, rev)) => end_with_the_record(run, intent, rev).await,
            None => Ok(Ended::done("skipped", "the record is gone")),
        };
    };
    if let Some(again) = older_than_seen(run, at_least, &seen.version) {
        return Ok(again);
    }
    let Some((mut intent, rev)) = known else { return Box::pin(begin(run, seen)).await };
    intent.claim_until = run.deadline();
    if let Some(link) = linked(run, record).await? {
        // Linked already: what is left is Microsoft's half, if anything.
        intent.step = Step::Microsoft;
        intent.referral = Some(link.referral);
        intent.engagement = intent.engagement.or(link.engagement);
    } else {
        intent.step = Step::Own;
    }
    let mut held = Held { run, intent, rev, about_to_post: false };
    if !held.save(vec![]).await? {
        return Ok(Ended::later(2, "somebody else goes on with its referral"));
    }
    go_on_or_release(held, seen).await
}

/// The link of a record, by its alias.
async fn linked<P: Ports>(run: &Run<'_, P>, record: &RecordId) -> Result<Option<Link>, Failure> {
    let Some(referral) = alias_of(run, record).await? else { return Ok(None) };
    Ok(match run.ports.links().read(&[Key::link(&referral)]).await?.pop().flatten() {
        Some(Row { item: Item::Link(link), .. }) => Some(*link),
        _ => None,
    })
}

/// A record that may want a referral, and has no intent yet.
async fn begin<P: Ports>(run: &Run<'_, P>, seen: Seen) -> Story {
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
    let mut begun = intent.begun(parked);
    // Whoever looked before this intent was there may have linked the record meanwhile.
    if !planted::is(Bug::IntentNotAsked) {
        begun.push(Change::delete(Key::record(&intent.record), Expect::Absent));
    }
    if !run.ports.links().commit(begun).await? && !planted::is(Bug::TwoHolders) {
        return Ok(Ended::later(2, "somebody else is creating its referral, or has linked it"));
    }
    go_on_or_release(Held { run, intent, rev: 1, about_to_post: true }, seen).await
}

/// A linked deal into which Microsoft is invited, as its intent was just written down.
pub(crate) async fn invite<P: Ports>(run: &Run<'_, P>, intent: Intent, rev: u64, seen: Seen) -> Story {
    go_on_or_release(Held { run, intent, rev, about_to_post: false }, seen).await
}

/// Goes on; a failure outside of a POST lets the next one go on at once.
async fn go_on_or_release<P: Ports>(mut held: Held<'_, P>, seen: Seen) -> Story {
    let result = Box::pin(go_on(&mut held, seen)).await;
    if result.is_err() && (held.intent.unknown.is_none() || held.about_to_post) {
        held.intent.unknown = None;
        let _ = held.release().await;
    }
    result
}

/// A record that carries a Referral Identifier, but no link: adopt the referral if it agrees.
async fn return_to<P: Ports>(run: &Run<'_, P>, id: &ReferralId, seen: Seen) -> Story {
    let record = &seen.record.id;
    let words = match run.ports.referrals().fetch(id).await? {
        Found::Referral(referral) => {
            let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
            if !referral.belongs_to(&run.settings.organization) {
                format!("its Referral Identifier `{id}` is another organisation's")
            } else if names.as_ref().is_some_and(|named| named != record) {
                format!("its Referral Identifier `{id}` belongs to another record")
            } else {
                // Empty, or not shaped like a record id: as if empty.
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

/// Step by step, wherever it stands.
async fn go_on<P: Ports>(held: &mut Held<'_, P>, seen: Seen) -> Story {
    let run = held.run;
    let mut own: Option<Referral> = None;
    if held.intent.step == Step::Own {
        if held.intent.referral.is_none() && held.intent.unknown.is_some() && !held.about_to_post {
            match look_up_own(held).await? {
                LookedUp::Found(referral) => own = Some(*referral),
                LookedUp::Wait(ended) => return Ok(ended),
                LookedUp::Absent => {}
            }
        }
        if held.intent.referral.is_none() && own.is_none() {
            if run.map.wants_referral(&seen.record) == Some(false) && !planted::is(Bug::IntentUnstoppable) {
                let end = vec![
                    Change::delete(held.key(), Expect::Rev(held.rev)),
                    Change::delete(Key::parked(&seen.record.id.to_string()), Expect::Any),
                ];
                return Ok(match run.ports.links().commit(end).await? {
                    true => {
                        Ended::done("skipped", "Sync with Partner Center was set to No before it was sent")
                    }
                    false => Ended::later(2, "its own webhook has just arrived"),
                });
            }
            match Box::pin(post(held, None)).await? {
                Posted::Referral(referral) => own = Some(*referral),
                Posted::Ended(ended) => return Ok(ended),
                Posted::Refused(words) => {
                    let end = vec![Change::delete(held.key(), Expect::Rev(held.rev))];
                    let print = digest(&held.intent.request);
                    return park_and_tell(run, &seen, &words, &print, end).await;
                }
            }
        }
        if own.is_none()
            && let Some(id) = held.intent.referral.clone()
        {
            own = match run.ports.referrals().fetch(&id).await? {
                Found::Referral(referral) => Some(*referral),
                Found::Missing | Found::Forbidden => {
                    held.release().await?;
                    return Ok(Ended::later(10, "our new referral cannot be read yet"));
                }
            };
        }
        let Some(referral) = &own else { return Ok(Ended::later(10, "our new referral is not known yet")) };
        if !link_up(held, referral, &seen).await? {
            return Ok(Ended::later(2, "others are saving its link"));
        }
    }
    let mut sibling = None;
    // A seller who says No before Microsoft is invited invites nobody.
    let stopped = run.map.wants_referral(&seen.record) == Some(false) && held.intent.unknown.is_none();
    if held.intent.cosell && (!stopped || planted::is(Bug::IntentUnstoppable)) {
        match Box::pin(invite_microsoft(held, own.as_ref(), &seen)).await? {
            Invited::Half(id) => sibling = Some(id),
            Invited::Nobody => {}
            Invited::Ended(ended) => return Ok(ended),
            Invited::Refused(words) => return Box::pin(keep_own(held, &seen, &words)).await,
            Invited::Parked(words) => {
                held.release().await?;
                let Some(id) = &held.intent.referral else {
                    return Ok(Ended::later(10, "its referral is not known yet"));
                };
                let look = Look { record: true, ..Look::default() };
                // What waits stays parked, whatever its link came to.
                return Ok(match Box::pin(settle(run, id, None, look)).await? {
                    Ended::Done(_) => Ended::done("parked", words),
                    later => later,
                });
            }
        }
    }
    Box::pin(end(held, own, sibling, seen)).await
}
