//! Hints of one group: where they lead, and what comes of it. Whatever brought them, the present state decides.

use crate::{
    engagement::create_engagement,
    failure::{Failure, System},
    hint::{Hint, Subject},
    hold::{answered, tells_nothing_new},
    identity::{Named, meet, resume},
    link::{State, digest},
    park::park,
    parked::Parked,
    planted::{self, Bug},
    ports::{Links, Ports},
    run::{Ended, Run, Story},
    settle::{Look, settle},
    storm::{self, Listed},
    table::{Change, Expect, Item, Key, Row},
};
use jiff::Timestamp;
use mapping::{Map, RecordId, ReferralId};
use std::collections::BTreeMap;

/// Rows that were read for a batch.
pub type Rows = BTreeMap<Key, Row>;

/// The keys a hint's first decision needs.
pub fn keys(hint: &Hint) -> Vec<Key> {
    match &hint.subject {
        Subject::Referral { referral } | Subject::Engagement { referral } => {
            vec![Key::link(referral), Key::sibling(referral), Key::foreign(referral)]
        }
        Subject::Record { record, referral, .. } => {
            let mut keys = vec![Key::record(record), Key::intent(record)];
            keys.extend(referral.iter().map(Key::link));
            keys
        }
    }
}

/// Who sends a hint to look at everything of a deal, once a day.
pub(crate) const DAILY: &str = "daily";
/// Who sends a hint that a record was deleted.
pub(crate) const GONE: &str = "gone";
/// How often a read that still shows a deleted record is looked at again.
const GONE_LOOKS: u32 = 4;

/// The feed says it was deleted: a read that still shows it may be late, and nothing would tell us again.
pub(crate) fn gone(ended: Ended) -> Ended {
    match ended {
        Ended::Done(decision) if !matches!(decision.decision, "detached" | "skipped" | "parked") => {
            Ended::later(60, "the feed says it was deleted, a read still shows it")
        }
        ended => ended,
    }
}

/// Where the hints of one FIFO group lead, each place once.
#[derive(Default)]
pub(crate) struct Leads {
    pub(crate) links: BTreeMap<ReferralId, Look>,
    referrals: BTreeMap<ReferralId, (Option<Timestamp>, Named)>,
    records: Vec<(RecordId, Option<i64>)>,
    /// Of the hints that lead nowhere.
    ended: Option<Ended>,
}

pub(crate) fn leads<'a>(map: &Map, hints: impl IntoIterator<Item = &'a Hint>, rows: &Rows) -> Leads {
    let related_names_siblings = map.vendor().related_event_sibling_id;
    let mut leads = Leads::default();
    for hint in hints {
        match lead(hint, rows, related_names_siblings) {
            Lead::Link(id, look) => {
                let all = leads.links.entry(id).or_default();
                all.referral |= look.referral;
                all.record |= look.record;
                all.engagement |= look.engagement;
                all.since = all.since.max(look.since);
                all.at_least = all.at_least.max(look.at_least);
            }
            Lead::Referral(id, since, named) => {
                let entry = leads.referrals.entry(id).or_insert((since, named));
                *entry = (entry.0.max(since), entry.1.max(named));
            }
            Lead::Record(id, seen) => match leads.records.iter_mut().find(|(known, _)| *known == id) {
                Some((_, at_least)) => *at_least = seen.max(*at_least),
                None => leads.records.push((id, seen)),
            },
            Lead::Nothing(decision, reason) => leads.ended = Some(Ended::done(decision, reason)),
        }
    }
    leads
}

/// Works off hints of one FIFO group as one: they are done together and fail together. `listed`: referrals that were
/// read for the whole batch.
pub async fn receive<P: Ports>(run: &Run<'_, P>, hints: &[Hint], rows: &Rows, listed: &Listed) -> Story {
    let leads = leads(run.map, hints, rows);
    let mut ended = leads.ended.unwrap_or_else(|| Ended::done("skipped", "nothing to do"));
    let deleted = hints.iter().any(|hint| hint.from == GONE);
    for (id, mut look) in leads.links {
        look.body = storm::body(&look, &id, listed);
        look.gone = deleted;
        let row = rows.get(&Key::link(&id)).cloned();
        let story = Box::pin(link(run, &id, row, look)).await?;
        ended = worse(ended, if deleted && run.attempt < GONE_LOOKS { gone(story) } else { story });
    }
    for (id, (since, named)) in leads.referrals {
        ended = worse(ended, Box::pin(stranger(run, &id, since, named)).await?);
    }
    for (record, at_least) in leads.records {
        let intent = rows.get(&Key::intent(&record)).cloned();
        ended = worse(ended, Box::pin(create_engagement(run, &record, intent, at_least)).await?);
    }
    if matches!(&ended, Ended::Done(decision) if decision.decision != "parked") {
        unpark(run, hints).await?;
    }
    if matches!(&ended, Ended::Done(decision) if decision.decision == "settled") {
        answered(run, rows.values()).await;
    }
    Ok(ended)
}

/// A referral that nothing of ours names. Anybody's genuine events can be sent to us again: so many are asked for, and
/// what becomes of the asking is nobody else's trouble.
async fn stranger<P: Ports>(
    run: &Run<'_, P>,
    id: &ReferralId,
    since: Option<Timestamp>,
    named: Named,
) -> Story {
    if named == Named::Listed {
        return meet(run, id, since, named).await;
    }
    if !run.settings.strangers.take(run.now()) {
        return Ok(Ended::done("skipped", "too many unknown referrals at once: left to the sweep"));
    }
    meet(run, id, since, named).await
}

