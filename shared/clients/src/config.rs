//! Reads the environment into a configuration, once, at the start. It holds facts of the deployment only (what is
//! mapped to what is in the map). All faults are reported together.

mod alarms;
mod certificates;
mod reader;
mod salesforce;

pub use alarms::AlarmsTo;

use crate::certificates::Sources;
use jiff::SignedDuration;
use mapping::CrmKind;
use reader::Reader;
#[cfg(feature = "full")]
pub(crate) use reader::secure;
use std::fmt;

/// `GRACE_SECONDS` if it is not set.
const GRACE_SECONDS: u32 = 180;
/// `AUDIT_DAYS` if it is not set.
const AUDIT_DAYS: u32 = 400;
/// `EVENT_MAX_AGE_DAYS` if it is not set.
const EVENT_MAX_AGE_DAYS: u32 = 7;

/// What the ingress needs.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// `QUEUE_URL`: the queue of hints.
    pub queue_url: String,
    /// `WEBHOOK_TOKEN_ARN`: the secret that is the last segment of the webhook's address.
    pub webhook_token_arn: String,
    /// `EVENT_MAX_AGE_DAYS`: an older event is not queued; the sweep finds its change.
    pub event_max_age_days: u32,
    /// `CERTIFICATE_…`: where signing certificates may be fetched from, and which roots are trusted.
    pub certificates: Sources,
}

/// What writer and poller need.
#[derive(Clone, Debug)]
pub struct Worker {
    /// `TABLE_NAME`: the table of links.
    pub table_name: String,
    /// `QUEUE_URL`: the queue of hints.
    pub queue_url: String,
    /// `GRACE_SECONDS`: the longest that a sent request may still take effect, plus replica lag.
    pub grace: SignedDuration,
    /// `AUDIT_DAYS`: how long audit lines are kept.
    pub audit_days: u32,
    /// `STACK_NAME`: distinguishes the metrics of several stacks.
    pub stack: String,
    /// How to reach Partner Center, and as which user.
    pub partner_center: PartnerCenterConfig,
    /// `CRM`, and what that CRM needs.
    pub crm: CrmConfig,
}

/// What the admin function needs besides what a worker needs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// What writer and poller need too.
    pub worker: Worker,
    /// `DEAD_LETTER_QUEUE_URL`: messages whose every run crashed.
    pub dead_letter_queue_url: String,
    /// `WEBHOOK_URL`: the address that is registered with Partner Center, without its last segment.
    pub webhook_url: String,
    /// `WEBHOOK_TOKEN_ARN`: the secret that is its last segment.
    pub webhook_token_arn: String,
    /// `PARTNER_CENTER_WEBHOOKS_API_URL`: origin of the Webhooks API.
    pub webhooks_api_url: String,
    /// `PARTNER_CENTER_WEBHOOKS_AUDIENCE`: its token audience.
    pub webhooks_audience: String,
    /// `REGISTER_WEBHOOK`: whether a deployment registers the webhook (`yes`, `no`); never with
    /// `PARTNER_CENTER_WRITES` none.
    pub register: bool,
    /// `OVERWRITE_REGISTRATION`: whether a deployment replaces a registration of another address (`yes`, `no`).
    pub overwrite: bool,
    /// `CERTIFICATE_…`: as the ingress.
    pub certificates: Sources,
    /// `STACK_ID`: the ARN of this stack. Requests of CloudFormation must name it, and a proof of the caller is bound
    /// to it; `None`: not deployed by CloudFormation.
    pub stack_id: Option<String>,
    /// `ALLOW_DATA_DELETION`: whether data may be deleted (`yes`, `no`).
    pub allow_data_deletion: bool,
    /// `CRM_ADMIN_SECRET_ARN`: the secret (JSON) of an administrator who may create columns; `None`: none are created.
    pub crm_admin_secret_arn: Option<String>,
    /// `ADMIN_RIGHT`: which commands this function carries out.
    pub right: Right,
    /// `ALARMS_TO`: where alarms are sent (`nobody`, `topic`, `email`); `None`: this function does not know.
    pub alarms_to: Option<AlarmsTo>,
}

/// Which commands an admin function carries out. One crate is deployed as two functions, so that the right to invoke a
/// function decides which commands a caller may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// `look`: commands that change nothing.
    Look,
    /// `act`: every command is carried out.
    Act,
}

/// How to reach Partner Center.
#[derive(Clone, Debug)]
pub struct PartnerCenterConfig {
    /// `PARTNER_CENTER_TENANT_ID`: GUID or domain.
    pub tenant_id: String,
    /// From the variable `PARTNER_CENTER_CLIENT_ID`.
    pub client_id: String,
    /// `PARTNER_CENTER_ORGANIZATION_ID`: our organisation, which owns our referrals.
    pub organization_id: String,
    /// `PARTNER_CENTER_SECRET_ARN`: JSON `client_secret`, `refresh_token`.
    pub secret_arn: String,
    /// `PARTNER_CENTER_API_URL`: origin of the Referrals API.
    pub api_url: String,
    /// `PARTNER_CENTER_AUDIENCE`: the Referrals API's token audience.
    pub audience: String,
    /// `PARTNER_CENTER_WRITES`: whether this stack writes to Partner Center.
    pub writes: Writes,
    /// `LOGIN_URL`: origin of Entra's sign-in.
    pub login_url: String,
}

/// Whether this stack writes to Partner Center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// `all`: it writes whatever differs.
    All,
    /// `none`: it does not, as a staging stack beside production on one tenant.
    None,
}

/// The one CRM of this stack.
#[derive(Clone, Debug)]
pub enum CrmConfig {
    /// Dynamics 365 on Dataverse.
    Dynamics365(DynamicsConfig),
    /// Salesforce Sales Cloud, by its REST API.
    Salesforce(SalesforceConfig),
}

