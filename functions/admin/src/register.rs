//! The webhook's registration. Partner Center keeps one per tenant: the last one registered receives the events.

use crate::{
    App, certificate,
    report::{Level, Line, Report},
};
use clients::{
    door::{WebhookAddress, shown},
    partner_center::webhooks::Registration,
};
use serde_json::json;
use std::time::Duration;
use sync::failure::Failure;

/// The events for which we register.
pub const EVENTS: [&str; 4] =
    ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"];
/// The event that Partner Center's self-test sends; it names no referral.
const TEST: &str = "test-created";
/// How often the result of a self-test is asked for, and the pause after each time.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// Whose registration it is.
pub(crate) enum RegistrationState {
    /// Ours, with all events.
    Ours,
    /// Ours, with all events; our secret does not yet say until when the former address is accepted.
    Unconfirmed,
    /// Ours, but without some of the events.
    Incomplete,
    /// Ours, at an address of ours that is not the present one.
    Former,
    /// Partner Center has no registration of this tenant.
    Nobodys,
    /// Ours, with none of our events: it was given back.
    GivenBack,
    /// Of another address than ours: that address, in the form that may be shown.
    Foreign(String),
}

/// Looks whose registration it is.
pub(crate) async fn whose(app: &App) -> Result<RegistrationState, Failure> {
    let address = app.address().await?;
    Ok(judge(&address, found(app, &address).await?.as_ref()))
}

/// The registration that Partner Center has. A refusal may repeat an address, so it is hidden in the failure.
async fn found(app: &App, address: &WebhookAddress) -> Result<Option<Registration>, Failure> {
    app.webhooks.registration().await.map_err(|failure| address.hide(failure))
}

fn judge(address: &WebhookAddress, found: Option<&Registration>) -> RegistrationState {
    let Some(found) = found else { return RegistrationState::Nobodys };
    let told = |event: &&str| found.events.iter().any(|found| found == event);
    match address.is_here(&found.url) {
        true if !EVENTS.iter().any(&told) => RegistrationState::GivenBack,
        _ if found.events.is_empty() => RegistrationState::Nobodys,
        false => RegistrationState::Foreign(shown(&found.url)),
        true if found.url != address.url() => RegistrationState::Former,
        true if !EVENTS.iter().all(told) => RegistrationState::Incomplete,
        true if !address.is_confirmed() => RegistrationState::Unconfirmed,
        true => RegistrationState::Ours,
    }
}

/// Registers the webhook. `overwrite`: a foreign registration is replaced; otherwise it is left and reported.
pub(crate) async fn register(app: &App, overwrite: bool) -> Result<Report, Failure> {
    let mut report = Report::default();
    let address = app.address().await?;
    let shown = address.shown();
    let found = found(app, &address).await?;
    match judge(&address, found.as_ref()) {
        RegistrationState::Ours => report.good(format!("registered already: `{shown}`")),
        RegistrationState::Unconfirmed => {
            confirm(app, &address, true).await?;
            report.good(format!("registered already: `{shown}`"));
        }
        RegistrationState::Foreign(url) if !overwrite => {
            stolen(&mut report, &url);
            if let Err(failure) = leave(app, true).await {
                report.failed(&failure);
            }
        }
        whose => {
            let wanted = Registration::new(&address.url(), &EVENTS);
            tell(app, &address, &EVENTS, found.is_some()).await?;
            // Who receives the events is decided by what Partner Center keeps, not by what was sent: read it back.
            match self::found(app, &address).await? {
                Some(kept) if kept == wanted => {
                    if !address.is_confirmed() {
                        confirm(
                            app,
                            &address,
                            matches!(whose, RegistrationState::Former | RegistrationState::GivenBack),
                        )
                        .await?;
                    }
                    report.good(format!("registered: `{shown}`"));
                }
                kept => {
                    let kept = kept.map_or("none".to_owned(), |kept| clients::door::shown(&kept.url));
                    report.fault(
                        format!("Partner Center took the registration but keeps another one: {kept}"),
                        "try again; if it stays so, ask Partner Center's support",
                    );
                }
            }
            if let RegistrationState::Foreign(url) = whose {
                report.warn(format!("`{url}` was registered before and is told nothing any more"), "");
            }
        }
    }
    report.data = json!({ "url": shown, "events": EVENTS });
    Ok(report)
}

/// Sends our address and these events to Partner Center. A refusal may repeat the address, so it is hidden in the
/// failure.
async fn tell(app: &App, address: &WebhookAddress, events: &[&str], exists: bool) -> Result<(), Failure> {
    let registration = Registration::new(&address.url(), events);
    app.webhooks.register(&registration, exists).await.map_err(|failure| address.hide(failure))
}

/// Stores an end for the former address where the present one is not registered: it would be accepted for ever
/// otherwise. `known`: Partner Center may still call it, so the end is in a day.
pub(crate) async fn leave(app: &App, known: bool) -> Result<(), Failure> {
    let address = app.address().await?;
    if address.is_confirmed() { Ok(()) } else { confirm(app, &address, known).await }
}

