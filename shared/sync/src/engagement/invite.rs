//! Microsoft's half of a co-sell engagement: found, POSTed once, or refused while our own half stays.

use super::{
    end::untouched,
    look_up::{LookedUp, in_vain},
    post::{Posted, post},
};
use crate::{
    failure::Failure,
    intent::Held,
    link::digest,
    park::{park, parked_row},
    planted::{self, Bug},
    ports::{Links, Ports, Referrals, Seen},
    run::{Ended, Story},
    settle::{Look, settle_on},
    table::{Item, Key, Row},
    work::Work,
};
use mapping::{DealKind, EngagementId, MicrosoftHalf, Referral, ReferralId};

pub(super) enum Invited {
    Half(ReferralId),
    /// The seller set Sync to No before anybody was.
    Nobody,
    /// Refused before, for the same request: its time has not come.
    Parked(String),
    Ended(Ended),
    Refused(String),
}

/// What the engagement shows before Microsoft is invited into it.
enum Shown {
    /// Our own half alone, of an organisation of this name.
    Ours(String),
    Ended(Invited),
}

/// Microsoft's half: there already (some tenants get it by itself, see `[vendor]`), or POSTed once. `own`: our half, if
/// this run made or found it, and so nobody was invited before.
pub(super) async fn invite_microsoft<P: Ports>(
    held: &mut Held<'_, P>,
    own: Option<&Referral>,
    seen: &Seen,
) -> Result<Invited, Failure> {
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
            Shown::Ours(name) => name,
            Shown::Ended(invited) => return Ok(invited),
        },
    };
    if held.intent.unknown.is_some()
        && let LookedUp::Wait(ended) = in_vain(held).await?
    {
        return Ok(Invited::Ended(ended));
    }
    // What was looked up in vain was never created: nor is it now.
    if run.map.wants_referral(&seen.record) == Some(false) && !planted::is(Bug::IntentUnstoppable) {
        return Ok(Invited::Nobody);
    }
    // After a refusal from what the record shows now: what was missing may be there. The help asked for stays.
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
            // Known from here on, whatever the save that ends the intent comes to.
            held.intent.microsoft = Some(half.id().clone()).filter(|_| !planted::is(Bug::HalfNotRemembered));
            Invited::Half(half.id().clone())
        }
        Posted::Ended(ended) => Invited::Ended(ended),
        Posted::Refused(words) => Invited::Refused(words),
    })
}

/// Whether Microsoft's half is there by now.
async fn look<P: Ports>(held: &mut Held<'_, P>, engagement: &EngagementId) -> Result<Shown, Failure> {
    let run = held.run;
    let halves = run.ports.referrals().engagement(engagement).await?;
    if let Some(half) = halves.iter().find(|r| r.is_microsoft()) {
        return Ok(Shown::Ended(Invited::Half(half.id().clone())));
    }
    let own_half = halves.iter().find(|r| r.belongs_to(&run.settings.organization));
    if own_half.is_none() && !planted::is(Bug::OldListBelieved) {
        // A list without our own half is older than it, and says nothing about Microsoft's.
        held.release().await?;
        let why = "the engagement does not show our own half yet";
        return Ok(Shown::Ended(Invited::Ended(Ended::later(10, why))));
    }
    if run.map.vendor().microsoft_half == MicrosoftHalf::Appears {
        held.release().await?;
        let why = "Microsoft's half has not appeared yet";
        return Ok(Shown::Ended(Invited::Ended(Ended::later(30, why))));
    }
    Ok(Shown::Ours(own_half.map(organization_of).unwrap_or_default()))
}

fn organization_of(half: &Referral) -> String {
    half.body()["organizationName"].as_str().unwrap_or_default().to_owned()
}

/// Microsoft's half was refused: the own one stays, the seller sees why, and the same engagement is completed later.
pub(super) async fn keep_own<P: Ports>(held: &mut Held<'_, P>, seen: &Seen, words: &str) -> Story {
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
        settle_on(work, Look { referral: true, record: true, row, ..Look::default() }).await?;
    }
    park(run, &what, words, &digest(&held.intent.request)).await
}
