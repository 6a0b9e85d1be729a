//! Works off the hints of one group: finds where they lead and runs the stories. Whatever caused a hint, the present
//! state decides.

use super::{
    route::{GONE, ways},
    storm::{self, Listed},
};
use crate::{
    engagement::{conclude, create_engagement},
    identity::{Named, meet, settle_or_resume},
    ports::{Links, Ports},
    rows::{
        hold::answered,
        parking::park,
        run::{Ended, Run, Story},
        stop::Outcome,
    },
    settle::Look,
    state::{
        failure::{Failure, System},
        hint::Hint,
        image::digest,
        parked::Parked,
        table::{Change, Expect, Item, Key, Row},
    },
};
use jiff::Timestamp;
use mapping::ReferralId;

pub use super::route::{Rows, keys};

/// How many times a record is read again that the feed reports as deleted and a read still shows.
const GONE_LOOKS: u32 = 4;

/// Works off the hints of one FIFO group as one: they succeed together and fail together. `listed`: referrals that were
/// read for the whole batch.
pub async fn receive<P: Ports>(run: &Run<'_, P>, hints: &[Hint], rows: &Rows, listed: &Listed) -> Story {
    let ways = ways(run.map, hints, rows);
    let mut ended = ways.ended.unwrap_or_else(|| Ended::done("skipped", "nothing to do"));
    let deleted = hints.iter().any(|hint| hint.from == GONE);
    for (id, mut look) in ways.links {
        look.body = storm::body(&look, &id, listed);
        look.gone = deleted;
        let row = rows.get(&Key::link(&id)).cloned();
        let story = link(run, &id, row, look).await?;
        ended = worse(ended, if deleted && run.attempt < GONE_LOOKS { gone(story) } else { story });
    }
    for (id, (since, named)) in ways.referrals {
        let outcome = Box::pin(stranger(run, &id, since, named)).await;
        ended = worse(ended, conclude(run, outcome).await?);
    }
    for (record, at_least) in ways.records {
        let intent = rows.get(&Key::intent(&record)).cloned();
        let outcome = Box::pin(create_engagement(run, &record, intent, at_least)).await;
        ended = worse(ended, conclude(run, outcome).await?);
    }
    if matches!(&ended, Ended::Done(decision) if decision.decision != "parked") {
        unpark(run, hints).await?;
    }
    if matches!(&ended, Ended::Done(decision) if decision.decision == "settled") {
        answered(run, rows.values()).await;
    }
    Ok(ended)
}

/// Handles a referral without a link. If only a webhook or a related event names it, a budget limits how many are read:
/// anyone can send us genuine events again.
async fn stranger<P: Ports>(
    run: &Run<'_, P>,
    id: &ReferralId,
    since: Option<Timestamp>,
    named: Named,
) -> Outcome {
    if named == Named::Listed {
        return meet(run, id, since, named).await;
    }
    if !run.settings.strangers.take(run.now()) {
        return Ok(Ended::done("skipped", "too many unknown referrals at once: left to the sweep"));
    }
    meet(run, id, since, named).await
}

/// Deletes what was parked without its link holding it (a message that was given up) after its retry succeeded.
async fn unpark<P: Ports>(run: &Run<'_, P>, hints: &[Hint]) -> Result<(), Failure> {
    for hint in hints.iter().filter(|hint| hint.from == "retry") {
        let what = hint.about();
        let mut keys = vec![Key::parked(&what)];
        keys.extend(ReferralId::parse(&what).map(|id| Key::link(&id)));
        let mut rows = run.ports.links().read(&keys).await?.into_iter();
        let parked = rows.next().flatten();
        let still = matches!(rows.next().flatten(), Some(Row { item: Item::Link(link), .. }) if !link.parked.is_empty());
        if let Some(row) = parked.filter(|_| !still) {
            run.ports.links().commit(vec![Change::delete(row.key, Expect::Rev(row.rev))]).await?;
        }
    }
    Ok(())
}

/// Parks a hint that was received too many times or was refused permanently. It is tried again by time.
pub async fn give_up<P: Ports>(run: &Run<'_, P>, hint: &Hint, words: &str) -> Story {
    let outcome = park(run, &hint.about(), words, "given up").await;
    conclude(run, outcome).await
}

/// Parks a message that is no hint of ours: under its message id, with at most 4 KB of its body.
pub async fn park_message<P: Ports>(
    run: &Run<'_, P>,
    message_id: &str,
    body: &str,
    words: &str,
) -> Result<(), Failure> {
    let kept: String = body
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= 4096).then_some(c)
        })
        .collect();
    let mut parked = Parked::again(words.to_owned(), None, digest(body), run.now(), None);
    parked.body = Some(kept);
    let row = Change::put(Key::message(message_id), Expect::Any, Item::Parked(parked));
    if !run.ports.links().commit(vec![row]).await? {
        return Err(Failure::later(System::Table, "park a message", "others are working on it"));
    }
    Ok(())
}

/// The feed says that the record was deleted: a read that still shows it may be late, and the feed does not report it a
/// second time.
pub(super) fn gone(ended: Ended) -> Ended {
    match ended {
        Ended::Done(decision) if !matches!(decision.decision, "detached" | "skipped" | "parked") => {
            Ended::later(60, "the feed says it was deleted, a read still shows it")
        }
        ended => ended,
    }
}

/// Settles a link, or continues the create of its record.
pub(super) async fn link<P: Ports>(run: &Run<'_, P>, id: &ReferralId, row: Option<Row>, look: Look) -> Story {
    let outcome = Box::pin(settle_or_resume(run, id, row, look)).await;
    conclude(run, outcome).await
}

/// Combines two outcomes: the later retry wins, else the decision that was made last.
fn worse(one: Ended, other: Ended) -> Ended {
    match (&one, &other) {
        (Ended::Later { after: a, .. }, Ended::Later { after: b, .. }) if a >= b => one,
        (Ended::Later { .. }, Ended::Done(_)) => one,
        _ => other,
    }
}
