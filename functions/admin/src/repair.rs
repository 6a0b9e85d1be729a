//! Commands that try again what went wrong, and that repair links. What may be done to a link is decided in
//! `sync::repair`.

use crate::{App, command::About, parked, report::Report, walk::One};
use jiff::Timestamp;
use mapping::{RecordId, ReferralId};
use serde_json::json;
use std::collections::BTreeSet;
use sync::{
    failure::Failure,
    hint::Hint,
    parked::Parked,
    ports::{Hints, Links},
    receive::park_message,
    repair::{self, Repaired},
    table::{Change, Expect, Item, Key, Row},
};

/// Seconds for which a received dead letter is hidden from other receivers, while it is sent again.
const HIDDEN: i32 = 60;

/// Tries at once what is parked and fits the filter.
pub(crate) async fn retry(app: &App, filter: Option<&str>, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let run = worker.run(ends, 1);
    let mut report = Report::default();
    let rows = worker.outside.links.parked().await?;
    let (mut sent, found) = (0, rows.len());
    for row in rows.into_iter().filter(|row| fits(row, filter)) {
        let what = row.key.sk.clone();
        match repair::try_now(&run, row).await? {
            Ok(hint) => {
                worker.outside.queue.send(&[hint]).await?;
                report.good(format!("`{what}` is tried again"));
                sent += 1;
            }
            Err(words) => report.warn(format!("`{what}`: {words}"), ""),
        }
    }
    if sent == 0 {
        report.good(format!("nothing to try again; {found} parked in all"));
    }
    report.data = json!({ "sent": sent, "parked": found });
    Ok(report)
}

/// Sends a hint, so that the writer reads both sides of a deal now and writes what is due.
pub(crate) async fn look(app: &App, about: About) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let (id, subject) = One::from(about).subject();
    worker.outside.queue.send(&[Hint::new(subject, "retry", worker.outside.clock.now())]).await?;
    let mut report = Report::default();
    report.good(format!("the writer looks at `{id}` now"));
    Ok(report)
}

/// Whether the filter is part of the row's id or reason, or its cause as `parked` groups it.
pub(crate) fn fits(row: &Row, filter: Option<&str>) -> bool {
    let Some(part) = filter else { return true };
    let told = |parked: &Parked| parked.reason.contains(part) || parked::cause(parked) == part;
    row.key.sk.contains(part) || matches!(&row.item, Item::Parked(parked) if told(parked))
}

/// Puts dead letters and unusable messages back on the queue: received, sent, deleted, in that order, so that a lost
/// answer leaves one message too many and never one too few.
pub(crate) async fn redrive(app: &App, filter: Option<&str>, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let run = worker.run(ends, 1);
    let mut report = Report::default();
    let (mut sent, mut kept) = (0, 0);
    let mut seen = BTreeSet::new();
    while run.now() < ends {
        let letters = app.dead.receive(HIDDEN).await?;
        if letters.is_empty() || letters.iter().all(|letter| seen.contains(&letter.id)) {
            break;
        }
        for letter in letters {
            seen.insert(letter.id.clone());
            if filter.is_some_and(|part| !letter.body.contains(part)) {
                kept += 1;
                continue;
            }
            match Hint::parse(&letter.body) {
                Ok(hint) => {
                    let again = format!("redrive:{}:{}", letter.id, run.now());
                    worker.outside.queue.resend(&hint, &again).await?;
                    sent += 1;
                }
                Err(why) => {
                    park_message(&run, &letter.id, &letter.body, &why.to_string()).await?;
                    report.warn(format!("message `{}` is unusable and parked: {why}", letter.id), "");
                }
            }
            app.dead.delete(&letter.receipt).await?;
        }
    }
    for row in worker.outside.links.parked().await? {
        let Item::Parked(parked) = &row.item else { continue };
        let Some(body) = parked.body.as_deref().filter(|_| fits(&row, filter)) else { continue };
        match Hint::parse(body) {
            Ok(hint) => {
                let again = format!("redrive:{}:{}", row.key.sk, run.now());
                worker.outside.queue.resend(&hint, &again).await?;
                let over = Change::delete(row.key.clone(), Expect::Rev(row.rev));
                worker.outside.links.commit(vec![over]).await?;
                sent += 1;
            }
            Err(why) => report.warn(
                format!("message `{}` is still unusable: {why}", row.key.sk),
                "whatever sent it has to be mended; the item may be deleted from the table",
            ),
        }
    }
    report.good(format!("{sent} sent again, {kept} left as they do not fit the filter"));
    report.data = json!({ "sent": sent, "left": kept });
    Ok(report)
}

/// Sends hints so that detached links look for their record again, or take another, and that pairs which awaited an
/// administrator's consent are linked.
pub(crate) async fn relink(
    app: &App,
    pairs: Vec<(ReferralId, Option<RecordId>)>,
    ends: Timestamp,
) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let run = worker.run(ends, 1);
    let mut report = Report::default();
    for (done, (referral, record)) in pairs.iter().enumerate() {
        if run.now() >= ends {
            report.warn(format!("no time for more than {done}"), "again, with those that are left");
            break;
        }
        match repair::relink(&run, referral, record.clone()).await? {
            Ok(hint) => {
                worker.outside.queue.send(&[hint]).await?;
                report.good(format!("referral `{referral}` is looked at again"));
            }
            Err(why) if pairs.len() == 1 => report.fault(why, ""),
            Err(why) => report.fault(format!("referral `{referral}`: {why}"), ""),
        }
    }
    Ok(report)
}

/// Sets Sync to No at the record.
pub(crate) async fn disconnect(app: &App, about: About, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let Some(referral) = referral_of(&worker.outside.links, about).await? else {
        return Ok(Report::fault_only("no link: nothing is kept in step", ""));
    };
    let done = repair::disconnect(&worker.run(ends, 1), &referral).await;
    let words =
        format!("Sync with Partner Center is No at the record of `{referral}`; Yes takes it up again");
    looked_at(app, done, &words).await
}

async fn looked_at(app: &App, done: Repaired, words: &str) -> Result<Report, Failure> {
    let mut report = Report::default();
    match done? {
        Ok(hint) => {
            app.live.app().await?.outside.queue.send(&[hint]).await?;
            report.good(words);
        }
        Err(why) => report.fault(why, ""),
    }
    Ok(report)
}

/// The referral of the deal, also where its record was named; `None`: the record has no link.
async fn referral_of(links: &impl Links, about: About) -> Result<Option<ReferralId>, Failure> {
    Ok(match about {
        About::Referral(referral) => Some(referral),
        About::Record(record) => {
            match links.read(&[Key::record(&record)]).await?.pop().flatten().map(|row| row.item) {
                Some(Item::Alias { referral }) => Some(referral),
                _ => None,
            }
        }
    })
}