/// What was set aside without a link's knowing (a message that came too often) is over once its retry went well.
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

/// Sets a hint aside: it came too often, or was refused for good. Tried again by time.
pub async fn give_up<P: Ports>(run: &Run<'_, P>, hint: &Hint, words: &str) -> Story {
    park(run, &hint.about(), words, "given up").await
}

/// Sets aside a message that is no hint of ours: under its message id, with at most 4 KB of its body.
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

/// Where one hint leads.
enum Lead {
    Link(ReferralId, Box<Look>),
    Referral(ReferralId, Option<Timestamp>, Named),
    /// ... and the order of the version its sender saw.
    Record(RecordId, Option<i64>),
    Nothing(&'static str, &'static str),
}

/// Something changed in the engagement, Microsoft's half perhaps.
fn in_engagement() -> Look {
    Look { referral: true, engagement: true, ..Look::default() }
}

/// `related_names_siblings`: a related event may carry the id of Microsoft's half.
fn lead(hint: &Hint, rows: &Rows, related_names_siblings: bool) -> Lead {
    let item = |key: Key| rows.get(&key).map(|row| &row.item);
    // Only webhook and sweep carry the instant of the change; others that of their run.
    let since = (hint.from == "sweep" || hint.from.contains("referral-")).then_some(hint.at);
    match &hint.subject {
        Subject::Referral { referral } => match item(Key::link(referral)) {
            Some(Item::Link(link)) if since.is_some_and(|at| tells_nothing_new(link, at)) => {
                Lead::Nothing("unchanged", "not after what both sides agreed on")
            }
            Some(Item::Link(_)) => {
                Lead::Link(referral.clone(), Box::new(Look { referral: true, since, ..Look::default() }))
            }
            _ => match (item(Key::sibling(referral)), item(Key::foreign(referral))) {
                (Some(Item::Alias { referral }), _) => {
                    Lead::Link(referral.clone(), Box::new(in_engagement()))
                }
                // A tombstone stops webhook hints only: the sweep's list beats it, and what is parked is tried.
                (_, Some(Item::Foreign))
                    if hint.from.contains("referral-") || planted::is(Bug::TombstoneStopsSweep) =>
                {
                    Lead::Nothing("foreign", "not ours, as seen before")
                }
                _ => {
                    let webhook = hint.from.contains("referral-");
                    Lead::Referral(referral.clone(), since, if webhook { Named::Told } else { Named::Listed })
                }
            },
        },
        // Their instant is Microsoft's: never dropped by time. Their id may be: then its tombstone is a short one.
        Subject::Engagement { referral } => {
            let look = Box::new(Look { record: hint.from == DAILY, ..in_engagement() });
            match (item(Key::link(referral)), item(Key::sibling(referral))) {
                (Some(Item::Link(link)), _)
                    if planted::is(Bug::RelatedDroppedByTime) && tells_nothing_new(link, hint.at) =>
                {
                    Lead::Nothing("unchanged", "not after what both sides agreed on")
                }
                (Some(Item::Link(_)), _) => Lead::Link(referral.clone(), look),
                (_, Some(Item::Alias { referral })) => Lead::Link(referral.clone(), look),
                _ if matches!(item(Key::foreign(referral)), Some(Item::Foreign)) => {
                    Lead::Nothing("foreign", "not ours, as seen before")
                }
                _ if related_names_siblings => Lead::Referral(referral.clone(), None, Named::Related),
                _ => Lead::Referral(referral.clone(), None, Named::Told),
            }
        }
        Subject::Record { record, seen, .. } => {
            let alias = match item(Key::record(record)) {
                Some(Item::Alias { referral }) => Some(referral.clone()),
                _ => None,
            };
            // An engagement half made goes on even where its own half is linked already.
            if item(Key::intent(record)).is_some() && !(planted::is(Bug::HalfMadeLeft) && alias.is_some()) {
                return Lead::Record(record.clone(), *seen);
            }
            match alias {
                Some(referral) => {
                    let look = Look { record: true, at_least: *seen, ..Look::default() };
                    Lead::Link(referral, Box::new(look))
                }
                None => Lead::Record(record.clone(), *seen),
            }
        }
    }
}

/// Settles a link; one whose record's creation was not finished is resumed first.
pub async fn link<P: Ports>(run: &Run<'_, P>, id: &ReferralId, row: Option<Row>, look: Look) -> Story {
    let row = match row {
        Some(row) => Some(row),
        None => run.ports.links().read(&[Key::link(id)]).await?.pop().flatten(),
    };
    match row {
        Some(Row { rev, item: Item::Link(link), .. }) if link.state == State::Creating => {
            resume(run, *link, rev).await
        }
        row => settle(run, id, row, look).await,
    }
}

/// What must come again beats what is done; a decision beats nothing to do.
fn worse(one: Ended, other: Ended) -> Ended {
    match (&one, &other) {
        (Ended::Later { after: a, .. }, Ended::Later { after: b, .. }) if a >= b => one,
        (Ended::Later { .. }, Ended::Done(_)) => one,
        _ => other,
    }
}
