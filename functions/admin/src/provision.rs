//! Makes what the map names and the CRM lacks, as far as it is ours. Once more changes nothing. Done by an
//! administrator's application; the one that works every day may not. A file per CRM.

pub(crate) mod dynamics;
mod salesforce;

use crate::{App, map, report::Report, sign_in};
use clients::{config::CrmConfig, outside};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use sync::failure::Failure;

/// A metadata call takes seconds, and waits for others.
const CALL: Duration = Duration::from_secs(120);
/// No new call begins with less than this left.
const SPARE: SignedDuration = SignedDuration::from_secs(30);

/// Makes what is missing, and looks what is there.
pub(crate) async fn provision(app: &App, ends: Timestamp) -> Result<Report, Failure> {
    let mut report = match &app.config.crm_admin_secret_arn {
        Some(arn) => make(app, arn, ends).await?,
        None => {
            let mut report = Report::default();
            report.warn(
                "CrmAdminSecretArn is empty: nothing is made",
                "deploy with it, or make by hand what `doctor` says is missing",
            );
            report
        }
    };
    report.append(look(app).await?);
    Ok(report)
}

/// Which optional columns are there: they are used from now on.
pub(crate) async fn look(app: &App) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut report = Report::default();
    if let Err(failure) = map::note_columns(&worker, &mut report).await {
        let text = format!("which optional columns are there is not known: {failure}");
        report.warn(text, "`provision` looks again");
    }
    Ok(report)
}

async fn make(app: &App, arn: &str, ends: Timestamp) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut report = Report::default();
    let mut made: Vec<String> = vec![];
    let done = match &app.config.worker.crm {
        CrmConfig::Dynamics365(config) => {
            let crm = dynamics::administrator(app, &worker, config, arn).await?;
            dynamics::make(app, &worker, &crm, ends, &mut made, &mut report).await
        }
        CrmConfig::Salesforce(config) => {
            let crm = salesforce::administrator(app, &worker, config, arn).await?;
            let user = &config.username;
            salesforce::make(app, &worker, &crm, user, ends, &mut made, &mut report).await
        }
    };
    for what in &made {
        report.good(format!("made {what}"));
    }
    if let Err(failure) = done {
        match dynamics::right_for(&failure) {
            Some(cure) => report.fault(failure.to_string(), cure),
            None => match sign_in::cure(&failure) {
                Some(cure) => report.fault(format!("with the secret of CrmAdminSecretArn: {failure}"), cure),
                None => report.failed(&failure),
            },
        }
    } else if made.is_empty() {
        report.good("everything was there");
    }
    match &mut report.data {
        Value::Object(data) => _ = data.insert("made".to_owned(), json!(made)),
        data => *data = json!({ "made": made }),
    }
    Ok(report)
}

fn is_over(worker: &outside::App, ends: Timestamp) -> bool {
    worker.outside.clock.now() + SPARE > ends
}

/// No time left for another call; said so.
pub(crate) fn out_of_time(worker: &outside::App, ends: Timestamp, report: &mut Report) -> bool {
    let over = is_over(worker, ends);
    if over {
        report.unfinished("no time left for the rest", "the same command once more goes on there");
    }
    over
}