async fn confirm(app: &App, address: &WebhookAddress, known: bool) -> Result<(), Failure> {
    let now = app.live.last().outside.clock.now();
    address.confirm(&app.secrets, &app.config.webhook_token_arn, known, now).await
}

/// Reports that another address is registered, and raises the alarm.
pub(crate) fn stolen(report: &mut Report, url: &str) {
    tracing::error!(alarm = "registration", address = url, "the webhook is registered by somebody else");
    report.warn(
        format!("Partner Center tells `{url}` and not us; left as it is"),
        "changes come by the sweep only; take it over with {\"command\": \"register\", \"overwrite\": \"yes\"}",
    );
}

/// Gives the registration back, if it is ours. There is no DELETE: its list of events is emptied. Whether an empty list
/// is accepted is not documented; if it is refused, the list holds the test event alone.
pub(crate) async fn unregister(app: &App) -> Result<Report, Failure> {
    let mut report = Report::default();
    match whose(app).await? {
        RegistrationState::Nobodys | RegistrationState::GivenBack => report.good("nothing is registered"),
        RegistrationState::Foreign(url) => {
            report.good(format!("`{url}` is registered, not we: left as it is"))
        }
        RegistrationState::Ours
        | RegistrationState::Unconfirmed
        | RegistrationState::Incomplete
        | RegistrationState::Former => {
            let address = app.address().await?;
            match tell(app, &address, &[], true).await {
                Ok(()) => report.good("the registration has no events any more"),
                Err(failure) if failure.is_retryable() => return Err(failure),
                Err(_) => {
                    tell(app, &address, &[TEST], true).await?;
                    report.good(format!("the registration has no event but `{TEST}` any more"));
                }
            }
        }
    }
    Ok(report)
}

/// Asks Partner Center for a test event, and reports how the ingress answered it.
pub(crate) async fn self_test(app: &App) -> Result<Report, Failure> {
    let mut report = Report::default();
    if !matches!(whose(app).await?, RegistrationState::Ours | RegistrationState::Unconfirmed) {
        report.fault("the webhook is not registered for us", "{\"command\": \"register\"}");
        report.data = trace(&report, &[]);
        return Ok(report);
    }
    // Only advice: the event may name another certificate, and the ingress may still have what it fetched before.
    report.advise(certificate::of_webhook(app).await?);
    let address = app.address().await?;
    let with_test: Vec<&str> = EVENTS.into_iter().chain([TEST]).collect();
    tell(app, &address, &with_test, true).await?;
    let answers = ask(app).await.map_err(|failure| address.hide(failure));
    tell(app, &address, &EVENTS, true).await?;
    let answers = answers?;
    let chain = Report { lines: report.lines.clone(), ..Report::default() };
    match &answers {
        answers if answers.last().is_some_and(|last| last == "OK") => {
            report.good(format!("Partner Center's test event was verified and answered `{}`", answers.join(", ")));
        }
        answers if answers.is_empty() => report.fault(
            "Partner Center has not sent its test event within half a minute",
            "look again later; Partner Center must reach the address from the internet",
        ),
        answers => report.fault(
            format!("the ingress answered Partner Center's test event with `{}`", answers.join(", ")),
            "the log of the Ingress function says why, and the line on the certificate above what its chain lacks",
        ),
    }
    report.data = trace(&chain, &answers);
    Ok(report)
}

/// The result of each check on a test event's way, in their order. Which check of the ingress failed only its log says.
fn trace(chain: &Report, answers: &[String]) -> serde_json::Value {
    let words = if chain.ok {
        "it is ours, for all four events"
    } else {
        "it is not ours, or not for all four events"
    };
    let mut steps = vec![json!({ "check": "registration", "ok": chain.ok, "text": words })];
    if chain.ok {
        let of_chain =
            |line: &Line| json!({ "check": "certificate", "ok": line.level == Level::Ok, "text": line.text });
        steps.extend(chain.lines.iter().map(of_chain));
        let sent = !answers.is_empty();
        let words =
            if sent { "Partner Center sent its test event" } else { "no test event within half a minute" };
        steps.push(json!({ "check": "event", "ok": sent, "text": words }));
        let of_answer = |answer: &String| {
            let ok = answer == "OK";
            let words = if ok {
                "address, chain, organisation, algorithm and signature hold"
            } else {
                "the ingress refused it"
            };
            json!({ "check": "signature", "ok": ok, "text": format!("{words}: answered `{answer}`") })
        };
        steps.extend(answers.iter().map(of_answer));
    }
    json!({ "trace": steps })
}

async fn ask(app: &App) -> Result<Vec<String>, Failure> {
    let id = app.webhooks.begin_self_test().await?;
    let mut answers = vec![];
    for _ in 0..LOOKS {
        if let Some(test) = app.webhooks.self_test(&id).await? {
            answers = test.answers;
            if answers.last().is_some_and(|last| last == "OK") || test.status == "completed" {
                break;
            }
        }
        app.pause(PAUSE).await;
    }
    Ok(answers)
}
