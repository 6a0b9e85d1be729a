//! The daily round: once a day every linked deal is read in full, some deals at each tick. A lost `related-*` event
//! must not hide Microsoft's answer, and some CRMs do not report who was removed from a list.

use super::{
    mark::Mark,
    tick::{Came, Tick, send},
};
use crate::{
    entry::route::DAILY,
    planted::{self, Bug},
    ports::{Links, Ports},
    rows::run::Run,
    state::{
        failure::Failure,
        hint::{Hint, Subject},
        link::State,
        table::{Item, Row, Walk},
    },
};
use jiff::SignedDuration;

/// The name of the round's watermark.
pub(super) const ROUND: &str = "engagements";
/// The time between the beginnings of two rounds.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Sends hints for one page of the table, if a round is due or under way. `row`: its watermark, if it was just read.
pub(super) async fn round<P: Ports>(
    run: &Run<'_, P>,
    row: Option<Option<Row>>,
    tick: &mut Tick<'_>,
) -> Result<Came, Failure> {
    let began = tick.began;
    let mut mark = match row {
        Some(row) => Mark::of(run, ROUND, row, began),
        None => Mark::read(run, ROUND, began).await?,
    };
    if !run.map.switches().daily_engagements || planted::is(Bug::NoDailyRound) {
        return Ok(Came::Through);
    }
    if mark.first {
        mark.mark.walk = None;
        mark.save(run).await?;
        return Ok(Came::Through);
    }
    let due = mark.mark.walk.is_some() || began.duration_since(mark.mark.seen_until) >= DAY;
    if !due {
        return Ok(Came::Through);
    }
    if tick.is_over(run) {
        return Ok(Came::PartWay);
    }
    let walk = mark.mark.walk.take().unwrap_or(Walk::at(began, None));
    let (rows, next) = run.ports.links().page(walk.cursor.as_deref()).await?;
    let hints: Vec<Hint> = rows
        .into_iter()
        .filter_map(|row| match row.item {
            Item::Link(link) if link.state == State::Linked && link.engagement.is_some() => {
                let subject = Subject::Engagement { referral: link.referral };
                Some(Hint::new(subject, DAILY, began))
            }
            _ => None,
        })
        .collect();
    send(run, &hints, tick.report).await?;
    match next {
        Some(next) => mark.mark.walk = Some(Walk { cursor: Some(next), ..walk }),
        None => mark.mark.seen_until = walk.began,
    }
    mark.save(run).await?;
    Ok(Came::Through)
}
