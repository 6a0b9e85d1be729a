//! Is it well? One sentence, then the numbers behind it.

use crate::{
    App, deals, history, pace,
    report::{Level, Line, Report},
    watch,
};
use clients::outside;
use jiff::{SignedDuration, Timestamp};
use mapping::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use sync::{
    failure::Failure,
    link::Link,
    ports::Links,
    table::{Item, Key},
};

/// A poller whose last tick ended this long ago is a fault; the deployed schedule is a minute.
const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// The whole of it.
pub(crate) async fn overview(app: &App) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut report = Report::default();
    let parts = pace::feeds(&worker, &mut report).await;
    let holds = pace::holds(&worker, &mut report).await;
    let queues = watch::queues(app, &worker, &mut report).await;
    let noted = noted(&worker, &mut report).await;
    let deals = count(&worker, &mut report).await;
    let all: u64 = deals.states.values().sum();
    report
        .good(format!("{all} deals{}", if deals.all { "" } else { " at least: no time to count them all" }));
    let sentence = sentence(&report, &deals, &noted, worker.outside.clock.now());
    let first = Line { level: Level::Ok, text: sentence.clone(), cure: String::new() };
    report.lines.insert(0, first);
    report.data = json!({
        "sentence": sentence, "now": worker.outside.clock.now(), "crm": worker.map.crm().as_str(),
        "deals": { "count": all, "all": deals.all, "states": deals.states }, "waiting": queues.waiting,
        "dead": queues.dead, "parked": queues.parked, "holds": holds, "parts": parts, "map": worker.map.hash(),
        "map_version": noted.map_version, "last_tick": noted.last_tick, "tick_under_way": noted.under_way,
        "token_age": noted.token_age, "history": noted.history,
        "seen": { "partner_center": deals.seen[0], "crm": deals.seen[1] }, "oldest_waiting": deals.oldest_waiting(),
    });
    Ok(report)
}

/// The first thing that is wrong, else how well it is.
fn sentence(report: &Report, deals: &Deals, noted: &TableStatus, now: Timestamp) -> String {
    if let Some(line) = report.lines.iter().find(|line| line.level != Level::Ok) {
        return format!("Somebody should look: {}.", line.text);
    }
    let linked = deals.states.get("linked").copied().unwrap_or_default();
    let tick = match noted.last_tick {
        Some(at) => format!(", the last tick {} ago", words(now.duration_since(at))),
        None => String::new(),
    };
    format!("All is well: {linked} {} kept in step{tick}.", if linked == 1 { "deal is" } else { "deals are" })
}

fn words(ago: SignedDuration) -> String {
    match ago.as_secs().max(0) {
        seconds if seconds < 90 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// What single rows of the table say.
#[derive(Default)]
struct TableStatus {
    map_version: u32,
    /// The end of the last one.
    last_tick: Option<Timestamp>,
    under_way: bool,
    /// In seconds, as the last look of the schedule found it.
    token_age: Option<i64>,
    history: Vec<Json>,
}

/// Of a table that cannot be read, the other parts of the report say so.
async fn noted(worker: &outside::App, report: &mut Report) -> TableStatus {
    let keys = [Key::history(), Key::lease(), Key::active_map()];
    let Ok(rows) = worker.outside.links.read(&keys).await else { return TableStatus::default() };
    let now = worker.outside.clock.now();
    let samples = history::samples(rows[0].as_ref());
    let mut noted = TableStatus { history: history::told(worker, &samples), ..TableStatus::default() };
    noted.token_age =
        samples.last().and_then(|last| Some(last.token_age? + now.duration_since(last.at).as_secs()));
    for row in rows.into_iter().flatten() {
        match row.item {
            Item::Lease { until } if until > now => noted.under_way = true,
            Item::Lease { until } => {
                noted.last_tick = Some(until);
                let quiet = now.duration_since(until);
                if quiet > QUIET {
                    report.fault(
                        format!("the poller's last tick ended {} min ago", quiet.as_mins()),
                        "is its schedule switched on (`PollSchedule`), and what says the log of the Poller function?",
                    );
                }
            }
            Item::Map(map) => noted.map_version = map.version,
            _ => {}
        }
    }
    noted
}

/// What all links say together.
#[derive(Default)]
struct Deals {
    states: BTreeMap<&'static str, u64>,
    /// Whether all were counted.
    all: bool,
    /// The newest change that was seen: of Partner Center, of the CRM.
    seen: [Option<Timestamp>; 2],
    /// Since when, and which.
    waits: Option<(Timestamp, String, Option<String>)>,
}

impl Deals {
    fn add(&mut self, link: &Link) {
        *self.states.entry(deals::state(link)).or_default() += 1;
        let at = [&link.partner_center, &link.crm].map(|side| side.seen.as_ref().map(|seen| seen.at));
        self.seen = [self.seen[0].max(at[0]), self.seen[1].max(at[1])];
        // It waits for what the newest change brought.
        let since = at.into_iter().flatten().max().filter(|_| deals::waits(link));
        if let Some(since) = since.filter(|since| self.waits.as_ref().is_none_or(|(known, ..)| since < known))
        {
            let name = link.partner_center.images.get("name").or_else(|| link.crm.images.get("name"));
            let name = name.and_then(Value::text).map(str::to_owned);
            self.waits = Some((since, link.referral.to_string(), name));
        }
    }

    fn oldest_waiting(&self) -> Option<Json> {
        let (since, referral, name) = self.waits.as_ref()?;
        Some(json!({ "since": since, "referral": referral, "name": name }))
    }
}

/// If the table cannot be read on, the report says so.
async fn count(worker: &outside::App, report: &mut Report) -> Deals {
    let mut deals = Deals::default();
    let counted = deals::each_page(worker, None, |links| {
        links.iter().for_each(|link| deals.add(link));
        true
    });
    match counted.await {
        Ok(left) => deals.all = left.is_none(),
        Err(failure) => report.failed(&failure),
    }
    deals
}
