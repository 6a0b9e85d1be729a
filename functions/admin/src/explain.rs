//! One deal's timeline: where it is, what it waits for, and every decision about it with its reason.

use crate::{App, command::About, report::Report, sides};
use jiff::Timestamp;
use mapping::{Map, RecordKind};
use serde_json::{Value, json};
use sync::{
    audit::Line,
    failure::Failure,
    link::{Link, State},
    merge::{self, SideFields},
    parked::Parked,
    ports::Links,
    repair::intent_in_words,
    table::{Item, Key, Row},
};

/// What the table holds about a deal; with `both`, both sides as they are now, too.
pub(crate) async fn explain(app: &App, about: About, both: bool) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let links = &worker.outside.links;
    let mut report = Report::default();
    // The partition of the end that was named; that of the other end is added where a link or an alias leads to it.
    let mut partitions = vec![match &about {
        About::Referral(id) => Key::link(id).pk,
        About::Record(id) => Key::record(id).pk,
    }];
    let mut rows: Vec<Row> = vec![];
    while let Some(pk) = partitions.pop() {
        let found = links.partition(&pk).await?;
        for row in &found {
            let other = match &row.item {
                Item::Alias { referral } => Some(Key::link(referral).pk),
                Item::Link(link) => link.record.as_ref().map(|record| Key::record(record).pk),
                _ => None,
            };
            let known = |pk: &String| *pk == row.key.pk || rows.iter().any(|row| row.key.pk == *pk);
            partitions.extend(other.filter(|pk| !known(pk)));
        }
        rows.extend(found);
    }
    rows.extend(parked(links, &about, &rows).await?);
    let mut timeline: Vec<&Line> = vec![];
    for row in &rows {
        match &row.item {
            Item::Link(link) => {
                describe(&mut report, link);
                differing(&mut report, &worker.map, link);
            }
            Item::Intent(intent) => report.warn(intent_in_words(intent), ""),
            Item::Foreign => {
                report.good("this referral is not ours, or Partner Center does not show it to us")
            }
            Item::Parked(parked) => set_aside(&mut report, "", parked),
            Item::Audit(line) => timeline.push(line),
            _ => {}
        }
    }
    if rows.is_empty() {
        report.warn(
            "the table knows nothing of it",
            "a referral comes with its next change or by `backfill`; a record once Sync with Partner Center is Yes",
        );
    }
    timeline.sort_by_key(|line| line.at);
    for line in &timeline {
        report.good(format!("{} {}: {}", minute(line.at), line.decision, line.text));
    }
    report.data = json!({ "timeline": timeline, "link": rows.iter().find_map(|row| data(&row.item)) });
    report.data["nothing"] = json!(rows.iter().flat_map(|row| nothing(&row.item)).collect::<Vec<_>>());
    let link = rows.iter().find_map(|row| match &row.item {
        Item::Link(link) => Some(link),
        _ => None,
    });
    if let Some(link) = link.filter(|_| both) {
        match sides::sides(&worker, link).await {
            Ok(sides) => report.data["sides"] = sides,
            Err(failure) => report.warn(format!("both sides as they are: {failure}"), "again later"),
        }
    }
    Ok(report)
}

/// What is parked under one of the ids.
async fn parked(links: &impl Links, about: &About, rows: &[Row]) -> Result<Vec<Row>, Failure> {
    let mut keys: Vec<Key> = rows
        .iter()
        .filter_map(|row| match &row.item {
            Item::Link(link) => link.record.as_ref().map(|record| Key::parked(&record.to_string())),
            _ => None,
        })
        .collect();
    keys.push(match about {
        About::Referral(id) => Key::parked(id.as_str()),
        About::Record(id) => Key::parked(&id.to_string()),
    });
    // A link's own row says which of its units are parked; the parked row of its referral would repeat that.
    let linked = rows.iter().any(|row| matches!(row.item, Item::Link(_)));
    keys.retain(|key| !(linked && matches!(about, About::Referral(id) if key.sk == id.as_str())));
    Ok(links.read(&keys).await?.into_iter().flatten().collect())
}

fn describe(report: &mut Report, link: &Link) {
    let record =
        link.record.as_ref().map_or("a record that is being created".to_owned(), ToString::to_string);
    let state = match link.state {
        State::Creating => "is being created in the CRM",
        State::Linked => "kept in step",
        State::Detached => "detached: the record is gone, the referral is left alone",
        State::Closed => "closed on both sides",
        State::Stopped => "stopped: Sync with Partner Center is No",
    };
    report.good(format!("referral `{}` and `{record}`: {state}", link.referral));
    if let Some(microsoft) = &link.microsoft {
        report.good(format!("Microsoft's half of the engagement is `{microsoft}`"));
    }
    for note in &link.notes {
        report.good(format!("still to be noted at the record: {}", note.text));
    }
    if let Some(claim) = &link.claim {
        let units: Vec<&str> = claim.units.iter().map(String::as_str).collect();
        report.warn(
            format!("a write of {units:?} to {:?} is in flight, or its answer was lost", claim.side),
            &format!("it is judged after {}", minute(claim.deadline)),
        );
    }
    if !link.awaiting.is_empty() {
        report.good(format!("kept until the referral is accepted: {:?}", link.awaiting));
    }
    for (unit, parked) in &link.parked {
        set_aside(report, if unit == "*" { "the whole deal" } else { unit }, parked);
    }
}

/// Why nothing happened, as far as the rows say: the referral is not ours, or a side's newest version is its settled
/// one.
fn nothing(item: &Item) -> Vec<Value> {
    let told =
        |at: Option<Timestamp>, text: &str| json!({ "at": at, "decision": "nothing to do", "text": text });
    match item {
        Item::Foreign => vec![told(
            None,
            "another organisation's referral, or one that Partner Center does not show to us",
        )],
        Item::Link(link) => {
            let sides = [("Partner Center", &link.partner_center), ("the CRM", &link.crm)];
            let agreed = sides.into_iter().filter_map(|(name, side)| {
                let seen = side.seen.as_ref().filter(|seen| side.settled.as_ref() == Some(&seen.version))?;
                let text = format!(
                    "the newest version of {name} holds nothing that was not agreed on: our own write that came back, or a \
                     change of what is not kept in step"
                );
                Some(told(Some(seen.at), &text))
            });
            agreed.collect()
        }
        _ => vec![],
    }
}

/// Names the units whose images differ although no write is in flight.
fn differing(report: &mut Report, map: &Map, link: &Link) {
    let kind = link.record.as_ref().map_or(RecordKind::Opportunity, |record| record.kind);
    let nothing_read = SideFields { partner_center: None, crm: None };
    let differ = merge::differing(map.of(kind), link, nothing_read);
    if !differ.is_empty() {
        report.warn(format!("both sides keep their own {}: the lines below say why", differ.join(", ")), "");
    }
}

fn set_aside(report: &mut Report, what: &str, parked: &Parked) {
    let what = if what.is_empty() { "it" } else { what };
    report.warn(
        format!("{what} is parked: {}", parked.reason),
        &format!("tried again when something of it changes and at {}; now: `retry`", minute(parked.next_try)),
    );
}

fn data(item: &Item) -> Option<Value> {
    let Item::Link(link) = item else { return None };
    Some(json!({
        "referral": link.referral, "engagement": link.engagement, "microsoft": link.microsoft,
        "record": link.record, "state": link.state, "parked": link.parked, "awaiting": link.awaiting,
    }))
}

/// A time to the minute: enough to find its lines in a log.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}
