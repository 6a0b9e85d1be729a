//! An opportunity that was made of a lead: it gets the lead's referral, or none.

use super::{lack::lacking, linked, return_to};
use crate::{
    deal,
    failure::Failure,
    identity::alias_of,
    park::parked_row,
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Seen},
    receive::link,
    run::{Ended, Run, Story},
    settle::{Look, settle},
    table::Key,
};
use mapping::{RecordKind, ReferralId, names::STATUS};

/// How often a lead that does not lead to its opportunity yet is looked at again.
const LEAD_LOOKS: u32 = 4;

/// What its lead's link comes to; `None`: it has no lead that is linked, or about to be.
pub(super) async fn of_lead<P: Ports>(run: &Run<'_, P>, seen: &Seen) -> Result<Option<Ended>, Failure> {
    let Some(lead) = seen.lead.as_ref().filter(|_| !planted::is(Bug::DealGetsOwnReferral)) else {
        return Ok(None);
    };
    let look = Look { referral: true, record: true, ..Look::default() };
    // It has its referral already: the link moves.
    if let Some(known) = linked(run, lead).await? {
        let story = Box::pin(settle(run, &known.referral, None, look)).await?;
        return as_its_lead(run, seen, &known.referral, story).await.map(Some);
    }
    // It is about to get one: the lead carries a Referral Identifier.
    let Some(lead) = run.ports.crm().fetch(lead).await? else { return Ok(None) };
    let Some(id) = run.map.of(RecordKind::Lead).record_referral_id(&lead.record) else { return Ok(None) };
    let story = match run.ports.links().read(&[Key::link(&id)]).await?.pop().flatten() {
        Some(row) => Box::pin(link(run, &id, Some(row), look)).await?,
        None => return_to(run, &id, lead).await?,
    };
    as_its_lead(run, seen, &id, story).await.map(Some)
}

/// The link of its lead moves to it. Where it does not (it rests with a lead that was set to No, or is another
/// opportunity's), its seller is told so: it gets no referral of its own.
async fn as_its_lead<P: Ports>(run: &Run<'_, P>, seen: &Seen, referral: &ReferralId, story: Ended) -> Story {
    let record = &seen.record.id;
    let status = run.map.record_field(STATUS, &seen.record);
    let closed = status.is_some_and(|status| deal::is_closed_record(run.map, &status));
    let is_over = matches!(&story, Ended::Done(decision) if decision.decision != "parked");
    if !is_over || closed || alias_of(run, record).await?.is_some() {
        return Ok(story);
    }
    let words = format!("its lead belongs to referral `{referral}`, which is not this opportunity's");
    if parked_row(run, &record.to_string()).await?.is_none_or(|parked| parked.reason != words)
        && run.attempt < LEAD_LOOKS
    {
        return Ok(Ended::later(60, "its lead does not lead to it yet"));
    }
    lacking(run, seen, &words).await
}
