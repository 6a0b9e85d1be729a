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
    if data && let Some(refused) = refused(app, confirm) {
        return Ok(refused);
    }
    let worker = app.live.app().await?;
    let mut report = Report::default();
    let host = host(&app.config.worker.crm);
    let cure = format!("{{\"command\": \"deprovision\", \"delete_data\": true, \"confirm\": \"{host}\"}}");
    let (config::CrmConfig::Dynamics365(config), Crm::Dynamics(everyday)) =
        (&app.config.worker.crm, &worker.outside.crm)
    else {
        if data {
            report.append(register::unregister(app).await?);
        } else {
            report.good(format!("would give back {REGISTRATION}"));
            report.warn("nothing was changed", &cure);
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
        report.warn(
            format!("nothing was deleted; {} things would be, with what stands in them", would.len()),
            &cure,
        );
        return Ok(report);
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
    } else if gone.is_empty() && report.ok && !report.is_unfinished() {
        report.good("nothing of ours is left");
    }
    report.data["deleted"] = json!(gone);
    Ok(report)
}

/// Why nothing is deleted or given back; `None`: it is allowed, and meant.
fn refused(app: &App, confirm: Option<&str>) -> Option<Report> {
    if !app.config.allow_data_deletion {
        return Some(Report::fault_only(
            "nothing was deleted: AllowDataDeletion is `no`",
            "deploy with AllowDataDeletion=yes, and with `no` again afterwards",
        ));
    }
    let host = host(&app.config.worker.crm);
    (confirm != Some(host)).then(|| {
        Report::fault_only(
            "nothing was deleted: `confirm` has to name the environment's host",
            &format!("\"confirm\": \"{host}\", if that is the environment you mean"),
        )
    })
}

/// The host that has to be named: of the environment, or of the org's My Domain.
fn host(crm: &config::CrmConfig) -> &str {
    let url = match crm {
        config::CrmConfig::Dynamics365(crm) => &crm.url,
        config::CrmConfig::Salesforce(crm) => &crm.login_url,
    };
    url.split_once("://").map_or(url.as_str(), |(_, host)| host).trim_end_matches('/')
}
