//! Commands that try again what went wrong, and that repair links. What may be done to a link is decided in
//! `sync::repair`.

use crate::{App, command::About, parked, report::Report, walk::One};
use clients::{
    outside::{self, Outside},
    queue::Letter,
};
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
    run::Run,
    table::{Change, Expect, Item, Key, Row},
};

/// Seconds for which a received dead letter is hidden from other receivers, while it is sent again.
const HIDDEN: i32 = 60;

/// What to do where the time did not suffice.
const AGAIN: &str = "again, with the same filter";

/// Tries at once what is parked and fits the filter.
pub(crate) async fn retry(app: &App, filter: Option<&str>, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let run = worker.run(ends, 1);
    let mut report = Report::default();
    let rows = worker.outside.links.parked().await?;
    let found = rows.len();
    let rows: Vec<Row> = rows.into_iter().filter(|row| fits(row, filter)).collect();
    let (mut sent, all) = (0, rows.len());
    for (done, row) in rows.into_iter().enumerate() {
        if run.now() >= ends {
            no_time_for(&mut report, all - done, AGAIN);
            break;
        }
        let what = row.key.sk.clone();
        match sent_now(&worker, repair::try_now(&run, row).await).await {
            Ok(Ok(())) => {
                report.good(format!("`{what}` is tried again"));
                sent += 1;
            }
            Ok(Err(words)) => report.warn(format!("`{what}`: {words}"), ""),
            Err(failure) => failed_at(&mut report, &what, &failure),
        }
    }
    if report.lines.is_empty() {
        report.good(format!("nothing to try again; {found} parked in all"));
    }
    report.data = json!({ "sent": sent, "parked": found });
    Ok(report)
}

/// What was done to a row goes to the writer; the words say why nothing was.
pub(crate) async fn sent_now(worker: &outside::App, done: Repaired) -> Result<Result<(), String>, Failure> {
    match done? {
        Ok(hint) => worker.outside.queue.send(&[hint]).await.map(Ok),
        Err(words) => Ok(Err(words)),
    }
}

/// One row's failure is a line: what was done to the rows before it is reported all the same.
fn failed_at(report: &mut Report, what: &str, failure: &Failure) {
    report.fault(format!("`{what}`: {failure}"), "again later");
}

fn no_time_for(report: &mut Report, more: usize, cure: &str) {
    report.warn(format!("no time for {more} more"), cure);
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
    let (letters, kept) = letters_again(app, &worker, &run, filter, &mut report).await;
    let sent = letters + unusable_again(&worker, &run, filter, &mut report).await;
    match app.dead.depth().await.map(|depth| depth.saturating_sub(kept)) {
        Ok(0) => {}
        Ok(still) => {
            report.warn(format!("still in the dead-letter queue: {still}"), "once more, in a minute");
        }
        Err(failure) => report.failed(&failure),
    }
    report.good(format!("{sent} sent again, {kept} left as they do not fit the filter"));
    report.data = json!({ "sent": sent, "left": kept });
    Ok(report)
}

/// Sends dead letters again; how many, and how many stay because they do not fit the filter.
async fn letters_again(
    app: &App,
    worker: &outside::App,
    run: &Run<'_, Outside>,
    filter: Option<&str>,
    report: &mut Report,
) -> (u64, u64) {
    let (mut sent, mut kept) = (0, 0);
    let mut seen = BTreeSet::new();
    while run.now() < run.ends {
        let letters = match app.dead.receive(HIDDEN).await {
            Ok(letters) => letters,
            Err(failure) => {
                report.failed(&failure);
                break;
            }
        };
        if letters.iter().all(|letter| seen.contains(&letter.id)) {
            break;
        }
        for letter in letters {
            if !seen.insert(letter.id.clone()) {
                continue;
            }
            if filter.is_some_and(|part| !letter.body.contains(part)) {
                kept += 1;
                continue;
            }
            match letter_again(app, worker, run, &letter, report).await {
                Ok(true) => sent += 1,
                Ok(false) => {}
                Err(failure) => failed_at(report, &letter.id, &failure),
            }
        }
    }
    (sent, kept)
}

/// `false`: it cannot be read, and is parked.
async fn letter_again(
    app: &App,
    worker: &outside::App,
    run: &Run<'_, Outside>,
    letter: &Letter,
    report: &mut Report,
) -> Result<bool, Failure> {
    let hint = Hint::parse(&letter.body);
    match &hint {
        Ok(hint) => {
            let again = format!("redrive:{}:{}", letter.id, run.now());
            worker.outside.queue.resend(hint, &again).await?;
        }
        Err(why) => {
            park_message(run, &letter.id, &letter.body, &why.to_string()).await?;
            report.warn(format!("message `{}` is unusable and parked: {why}", letter.id), "");
        }
    }
    app.dead.delete(&letter.receipt).await?;
    Ok(hint.is_ok())
}

/// Sends parked messages again that can be read by now; how many.
async fn unusable_again(
    worker: &outside::App,
    run: &Run<'_, Outside>,
    filter: Option<&str>,
    report: &mut Report,
) -> u64 {
    let rows = match worker.outside.links.parked().await {
        Ok(rows) => rows,
        Err(failure) => {
            report.failed(&failure);
            return 0;
        }
    };
    let is_message = |row: &Row| matches!(&row.item, Item::Parked(parked) if parked.body.is_some());
    let rows: Vec<Row> = rows.into_iter().filter(|row| is_message(row) && fits(row, filter)).collect();
    let mut sent = 0;
    for (done, row) in rows.iter().enumerate() {
        if run.now() >= run.ends {
            no_time_for(report, rows.len() - done, AGAIN);
            break;
        }
        let what = &row.key.sk;
        match message_again(worker, row, &format!("redrive:{what}:{}", run.now())).await {
            Ok(Ok(())) => sent += 1,
            Ok(Err(why)) => report.warn(
                format!("message `{what}` is still unusable: {why}"),
                "whatever sent it has to be mended; the item may be deleted from the table",
            ),
            Err(failure) => failed_at(report, what, &failure),
        }
    }
    sent
}

/// One parked message; the words say why it is still unusable.
async fn message_again(worker: &outside::App, row: &Row, again: &str) -> Result<Result<(), String>, Failure> {
    let Item::Parked(Parked { body: Some(body), .. }) = &row.item else { return Ok(Ok(())) };
    let hint = match Hint::parse(body) {
        Ok(hint) => hint,
        Err(why) => return Ok(Err(why.to_string())),
    };
    worker.outside.queue.resend(&hint, again).await?;
    let over = Change::delete(row.key.clone(), Expect::Rev(row.rev));
    worker.outside.links.commit(vec![over]).await?;
    Ok(Ok(()))
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
            no_time_for(&mut report, pairs.len() - done, "again, with those that are left");
            break;
        }
        match sent_now(&worker, repair::relink(&run, referral, record.clone()).await).await {
            Ok(Ok(())) => report.good(format!("referral `{referral}` is looked at again")),
            Ok(Err(why)) if pairs.len() == 1 => report.fault(why, ""),
            Ok(Err(why)) => report.fault(format!("referral `{referral}`: {why}"), ""),
            Err(failure) if pairs.len() == 1 => return Err(failure),
            Err(failure) => failed_at(&mut report, &referral.to_string(), &failure),
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
