//! CloudFormation's custom resource: what a deployment does beyond resources. It is always answered, in time, and a
//! failure puts one sentence with its cause into the stack's events.

pub(crate) mod whose;

use crate::{App, Opened, TAIL, acts, certificate, map, provision, register, report::Report};
use clients::http::Http;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use sync::{failure::Failure, in_log::in_log};

/// One request to CloudFormation's own address.
const ANSWER: Duration = Duration::from_secs(10);
/// CloudFormation takes 4,096 bytes in all, and the sentence stands in the answer twice; so many bytes of JSON each.
const SENTENCE: usize = 1_400;
/// How long the outcome may take to be kept: CloudFormation is answered after it, and in time.
const KEEP: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    request_type: Kind,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Kind {
    Create,
    Update,
    Delete,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Create => "Create",
            Kind::Update => "Update",
            Kind::Delete => "Delete",
        }
    }
}

impl Request {
    /// `None`: it is none of CloudFormation's.
    pub(crate) fn read(event: &Value) -> Option<Self> {
        event.get("ResponseURL")?;
        serde_json::from_value(event.clone()).ok()
    }
}

/// Does what is asked and answers CloudFormation. The answer is the result, for the log and for tests. `id`: Lambda's of
/// this call.
pub(crate) async fn handle(app: &Opened, request: &Request, ends: Timestamp, id: &str) -> Value {
    let report = match app {
        // A stack whose function cannot start must still go away.
        Err(_) if request.request_type == Kind::Delete => Report::default(),
        Err(faults) => Report::fault_only(faults, ""),
        Ok(app) => Box::pin(kept(app, request, ends, id)).await,
    };
    for line in &report.lines {
        tracing::info!(
            decision = "set up",
            reason = in_log(&line.text),
            cure = line.cure,
            finding = line.level.as_str()
        );
    }
    let ok = report.ok || forgiven(app, request.request_type);
    if ok && (!report.ok || report.is_unfinished()) {
        tracing::error!(alarm = "setup", reason = in_log(&report.sentence()), "set-up is not complete");
    }
    let sentence = bounded(&report.sentence(), SENTENCE);
    let answer = json!({
        "Status": if ok { "SUCCESS" } else { "FAILED" },
        "Reason": sentence,
        "PhysicalResourceId": request.physical_resource_id.as_deref().unwrap_or("setup"),
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
        "Data": { "Outcome": sentence },
    });
    tell(&request.response_url, &answer).await;
    answer
}

/// Whether a stack continues although not all could be done. Nothing here may keep one from being deleted. A failed
/// update would be rolled back by another update, which meets the same vendor's outage: what the template alone decides
/// fails it, a vendor's outage is reported. `watch` registers the webhook later; what the CRM still lacks, `provision`
/// makes, after the alarm, when an administrator calls it.
fn forgiven(app: &Opened, kind: Kind) -> bool {
    match kind {
        Kind::Create => false,
        Kind::Update => app.is_ok(),
        Kind::Delete => true,
    }
}

/// The text's beginning, in at most so many bytes as JSON.
fn bounded(text: &str, most: usize) -> String {
    let mut bytes = 2;
    let fits = |c: &char| {
        bytes += Value::from(c.to_string()).to_string().len() - 2;
        bytes <= most
    };
    text.chars().take_while(fits).collect()
}

/// Done with its row among the acts, without which nothing is done; but a stack goes away without it as well.
async fn kept(app: &App, request: &Request, ends: Timestamp, id: &str) -> Report {
    let kind = request.request_type;
    let act = acts::of_stack(app, kind.as_str(), &request.request_id, id);
    let report = match acts::save(app, &act).await {
        Err(failure) if kind != Kind::Delete => {
            let mut report = Report::default();
            report.failed(&failure);
            report
        }
        _ => in_time(app, kind, ends).await,
    };
    if tokio::time::timeout(KEEP, acts::end(app, act, &report)).await.is_err() {
        tracing::warn!(request = id, "the outcome of an act was not kept");
    }
    report
}

async fn in_time(app: &App, kind: Kind, ends: Timestamp) -> Report {
    let now = app.live.last().outside.clock.now();
    let left = Duration::try_from(ends.duration_since(now)).unwrap_or(Duration::from_secs(5));
    match tokio::time::timeout(left, act(app, kind, ends)).await {
        Ok(report) => report,
        Err(_) => Report::fault_only(
            format!("set-up took longer than {} s", (ends + TAIL).duration_since(now).as_secs()),
            "deploy again",
        ),
    }
}

async fn act(app: &App, kind: Kind, ends: Timestamp) -> Report {
    let mut report = Report::default();
    if kind != Kind::Delete {
        let noted = async { map::note_readings(app.live.app().await?.as_ref()).await };
        if let Err(failure) = noted.await {
            report.failed(&failure);
        }
    }
    // Columns first: with the registration events begin to arrive.
    if kind != Kind::Delete {
        let done = match app.config.crm_admin_secret_arn {
            Some(_) => provision::provision(app, ends).await,
            None => provision::look(app).await,
        };
        add(&mut report, done);
    }
    // A new stack's address without its secret was never registered; before an upgrade it may have been the only one.
    if (kind == Kind::Create || (kind == Kind::Update && !app.config.register))
        && let Err(failure) = register::leave(app, kind == Kind::Update).await
    {
        report.failed(&failure);
    }
    if !app.config.register {
        report.good(format!("{}: the webhook is left alone", app.config.left_alone_by()));
        return report;
    }
    // No stack fails for a certificate: events name theirs themselves, the sweep finds what they announce.
    if kind != Kind::Delete
        && let Ok(chain) = certificate::of_webhook(app).await
    {
        report.advise(chain);
    }
    let done = match kind {
        Kind::Create | Kind::Update => register::register(app, app.config.overwrite).await,
        Kind::Delete => register::unregister(app).await,
    };
    add(&mut report, done);
    report
}

fn add(report: &mut Report, done: Result<Report, Failure>) {
    match done {
        Ok(done) => report.append(done),
        Err(failure) => report.failed(&failure),
    }
}

/// CloudFormation waits for this and nothing else: it is tried until it is taken.
async fn tell(url: &str, answer: &Value) {
    let Ok(http) = Http::new(ANSWER) else { return };
    for attempt in 0..4 {
        // The address is signed without a content type.
        let request = http.request(Method::PUT, url).body(answer.to_string());
        match http.send(request).await {
            Ok(answer) if answer.is_success() => return,
            Ok(answer) => tracing::error!(status = answer.status, "CloudFormation did not take the answer"),
            Err(broken) => tracing::error!(reason = %broken, "CloudFormation did not take the answer"),
        }
        tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_fits_into_cloudformations_answer_whatever_it_is_made_of() {
        for piece in ["a", "€", "\u{1f6a2}", "\"", "\n", "\u{1}"] {
            let sentence = bounded(&piece.repeat(5_000), SENTENCE);
            let bytes = json!({ "Reason": sentence, "Data": { "Outcome": sentence } }).to_string().len();
            assert!((2_700..3_000).contains(&bytes), "{piece:?}: {bytes}");
        }
        assert_eq!(bounded("short", SENTENCE), "short");
    }
}
