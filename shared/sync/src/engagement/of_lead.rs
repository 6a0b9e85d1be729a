//! An opportunity that was made of a lead gets the lead's referral, or none.

use super::{begin::return_to, conclude, linked};
use crate::{
    identity::settle_or_resume,
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Seen},
    rows::{
        aliases::alias_of,
        parking::parked_row,
        run::{Ended, Run},
        stop::{Outcome, Stop},
        telling::lacking,
    },
    settle::{Look, settle},
    state::{deal, table::Key},
};
use mapping::{RecordKind, ReferralId, names::STATUS};

/// How many times a lead is looked at whose link has not moved to the opportunity yet.
const LEAD_LOOKS: u32 = 4;

/// Settles the link of the opportunity's lead, which moves to the opportunity. `None`: there is no lead that has a link
/// or is about to get one.
pub(super) async fn of_lead<P: Ports>(run: &Run<'_, P>, seen: &Seen) -> Result<Option<Ended>, Stop> {
    let Some(lead) = seen.lead.as_ref().filter(|_| !planted::is(Bug::DealGetsOwnReferral)) else {
        return Ok(None);
    };
    let look = Look { referral: true, record: true, ..Look::default() };
    // The lead has a link: settling it moves it.
    if let Some(known) = linked(run, lead).await? {
        let outcome = Box::pin(settle(run, &known.referral, None, look)).await;
        let story = conclude(run, outcome).await?;
        return as_its_lead(run, seen, &known.referral, story).await.map(Some);
    }
    // The lead carries a Referral Identifier: it is about to get a link.
    let Some(lead) = run.ports.crm().fetch(lead).await? else { return Ok(None) };
    let Some(id) = run.map.of(RecordKind::Lead).record_referral_id(&lead.record) else { return Ok(None) };
    let outcome = match run.ports.links().read(&[Key::link(&id)]).await?.pop().flatten() {
        Some(row) => Box::pin(settle_or_resume(run, &id, Some(row), look)).await,
        None => Box::pin(return_to(run, &id, lead)).await,
    };
    let story = conclude(run, outcome).await?;
    as_its_lead(run, seen, &id, story).await.map(Some)
}

/// The result of settling the lead's link, which should have moved to this opportunity. If it has not (the lead's link
/// is stopped, or belongs to another opportunity), the opportunity is parked, its seller sees why, and it gets no
/// referral of its own.
async fn as_its_lead<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    referral: &ReferralId,
    story: Ended,
) -> Outcome {
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
