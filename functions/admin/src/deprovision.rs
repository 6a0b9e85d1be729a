//! Deletes what `provision` made, data and all, and gives the webhook's registration back, if that is confirmed;
//! else it only lists what would be deleted, and changes nothing. Nothing that is not ours is ever touched. A file per CRM.

mod dynamics;

use crate::{App, register, report::Report};
use clients::{config, crm::Crm};
use jiff::Timestamp;
use serde_json::json;
use sync::failure::Failure;

const REGISTRATION: &str = "the webhook's registration, if it is ours";

/// `data`: columns and tables go. `confirm`: the host of the environment whose they are.
pub(crate) async fn deprovision(
    app: &App,
    data: bool,
    confirm: Option<&str>,
    ends: Timestamp,
) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut report = Report::default();
    let (config::Crm::Dynamics365(config), Crm::Dynamics(everyday)) =
        (&app.config.worker.crm, &worker.outside.crm)
    else {
        if data {
            report.append(register::unregister(app).await?);
        } else {
            report.good(format!("would give back {REGISTRATION}"));
            report.warn("nothing was changed", "{\"command\": \"deprovision\", \"delete_data\": true}");
        }
        report.warn(
            "fields and objects of Salesforce are not deleted from here",
            "Setup: Object Manager, each field of the permission set Cosell_Connector, Delete; then both objects; erase them under Deleted Fields and Deleted Objects",
        );
        return Ok(report);
    };
    if !data {
        report.good(format!("would give back {REGISTRATION}"));
        let would = dynamics::there(everyday, &worker.map).await?;
        for what in &would {
            report.good(format!("would delete {what}"));
        }
        report.data = json!({ "would_delete": would });
        let host = host(&config.url);
        report.warn(
            format!("nothing was deleted; {} things would be, with what stands in them", would.len()),
            &format!("{{\"command\": \"deprovision\", \"delete_data\": true, \"confirm\": \"{host}\"}}"),
        );
        return Ok(report);
    }
    if !app.config.allow_data_deletion {
        return Ok(Report::fault_only(
            "nothing was deleted: AllowDataDeletion is `no`",
            "deploy with AllowDataDeletion=yes, and with `no` again afterwards",
        ));
    }
    let host = host(&config.url);
    if confirm != Some(host) {
        let cure = format!("\"confirm\": \"{host}\", if that is the environment you mean");
        return Ok(Report::fault_only(
            "nothing was deleted: `confirm` has to name the environment's host",
            &cure,
        ));
    }
    let Some(arn) = &app.config.crm_admin_secret_arn else {
        return Ok(Report::fault_only(
            "nothing was deleted: CrmAdminSecretArn is empty",
            "deploy with the secret of an administrator's application, or delete the solution's parts in Power Apps",
        ));
    };
    let crm = crate::provision::dynamics::administrator(app, &worker, config, arn).await?;
    report.append(register::unregister(app).await?);
    let mut gone = vec![];
    let done = dynamics::remove(&worker, &crm, ends, &mut gone, &mut report).await;
    for what in &gone {
        report.good(format!("deleted {what}"));
    }
    if let Err(failure) = done {
        match crate::provision::dynamics::right_for(&failure) {
            Some(cure) => report.fault(failure.to_string(), cure),
            None => report.failed(&failure),
        }
    } else if gone.is_empty() && report.ok {
        report.good("nothing of ours is left");
    }
    report.data = json!({ "deleted": gone });
    Ok(report)
}

fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host).trim_end_matches('/')
}
