//! A read that is older than its hint is a reason to read again, never a verdict.

use crate::{
    planted::{self, Bug},
    ports::Ports,
    rows::run::{Ended, Run},
    state::version::Version,
};
use jiff::{SignedDuration, Timestamp};
use mapping::Referral;

/// Whether to read a record again because the read is older than the version its hint's sender saw: three times, after
/// growing pauses. The feed will not list that version again.
pub(crate) fn older_than_seen<P: Ports>(
    run: &Run<'_, P>,
    at_least: Option<i64>,
    read: &Version,
) -> Option<Ended> {
    let (Some(order), Some(least)) = (read.order, at_least) else { return None };
    if order >= least || planted::is(Bug::OlderThanFeed) {
        return None;
    }
    let again = |seconds| Some(Ended::later(seconds, "the read is older than what the feed showed"));
    match run.attempt {
        0 | 1 => again(5),
        2 => again(30),
        3 => again(120),
        _ => None,
    }
}

/// Whether to read a referral again because the read is older than its hint: twice. The map says how far the stamps of
/// an event and of its referral may lie apart.
pub(crate) fn older_than_hint<P: Ports>(
    run: &Run<'_, P>,
    since: Option<Timestamp>,
    referral: &Referral,
) -> Option<Ended> {
    let tolerance = SignedDuration::from_secs(run.map.vendor().event_tolerance.into());
    let since = since.filter(|since| since.duration_since(referral.updated()) > tolerance)?;
    let why = format!("the referral shows {}, the hint says {since}", referral.updated());
    match run.attempt {
        0 | 1 => Some(Ended::later(5, why)),
        2 => Some(Ended::later(30, why)),
        _ => None,
    }
}
