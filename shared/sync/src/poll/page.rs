//! One page of a feed: each row is skipped, settled, created, or handed to the queue. One record never stops a page.

use super::{Tick, send, stops_a_run};
use crate::{
    deal,
    engagement::create_engagement,
    failure::{Failure, System},
    hint::{Hint, Subject},
    parked::Parked,
    planted::{self, Bug},
    ports::{Changed, Feed, Links, Ports, Seen},
    receive::{GONE, gone, link},
    run::{Ended, Run},
    settle::Look,
    table::{Item, Key, Row},
    version::Age,
};
use mapping::{RecordId, RecordKind, ReferralId, names::STATUS};
use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

/// One row of a page, reduced to what has to be looked at.
struct Candidate {
    record: RecordId,
    row: Option<Seen>,
    /// The referral its own Referral Identifier names.
    names: Option<ReferralId>,
    gone: bool,
}

/// The rows of a page, and how far an earlier run came in it.
pub(super) struct Rows {
    pub(super) rows: Vec<Changed>,
    pub(super) after: Option<(RecordId, i64)>,
}

/// What was worked off so far, if there was no time for all.
pub(super) type PartWay = Option<Option<(RecordId, i64)>>;

/// `None`: all of it was worked off.
pub(super) async fn page<P: Ports>(
    run: &Run<'_, P>,
    feed: Feed,
    Rows { rows, mut after }: Rows,
    creates: bool,
    tick: &mut Tick<'_>,
) -> Result<PartWay, Failure> {
    tick.report.rows += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut candidates: BTreeMap<RecordId, Candidate> = BTreeMap::new();
    let parents = parents_of_gone(run, &rows).await?;
    for changed in rows {
        let candidate = match changed {
            Changed::Record(seen) => {
                let names = run.map.of(seen.record.id.kind).record_referral_id(&seen.record);
                Candidate { record: seen.record.id.clone(), row: Some(seen), names, gone: false }
            }
            Changed::Child(record) => Candidate { record, row: None, names: None, gone: false },
            Changed::Gone(id) if parents.contains_key(&id) => {
                Candidate { record: parents[&id].clone(), row: None, names: None, gone: false }
            }
            Changed::Gone(id) => {
                let kind = if feed == Feed::Leads { RecordKind::Lead } else { RecordKind::Opportunity };
                let record = RecordId { kind, id };
                Candidate { record, row: None, names: None, gone: true }
            }
        };
        candidates.insert(candidate.record.clone(), candidate);
    }
    let (links, intents) = known_of(run, candidates.values()).await?;
    let parked = match creates {
        true => {
            parked_of(run, candidates.values(), |id| links.contains_key(id) || intents.contains_key(id))
                .await?
        }
        false => BTreeMap::new(),
    };
    let mut hints = vec![];
    let began = run.now();
    let orders = candidates.values().filter_map(|one| one.row.as_ref()?.version.order);
    let newest = after.as_ref().map(|(_, newest)| *newest).or(orders.max());
    for candidate in candidates.into_values() {
        if tick.is_over(run) {
            send(run, &hints, tick.report).await?;
            return Ok(Some(after));
        }
        if let (Some((last, newest)), Some(row)) = (&after, &candidate.row)
            && candidate.record <= *last
            && row.version.order.is_some_and(|order| order <= *newest)
        {
            // Worked off by an earlier run, and not changed since.
            continue;
        }
        let intent = intents.get(&candidate.record).cloned();
        let link_row = links.get(&candidate.record);
        let referral = link_row.map(|row| row.key.clone()).and_then(|key| referral_of(&key));
        let id = candidate.record.clone();
        let seen = candidate.row.as_ref().and_then(|row| row.version.order);
        let from = if candidate.gone { GONE } else { "poll" };
        if let (Some(row), Some(parked)) = (&candidate.row, parked.get(&id))
            && parked.has_seen(&row.version)
        {
            continue;
        }
        match guarded(look_at(run, candidate, link_row, intent, creates)).await {
            Ok(None) => {}
            Ok(Some(Ended::Done(decision))) => {
                tick.report.settled += 1;
                tick.report.decisions.push((id.to_string(), decision.decision.to_owned(), decision.reason));
            }
            // One record that cannot be finished now never stops the page: the queue takes it.
            Ok(Some(Ended::Later { .. })) if planted::is(Bug::LaterRowForgotten) => {}
            Ok(Some(Ended::Later { why, .. })) => {
                tick.report.decisions.push((id.to_string(), "later".into(), why));
                hints.push(Hint::new(Subject::Record { record: id.clone(), referral, seen }, from, began));
            }
            Err(failure) if stops_a_run(&failure) => {
                send(run, &hints, tick.report).await?;
                return Err(failure);
            }
            Err(_) if planted::is(Bug::FailedRowForgotten) => {}
            Err(failure) if planted::is(Bug::OneRecordStopsPage) => return Err(failure),
            Err(failure) => {
                tick.report.decisions.push((id.to_string(), "failed".into(), failure.to_string()));
                hints.push(Hint::new(Subject::Record { record: id.clone(), referral, seen }, from, began));
            }
        }
        after = newest.map(|newest| (id, newest)).or(after);
    }
    send(run, &hints, tick.report).await?;
    Ok(None)
}

