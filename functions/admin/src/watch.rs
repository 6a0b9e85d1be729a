//! What the schedule looks at, so that nobody has to: whose the registration is, what waits, what is parked, how old the
//! refresh token is; and what is too long for one call goes on. Warnings and faults are alarms.

use crate::{
    App,
    long::{self, Long},
    register::{self, Whose},
    report::{Level, Report},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sync::{
    failure::{Failure, System},
    ports::Links,
    table::Item,
};

/// A refresh token dies after 90 days without use: it should have been rotated long before.
const OLD: SignedDuration = SignedDuration::from_hours(60 * 24);

/// One look.
pub(crate) async fn watch(app: &App, ends: Timestamp) -> Result<Report, Failure> {
    let mut report = Report::default();
    let worker = app.live.app().await?;
    let now = worker.outside.clock.now();
    registration(app, &mut report).await;
    let depth = worker.outside.queue.depth().await;
    let dead = app.dead.depth().await;
    let parked = worker.outside.links.parked().await;
    let age = token_age(app, now).await;
    let mut measured = serde_json::Map::new();
    match dead {
        Ok(0) => {}
        Ok(n) => {
            report
                .warn(format!("{n} messages in the dead-letter queue"), "`redrive` once the cause is mended");
        }
        Err(failure) => report.failed(&failure),
    }
    match depth {
        Ok(n) => report.good(format!("{n} messages wait")),
        Err(failure) => report.failed(&failure),
    }
    match parked {
        Ok(rows) => {
            let poison = rows.iter().filter(|row| matches!(&row.item, Item::Parked(p) if p.body.is_some()));
            let poison = poison.count();
            if poison > 0 {
                report.warn(
                    format!("{poison} unusable messages are parked"),
                    "`redrive` once the cause is mended",
                );
            }
            report.good(format!("{} items are parked", rows.len()));
            measured.insert("Parked".to_owned(), json!(rows.len()));
        }
        Err(failure) => report.failed(&failure),
    }
    match age {
        Ok(Some(age)) => {
            measured.insert("RefreshTokenAge".to_owned(), json!(age.as_secs()));
            if age > OLD {
                report.warn(
                    format!("the refresh token is {} days old", age.as_hours() / 24),
                    "the poller stores a new one daily: its log says why not; renew the consent before day 90",
                );
            }
        }
        Ok(None) => {}
        Err(failure) => report.failed(&failure),
    }
    for long in [Long::Backfill, Long::Rebase] {
        long::go_on(app, long, ends, &mut report).await?;
    }
    for line in report.lines.iter().filter(|line| line.level != Level::Ok) {
        tracing::warn!(decision = "watch", level = ?line.level, reason = line.text, cure = line.cure);
    }
    report.data = json!({ "metrics": measured });
    Ok(report)
}

async fn registration(app: &App, report: &mut Report) {
    if !app.config.register {
        return;
    }
    match register::whose(app).await {
        Ok(Whose::Ours) => {}
        Ok(Whose::Foreign(url)) => register::stolen(report, &url),
        Ok(Whose::Nobodys | Whose::Incomplete) => {
            tracing::error!(alarm = "registration", "the webhook is not registered");
            report.warn("Partner Center does not tell us what changes", "{\"command\": \"register\"}");
        }
        Err(failure) => report.failed(&failure),
    }
}

/// How long ago the secret with the refresh token was last stored.
async fn token_age(app: &App, now: Timestamp) -> Result<Option<SignedDuration>, Failure> {
    let arn = &app.config.worker.partner_center.secret_arn;
    let stored = app.secrets.fetch(System::PartnerCenter, arn).await?;
    Ok(stored.created().map(|at| now.duration_since(at)))
}
