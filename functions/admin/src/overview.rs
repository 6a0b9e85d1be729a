//! Is it well? One sentence, then the numbers behind it.

use crate::{
    App, deals, pace,
    report::{Level, Line, Report},
    watch,
};
use clients::outside;
use serde_json::json;
use std::collections::BTreeMap;
use sync::failure::Failure;

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

/// Deals by state; whether all were counted. A table that cannot be read on is told.
async fn states(worker: &outside::App, report: &mut Report) -> (BTreeMap<&'static str, u64>, bool) {
    let mut states = BTreeMap::new();
    let counted = deals::each_page(worker, None, |links| {
        for link in links {
            *states.entry(deals::state(link)).or_default() += 1;
        }
        true
    });
    let all = match counted.await {
        Ok(left) => left.is_none(),
        Err(failure) => {
            report.failed(&failure);
            false
        }
    };
    (states, all)
}
