//! Is it well? One sentence, then the numbers behind it.

use crate::{
    App, deals, pace,
    report::{Level, Line, Report},
    watch,
};
use clients::outside;
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;
use sync::{failure::Failure, ports::Links, table::Item};

/// Deals are counted for so long: what is counted by then is told.
const LONGEST: SignedDuration = SignedDuration::from_secs(10);

/// The whole of it.
pub(crate) async fn overview(app: &App) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut report = Report::default();
    let parts = pace::feeds(&worker, &mut report).await;
    let holds = pace::holds(&worker, &mut report).await;
    let queues = watch::queues(app, &worker, &mut report).await;
    let (states, all) = states(&worker, &mut report).await;
    let deals: u64 = states.values().sum();
    report.good(format!("{deals} deals{}", if all { "" } else { " at least: no time to count them all" }));
    let sentence = match report.lines.iter().find(|line| line.level != Level::Ok) {
        None => "All is well.".to_owned(),
        Some(line) => format!("Somebody should look: {}.", line.text),
    };
    let first = Line { level: Level::Ok, text: sentence.clone(), cure: String::new() };
    report.lines.insert(0, first);
    report.data = json!({
        "sentence": sentence, "now": worker.outside.clock.now(), "crm": worker.map.crm().as_str(),
        "deals": { "count": deals, "all": all, "states": states }, "waiting": queues.waiting, "dead": queues.dead,
        "parked": queues.parked, "holds": holds, "parts": parts, "map": worker.map.hash(),
    });
    Ok(report)
}

/// Deals by state; whether all were counted.
async fn states(worker: &outside::App, report: &mut Report) -> (BTreeMap<&'static str, u64>, bool) {
    let (mut states, mut cursor) = (BTreeMap::new(), None);
    let ends = worker.outside.clock.now() + LONGEST;
    loop {
        let (rows, next) = match worker.outside.links.page(cursor.as_deref()).await {
            Ok(page) => page,
            Err(failure) => {
                report.failed(&failure);
                return (states, false);
            }
        };
        for row in rows {
            if let Item::Link(link) = &row.item {
                *states.entry(deals::state(link)).or_default() += 1;
            }
        }
        cursor = next;
        if cursor.is_none() || worker.outside.clock.now() > ends {
            return (states, cursor.is_none());
        }
    }
}
