//! Holds: no run calls a system that is out of reach until an instant. One row per system, shared by all environments
//! and read together with the links.

use crate::{
    ports::{Links, Ports},
    rows::run::{Ended, Run},
    state::{
        failure::{Class, Failure},
        link::Link,
        table::{Change, Expect, Hold, Item, Key, Row},
    },
};
use jiff::{SignedDuration, Timestamp};

/// The shortest pause, in seconds.
const SHORTEST: i64 = 10;
/// The longest pause, in seconds.
const LONGEST: i64 = 30 * 60;
/// The systems that can be held.
pub const SYSTEMS: [&str; 2] = ["partner_center", "crm"];

/// The instant until which a run must wait, if one of these rows holds a system.
pub fn held_until<'a>(rows: impl Iterator<Item = &'a Row>, now: Timestamp) -> Option<Timestamp> {
    rows.filter_map(|row| match &row.item {
        Item::Hold(hold) if hold.until > now => Some(hold.until),
        _ => None,
    })
    .max()
}

/// Holds the failure's system if every call would meet the failure: as long as the vendor says, else 10 s growing to 30
/// min. Returns the pause after which the message that met it is delivered again.
pub async fn hold<P: Ports>(run: &Run<'_, P>, failure: &Failure) -> Result<SignedDuration, Failure> {
    let Class::Retryable { after } = failure.class else { return Ok(SignedDuration::ZERO) };
    if !failure.wide || !SYSTEMS.contains(&failure.system.as_str()) {
        return Ok(after.unwrap_or(SignedDuration::from_secs(SHORTEST)));
    }
    let now = run.now();
    let key = Key::hold(failure.system.as_str());
    let row = run.ports.links().read(std::slice::from_ref(&key)).await?.pop().flatten();
    let (expect, attempts, left) = match &row {
        Some(Row { rev, item: Item::Hold(hold), .. }) => {
            let since = now.duration_since(hold.until);
            let attempts = if since.is_negative() {
                // The call began before the hold did: it met the same trouble.
                hold.attempts
            } else if since < SignedDuration::from_hours(1) {
                hold.attempts + 1
            } else {
                // After an hour without a hold the pauses begin again at the shortest.
                1
            };
            (Expect::Rev(*rev), attempts, -since)
        }
        _ => (Expect::Absent, 1, SignedDuration::ZERO),
    };
    let grown = SHORTEST.saturating_mul(1 << attempts.saturating_sub(1).min(12)).min(LONGEST);
    let pause = match after {
        // A vendor that names no time to come is asked after a time of ours: at once would only be refused again.
        Some(after) if after.is_positive() => after,
        _ if left.is_positive() => left,
        _ => SignedDuration::from_secs(grown),
    };
    if pause > left {
        let hold = Hold { until: now + pause, reason: failure.text.clone(), attempts };
        // If this save is lost, another run has placed a hold.
        run.ports.links().commit(vec![Change::put(key, expect, Item::Hold(hold))]).await?;
    }
    Ok(pause)
}

/// The end of a run whose write may have happened: the claim stays, and the message is delivered again after the
/// claim's deadline.
pub(crate) async fn not_known<P: Ports>(
    run: &Run<'_, P>,
    what: &str,
    failure: Failure,
) -> Result<Ended, Failure> {
    if failure.wide {
        hold(run, &failure).await?;
    }
    Ok(run.just_after(run.deadline(), format!("it is not known whether {what}: {failure}")))
}

/// Both systems have answered: deletes the holds that have run out, so that the next trouble begins with the shortest
/// pause again. Otherwise one failing call in a hundred would raise each pause to half an hour.
pub async fn answered<P: Ports>(run: &Run<'_, P>, rows: impl Iterator<Item = &Row>) {
    let now = run.now();
    let over: Vec<Change> = rows
        .filter(|row| matches!(&row.item, Item::Hold(hold) if hold.until <= now))
        .map(|row| Change::delete(row.key.clone(), Expect::Rev(row.rev)))
        .collect();
    if !over.is_empty() {
        // If this save is lost, the system is held again, or another run was first.
        let _ = run.ports.links().commit(over).await;
    }
}

/// Whether a hint has nothing new for a link: the link is clean and the hint's instant is not after the settled
/// version.
pub fn tells_nothing_new(link: &Link, at: Timestamp) -> bool {
    link.is_clean() && link.partner_center.settled.as_ref().is_some_and(|settled| settled.covers(at))
}
