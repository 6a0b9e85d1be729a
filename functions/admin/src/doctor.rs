//! Is everything as it should be, and what to do if not. Asks each system as the functions do, and writes nothing.

use crate::{
    App, certificate, columns,
    deadlines::Deadlines,
    pace,
    register::{self, RegistrationState},
    report::Report,
    sign_in, surroundings, watch,
};
use clients::outside;
use jiff::Timestamp;
use mapping::Referral;
use serde_json::json;
use sync::{
    failure::Failure,
    ports::{Ports, Referrals},
};

/// The parts, in the order in which they are set up; each can be looked at alone.
const PARTS: [&str; 9] =
    ["partner_center", "registration", "crm", "pace", "queues", "token", "alarms", "certificate", "clocks"];

/// Everything, or one part. `data.checks` says how many lines are of which part, `data.deadlines` what has an end.
pub(crate) async fn doctor(app: &App, only: Option<&str>) -> Result<Report, Failure> {
    if let Some(unknown) = only.filter(|only| !PARTS.contains(only)) {
        let cure = format!("one of {}", PARTS.join(", "));
        return Ok(Report::fault_only(format!("`{unknown}` is no part of `doctor`"), &cure));
    }
    let mut report = Report::default();
    let worker = app.live.app().await?;
    let (mut checks, mut deadlines) = (vec![], Deadlines::default());
    for part in PARTS.into_iter().filter(|part| only.is_none_or(|only| only == *part)) {
        let before = report.lines.len();
        match part {
            "partner_center" => partner_center(&worker, &mut report, &mut deadlines).await,
            "registration" => registration(app, &mut report).await,
            "crm" => crm(&worker, &mut report).await,
            "pace" => pace(&worker, &mut report).await,
            "queues" => _ = watch::queues(app, &worker, &mut report).await,
            "token" => {
                deadlines.secrets(&worker, watch::token(app, &worker, &mut report).await);
                surroundings::secrets_end(app, &worker, &mut report).await;
            }
            "alarms" => surroundings::alarms(app.config.alarms_to, &mut report),
            "certificate" => {
                let until = certificate::certificate(app, worker.outside.clock.clone(), &mut report).await;
                deadlines.certificate(until);
            }
            _ => surroundings::clocks(&worker, &mut report),
        }
        checks.push(json!({ "part": part, "lines": report.lines.len() - before }));
    }
    let mut data = json!({ "checks": checks, "deadlines": deadlines.sorted() });
    // What a part has found besides: an override that is ready.
    for (name, value) in report.data.as_object().into_iter().flatten() {
        data[name] = value.clone();
    }
    report.data = data;
    Ok(report)
}

/// Whatever waits is late.
async fn pace(worker: &outside::App, report: &mut Report) {
    let before = report.lines.len();
    pace::holds(worker, report).await;
    if report.lines.len() == before {
        pace::feeds(worker, report).await;
    }
}

async fn partner_center(worker: &outside::App, report: &mut Report, deadlines: &mut Deadlines) {
    let page = worker.outside.referrals().changed_since(Timestamp::UNIX_EPOCH, None).await;
    let page = match page {
        Ok(page) => page,
        Err(failure) => return report.fault(failure.to_string(), cure_of_partner_center(&failure)),
    };
    report.good("Partner Center answers, with MFA and the role for referrals");
    let ours = |referral: &&Referral| referral.belongs_to(&worker.settings.organization);
    let seen = page.referrals.len();
    deadlines.referrals(page.referrals.iter().filter(ours), worker.outside.clock.now());
    match page.referrals.iter().filter(ours).count() {
        0 if seen == 0 => report.warn(
            "Partner Center shows no referral at all",
            "new here? Else the service account needs Referrals admin with company scope, and the PartnerID of tenant and solutions must be the same",
        ),
        0 => report.fault(
            format!("none of {seen} referrals is of organisation `{}`", worker.settings.organization),
            "PartnerCenterOrganizationId must be the `organizationId` that your own referrals show",
        ),
        n => report.good(format!("{n} of the {seen} newest referrals are ours")),
    }
}

/// What usually is behind the vendor's words (vendors/partner-center.md, *Errors*; vendors/entra.md, *Errors*).
fn cure_of_partner_center(failure: &Failure) -> &'static str {
    let words = &failure.text;
    if let Some(cure) = sign_in::cure(failure) {
        cure
    } else if words.contains("900421") {
        "the consent was given without MFA: consent again with it, and store the new refresh_token"
    } else if words.contains("the secret has no") || words.contains("not a JSON object") {
        "store the secret of Partner Center as JSON with client_secret and refresh_token"
    } else if words.contains("403") {
        "the service account needs the role Referrals admin (company scope) in Partner Center"
    } else if words.contains("401") {
        "PartnerCenterAudience and the consent must be for the Referrals API"
    } else {
        "is the address right, and is Partner Center up?"
    }
}

async fn registration(app: &App, report: &mut Report) {
    match register::whose(app).await {
        Ok(RegistrationState::Ours | RegistrationState::Unconfirmed) => {
            report.good("the webhook is registered for us; `selftest` sends an event through it")
        }
        // A second stack beside the one that is registered takes nothing from it.
        Ok(RegistrationState::Foreign(url)) if !app.config.register => {
            report.good(format!("`{url}` is registered: {}", app.config.left_alone_by()));
        }
        Ok(RegistrationState::Foreign(url)) => register::stolen(report, &url),
        Ok(RegistrationState::Former) => {
            report.warn("the webhook is registered at its former address", "{\"command\": \"register\"}");
        }
        Ok(RegistrationState::Incomplete) => {
            report.fault("the webhook is not registered for all four events", "{\"command\": \"register\"}");
        }
        Ok(RegistrationState::Nobodys | RegistrationState::GivenBack) if app.config.register => {
            report.fault("the webhook is not registered", "{\"command\": \"register\"}");
        }
        Ok(RegistrationState::Nobodys | RegistrationState::GivenBack) => {
            report.warn(format!("no webhook is registered: {}", app.config.left_alone_by()), "")
        }
        Err(failure) => report.fault(failure.to_string(), cure_of_partner_center(&failure)),
    }
}

async fn crm(worker: &outside::App, report: &mut Report) {
    if let clients::crm::Crm::Salesforce(crm) = &worker.outside.crm {
        return columns::salesforce::doctor(crm, &worker.map, report).await;
    }
    let before = report.lines.len();
    if let Err(failure) = columns::check(&worker.outside.crm, &worker.map, report).await {
        let words = &failure.text;
        let cure = if let Some(cure) = sign_in::cure(&failure) {
            cure
        } else if words.contains("0x80072560") || words.contains("403") {
            "add the application as application user of the environment, with the role of functions/README.md, step 3"
        } else if words.contains("401") {
            "the application needs access to this environment: application user, DynamicsTenantId, DynamicsUrl"
        } else {
            "is DynamicsUrl right, and is the environment up?"
        };
        report.fault(failure.to_string(), cure);
        return;
    }
    if report.lines.len() > before
        && let clients::crm::Crm::Dynamics(crm) = &worker.outside.crm
    {
        match crm.currencies().await {
            Ok(codes) if codes.is_empty() => report.fault("the CRM shows no currency", "read on currencies"),
            Ok(codes) => report.good(format!("currencies of the CRM: {}", codes.join(", "))),
            Err(failure) => report.failed(&failure),
        }
    }
}
