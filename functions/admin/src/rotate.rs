//! Renews the webhook's address: makes a new secret segment and registers the address with it in Partner Center. The
//! segment before is accepted until the new one has been registered for a day.

use crate::{
    App,
    register::{self, RegistrationState},
    report::Report,
};
use clients::door::PAUSE;
use std::time::Duration;
use sync::failure::Failure;

const REGISTER: &str = "{\"command\": \"register\"}";

/// Stores a new address, waits until every ingress knows it, and then registers it. One that Partner Center does not
/// know yet is only registered: another one would shut out the address that it still calls.
pub(crate) async fn rotate(app: &App) -> Result<Report, Failure> {
    let mut report = Report::default();
    if is_unknown(app).await? {
        report
            .good("there is a new address already that Partner Center was not told of: no other one is made");
    } else {
        let address = app.address().await?;
        if address.renew(&app.secrets, &app.config.webhook_token_arn).await?.is_none() {
            return Ok(Report::fault_only("somebody else is renewing the address just now", "look again"));
        }
        report.good(
            "the webhook has a new address; the one before is good until this one has been registered for a day",
        );
        if app.config.register {
            // An ingress looks up an unknown segment once a minute at most: until then it would refuse the new address.
            app.pause(Duration::try_from(PAUSE).unwrap_or_default() + Duration::from_secs(1)).await;
        }
    }
    if !app.config.register {
        let why = app.config.left_alone_by();
        let text = format!("{why}: Partner Center was not told; the address before is good for a day");
        report.warn(text, REGISTER);
        if let Err(failure) = register::leave(app, true).await {
            report.failed(&failure);
        }
        return Ok(report);
    }
    match register::register(app, false).await {
        Ok(done) => report.append(done),
        Err(failure) => report.fault(
            format!("the new address is there, and not registered yet: {failure}"),
            "the one before stays good; {\"command\": \"register\"} completes it, and so does the schedule",
        ),
    }
    Ok(report)
}

/// Whether Partner Center does not know the present address yet.
async fn is_unknown(app: &App) -> Result<bool, Failure> {
    if !app.address().await?.is_confirmed() {
        return Ok(true);
    }
    // A stack that does not register by itself has an end for the former address all the same.
    Ok(!app.config.register && matches!(register::whose(app).await, Ok(RegistrationState::Former)))
}
