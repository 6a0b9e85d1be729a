//! Once a day every linked deal is looked at from all sides, some at each tick: a lost `related-*` event must not hide what
//! Microsoft answered, nor a CRM that tells no deletions who left a list.

use super::{Mark, Report, out_of_time, send};
use crate::{
    failure::Failure,
    hint::{Hint, Subject},
    link::State,
    planted::{self, Bug},
    ports::{Links, Ports},
    receive::DAILY,
    run::Run,
    table::{Item, Walk},
};
use jiff::{SignedDuration, Timestamp};

/// The round's watermark.
pub(super) const ROUND: &str = "engagements";
/// From one round's beginning to the next one's.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One page of the table, if a round is due or under way.
pub(super) async fn engagements<P: Ports>(
    run: &Run<'_, P>,
    mut mark: Mark,
    began: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    if !run.map.switches().daily_engagements || planted::is(Bug::NoDailyRound) {
        return Ok(());
    }
    if mark.first {
        mark.mark.walk = None;
        mark.save(run).await?;
        return Ok(());
    }
    let due = mark.mark.walk.is_some() || began.duration_since(mark.mark.seen_until) >= DAY;
    if !due || out_of_time(run, report) {
        return Ok(());
    }
    let walk = mark.mark.walk.take().unwrap_or(Walk { began, cursor: None });
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
    send(run, &hints, report).await?;
    match next {
        Some(next) => mark.mark.walk = Some(Walk { cursor: Some(next), ..walk }),
        None => mark.mark.seen_until = walk.began,
    }
    mark.save(run).await.map(drop)
}
