//! Work that is too long for one call: `backfill`, the first load, and `rebase`, which compares all links anew. The
//! table keeps how far it has come; a call does as much as its time allows, and the schedule's next call continues
//! there. The next page is sent only while few messages wait: today's changes must not queue behind last year's.

use crate::{
    App,
    command::Action,
    report::Report,
    walk::{self, One, Place},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use sync::{
    failure::Failure,
    hint::{Hint, Subject},
    ports::{Hints, Links},
    repair,
    table::{Change, Expect, Item, Key, Row, Watermark},
};

/// The next page is sent while fewer messages than this wait in the queue.
const FEW: u64 = 100;
/// Between two looks at the queue's depth.
const PAUSE: Duration = Duration::from_secs(2);
/// How often it is tried to stop it, while another call saves its pages.
const STOPS: u32 = 5;
/// The longest that one page takes: with less time left, no further page is begun.
const PAGE: SignedDuration = SignedDuration::from_secs(30);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Long {
    /// Every referral, and every record with Sync set.
    Backfill,
    /// Every link in the table.
    Rebase,
}

impl Long {
    fn name(self) -> &'static str {
        match self {
            Long::Backfill => "backfill",
            Long::Rebase => "rebase",
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    began: Timestamp,
    /// Where the next page begins; `None`: it is over.
    place: Option<Place>,
    sent: u64,
    pages: u64,
    left_out: u64,
}

/// Starts it, says how far it is, or stops it.
pub(crate) async fn command(
    app: &App,
    long: Long,
    action: Action,
    ends: Timestamp,
) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let key = Key::watermark(long.name());
    let row = worker.outside.links.read(std::slice::from_ref(&key)).await?.pop().flatten();
    let known = row.as_ref().and_then(progress);
    let mut report = Report::default();
    match (action, known) {
        (Action::Status, None) => report.good(format!("{} was never started", long.name())),
        (Action::Status, Some(progress)) => {
            tell(&mut report, long, &progress);
            if long == Long::Backfill {
                waiting(&worker, &mut report).await?;
            }
        }
        (Action::Stop, _) => stop(&worker.outside.links, long, &key, &mut report).await?,
        (Action::Start, known) => {
            if known.as_ref().is_none_or(|progress| progress.place.is_none()) {
                let began = worker.outside.clock.now();
                let place = Some(Place::start());
                let new = Progress { began, place, sent: 0, pages: 0, left_out: 0 };
                save(&worker.outside.links, &key, row.as_ref(), &new).await?;
            }
            go_on(app, long, ends, &mut report).await?;
        }
    }
    Ok(report)
}

/// Stops it. The schedule may save a page meanwhile: then it is read again.
async fn stop(links: &impl Links, long: Long, key: &Key, report: &mut Report) -> Result<(), Failure> {
    let name = long.name();
    for _ in 0..STOPS {
        let row = links.read(std::slice::from_ref(key)).await?.pop().flatten();
        let known = row.as_ref().and_then(progress).filter(|progress| progress.place.is_some());
        let Some(mut progress) = known else {
            report.good(format!("{name} is not under way"));
            return Ok(());
        };
        progress.place = None;
        if save(links, key, row.as_ref(), &progress).await? {
            report.good(format!("{name} was stopped; {} hints were sent", progress.sent));
            return Ok(());
        }
    }
    report.fault(format!("{name} was not stopped: another call saves its pages just now"), "once more");
    Ok(())
}

/// Continues what is under way, if anything is, until it is over or the time is up. In tests, whose
/// pauses take no time, it returns instead of waiting for the queue.
pub(crate) async fn go_on(
    app: &App,
    long: Long,
    ends: Timestamp,
    report: &mut Report,
) -> Result<(), Failure> {
    let worker = app.live.app().await?;
    let (links, queue) = (&worker.outside.links, &worker.outside.queue);
    let key = Key::watermark(long.name());
    loop {
        let row = links.read(std::slice::from_ref(&key)).await?.pop().flatten();
        let Some(mut progress) = row.as_ref().and_then(progress) else { return Ok(()) };
        let Some(place) = progress.place.clone() else {
            if progress.pages > 0 {
                tell(report, long, &progress);
            }
            return Ok(());
        };
        let now = worker.outside.clock.now();
        if now + PAGE > ends {
            tell(report, long, &progress);
            return Ok(());
        }
        if queue.depth().await? >= FEW {
            if !app.sleeps {
                tell(report, long, &progress);
                return Ok(());
            }
            app.pause(PAUSE).await;
            continue;
        }
        let (hints, next, left_out) = match long {
            Long::Backfill => {
                let page = walk::page(&worker, &place).await?;
                if page.anew {
                    let part = place.part;
                    report.good(format!("the saved page of {part:?} is no longer there: all of them again"));
                }
                (page.found.into_iter().map(|one| hint(one, now)).collect(), page.next, 0)
            }
            Long::Rebase => rebase(&worker, &place, ends).await?,
        };
        // Sent before it is saved: a page may be sent twice, and none is skipped.
        queue.send(&hints).await?;
        progress.sent += hints.len() as u64;
        progress.left_out += left_out;
        progress.pages += 1;
        progress.place = next;
        if !save(links, &key, row.as_ref(), &progress).await? {
            // Another call, as the schedule's, has saved this page, or has stopped it: what is true is in the table.
            let row = links.read(std::slice::from_ref(&key)).await?.pop().flatten();
            if let Some(there) = row.as_ref().and_then(self::progress) {
                tell(report, long, &there);
            }
            return Ok(());
        }
    }
}

fn hint(one: One, now: Timestamp) -> Hint {
    let subject = match one {
        One::Referral(referral) => Subject::Referral { referral },
        One::Record(record) => Subject::Record { record, referral: None, seen: None },
    };
    Hint::new(subject, "backfill", now)
}

/// A page of links, each made to be compared anew.
async fn rebase(
    worker: &clients::outside::App,
    place: &Place,
    ends: Timestamp,
) -> Result<(Vec<Hint>, Option<Place>, u64), Failure> {
    let run = worker.run(ends, 1);
    let (rows, next) = worker.outside.links.page(place.cursor.as_deref()).await?;
    let (mut hints, mut left_out) = (vec![], 0);
    for row in rows {
        let Item::Link(link) = row.item else { continue };
        match repair::rebase(&run, *link, row.rev).await? {
            Ok(hint) => hints.push(hint),
            // Another run works on it at this moment, and compares it.
            Err(_) => left_out += 1,
        }
    }
    let next = next.map(|cursor| Place { cursor: Some(cursor), ..place.clone() });
    Ok((hints, next, left_out))
}

fn tell(report: &mut Report, long: Long, progress: &Progress) {
    let Progress { began, sent, pages, left_out, place } = progress;
    let name = long.name();
    let left = if *left_out > 0 { format!("; {left_out} in work, left out") } else { String::new() };
    match place {
        None => report.good(format!("{name} of {began} is over: {sent} hints in {pages} pages{left}")),
        Some(place) => {
            let at = if long == Long::Backfill { format!(" at {:?}", place.part) } else { String::new() };
            report.good(format!(
                "{name} of {began} is under way{at}: {sent} hints in {pages} pages so far{left}; the schedule goes on"
            ));
        }
    }
    report.data = json!({
        "done": place.is_none(), "began": began, "sent": sent, "pages": pages, "left_out": left_out,
    });
}

/// Adds what awaits the other side's consent, in the form that `relink` takes.
async fn waiting(worker: &clients::outside::App, report: &mut Report) -> Result<(), Failure> {
    let rows = worker.outside.links.parked().await?;
    let waits: Vec<_> = rows
        .iter()
        .filter_map(|row| match &row.item {
            Item::Parked(parked) => {
                let record = parked.waits_for.as_ref()?.to_string();
                Some(json!({ "referral": row.key.sk, "record": record, "reason": parked.reason }))
            }
            _ => None,
        })
        .collect();
    if !waits.is_empty() {
        let text =
            format!("{} referrals name a record, or are named by one, that has not agreed", waits.len());
        report.warn(
            text,
            "look at `data.waits`; those that belong together: {\"command\": \"relink\", \"all_from\": […]}",
        );
    }
    report.data["waits"] = json!(waits);
    Ok(())
}

/// The progress in a watermark's row: it is stored as one, in `position`.
fn progress(row: &Row) -> Option<Progress> {
    match &row.item {
        Item::Watermark(mark) => serde_json::from_str(mark.position.as_deref()?).ok(),
        _ => None,
    }
}

async fn save(
    links: &impl Links,
    key: &Key,
    row: Option<&Row>,
    progress: &Progress,
) -> Result<bool, Failure> {
    let position = Some(json!(progress).to_string());
    let mark = Watermark { position, ..Watermark::since(progress.began, "") };
    let expect = row.map_or(Expect::Absent, |row| Expect::Rev(row.rev));
    links.commit(vec![Change::put(key.clone(), expect, Item::Watermark(mark))]).await
}
