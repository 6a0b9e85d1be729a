//! Environment -> configuration, once, at the start. Deployment facts only (what is mapped to what lives in the
//! map); every fault is told, not just the first.

mod alarms;
mod certificates;

pub use alarms::AlarmsTo;

use crate::{certificates::Sources, pem};
use jiff::SignedDuration;
use mapping::{CrmKind, UnknownCrm};
use reqwest::Url;
use std::fmt;

/// `GraceSeconds`, where the template does not say.
const GRACE_SECONDS: u32 = 180;
/// `AuditDays`, where the template does not say.
const AUDIT_DAYS: u32 = 400;
/// `SalesforceApiVersion` and `SalesforceHostPattern`, where the template does not say.
const SALESFORCE_API_VERSION: &str = "62.0";
const SALESFORCE_HOST_PATTERN: &str = "*.my.salesforce.com";

/// What the ingress needs.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// `QUEUE_URL`: the queue of hints.
    pub queue_url: String,
    /// `CERTIFICATE_…`: where signing certificates may come from, and whose count.
    pub certificates: Sources,
}

/// What writer and poller need.
#[derive(Clone, Debug)]
pub struct Worker {
    /// `TABLE_NAME`: the table of links.
    pub table_name: String,
    /// `QUEUE_URL`: the queue of hints.
    pub queue_url: String,
    /// `GRACE_SECONDS`: the longest a sent request may still land, plus replica lag.
    pub grace: SignedDuration,
    /// `AUDIT_DAYS`: how long audit lines are kept.
    pub audit_days: u32,
    /// `STACK_NAME`: by which metrics of several stacks are told apart.
    pub stack: String,
    /// Partner Center.
    pub partner_center: PartnerCenter,
    /// `CRM`, and what that CRM needs.
    pub crm: Crm,
}

/// What the admin function needs besides what a worker needs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// As writer and poller.
    pub worker: Worker,
    /// `DEAD_LETTER_QUEUE_URL`: messages whose every run crashed.
    pub dead_letter_queue_url: String,
    /// `WEBHOOK_URL`: the address that Partner Center is told.
    pub webhook_url: String,
    /// `PARTNER_CENTER_WEBHOOKS_API_URL`: origin of the Webhooks API.
    pub webhooks_api_url: String,
    /// `PARTNER_CENTER_WEBHOOKS_AUDIENCE`: its token audience.
    pub webhooks_audience: String,
    /// `REGISTER_WEBHOOK`: whether a deployment registers the webhook (`yes`, `no`); never with
    /// `PARTNER_CENTER_WRITES` none.
    pub register: bool,
    /// `OVERWRITE_REGISTRATION`: whether a deployment takes over somebody else's registration (`yes`, `no`).
    pub overwrite: bool,
    /// `CERTIFICATE_…`: as the ingress.
    pub certificates: Sources,
    /// `CRM_ADMIN_SECRET_ARN`: JSON of an administrator who may make columns; `None`: nothing is provisioned.
    pub crm_admin_secret_arn: Option<String>,
    /// `ADMIN_RIGHT`: what this function does for those who may invoke it.
    pub right: Right,
    /// `ALARMS_TO`: who is told of alarms (`nobody`, `topic`, `email`); `None`: this function is not told.
    pub alarms_to: Option<AlarmsTo>,
    /// `STACK_ID`: the ARN of the stack, to which a proof of the caller is bound.
    pub stack_id: String,
}

/// What the admin function does for those who may invoke it: one crate, two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// `look`: commands that change nothing.
    Look,
    /// `act`: every command.
    Act,
}

/// How to reach Partner Center.
#[derive(Clone, Debug)]
pub struct PartnerCenter {
    /// `PARTNER_CENTER_TENANT_ID`: GUID or domain.
    pub tenant_id: String,
    /// `PARTNER_CENTER_CLIENT_ID`.
    pub client_id: String,
    /// `PARTNER_CENTER_ORGANIZATION_ID`: whose referrals are ours.
    pub organization_id: String,
    /// `PARTNER_CENTER_SECRET_ARN`: JSON `client_secret`, `refresh_token`.
    pub secret_arn: String,
    /// `PARTNER_CENTER_API_URL`: origin of the Referrals API.
    pub api_url: String,
    /// `PARTNER_CENTER_AUDIENCE`: the Referrals API's token audience.
    pub audience: String,
    /// `PARTNER_CENTER_WRITES`.
    pub writes: Writes,
    /// `LOGIN_URL`: origin of Entra's sign-in.
    pub login_url: String,
}

