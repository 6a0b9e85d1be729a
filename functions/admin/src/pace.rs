//! How far each part of a tick was read, and which system is left in peace until when.

use crate::report::Report;
use clients::outside::App;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sync::{
    hold::SYSTEMS,
    poll::{BEHIND, SWEEP},
    ports::{Crm, Links, Ports},
    table::{Item, Key},
};

/// Each part of a tick, by its name; what has not caught up for a while is a fault.
pub(crate) async fn feeds(worker: &App, report: &mut Report) -> Vec<Value> {
    let feeds = worker.outside.crm().feeds().iter().map(|feed| feed.as_str());
    let names: Vec<&str> = feeds.chain([SWEEP]).collect();
    let keys: Vec<Key> = names.iter().map(|name| Key::watermark(name)).collect();
    let now = worker.outside.clock.now();
    let mut told = vec![];
    for (item, name) in read(worker, report, &keys).await.into_iter().zip(names) {
        let Some(Item::Watermark(mark)) = item else { continue };
        let late = now.duration_since(mark.seen_until);
        if late > BEHIND {
            let under_way = if mark.round.is_some() { ", and its present round is under way" } else { "" };
            report.fault(
                format!("`{name}` was last read to its end {} min ago{under_way}", late.as_mins()),
                "the poller's log says why, in lines with `part`",
            );
        }
        told.push(json!({ "part": name, "seen_until": mark.seen_until, "seconds_ago": late.as_secs() }));
    }
    told
}

/// What is held now.
pub(crate) async fn holds(worker: &App, report: &mut Report) -> Vec<Value> {
    let keys = SYSTEMS.map(Key::hold);
    let now = worker.outside.clock.now();
    let mut told = vec![];
    for (item, system) in read(worker, report, &keys).await.into_iter().zip(SYSTEMS) {
        if let Some(Item::Hold(hold)) = item
            && hold.until > now
        {
            let left = hold.until.duration_since(now).max(SignedDuration::ZERO).as_secs();
            report.warn(
                format!("everything waits {left} s for {system}: {}", hold.reason),
                "it goes on by itself once the cause is gone",
            );
            told.push(json!({ "system": system, "until": hold.until, "reason": hold.reason }));
        }
    }
    told
}

/// The row of each key; none where the table cannot be read, which is reported.
async fn read(worker: &App, report: &mut Report, keys: &[Key]) -> Vec<Option<Item>> {
    match worker.outside.links.read(keys).await {
        Ok(rows) => rows.into_iter().map(|row| row.map(|row| row.item)).collect(),
        Err(failure) => {
            report.failed(&failure);
            vec![]
        }
    }
}
