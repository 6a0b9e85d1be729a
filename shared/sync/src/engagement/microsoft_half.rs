//! Microsoft's half of a co-sell engagement: it is found, or POSTed once, or refused, in which case our own half stays.

use super::{
    conclude,
    end::untouched,
    look_up::in_vain,
    post::{Posted, post},
};
use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, Referrals, Seen},
    rows::{
        held::Held,
        parking::{park, parked_row},
        run::Ended,
        stop::{Outcome, Stop},
        work::Work,
    },
    settle::{Look, settle, settle_on},
    state::{
        image::digest,
        table::{Item, Key, Row},
    },
};
use mapping::{DealKind, EngagementId, MicrosoftHalf, Referral, ReferralId};

enum Invited {
    Half(ReferralId),
    /// The seller set Sync to No before Microsoft was invited.
    Nobody,
    /// The same request was refused before, and its next try is not due.
    Parked(String),
    Refused(String),
}

/// What the engagement holds before Microsoft is invited into it.
enum FoundHalf {
    /// Our own half alone, with the name of our organisation.
    Ours(String),
    /// Microsoft's half, with its id.
    Theirs(ReferralId),
}

/// Creates or finds Microsoft's half if the deal needs it; `None`: Microsoft is not invited.
pub(super) async fn microsoft_half<P: Ports>(
    held: &mut Held<'_, P>,
    own: Option<&Referral>,
    seen: &Seen,
) -> Result<Option<ReferralId>, Stop> {
    let run = held.run;
    // If the seller sets Sync to No before the POST, Microsoft is not invited.
    let stopped = run.map.wants_referral(&seen.record) == Some(false) && held.intent.unknown.is_none();
    if !held.intent.cosell || stopped && !planted::is(Bug::IntentUnstoppable) {
        return Ok(None);
    }
    match Box::pin(invite_microsoft(held, own, seen)).await? {
        Invited::Half(id) => Ok(Some(id)),
        Invited::Nobody => Ok(None),
        Invited::Refused(words) => Err(Box::pin(keep_own(held, seen, &words)).await?.into()),
        Invited::Parked(words) => {
            held.release().await?;
            let Some(id) = &held.intent.referral else {
                return Err(Ended::later(10, "its referral is not known yet").into());
            };
            let look = Look { record: true, ..Look::default() };
            // The invitation stays parked, however the link's story ended.
            let outcome = Box::pin(settle(run, id, None, look)).await;
            Err(match conclude(run, outcome).await? {
                Ended::Done(_) => Ended::done("parked", words).into(),
                later => later.into(),
            })
        }
    }
}

/// Finds Microsoft's half (some tenants get it without a POST, see `[vendor]`), or POSTs it once. `own`: our half, if
/// this run made or found it, which means that Microsoft was not invited before.
async fn invite_microsoft<P: Ports>(
    held: &mut Held<'_, P>,
    own: Option<&Referral>,
    seen: &Seen,
) -> Result<Invited, Stop> {
    let run = held.run;
    if let Some(half) = &held.intent.microsoft {
        return Ok(Invited::Half(half.clone()));
    }
    let Some(engagement) = held.intent.engagement.clone() else {
        return Ok(Invited::Refused("Partner Center named no engagement to invite Microsoft into".into()));
    };
    let at_once = run.map.vendor().microsoft_half == MicrosoftHalf::Post;
    let own_name = match own.filter(|_| at_once) {
        Some(own) => organization_of(own),
        None => match look(held, &engagement).await? {
            FoundHalf::Ours(name) => name,
            FoundHalf::Theirs(half) => return Ok(Invited::Half(half)),
        },
    };
    if held.intent.unknown.is_some() {
        in_vain(held).await?;
    }
    // The look-ups found nothing, so the half was never created; with Sync set to No it is not created now either.
    if run.map.wants_referral(&seen.record) == Some(false) && !planted::is(Bug::IntentUnstoppable) {
        return Ok(Invited::Nobody);
    }
    // After a refusal the request is made anew from the record, which may now hold what was missing.
    if held.intent.n > 0
        && matches!(run.map.deal_kind(&seen.record), Ok(DealKind::CoSell { .. }))
        && let Ok(request) = run.map.new_referral(&seen.record)
    {
        held.intent.request = request.to_string();
    }
    if held.intent.n > 0
        && let Some(parked) = parked_row(run, &held.intent.record.to_string()).await?
        && parked.holds(&digest(&held.intent.request), run.now())
    {
        return Ok(Invited::Parked(parked.reason));
    }
    let own: serde_json::Value = serde_json::from_str(&held.intent.request).unwrap_or_default();
    let organization = (run.settings.organization.as_str(), own_name.as_str());
    let body = run.map.microsoft_half(&own, &engagement, organization).to_string();
    Ok(match post(held, Some(body)).await? {
        Posted::Referral(half) => {
            // The id is kept in the intent, in case the save that ends it fails.
            held.intent.microsoft = Some(half.id().clone()).filter(|_| !planted::is(Bug::HalfNotRemembered));
            Invited::Half(half.id().clone())
        }
        Posted::Refused(words) => Invited::Refused(words),
    })
}

/// Reads the engagement: does it hold Microsoft's half?
async fn look<P: Ports>(held: &mut Held<'_, P>, engagement: &EngagementId) -> Result<FoundHalf, Stop> {
    let run = held.run;
    let halves = run.ports.referrals().engagement(engagement).await?;
    if let Some(half) = halves.iter().find(|r| r.is_microsoft()) {
        return Ok(FoundHalf::Theirs(half.id().clone()));
    }
    let own_half = halves.iter().find(|r| r.belongs_to(&run.settings.organization));
    if own_half.is_none() && !planted::is(Bug::OldListBelieved) {
        // A list without our own half is older than that half, and says nothing about Microsoft's.
        held.release().await?;
        let why = "the engagement does not show our own half yet";
        return Err(Ended::later(10, why).into());
    }
    if run.map.vendor().microsoft_half == MicrosoftHalf::Appears {
        held.release().await?;
        let why = "Microsoft's half has not appeared yet";
        return Err(Ended::later(30, why).into());
    }
    Ok(FoundHalf::Ours(own_half.map(organization_of).unwrap_or_default()))
}

fn organization_of(half: &Referral) -> String {
    half.body()["organizationName"].as_str().unwrap_or_default().to_owned()
}

/// Microsoft's half was refused: our own half stays, the seller sees the reason, and the same engagement is completed
/// later.
async fn keep_own<P: Ports>(held: &mut Held<'_, P>, seen: &Seen, words: &str) -> Outcome {
    let run = held.run;
    held.release().await?;
    let what = held.intent.record.to_string();
    let told = parked_row(run, &what).await?.is_some_and(|parked| parked.reason == words);
    let row = match &held.intent.referral {
        Some(id) => run.ports.links().read(&[Key::link(id)]).await?.pop().flatten(),
        None => None,
    };
    if let Some(Row { rev, item: Item::Link(link), .. }) = row
        && link.claim.is_none()
    {
        let mut work = Work::loaded(run, *link, rev);
        if !told {
            work.note("refused", words, true);
        }
        let row = untouched(rev, seen);
        let look = Look { referral: true, record: true, row, ..Look::default() };
        conclude(run, settle_on(work, look).await).await?;
    }
    park(run, &what, words, &digest(&held.intent.request)).await
}
