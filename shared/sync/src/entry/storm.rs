//! Many referrals changed at once: one page of the list replaces a read of each.

use crate::{
    entry::route::{Rows, ways},
    planted::{self, Bug},
    ports::{Ports, Referrals},
    rows::run::Run,
    settle::Look,
    state::{
        failure::Failure,
        hint::Hint,
        link::{Link, State},
        table::{Item, Key},
        version::Version,
    },
};
use jiff::Timestamp;
use mapping::{Map, Referral, ReferralId};
use std::collections::BTreeMap;

/// From this many referrals on, a page of the list is read instead of each referral.
pub const MANY: usize = 4;

/// Referrals from a page of the list, none older than its hint.
pub type Listed = BTreeMap<ReferralId, Referral>;

/// Lists the linked referrals that changed according to a batch's hints, if there are at least `many`. A referral that
/// the page does not show, or shows in an older state, is read by id; so are all if the list fails for a reason of its
/// own.
pub async fn list<P: Ports>(
    run: &Run<'_, P>,
    hints: impl IntoIterator<Item = &Hint>,
    rows: &Rows,
    many: usize,
) -> Result<Listed, Failure> {
    let changed = changed(run.map, hints, rows);
    let oldest = changed.values().map(|(_, since)| *since).min();
    let Some(oldest) = oldest.filter(|_| changed.len() >= many) else { return Ok(Listed::new()) };
    let page = match run.ports.referrals().changed_since(oldest, None).await {
        Ok(page) => page,
        Err(failure) if failure.wide => return Err(failure),
        Err(_) => return Ok(Listed::new()),
    };
    let is_new = |referral: &Referral| {
        changed.get(referral.id()).is_some_and(|(link, since)| shows_it(link, *since, referral))
    };
    Ok(page.referrals.into_iter().filter(is_new).map(|r| (r.id().clone(), r)).collect())
}

/// The links whose referral will be read, and the instant of the change.
fn changed<'a, 'r>(
    map: &Map,
    hints: impl IntoIterator<Item = &'a Hint>,
    rows: &'r Rows,
) -> BTreeMap<ReferralId, (&'r Link, Timestamp)> {
    let changed = |(id, look): (ReferralId, Look)| {
        let Item::Link(link) = &rows.get(&Key::link(&id))?.item else { return None };
        let since = look.since.filter(|_| may_be_listed(&look))?;
        // A claim is judged by a read by id; a link that is not `linked` is not read.
        (link.claim.is_none() && link.state == State::Linked).then_some((id, (&**link, since)))
    };
    ways(map, hints, rows).links.into_iter().filter_map(changed).collect()
}

/// Not if the engagement is read anyway, which shows the referral too.
fn may_be_listed(look: &Look) -> bool {
    look.referral && !look.engagement
}

/// Whether this is the state that the hint is about, or a later one.
fn shows_it(link: &Link, since: Timestamp, referral: &Referral) -> bool {
    let version = Version::of_referral(referral);
    let old = referral.updated() < since || link.partner_center.is_stale(&version);
    !old || planted::is(Bug::OldPageBelieved)
}

/// The referral of a link, if it was listed.
pub(super) fn body(look: &Look, id: &ReferralId, listed: &Listed) -> Option<Referral> {
    listed.get(id).filter(|_| may_be_listed(look)).cloned()
}
