//! Who asked for what: each act has a row in the table before it begins, and its outcome afterwards.

use crate::{
    App,
    command::{ALWAYS, Command},
    done,
    report::Report,
};
use jiff::Timestamp;
use mapping::one_line;
use serde_json::{Map, Value, json};
use sync::{
    failure::Failure,
    in_log::in_log,
    ports::Links,
    table::{Act, Change, Expect, Item, Key},
};

/// So many are listed.
const LISTED: i32 = 100;
/// Characters of arguments and outcomes that are kept.
const KEPT: usize = 300;

/// What the function that only looks answers to everything else.
pub(crate) fn only_looks(what: &str) -> Report {
    Report::fault_only(
        format!("{what} changes something, and this function only looks"),
        "ask the function of the stack's output `AdminFunction`; whether you may, your AWS account's IAM says",
    )
}

/// One act, kept with who asked for it. Without its row nothing is done.
pub(crate) async fn act(
    app: &App,
    command: Command,
    event: &Value,
    ends: Timestamp,
    request: &str,
) -> Report {
    let act = match begin(app, event, request).await {
        Ok(act) => act,
        Err(failure) => {
            let mut report = Report::default();
            report.failed(&failure);
            return report;
        }
    };
    let report = Box::pin(done(app, command, ends)).await;
    end(app, act, &report).await;
    report
}

/// Keeps and logs how an act has ended.
pub(crate) async fn end(app: &App, mut act: Act, report: &Report) {
    act.outcome = Some(one_line(&report.sentence(), KEPT));
    tracing::info!(
        decision = "act",
        command = act.command,
        // An ARN may end in a person's address; the row has it whole.
        who = in_log(&act.who),
        request = act.request,
        ok = report.ok,
        "an administrator's command has ended"
    );
    if let Err(failure) = save(app, &act).await {
        tracing::warn!(
            reason = in_log(&failure.to_string()),
            request = act.request,
            "the outcome of an act was not kept"
        );
    }
}

/// A request of CloudFormation's, not kept yet. Every caller with the right to invoke the function
/// knows what one of this stack's has to say: who sent it is never proven. `on`: its id at CloudFormation.
pub(crate) fn of_stack(app: &App, kind: &str, on: &str, request: &str) -> Act {
    Act {
        at: app.live.last().outside.clock.now(),
        command: format!("stack {kind}"),
        on: one_line(on, KEPT),
        who: "not proven: a stack's request".to_owned(),
        request: request.to_owned(),
        outcome: None,
    }
}

/// Those of the last time, newest first.
pub(crate) async fn list(app: &App) -> Result<Report, Failure> {
    let worker = app.live.last();
    let rows = worker.outside.links.newest(Key::ACTS, LISTED).await?;
    let acts = rows.into_iter().filter_map(|row| match row.item {
        Item::Act(act) => Some(act),
        _ => None,
    });
    let acts: Vec<Act> = acts.collect();
    let mut report = Report::default();
    for act in &acts {
        let outcome = act.outcome.as_deref().unwrap_or("has not ended, or its run was killed");
        let on = if act.on.is_empty() { String::new() } else { format!(" {}", act.on) };
        report.good(format!("{:.0} {}{on}: {outcome} ({})", act.at, act.command, act.who));
    }
    if acts.is_empty() {
        report.good("no act is on record");
    }
    report.data = json!({ "acts": acts });
    Ok(report)
}

/// The command's name, as it was asked for.
pub(crate) fn name(event: &Value) -> &str {
    event["command"].as_str().unwrap_or_default().trim()
}

async fn begin(app: &App, event: &Value, request: &str) -> Result<Act, Failure> {
    let at = app.live.last().outside.clock.now();
    let who = match event["caller"].as_str() {
        None => "not proven: the call brings no proof".to_owned(),
        Some(query) => match app.callers.redeem(query, at).await {
            Ok(arn) => format!("proven: {arn}"),
            Err(why) => format!("not proven: {why}"),
        },
    };
    let command = name(event).to_owned();
    let act = Act { at, command, on: on(event), who, request: request.to_owned(), outcome: None };
    save(app, &act).await?;
    Ok(act)
}

/// Works without a usable map: `map` is how an unusable one is replaced, and it is an act as well.
pub(crate) async fn save(app: &App, act: &Act) -> Result<(), Failure> {
    let worker = app.live.last();
    let change = Change::put(Key::act(act.at, &act.request), Expect::Any, Item::Act(act.clone()));
    let kept = worker.settings.audit_kept;
    worker.outside.links.commit(vec![change.until(act.at + kept)]).await.map(drop)
}

/// The arguments in a line; a map by its length.
fn on(event: &Value) -> String {
    let arguments = event.as_object().into_iter().flatten();
    let arguments = arguments.filter(|(name, value)| !ALWAYS.contains(&name.as_str()) && !value.is_null());
    let short = arguments.map(|(name, value)| match value.as_str().filter(|_| name == "map") {
        Some(toml) => (name.clone(), json!(format!("{} bytes", toml.len()))),
        None => (name.clone(), value.clone()),
    });
    let short: Map<String, Value> = short.collect();
    if short.is_empty() { String::new() } else { one_line(&Value::Object(short).to_string(), KEPT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_in_a_line_without_the_proof_and_the_maps_text() {
        let event = json!({ "command": "map", "caller": "Action=…", "action": "set", "map": "[switches]\n" });
        assert_eq!(on(&event), r#"{"action":"set","map":"11 bytes"}"#);
        assert_eq!(on(&json!({ "command": "register" })), "");
        assert_eq!(on(&json!({ "command": "retry", "filter": "x".repeat(9_000) })).chars().count(), KEPT);
    }
}
