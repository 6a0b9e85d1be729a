//! The sweep: what no webhook told.

use super::{Mark, Report, out_of_time, send};
use crate::{
    failure::Failure,
    hint::{Hint, Subject},
    hold::tells_nothing_new,
    planted::{self, Bug},
    ports::{Links, Ports, Referrals},
    run::Run,
    table::{Item, Key, Row, Walk},
};
use jiff::{SignedDuration, Timestamp};

/// The sweep's overlap.
const SWEEP_OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// The sweep's watermark.
const SWEEP: &str = "referrals";

/// Referrals updated since the mark, minus the overlap: what no webhook told becomes hints. Newest first, so that a
/// page is never shifted by what happens meanwhile.
pub(super) async fn sweep<P: Ports>(
    run: &Run<'_, P>,
    began: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut mark = Mark::read(run, SWEEP, began).await?;
    if mark.first {
        // Older deals come when they change, or by `backfill`.
        mark.mark.walk = None;
        mark.save(run).await?;
        return Ok(());
    }
    let overlap = if planted::is(Bug::NoSweepOverlap) { SignedDuration::ZERO } else { SWEEP_OVERLAP };
    let since = (mark.mark.seen_until - overlap).max(mark.mark.since);
    let mut walk = mark.mark.walk.take().unwrap_or(Walk { began, cursor: None });
    loop {
        if out_of_time(run, report) {
            return Ok(());
        }
        let page = match run.ports.referrals().changed_since(since, walk.cursor.as_deref()).await {
            // The saved page is no longer there: the sweep begins anew.
            Err(failure) if !failure.is_retryable() && walk.cursor.is_some() => {
                walk.cursor = None;
                continue;
            }
            page => page?,
        };
        report.listed += u32::try_from(page.referrals.len()).unwrap_or(u32::MAX);
        let ours: Vec<_> =
            page.referrals.iter().filter(|r| r.belongs_to(&run.settings.organization)).collect();
        let keys: Vec<_> = ours.iter().map(|r| Key::link(r.id())).collect();
        let rows = if keys.is_empty() { vec![] } else { run.ports.links().read(&keys).await? };
        let mut hints = vec![];
        for (referral, row) in ours.into_iter().zip(rows) {
            let known = matches!(&row, Some(Row { item: Item::Link(link), .. }) if tells_nothing_new(link, referral.updated()));
            if !known {
                report.found += 1;
                report.lag = report.lag.max(began.duration_since(referral.updated()));
                let subject = Subject::Referral { referral: referral.id().clone() };
                hints.push(Hint::new(subject, "sweep", referral.updated()));
            }
        }
        send(run, &hints, report).await?;
        match page.next {
            Some(next) => {
                walk.cursor = Some(next);
                mark.mark.walk = Some(walk.clone());
            }
            None => {
                mark.mark.seen_until = walk.began;
                mark.mark.walk = None;
            }
        }
        let done = mark.mark.walk.is_none();
        if !mark.save(run).await? || done {
            return Ok(());
        }
    }
}