/// Whether this environment writes to Partner Center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Yes.
    All,
    /// No: a staging stack beside production on one tenant.
    None,
}

/// The one CRM of this stack.
#[derive(Clone, Debug)]
pub enum Crm {
    /// Dynamics 365 on Dataverse.
    Dynamics365(Dynamics),
    /// Salesforce Sales Cloud.
    Salesforce(Salesforce),
}

impl Crm {
    /// Which one.
    pub fn kind(&self) -> CrmKind {
        match self {
            Crm::Dynamics365(_) => CrmKind::Dynamics365,
            Crm::Salesforce(_) => CrmKind::Salesforce,
        }
    }

    /// Where its secret lies.
    pub fn secret_arn(&self) -> &str {
        match self {
            Crm::Dynamics365(crm) => &crm.secret_arn,
            Crm::Salesforce(crm) => &crm.secret_arn,
        }
    }
}

/// How to reach Dataverse.
#[derive(Clone, Debug)]
pub struct Dynamics {
    /// `DYNAMICS_URL`: origin of the environment.
    pub url: String,
    /// `DYNAMICS_TENANT_ID`: GUID or domain.
    pub tenant_id: String,
    /// `DYNAMICS_CLIENT_ID`.
    pub client_id: String,
    /// `CRM_SECRET_ARN`: JSON `client_secret`.
    pub secret_arn: String,
    /// `LOGIN_URL`: origin of Entra's sign-in.
    pub login_url: String,
}

/// How to reach Salesforce.
#[derive(Clone, Debug)]
pub struct Salesforce {
    /// `SALESFORCE_LOGIN_URL`: origin of the sign-in: the org's My Domain.
    pub login_url: String,
    /// `SALESFORCE_CLIENT_ID`: consumer key of the external client app.
    pub client_id: String,
    /// `SALESFORCE_USERNAME`: the integration user.
    pub username: String,
    /// `CRM_SECRET_ARN`: JSON `private_key` (JWT bearer) or `client_secret` (client credentials).
    pub secret_arn: String,
    /// `SALESFORCE_API_VERSION`: `62.0`.
    pub api_version: String,
    /// `SALESFORCE_HOST_PATTERN`: which hosts a token may go to.
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
    /// From the environment.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From anything that knows the variables.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let config = Ingress { queue_url: reader.url("QUEUE_URL"), certificates: reader.certificates() };
        reader.finish(config)
    }
}

