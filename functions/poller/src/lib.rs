//! The function `Poller`, by schedule: CRM -> Partner Center, and the sweep for what no webhook announced. Start at
//! [`handle`]; [`sync::poll`] does the work, this reports it. There are no other modules.

use clients::outside::App;
use jiff::Timestamp;
use sync::{
    failure::Failure,
    in_log::in_log,
    poll::{Report, poll, stop},
};

/// The metrics of a tick. `Polled` counts every tick that was not killed, also one that stopped at an outage: its alarm
/// is for ticks that are missing, and the outage has an alarm of its own.
pub fn numbers(report: &Report) -> serde_json::Map<String, serde_json::Value> {
    let numbers = [("Polled", 1), ("Settled", report.settled.into()), ("HintsSent", i64::from(report.hints))];
    numbers.map(|(name, n)| (name.to_owned(), n.into())).into_iter().collect()
}

/// One tick. `ends`: the instant this run is killed. A system that is out of reach is held and is no error: the next
/// tick continues where this one stopped.
pub async fn handle(app: &App, ends: Timestamp) -> Result<Report, Failure> {
    let run = app.run(ends, 1);
    let mut report = Report::default();
    let result = poll(&run, &mut report).await;
    for (record, decision, reason) in &report.decisions {
        tracing::info!(
            record.id = record,
            crm.kind = app.map.crm().as_str(),
            decision,
            reason = in_log(reason)
        );
    }
    if let Err(failure) = result {
        tracing::warn!(
            decision = "stopped",
            error.class = failure.class.as_str(),
            reason = in_log(&failure.to_string())
        );
        stop(&run, &mut report, failure).await?;
    }
    let Report { rows, settled, listed, found, hints, stopped, .. } = &report;
    if *rows + *hints > 0 || stopped.is_some() {
        tracing::info!(
            decision = "polled",
            rows,
            settled,
            listed,
            found,
            lag = report.lag.as_secs(),
            hints,
            stopped
        );
    } else {
        tracing::debug!(decision = "polled", rows, settled, listed, hints);
    }
    Ok(report)
}
