//! A system that is out of reach rests: one item, shared by all environments, read together with the links.

use crate::{
    failure::{Class, Failure},
    link::Link,
    ports::{Links, Ports},
    run::Run,
    table::{Change, Expect, Hold, Item, Key, Row},
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
    let (expect, attempts) = match &row {
        // An hour without trouble begins anew.
        Some(Row { rev, item: Item::Hold(hold), .. }) => {
            let recent = now.duration_since(hold.until) < SignedDuration::from_hours(1);
            (Expect::Rev(*rev), if recent { hold.attempts + 1 } else { 1 })
        }
        _ => (Expect::Absent, 1),
    };
    let grown = SHORTEST.saturating_mul(1 << attempts.saturating_sub(1).min(12)).min(LONGEST);
    let pause = after.unwrap_or(SignedDuration::from_secs(grown));
    let already = match &row {
        Some(Row { item: Item::Hold(hold), .. }) => hold.until >= now + pause,
        _ => false,
    };
    if !already {
        let hold = Hold { until: now + pause, reason: failure.text.clone(), attempts };
        // Lost: somebody else holds it as well.
        run.ports.links().commit(vec![Change::put(key, expect, Item::Hold(hold))]).await?;
    }
    Ok(pause)
}

/// Whether a link's hint can tell nothing new: the link is clean and the hint is not after the settled instant.
pub fn tells_nothing_new(link: &Link, at: Timestamp) -> bool {
    link.is_clean() && link.partner_center.settled.as_ref().is_some_and(|settled| settled.covers(at))
}
