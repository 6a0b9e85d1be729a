//! Renews the webhook's address: makes a new secret segment and registers the address with it in Partner Center. The
//! segment before is accepted until the new one has been registered for a day.

use crate::{App, register, report::Report};
use clients::door::PAUSE;
use std::time::Duration;
use sync::failure::Failure;

/// Stores a new address, waits until every ingress knows it, and then registers it.
pub(crate) async fn rotate(app: &App) -> Result<Report, Failure> {
    let address = app.address().await?;
    if address.renew(&app.secrets, &app.config.webhook_token_arn).await?.is_none() {
        return Ok(Report::fault_only("somebody else is renewing the address just now", "look again"));
    }
    let mut report = Report::default();
    report.good(
        "the webhook has a new address; the one before is good until this one has been registered for a day",
    );
    if !app.config.register {
        let why = app.config.left_alone_by();
        report.warn(format!("{why}: Partner Center was not told"), "{\"command\": \"register\"}");
        return Ok(report);
    }
    // An ingress looks up an unknown segment once a minute at most: until then it would refuse the new address.
    app.pause(Duration::try_from(PAUSE).unwrap_or_default() + Duration::from_secs(1)).await;
    report.append(register::register(app, false).await?);
    Ok(report)
}
