//! Creates a referral (for co-sell: both halves of an engagement) for a record that has none. A create cannot be
//! undone, so each step is saved before it is taken, and after an unknown outcome the referral is looked up before any
//! second POST.

mod begin;
mod end;
mod look_up;
mod microsoft_half;
mod namer;
mod of_lead;
mod own_half;
mod post;

use crate::{
    planted::{self, Bug},
    ports::{Crm, Links, Ports, Seen},
    rows::{
        aliases::alias_of,
        held::Held,
        late::older_than_seen,
        run::{Ended, Run, Story},
        stop::{Outcome, Stop},
    },
    state::{
        failure::Failure,
        intent::Step,
        link::Link,
        table::{Item, Key, Row},
    },
};
use begin::begin;
use end::{end, end_with_the_record};
use mapping::RecordId;
use microsoft_half::microsoft_half;
use own_half::own_half;

/// Converts a story's result for the handler. If the story left an intent to invite Microsoft, that intent is carried
/// out first.
pub(crate) async fn conclude<P: Ports>(run: &Run<'_, P>, mut outcome: Outcome) -> Story {
    loop {
        match outcome {
            Ok(ended) | Err(Stop::Ended(ended)) => return Ok(ended),
            Err(Stop::Failed(failure)) => return Err(failure),
            Err(Stop::Overtaken) => return Ok(Ended::later(2, "others are working on this link")),
            Err(Stop::Invites(begun)) => {
                let held = Held { run, intent: begun.intent, rev: 1, about_to_post: false };
                outcome = Box::pin(go_on_or_release(held, begun.seen)).await;
            }
        }
    }
}

/// Handles a record without a link. `intent`: its row, as just read; `at_least`: the order of the version that the
/// hint's sender saw.
pub(crate) async fn create_engagement<P: Ports>(
    run: &Run<'_, P>,
    record: &RecordId,
    intent: Option<Row>,
    at_least: Option<i64>,
) -> Outcome {
    let now = run.now();
    let known = match intent {
        Some(Row { rev, item: Item::Intent(intent), .. }) => Some((*intent, rev)),
        _ => None,
    };
    if let Some((intent, _)) =
        known.as_ref().filter(|(intent, _)| now < intent.claim_until && !planted::is(Bug::TwoHolders))
    {
        return Ok(run.just_after(intent.claim_until, "its referral is being created"));
    }
    let Some(seen) = run.ports.crm().fetch(record).await? else {
        return match known {
            Some((intent, rev)) => end_with_the_record(run, intent, rev).await,
            None => Ok(Ended::done("skipped", "the record is gone")),
        };
    };
    if let Some(again) = older_than_seen(run, at_least, &seen.version) {
        return Ok(again);
    }
    let Some((mut intent, rev)) = known else { return Box::pin(begin(run, seen)).await };
    intent.claim_until = run.deadline();
    if let Some(link) = linked(run, record).await? {
        // Already linked: at most Microsoft's half is left to create.
        intent.step = Step::Microsoft;
        intent.referral = Some(link.referral);
        intent.engagement = intent.engagement.or(link.engagement);
    } else {
        intent.step = Step::Own;
    }
    let mut held = Held { run, intent, rev, about_to_post: false };
    if !held.save(vec![]).await? {
        return Ok(Ended::later(2, "somebody else goes on with its referral"));
    }
    go_on_or_release(held, seen).await
}

/// Reads the link of a record by its alias.
async fn linked<P: Ports>(run: &Run<'_, P>, record: &RecordId) -> Result<Option<Link>, Failure> {
    let Some(referral) = alias_of(run, record).await? else { return Ok(None) };
    Ok(match run.ports.links().read(&[Key::link(&referral)]).await?.pop().flatten() {
        Some(Row { item: Item::Link(link), .. }) => Some(*link),
        _ => None,
    })
}

/// Carries an intent out. After a failure outside a POST the claim ends, so that the next run can continue at once.
async fn go_on_or_release<P: Ports>(mut held: Held<'_, P>, seen: Seen) -> Outcome {
    let outcome = Box::pin(go_on(&mut held, seen)).await;
    let failed = matches!(outcome, Err(Stop::Failed(_)));
    if failed && (held.intent.unknown.is_none() || held.about_to_post) {
        held.intent.unknown = None;
        let _ = held.release().await;
    }
    outcome
}

/// Carries out the steps that are left: our own half, Microsoft's half, the end.
async fn go_on<P: Ports>(held: &mut Held<'_, P>, seen: Seen) -> Outcome {
    let own = match held.intent.step {
        Step::Own => Some(own_half(held, &seen).await?),
        Step::Microsoft => None,
    };
    let sibling = microsoft_half(held, own.as_ref(), &seen).await?;
    Box::pin(end(held, own, sibling, seen)).await
}