/// Of a deleted child row only the id is told: its alias knows the record.
async fn parents_of_gone<P: Ports>(
    run: &Run<'_, P>,
    rows: &[Changed],
) -> Result<BTreeMap<String, RecordId>, Failure> {
    let gone: Vec<&String> =
        rows.iter().filter_map(|row| if let Changed::Gone(id) = row { Some(id) } else { None }).collect();
    let keys: Vec<Key> = gone.iter().map(|id| Key::child(id)).collect();
    let mut parents = BTreeMap::new();
    if keys.is_empty() {
        return Ok(parents);
    }
    for (id, row) in gone.into_iter().zip(run.ports.links().read(&keys).await?) {
        if let Some(Row { item: Item::Parent { record }, .. }) = row {
            parents.insert(id.clone(), record);
        }
    }
    Ok(parents)
}

/// A row whose work panics fails alone.
async fn guarded<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut work = Box::pin(work);
    poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or_else(|_| {
            tracing::error!(alarm = "crash", "a row's work crashed; the queue takes it");
            Poll::Ready(Err(Failure::later(System::Crm, "row", "it crashed; see the log")))
        })
    })
    .await
}

/// The links and intents of a page's records: the Referral Identifier leads to the link, which must name the record;
/// else the record's alias does. Two batch reads, however many rows.
async fn known_of<P: Ports>(
    run: &Run<'_, P>,
    candidates: impl Iterator<Item = &Candidate>,
) -> Result<(BTreeMap<RecordId, Row>, BTreeMap<RecordId, Row>), Failure> {
    let mut keys = vec![];
    let mut owners = vec![];
    for candidate in candidates {
        let record = &candidate.record;
        let named = candidate.names.as_ref().map(Key::link);
        for key in [Key::record(record), Key::intent(record)].into_iter().chain(named) {
            keys.push(key);
            owners.push(record.clone());
        }
    }
    let (mut links, mut intents, mut aliases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    if keys.is_empty() {
        return Ok((links, intents));
    }
    for (record, row) in owners.into_iter().zip(run.ports.links().read(&keys).await?) {
        let Some(row) = row else { continue };
        match &row.item {
            // One that names no record yet is being created: this may be its record.
            Item::Link(link) if link.record.as_ref().is_none_or(|own| *own == record) => {
                links.insert(record, row);
            }
            Item::Intent(_) => {
                intents.insert(record, row);
            }
            Item::Alias { referral } => {
                aliases.insert(record, referral.clone());
            }
            _ => {}
        }
    }
    aliases.retain(|record, _| !links.contains_key(record));
    if !aliases.is_empty() {
        let keys: Vec<_> = aliases.values().map(Key::link).collect();
        for (record, row) in aliases.into_keys().zip(run.ports.links().read(&keys).await?) {
            links.extend(row.map(|row| (record, row)));
        }
    }
    Ok((links, intents))
}

/// What is set aside of the page's records that want a referral and have none: one batch read, if there are any.
async fn parked_of<P: Ports>(
    run: &Run<'_, P>,
    candidates: impl Iterator<Item = &Candidate>,
    known: impl Fn(&RecordId) -> bool,
) -> Result<BTreeMap<RecordId, Parked>, Failure> {
    let wants = |seen: &Seen| run.map.of(seen.record.id.kind).wants_referral(&seen.record) == Some(true);
    let asks = |one: &&Candidate| one.row.as_ref().is_some_and(wants) && !known(&one.record);
    let ids: Vec<&RecordId> = candidates.filter(asks).map(|one| &one.record).collect();
    let keys: Vec<Key> = ids.iter().map(|id| Key::parked(&id.to_string())).collect();
    let rows = if keys.is_empty() { vec![] } else { run.ports.links().read(&keys).await? };
    let parked = |(id, row): (&RecordId, Option<Row>)| match row?.item {
        Item::Parked(parked) => Some((id.clone(), parked)),
        _ => None,
    };
    Ok(ids.into_iter().zip(rows).filter_map(parked).collect())
}

fn referral_of(key: &Key) -> Option<ReferralId> {
    key.pk.strip_prefix("REFERRAL#").and_then(ReferralId::parse)
}

/// `None`: nothing to do.
async fn look_at<P: Ports>(
    run: &Run<'_, P>,
    candidate: Candidate,
    link_row: Option<&Row>,
    intent: Option<Row>,
    creates: bool,
) -> Result<Option<Ended>, Failure> {
    if candidate.gone && planted::is(Bug::GoneRowForgotten) {
        return Ok(None);
    }
    let at_least = candidate.row.as_ref().and_then(|seen| seen.version.order);
    // An engagement half made goes on even where its own half is linked already.
    if intent.is_some() && !(planted::is(Bug::HalfMadeLeft) && link_row.is_some()) {
        return Box::pin(create_engagement(run, &candidate.record, intent, at_least)).await.map(Some);
    }
    if let Some(row) = link_row
        && let Item::Link(known) = &row.item
    {
        let id = known.referral.clone();
        if known.lead.as_ref() == Some(&candidate.record) {
            // A lead that is an opportunity now: nothing of it is followed any more.
            return Ok(None);
        }
        let Some(seen) = candidate.row else {
            // A child row or a deletion: the record itself is looked at.
            let look = Look { record: true, gone: candidate.gone, ..Look::default() };
            let ended = link(run, &id, Some(row.clone()), look).await?;
            return Ok(Some(if candidate.gone { gone(ended) } else { ended }));
        };
        let same = known.crm.settled.as_ref().is_some_and(|v| v.against(&seen.version) == Age::Same);
        if same && known.read_otherwise(run.map.of(candidate.record.kind)).next().is_none() {
            return Ok(None);
        }
        if known.claim.is_some() && planted::is(Bug::ClaimedRowSkipped) {
            return Ok(None);
        }
        if known.claim.is_some() {
            return Ok(Some(Ended::later(0, "a write is in flight")));
        }
        let look = Look { record: true, row: Some(seen), ..Look::default() };
        return link(run, &id, Some(row.clone()), look).await.map(Some);
    }
    let map = run.map.of(candidate.record.kind);
    let wants = candidate.row.as_ref().is_none_or(|seen| map.wants_referral(&seen.record) == Some(true));
    // Leads that did not come from Partner Center do not go there.
    let comes = candidate.record.kind == RecordKind::Opportunity || candidate.names.is_some();
    if !creates || candidate.gone || !wants || !comes {
        return Ok(None);
    }
    // What becomes of nothing costs no look: a closed record, or a stack that writes nothing.
    let over = |seen: &Seen| {
        let status = map.record_field(STATUS, &seen.record);
        let closed = status.is_some_and(|status| deal::is_closed_record(map, &status));
        seen.lead.is_none() && (closed || !run.settings.writes)
    };
    if candidate.names.is_none() && candidate.row.as_ref().is_some_and(over) {
        return Ok(None);
    }
    match Box::pin(create_engagement(run, &candidate.record, None, at_least)).await? {
        Ended::Done(decision) if decision.decision == "skipped" => Ok(None),
        ended => Ok(Some(ended)),
    }
}
