//! A feed of the CRM: live work by its delta position, and the walk over the whole table behind it.

use super::{
    mark::Mark,
    page::{PageRows, page},
    tick::{Came, Tick},
};
use crate::{
    planted::{self, Bug},
    ports::{Changes, Crm, Feed, Ports, Position},
    rows::run::Run,
    state::{
        failure::{Class, Failure, System},
        table::Walk,
    },
};
use jiff::{SignedDuration, Timestamp};

/// How far a round by time goes back. `modifiedon` is set before the commit, so a slow transaction appears with an
/// older stamp (vendors/dataverse.md, *Change tracking*).
const CRM_OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// Works off what changed since the last tick, then continues the walk behind it.
pub(super) async fn feed<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    tick: &mut Tick<'_>,
) -> Result<Came, Failure> {
    let mut mark = Mark::read(run, feed.as_str(), tick.began).await?;
    if mark.mark.map != run.map.hash() {
        // Another map reads other columns: live work continues by time, and the walk behind it looks at every row
        // again.
        mark.mark.map = run.map.hash().to_owned();
        mark.mark.position = None;
        mark.mark.round = None;
        mark.mark.walk = Some(Walk::at(tick.began, None));
    }
    if !mark.first {
        match live(run, feed, &mut mark, tick).await? {
            Saved::Yes(Came::Through) => {}
            Saved::Yes(came) => return Ok(came),
            Saved::ByAnother => return Ok(Came::Through),
        }
    }
    walk(run, feed, &mut mark, tick).await
}

/// Live work: one round, or what is left of it.
async fn live<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    mark: &mut Mark,
    tick: &mut Tick<'_>,
) -> Result<Saved, Failure> {
    let mut restarted = false;
    loop {
        let since = (mark.mark.seen_until - CRM_OVERLAP).max(mark.mark.since);
        let delta = mark.mark.position.clone();
        let fresh = delta.clone().map_or(Position::Since(since), Position::At);
        let round = mark.mark.round.get_or_insert(Walk::at(tick.began, None)).clone();
        let position = round.cursor.clone().map_or(fresh, Position::At);
        if tick.is_over(run) {
            return Ok(Saved::Yes(Came::PartWay));
        }
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired => {
                mark.mark.round = None;
                if delta.is_none() && restarted {
                    return Err(refused_again(feed));
                }
                if delta.is_none() {
                    // A page of a round by time is gone: the round begins again.
                    restarted = true;
                    if let Saved::ByAnother = saved(run, mark, Came::PartWay).await? {
                        return Ok(Saved::ByAnother);
                    }
                    continue;
                }
                mark.mark.position = None;
                mark.mark.walk = Some(Walk::at(tick.began, None));
                if planted::is(Bug::ExpiryForgets) {
                    mark.mark.seen_until = tick.began;
                    return saved(run, mark, Came::Through).await.map(|_| Saved::ByAnother);
                }
            }
            Changes::Page { rows, next, resume } => {
                if let Some(after) =
                    page(run, feed, PageRows { rows, after: round.after }, true, tick).await?
                {
                    mark.mark.round = mark.mark.round.take().map(|round| Walk { after, ..round });
                    return saved(run, mark, Came::PartWay).await;
                }
                match next {
                    Some(next) => {
                        mark.mark.round = Some(Walk::at(round.began, Some(next)));
                        if let Saved::ByAnother = saved(run, mark, Came::PartWay).await? {
                            return Ok(Saved::ByAnother);
                        }
                    }
                    None => {
                        mark.mark.seen_until = round.began;
                        mark.mark.round = None;
                        if delta.is_some() {
                            mark.mark.position = resume;
                        }
                        return saved(run, mark, Came::Through).await;
                    }
                }
            }
        }
    }
}

/// The walk over the whole table: saves the position that follows it, settles known links, creates nothing.
async fn walk<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    mark: &mut Mark,
    tick: &mut Tick<'_>,
) -> Result<Came, Failure> {
    let mut restarted = false;
    while let Some(walk) = mark.mark.walk.clone() {
        if tick.is_over(run) {
            return Ok(Came::PartWay);
        }
        let position = walk.cursor.clone().map_or(Position::Start, Position::At);
        match run.ports.crm().changes(feed, &position).await? {
            Changes::Expired if restarted => return Err(refused_again(feed)),
            Changes::Expired => {
                restarted = true;
                mark.mark.walk = Some(Walk::at(walk.began, None));
            }
            Changes::Page { rows, next, resume } => {
                if let Some(after) =
                    page(run, feed, PageRows { rows, after: walk.after.clone() }, false, tick).await?
                {
                    mark.mark.walk = Some(Walk { after, ..walk });
                    mark.save(run).await?;
                    return Ok(Came::PartWay);
                }
                match next {
                    Some(next) => mark.mark.walk = Some(Walk::at(walk.began, Some(next))),
                    None => {
                        // Rows that changed during the walk may be neither in the walk nor in the changes after it.
                        if since(run, feed, walk.began, tick).await? == Came::PartWay {
                            return Ok(Came::PartWay);
                        }
                        mark.mark.position = resume;
                        mark.mark.walk = None;
                    }
                }
            }
        }
        if !mark.save(run).await? {
            return Ok(Came::Through);
        }
    }
    Ok(Came::Through)
}

/// Works off all rows that were changed since an instant.
async fn since<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    began: Timestamp,
    tick: &mut Tick<'_>,
) -> Result<Came, Failure> {
    let mut position = Position::Since(began);
    loop {
        if tick.is_over(run) {
            return Ok(Came::PartWay);
        }
        let Changes::Page { rows, next, .. } = run.ports.crm().changes(feed, &position).await? else {
            // Its later pages are still to be read.
            return Ok(Came::PartWay);
        };
        if page(run, feed, PageRows { rows, after: None }, true, tick).await?.is_some() {
            return Ok(Came::PartWay);
        }
        let Some(next) = next else { return Ok(Came::Through) };
        position = Position::At(next);
    }
}

/// A page that is refused although its walk has begun again is refused for what it holds.
fn refused_again(feed: Feed) -> Failure {
    let operation = format!("read {} page by page", feed.as_str());
    let text = "a page is refused, also after a new beginning";
    Failure { class: Class::Permanent, ..Failure::later(System::Crm, operation, text) }
}

enum Saved {
    Yes(Came),
    /// Another run saved the watermark first: what that run read counts.
    ByAnother,
}

async fn saved<P: Ports>(run: &Run<'_, P>, mark: &mut Mark, came: Came) -> Result<Saved, Failure> {
    Ok(if mark.save(run).await? { Saved::Yes(came) } else { Saved::ByAnother })
}
