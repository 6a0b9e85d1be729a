//! Settles a link; if the creation of its record was not finished, that continues first.

use super::{
    create::create_as,
    found::{found_again, made_before},
};
use crate::{
    planted::{self, Bug},
    ports::{Links, Ports},
    rows::{parking::park, referrals::look_up, run::Run, stop::Outcome, work::Work},
    settle::{Look, settle, stale},
    state::{
        link::{Link, State},
        table::{Item, Key, Row},
        version::Version,
    },
};
use mapping::{ReferralId, Side};

/// Settles a link; if the creation of its record was not finished, that continues first.
pub(crate) async fn settle_or_resume<P: Ports>(
    run: &Run<'_, P>,
    id: &ReferralId,
    row: Option<Row>,
    look: Look,
) -> Outcome {
    let row = match row {
        Some(row) => Some(row),
        None => run.ports.links().read(&[Key::link(id)]).await?.pop().flatten(),
    };
    match row {
        Some(Row { rev, item: Item::Link(link), .. }) if link.state == State::Creating => {
            resume(run, *link, rev).await
        }
        row => settle(run, id, row, look).await,
    }
}

/// Continues a create whose outcome was not saved: the record is found, or is created now.
async fn resume<P: Ports>(run: &Run<'_, P>, link: Link, rev: u64) -> Outcome {
    let now = run.now();
    if let Some(claim) = link.claim.as_ref().filter(|c| now <= c.deadline) {
        return Ok(run.just_after(claim.deadline, "the record is being created"));
    }
    let id = link.referral.clone();
    let Some(referral) = look_up(run, &id).await? else {
        return park(run, id.as_str(), "Partner Center does not show this referral any more", "gone").await;
    };
    let mut work = Work::loaded(run, link, rev);
    work.link.claim = None;
    if let Some(again) = stale(&mut work, Side::PartnerCenter, &Version::of_referral(&referral)) {
        return Ok(again);
    }
    let looks = !planted::is(Bug::CreateNotLookedFor) && !planted::is(Bug::Upsert);
    let seen = made_before(&mut work, &referral).await?;
    match seen.filter(|_| looks) {
        Some(seen) => Box::pin(found_again(work, referral, seen)).await,
        None => Box::pin(create_as(work, referral)).await,
    }
}
