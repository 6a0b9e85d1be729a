//! The sweep: finds changes of referrals that no webhook reported.

use super::{
    mark::Mark,
    tick::{Came, Tick, send},
};
use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, Referrals},
    rows::{hold::tells_nothing_new, run::Run},
    state::{
        failure::Failure,
        hint::{Hint, Subject},
        image::digest,
        table::{Item, Key, Row, Walk},
    },
};
use jiff::SignedDuration;
use mapping::Referral;
use std::collections::BTreeSet;

/// How far a sweep goes back before its watermark.
const SWEEP_OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// If reading on from a saved page still fails after this time, the sweep begins again.
const CURSOR: SignedDuration = SignedDuration::from_mins(30);
/// The name of the sweep's watermark.
pub const SWEEP: &str = "referrals";

/// How many states of the overlap are remembered.
const REMEMBERED: usize = 1000;

/// Lists the referrals updated since the watermark minus the overlap; changes that no webhook reported become hints.
/// The list is newest first, so that changes made meanwhile do not move later rows to another page.
pub(super) async fn sweep<P: Ports>(run: &Run<'_, P>, tick: &mut Tick<'_>) -> Result<Came, Failure> {
    let mut mark = Mark::read(run, SWEEP, tick.began).await?;
    if mark.first {
        // Older deals follow when they change, or by `backfill`.
        mark.mark.walk = None;
        mark.save(run).await?;
        return Ok(Came::Through);
    }
    let overlap = if planted::is(Bug::NoSweepOverlap) { SignedDuration::ZERO } else { SWEEP_OVERLAP };
    let since = (mark.mark.seen_until - overlap).max(mark.mark.since);
    let mut walk = mark.mark.walk.take().unwrap_or(Walk::at(tick.began, None));
    let (mut settled, mut restarted) = (BTreeSet::new(), false);
    loop {
        if tick.is_over(run) {
            return Ok(Came::PartWay);
        }
        let page = match run.ports.referrals().stamps_since(since, walk.cursor.as_deref()).await {
            // The saved page is gone, or has failed for so long that the page is the cause: the sweep begins again.
            Err(failure)
                if walk.cursor.is_some()
                    && !restarted
                    && (!failure.is_retryable() || tick.began.duration_since(walk.began) > CURSOR) =>
            {
                (walk, restarted) = (Walk::at(tick.began, None), true);
                continue;
            }
            page => page?,
        };
        tick.report.listed += u32::try_from(page.referrals.len()).unwrap_or(u32::MAX);
        settled.append(&mut look(run, &page.referrals, &mark.mark.settled, tick).await?);
        match page.next {
            Some(next) => {
                walk.cursor = Some(next);
                mark.mark.walk = Some(walk.clone());
            }
            None => {
                mark.mark.seen_until = walk.began;
                mark.mark.walk = None;
                mark.mark.settled = settled.iter().take(REMEMBERED).cloned().collect();
            }
        }
        let done = mark.mark.walk.is_none();
        if !mark.save(run).await? || done {
            return Ok(Came::Through);
        }
    }
}

/// Sends hints for what is new on a page; returns the digests of the rest.
async fn look<P: Ports>(
    run: &Run<'_, P>,
    listed: &[Referral],
    known: &BTreeSet<String>,
    tick: &mut Tick<'_>,
) -> Result<BTreeSet<String>, Failure> {
    let ours = listed.iter().filter(|r| r.belongs_to(&run.settings.organization));
    let (mut settled, mut others) = (BTreeSet::new(), vec![]);
    for referral in ours {
        let digest = stamped(referral);
        match known.contains(&digest) {
            true => _ = settled.insert(digest),
            false => others.push((referral, digest)),
        }
    }
    let keys: Vec<_> = others.iter().map(|(referral, _)| Key::link(referral.id())).collect();
    let rows = if keys.is_empty() { vec![] } else { run.ports.links().read(&keys).await? };
    let mut hints = vec![];
    for ((referral, digest), row) in others.into_iter().zip(rows) {
        if matches!(&row, Some(Row { item: Item::Link(link), .. }) if tells_nothing_new(link, referral.updated()))
        {
            settled.insert(digest);
            continue;
        }
        tick.report.found += 1;
        tick.report.lag = tick.report.lag.max(tick.began.duration_since(referral.updated()));
        let subject = Subject::Referral { referral: referral.id().clone() };
        hints.push(Hint::new(subject, "sweep", referral.updated()));
    }
    send(run, &hints, tick.report).await?;
    Ok(settled)
}

/// A digest of one state of a referral, in eight characters.
fn stamped(referral: &Referral) -> String {
    digest(&format!("{} {}", referral.id(), referral.updated())).chars().take(8).collect()
}
