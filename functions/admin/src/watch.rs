//! What the schedule looks at, so that nobody has to: whose the registration is, what waits, what is parked, how old the
//! refresh token is; and what is too long for one call goes on. Warnings and faults are alarms.

use crate::{
    App,
    history::{self, Sample},
    long::{self, Long},
    map,
    register::{self, Whose},
    report::{Level, Report},
};
use clients::outside;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sync::{
    failure::{Failure, System},
    in_log::in_log,
    ports::Links,
    table::Item,
};

/// A refresh token dies after 90 days without use: it should have been rotated long before.
const OLD: SignedDuration = SignedDuration::from_hours(60 * 24);

/// One look.
pub(crate) async fn watch(app: &App, ends: Timestamp) -> Result<Report, Failure> {
    let mut report = Report::default();
    let worker = app.live.app().await?;
    registration(app, &mut report).await;
    let queues = queues(app, &worker, &mut report).await;
    let parked = queues.parked;
    let age = token(app, &worker, &mut report).await;
    let sample = Sample {
        at: worker.outside.clock.now(),
        parked: parked.and_then(|n| u64::try_from(n).ok()),
        waiting: queues.waiting,
        dead: queues.dead,
        sweep_lag: None,
        token_age: age,
    };
    if let Err(failure) = history::note(&worker, sample).await {
        report.failed(&failure);
    }
    if worker.map.waits_for_columns()
        && let Err(failure) = map::note_columns(&worker, &mut report).await
    {
        report.failed(&failure);
    }
    for long in [Long::Backfill, Long::Rebase] {
        if let Err(failure) = long::go_on(app, long, ends, &mut report).await {
            report.failed(&failure);
        }
    }
    for line in report.lines.iter().filter(|line| line.level != Level::Ok) {
        tracing::warn!(decision = "watch", level = ?line.level, reason = in_log(&line.text), cure = line.cure);
    }
    let measured = [("Parked", parked.map(|n| json!(n))), ("RefreshTokenAge", age.map(|n| json!(n)))];
    let measured: serde_json::Map<_, _> =
        measured.into_iter().filter_map(|(name, n)| Some((name.to_owned(), n?))).collect();
    report.data = json!({ "metrics": measured });
    Ok(report)
}

/// How many messages wait, died, and how many rows are parked; `None`: it could not be asked.
#[derive(Default)]
pub(crate) struct Queues {
    pub(crate) waiting: Option<u64>,
    pub(crate) dead: Option<u64>,
    pub(crate) parked: Option<usize>,
}

/// What waits, what died, what is parked.
pub(crate) async fn queues(app: &App, worker: &outside::App, report: &mut Report) -> Queues {
    let mut queues = Queues::default();
    match app.dead.depth().await {
        Ok(n) => {
            queues.dead = Some(n);
            if n > 0 {
                let text = format!("{n} messages in the dead-letter queue");
                report.warn(text, "`redrive` once the cause is mended");
            }
        }
        Err(failure) => report.failed(&failure),
    }
    match worker.outside.queue.depth().await {
        Ok(n) => {
            queues.waiting = Some(n);
            report.good(format!("{n} messages wait"));
        }
        Err(failure) => report.failed(&failure),
    }
    let rows = match worker.outside.links.parked().await {
        Ok(rows) => rows,
        Err(failure) => {
            report.failed(&failure);
            return queues;
        }
    };
    let poison = rows.iter().filter(|row| matches!(&row.item, Item::Parked(p) if p.body.is_some())).count();
    if poison > 0 {
        report.warn(format!("{poison} unusable messages are parked"), "`redrive` once the cause is mended");
    }
    match rows.len() - poison {
        0 => report.good("0 deals are parked"),
        n => report
            .warn(format!("{n} deals are parked"), "`explain` tells why; their sellers read it in Audit"),
    }
    queues.parked = Some(rows.len());
    queues
}

/// How old the refresh token is, in seconds: since its secret was last stored.
pub(crate) async fn token(app: &App, worker: &outside::App, report: &mut Report) -> Option<i64> {
    let arn = &app.config.worker.partner_center.secret_arn;
    let stored = match app.secrets.fetch(System::PartnerCenter, arn).await {
        Ok(stored) => stored,
        Err(failure) => {
            report.failed(&failure);
            return None;
        }
    };
    let age = worker.outside.clock.now().duration_since(stored.created()?);
    let days = age.as_hours() / 24;
    if age > OLD {
        report.warn(
            format!("the refresh token is {days} days old"),
            "the poller stores a new one daily: its log says why not; renew the consent before day 90",
        );
    } else {
        report.good(format!("the refresh token is {days} days old"));
    }
    Some(age.as_secs())
}

async fn registration(app: &App, report: &mut Report) {
    if !app.config.register {
        return;
    }
    match register::whose(app).await {
        Ok(Whose::Ours) => {}
        Ok(Whose::Foreign(url)) => register::stolen(report, &url),
        Ok(Whose::GivenBack) => {
            tracing::error!(alarm = "registration", "the webhook's registration was given back");
            report.warn("the webhook's registration was given back", "{\"command\": \"register\"}");
        }
        // What a deployment could not do, or what was lost since.
        Ok(Whose::Nobodys | Whose::Incomplete | Whose::Former | Whose::Unconfirmed) => {
            match register::register(app, false).await {
                Ok(done) => report.append(done),
                Err(failure) => {
                    tracing::error!(alarm = "registration", "the webhook is not registered");
                    report.warn(
                        format!("Partner Center does not tell us what changes: {failure}"),
                        "{\"command\": \"register\"}",
                    );
                }
            }
        }
        Err(failure) => report.failed(&failure),
    }
}