impl Worker {
    /// From the environment.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From anything that knows the variables.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let config = Worker::of(&mut reader);
        reader.finish(config)
    }

    fn of(reader: &mut Reader) -> Self {
        let login_url = reader.origin("LOGIN_URL");
        let partner_center = PartnerCenter {
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
    /// From the environment.
    pub fn from_environment() -> Result<Self, Faults> {
        Self::read(&environment)
    }

    /// From anything that knows the variables.
    pub fn read(variables: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(variables);
        let worker = Worker::of(&mut reader);
        // A stack that writes nothing there takes no events from the one that does.
        let writes = worker.partner_center.writes == Writes::All;
        let config = Admin {
            worker,
            dead_letter_queue_url: reader.url("DEAD_LETTER_QUEUE_URL"),
            webhook_url: reader.url("WEBHOOK_URL"),
            webhooks_api_url: reader.origin("PARTNER_CENTER_WEBHOOKS_API_URL"),
            webhooks_audience: reader.text("PARTNER_CENTER_WEBHOOKS_AUDIENCE"),
            register: reader.yes("REGISTER_WEBHOOK", true) && writes,
            overwrite: reader.yes("OVERWRITE_REGISTRATION", false),
            certificates: reader.certificates(),
            crm_admin_secret_arn: reader.optional("CRM_ADMIN_SECRET_ARN"),
            right: reader.right("ADMIN_RIGHT"),
            alarms_to: reader.alarms_to("ALARMS_TO"),
            stack_id: reader.text("STACK_ID"),
        };
        reader.finish(config)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads variables and collects faults; a faulty value is replaced by an empty one that nobody gets to see.
struct Reader<'a> {
    variables: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(variables: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Reader { variables, faults: vec![] }
    }

    fn finish<T>(self, config: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(config) } else { Err(Faults(self.faults)) }
    }

    fn fault(&mut self, name: &str, text: impl fmt::Display) {
        self.faults.push(format!("`{name}`: {text}"));
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.variables)(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// A PEM, or all of it in base64.
    fn pem(&self, name: &str) -> Option<String> {
        self.optional(name).map(|text| pem::unwrapped(&text).unwrap_or(text))
    }

    fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.fault(name, "not set");
            String::new()
        })
    }

    /// A text that `ok` likes.
    fn checked(&mut self, name: &str, expected: &str, ok: impl Fn(&str) -> bool) -> String {
        let text = self.text(name);
        if !text.is_empty() && !ok(&text) {
            self.fault(name, format_args!("expected {expected}, found `{text}`"));
        }
        text
    }

    fn tenant(&mut self, name: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        self.checked(name, "a tenant's GUID or domain", |text| text.chars().all(plain))
    }

    fn arn(&mut self, name: &str) -> String {
        self.checked(name, "a secret's ARN", |text| text.starts_with("arn:"))
    }

    /// A whole URL.
    fn url(&mut self, name: &str) -> String {
        self.checked(name, "a URL, https or on loopback", |text| secure(text).is_some())
    }

    /// Scheme, host and port; paths and versions are ours. A lone final slash is dropped.
    fn origin(&mut self, name: &str) -> String {
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let origin = |text: &str| {
            secure(text)
                .is_some_and(|url| url.origin().ascii_serialization() == bare(text).to_ascii_lowercase())
        };
        bare(&self.checked(name, "an origin like `https://host`, https or on loopback", origin))
    }

    /// No host is everybody's: `login.salesforce.com` does not know external client apps.
    fn my_domain(&mut self, name: &str) -> String {
        if self.optional(name).is_some() {
            return self.origin(name);
        }
        self.fault(name, "not set: the org's My Domain, such as `https://contoso.my.salesforce.com`");
        String::new()
    }

    fn number(&mut self, name: &str, default: u32) -> u32 {
        let Some(text) = self.optional(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.fault(name, format_args!("expected a whole number, found `{text}`"));
            default
        })
    }

    fn yes(&mut self, name: &str, default: bool) -> bool {
        match self.optional(name).as_deref() {
            None => default,
            Some("yes") => true,
            Some("no") => false,
            Some(other) => {
                self.fault(name, format_args!("expected `yes` or `no`, found `{other}`"));
                default
            }
        }
    }

    fn right(&mut self, name: &str) -> Right {
        match self.text(name).as_str() {
            "act" => Right::Act,
            "look" | "" => Right::Look,
            other => {
                self.fault(name, format_args!("expected `act` or `look`, found `{other}`"));
                Right::Look
            }
        }
    }

    fn writes(&mut self, name: &str) -> Writes {
        match self.text(name).as_str() {
            "none" => Writes::None,
            "all" | "" => Writes::All,
            other => {
                self.fault(name, format_args!("expected `all` or `none`, found `{other}`"));
                Writes::None
            }
        }
    }

    fn crm(&mut self, name: &str, login_url: String) -> Crm {
        let kind = self.text(name);
        match kind.parse() {
            Ok(CrmKind::Salesforce) => return Crm::Salesforce(self.salesforce()),
            Ok(CrmKind::Dynamics365) => {}
            Err(_) if kind.is_empty() => {}
            Err(UnknownCrm(_)) => {
                self.fault(name, format_args!("expected `dynamics365` or `salesforce`, found `{kind}`"));
            }
        }
        Crm::Dynamics365(Dynamics {
            url: self.origin("DYNAMICS_URL"),
            tenant_id: self.tenant("DYNAMICS_TENANT_ID"),
            client_id: self.text("DYNAMICS_CLIENT_ID"),
            secret_arn: self.arn("CRM_SECRET_ARN"),
            login_url,
        })
    }

    fn salesforce(&mut self) -> Salesforce {
        let version = |text: &str| {
            text.split_once('.').is_some_and(|(major, minor)| {
                minor == "0" && major.parse::<u32>().is_ok_and(|number| number >= 52)
            })
        };
        let api_version = match self.optional("SALESFORCE_API_VERSION") {
            None => SALESFORCE_API_VERSION.to_owned(),
            Some(_) => self.checked("SALESFORCE_API_VERSION", "a version from 52.0", version),
        };
        let pattern = self.optional("SALESFORCE_HOST_PATTERN");
        Salesforce {
            login_url: self.my_domain("SALESFORCE_LOGIN_URL"),
            client_id: self.text("SALESFORCE_CLIENT_ID"),
            username: self.text("SALESFORCE_USERNAME"),
            secret_arn: self.arn("CRM_SECRET_ARN"),
            api_version,
            host_pattern: pattern.unwrap_or_else(|| SALESFORCE_HOST_PATTERN.to_owned()),
        }
    }
}

/// https anywhere; plain http only where nobody listens in.
fn secure(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
    (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)).then_some(url)
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

#[cfg(test)]
mod tests;
