//! What the schedule checks every five minutes, so that no administrator has to: whose the registration is, what waits,
//! what is parked, how old the refresh token is. It also continues `backfill` and `rebase`. Warnings and faults are
//! logged; alarms watch what is measured.

use crate::{
    App,
    history::{self, Sample},
    long::{self, Long},
    map, pace,
    register::{self, RegistrationState},
    report::{Level, Report},
    surroundings,
};
use clients::outside;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::{
    failure::{Failure, System},
    hint::Subject,
    in_log::in_log,
    ports::Links,
    table::{Item, Row},
};

/// A refresh token dies after 90 days without use: it should have been rotated long before.
const OLD: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Carries out all checks once; `data.metrics` holds what was measured.
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
    let secret_ends = surroundings::secrets_end(app, &worker, &mut report).await;
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
        tracing::warn!(
            decision = "watch",
            finding = line.level.as_str(),
            reason = in_log(&line.text),
            cure = line.cure
        );
    }
    let mut measured = waits(&worker).await;
    measured.extend([
        ("Watched", Some(json!(1))),
        ("Parked", queues.parked.map(|n| json!(n))),
        ("ParkedReferralAge", queues.parked_referral.map(|age| json!(age.as_secs()))),
        ("RefreshTokenAge", age.map(|n| json!(n))),
        // 0 would not be written, and is when it matters most.
        ("SecretEndsInDays", secret_ends.map(|days| json!(if days == 0 { -1 } else { days }))),
    ]);
    let measured: serde_json::Map<_, _> =
        measured.into_iter().filter_map(|(name, n)| Some((name.to_owned(), n?))).collect();
    report.data = json!({ "metrics": measured });
    Ok(report)
}

/// Measures which system is held. If none is, measures how long ago the part of a tick that is furthest behind was last
/// read to its end: under a hold every part is late, and the hold has an alarm of its own.
async fn waits(worker: &outside::App) -> Vec<(&'static str, Option<Value>)> {
    // Only the numbers are needed here: `doctor` reports the lines.
    let mut aside = Report::default();
    let holds = pace::holds(worker, &mut aside).await;
    let held = |system: &str| holds.iter().any(|hold| hold["system"] == system).then(|| json!(1));
    if holds.is_empty() {
        let feeds = pace::feeds(worker, &mut aside).await;
        let late = feeds.iter().filter_map(|feed| feed["seconds_ago"].as_i64()).max();
        return vec![("ReadLateAge", late.map(|late| json!(late)))];
    }
    vec![("OnHoldPartnerCenter", held("partner_center")), ("OnHoldCrm", held("crm"))]
}

/// How many messages wait, how many are dead letters, how many rows are parked; `None`: the count could not be read.
#[derive(Default)]
pub(crate) struct Queues {
    pub(crate) waiting: Option<u64>,
    pub(crate) dead: Option<u64>,
    pub(crate) parked: Option<usize>,
    /// For how long the oldest parked referral without a record has been parked.
    pub(crate) parked_referral: Option<SignedDuration>,
}

/// Counts the messages that wait, the dead letters and what is parked, and reports each count.
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
    let now = worker.outside.clock.now();
    queues.parked_referral = rows.iter().filter_map(waits_since).map(|at| now.duration_since(at)).max();
    queues
}

/// Since when a referral without a record has been parked: Microsoft ends an unanswered referral after 14 days. `None`:
/// the row is of something else, or of a version that did not note the time.
fn waits_since(row: &Row) -> Option<Timestamp> {
    match (&row.item, Subject::parked(&row.key.sk)) {
        (Item::Parked(parked), Some(Subject::Referral { .. })) if parked.field.is_none() => parked.since,
        _ => None,
    }
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
        Ok(RegistrationState::Ours) => {}
        Ok(RegistrationState::Foreign(url)) => register::stolen(report, &url),
        Ok(RegistrationState::GivenBack) => {
            tracing::error!(alarm = "registration", "the webhook's registration was given back");
            report.warn("the webhook's registration was given back", "{\"command\": \"register\"}");
        }
        // The deployment could not register, or the registration was lost since: register again.
        Ok(
            RegistrationState::Nobodys
            | RegistrationState::Incomplete
            | RegistrationState::Former
            | RegistrationState::Unconfirmed,
        ) => match register::register(app, false).await {
            Ok(done) => report.append(done),
            Err(failure) => {
                tracing::error!(alarm = "registration", "the webhook is not registered");
                report.warn(
                    format!("Partner Center does not tell us what changes: {failure}"),
                    "{\"command\": \"register\"}",
                );
            }
        },
        Err(failure) => report.failed(&failure),
    }
}