impl CrmConfig {
    /// Which CRM it is.
    pub fn kind(&self) -> CrmKind {
        match self {
            CrmConfig::Dynamics365(_) => CrmKind::Dynamics365,
            CrmConfig::Salesforce(_) => CrmKind::Salesforce,
        }
    }

    /// The ARN of its secret.
    pub fn secret_arn(&self) -> &str {
        match self {
            CrmConfig::Dynamics365(crm) => &crm.secret_arn,
            CrmConfig::Salesforce(crm) => &crm.secret_arn,
        }
    }
}

/// How to reach Dataverse.
#[derive(Clone, Debug)]
pub struct DynamicsConfig {
    /// `DYNAMICS_URL`: origin of the environment.
    pub url: String,
    /// `DYNAMICS_TENANT_ID`: GUID or domain.
    pub tenant_id: String,
    /// From the variable `DYNAMICS_CLIENT_ID`.
    pub client_id: String,
    /// From `CRM_SECRET_ARN`: a secret whose JSON has `client_secret`.
    pub secret_arn: String,
    /// `LOGIN_URL`: origin of Entra's sign-in.
    pub login_url: String,
}

/// How to reach Salesforce.
#[derive(Clone, Debug)]
pub struct SalesforceConfig {
    /// `SALESFORCE_LOGIN_URL`: origin of the sign-in: the org's My Domain.
    pub login_url: String,
    /// `SALESFORCE_CLIENT_ID`: consumer key of the external client app.
    pub client_id: String,
    /// `SALESFORCE_USERNAME`: the integration user.
    pub username: String,
    /// `CRM_SECRET_ARN`: JSON `private_key` (JWT bearer) or `client_secret` (client credentials).
    pub secret_arn: String,
    /// From `SALESFORCE_API_VERSION`, such as `62.0`.
    pub api_version: String,
    /// `SALESFORCE_HOST_PATTERN`: which hosts a token may be sent to.
    pub host_pattern: String,
}

/// Everything that is wrong with the environment, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration: {}", self.0.join("; "))
    }
}

impl Ingress {
    /// Reads the function's variables; all faults are returned together.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From a function that returns the value of a variable.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let config = Ingress {
            queue_url: reader.url("QUEUE_URL"),
            webhook_token_arn: reader.arn("WEBHOOK_TOKEN_ARN"),
            event_max_age_days: reader.number("EVENT_MAX_AGE_DAYS", EVENT_MAX_AGE_DAYS),
            certificates: reader.certificates(),
        };
        reader.finish(config)
    }
}

impl Worker {
    /// Reads the function's variables; all faults are returned together.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From a function that returns the value of a variable.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let config = Worker::of(&mut reader);
        reader.finish(config)
    }

    fn of(reader: &mut Reader) -> Self {
        let login_url = reader.origin("LOGIN_URL");
        let partner_center = PartnerCenterConfig {
            tenant_id: reader.tenant("PARTNER_CENTER_TENANT_ID"),
            client_id: reader.text("PARTNER_CENTER_CLIENT_ID"),
            organization_id: reader.text("PARTNER_CENTER_ORGANIZATION_ID"),
            secret_arn: reader.arn("PARTNER_CENTER_SECRET_ARN"),
            api_url: reader.origin("PARTNER_CENTER_API_URL"),
            audience: reader.text("PARTNER_CENTER_AUDIENCE"),
            writes: reader.writes("PARTNER_CENTER_WRITES"),
            login_url: login_url.clone(),
        };
        let crm = reader.crm("CRM", login_url);
        Worker {
            table_name: reader.text("TABLE_NAME"),
            queue_url: reader.url("QUEUE_URL"),
            grace: SignedDuration::from_secs(reader.number("GRACE_SECONDS", GRACE_SECONDS).into()),
            audit_days: reader.number("AUDIT_DAYS", AUDIT_DAYS),
            stack: reader.optional("STACK_NAME").unwrap_or_else(|| "local".to_owned()),
            partner_center,
            crm,
        }
    }
}

impl Admin {
    /// Reads the function's variables; all faults are returned together.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From a function that returns the value of a variable.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let worker = Worker::of(&mut reader);
        // A tenant has one registration. A stack that writes nothing to Partner Center must not take it from the one
        // that does.
        let writes = worker.partner_center.writes == Writes::All;
        let config = Admin {
            worker,
            dead_letter_queue_url: reader.url("DEAD_LETTER_QUEUE_URL"),
            webhook_url: reader.url("WEBHOOK_URL"),
            webhook_token_arn: reader.arn("WEBHOOK_TOKEN_ARN"),
            webhooks_api_url: reader.origin("PARTNER_CENTER_WEBHOOKS_API_URL"),
            webhooks_audience: reader.text("PARTNER_CENTER_WEBHOOKS_AUDIENCE"),
            register: reader.yes("REGISTER_WEBHOOK", true) && writes,
            overwrite: reader.yes("OVERWRITE_REGISTRATION", false),
            certificates: reader.certificates(),
            stack_id: reader.optional("STACK_ID"),
            allow_data_deletion: reader.yes("ALLOW_DATA_DELETION", false),
            crm_admin_secret_arn: reader.optional("CRM_ADMIN_SECRET_ARN"),
            right: reader.right("ADMIN_RIGHT"),
            alarms_to: reader.alarms_to("ALARMS_TO"),
        };
        reader.finish(config)
    }

    /// The template's parameter that decided it, where a deployment leaves the webhook alone (`register` is false).
    #[must_use]
    pub fn left_alone_by(&self) -> &'static str {
        match self.worker.partner_center.writes {
            Writes::None => "PartnerCenterWrites=none",
            Writes::All => "RegisterWebhook=no",
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests;
