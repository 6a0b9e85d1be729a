//! A feed of the CRM: live work by its delta position, and the walk over the whole table behind it.

use super::{Mark, Report, out_of_time, page::page};
use crate::{
    failure::Failure,
    planted::{self, Bug},
    ports::{Changes, Crm, Feed, Ports, Position},
    run::Run,
    table::Walk,
};
use jiff::{SignedDuration, Timestamp};

/// `modifiedon` is set before the commit: a slow transaction appears with an older stamp (dataverse.md §8).
const CRM_OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// What changed since the last tick.
pub(super) async fn feed<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    began: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut mark = Mark::read(run, feed.as_str(), began).await?;
    if mark.mark.map != run.map.hash() {
        // Another map reads other columns: live work goes on by time, the walk behind it looks at everything anew.
        mark.mark.map = run.map.hash().to_owned();
        mark.mark.position = None;
        mark.mark.walk = Some(Walk { began, cursor: None });
    }
    if !mark.first {
        let position = match mark.mark.position.clone() {
            Some(position) => Position::At(position),
            None => Position::Since((mark.mark.seen_until - CRM_OVERLAP).max(mark.mark.since)),
        };
        let delta = matches!(position, Position::At(_));
        match round(run, feed, position, true, report).await? {
            Round::Done(resume) => {
                mark.mark.seen_until = began;
                if delta {
                    mark.mark.position = resume;
                }
            }
            Round::Unfinished => return Ok(()),
            Round::Expired => {
                mark.mark.position = None;
                mark.mark.walk = Some(Walk { began, cursor: None });
                let since = Position::Since((mark.mark.seen_until - CRM_OVERLAP).max(mark.mark.since));
                if planted::is(Bug::ExpiryForgets) {
                    mark.mark.seen_until = began;
                    return mark.save(run).await.map(drop);
                }
                match round(run, feed, since, true, report).await? {
                    Round::Done(_) => mark.mark.seen_until = began,
                    Round::Unfinished | Round::Expired => return Ok(()),
                }
            }
        }
        if !mark.save(run).await? {
            return Ok(());
        }
    }
    walk(run, feed, &mut mark, report).await
}

/// The walk over the whole table: stores the position behind it, settles known links, creates nothing.
async fn walk<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    mark: &mut Mark,
    report: &mut Report,
) -> Result<(), Failure> {
    while let Some(walk) = mark.mark.walk.clone() {
        if out_of_time(run, report) {
            return Ok(());
        }
        let position = walk.cursor.clone().map_or(Position::Start, Position::At);
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired => mark.mark.walk = Some(Walk { cursor: None, ..walk }),
            Changes::Page { rows, next, resume } => {
                if !Box::pin(page(run, feed, rows, false, report)).await? {
                    return Ok(());
                }
                match next {
                    Some(next) => mark.mark.walk = Some(Walk { cursor: Some(next), ..walk }),
                    None => {
                        // Rows changed while the walk went by may be in neither the walk nor the changes after it.
                        match round(run, feed, Position::Since(walk.began), true, report).await? {
                            Round::Unfinished => return Ok(()),
                            Round::Done(_) | Round::Expired => {}
                        }
                        mark.mark.position = resume;
                        mark.mark.walk = None;
                    }
                }
            }
        }
        if !mark.save(run).await? {
            return Ok(());
        }
    }
    Ok(())
}

enum Round {
    /// All pages; where the next round begins.
    Done(Option<String>),
    /// No time left: the same round again at the next tick.
    Unfinished,
    Expired,
}

/// All pages from a position.
async fn round<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    position: Position,
    creates: bool,
    report: &mut Report,
) -> Result<Round, Failure> {
    let mut position = position;
    loop {
        if out_of_time(run, report) {
            return Ok(Round::Unfinished);
        }
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired => return Ok(Round::Expired),
            Changes::Page { rows, next, resume } => {
                if !Box::pin(page(run, feed, rows, creates, report)).await? {
                    return Ok(Round::Unfinished);
                }
                match next {
                    Some(next) => position = Position::At(next),
                    None => return Ok(Round::Done(resume)),
                }
            }
        }
    }
}
