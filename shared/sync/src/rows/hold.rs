//! A system that is out of reach rests: one item, shared by all environments, read together with the links.

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

/// The shortest pause.
const SHORTEST: i64 = 10;
/// The longest pause.
const LONGEST: i64 = 30 * 60;
/// The systems that can be held.
pub const SYSTEMS: [&str; 2] = ["partner_center", "crm"];

/// Until when somebody must wait, if any of these rows holds a system.
pub fn held_until<'a>(rows: impl Iterator<Item = &'a Row>, now: Timestamp) -> Option<Timestamp> {
    rows.filter_map(|row| match &row.item {
        Item::Hold(hold) if hold.until > now => Some(hold.until),
        _ => None,
    })
    .max()
}

/// Holds the failure's system if everybody would meet it: as long as the vendor says, else 10 s growing to 30 min.
/// Returns the pause for the one that met it.
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
                // It was under way when the hold began: the same trouble, met once more.
                hold.attempts
            } else if since < SignedDuration::from_hours(1) {
                hold.attempts + 1
            } else {
                // An hour without trouble begins anew.
                1
            };
            (Expect::Rev(*rev), attempts, -since)
        }
        _ => (Expect::Absent, 1, SignedDuration::ZERO),
    };
    let grown = SHORTEST.saturating_mul(1 << attempts.saturating_sub(1).min(12)).min(LONGEST);
    let pause = match after {
        Some(after) => after,
        None if left.is_positive() => left,
        None => SignedDuration::from_secs(grown),
    };
    if pause > left {
        let hold = Hold { until: now + pause, reason: failure.text.clone(), attempts };
        // Lost: somebody else holds it as well.
        run.ports.links().commit(vec![Change::put(key, expect, Item::Hold(hold))]).await?;
    }
    Ok(pause)
}

/// A write may have happened: its claim stays, and no run looks before its deadline.
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

/// Both systems have answered: holds that have run out are over, and what troubles them next begins with a short pause
/// again. Otherwise one failing call in a hundred would make each pause half an hour.
pub async fn answered<P: Ports>(run: &Run<'_, P>, rows: impl Iterator<Item = &Row>) {
    let now = run.now();
    let over: Vec<Change> = rows
        .filter(|row| matches!(&row.item, Item::Hold(hold) if hold.until <= now))
        .map(|row| Change::delete(row.key.clone(), Expect::Rev(row.rev)))
        .collect();
    if !over.is_empty() {
        // Lost: it is held again, or another was first.
        let _ = run.ports.links().commit(over).await;
    }
}

/// Whether a link's hint can tell nothing new: the link is clean and the hint is not after the settled instant.
pub fn tells_nothing_new(link: &Link, at: Timestamp) -> bool {
    link.is_clean() && link.partner_center.settled.as_ref().is_some_and(|settled| settled.covers(at))
}
