//! Reads one variable after the other and collects what is wrong with each.

use super::{CrmConfig, DynamicsConfig, Faults, Right, Writes};
use crate::{http::is_loopback, pem};
use mapping::{CrmKind, UnknownCrm};
use reqwest::Url;
use std::fmt;

/// Reads variables and collects faults. A faulty value is replaced by a placeholder that no caller gets, because
/// `finish` then returns the faults.
pub(super) struct Reader<'a> {
    variables: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Reader { variables, faults: vec![] }
    }

    pub(super) fn finish<T>(self, config: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(config) } else { Err(Faults(self.faults)) }
    }

    pub(super) fn fault(&mut self, name: &str, text: impl fmt::Display) {
        self.faults.push(format!("`{name}`: {text}"));
    }

    pub(super) fn optional(&self, name: &str) -> Option<String> {
        (self.variables)(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// A PEM, as it is or encoded as a whole in base64.
    pub(super) fn pem(&self, name: &str) -> Option<String> {
        self.optional(name).map(|text| pem::unwrapped(&text).unwrap_or(text))
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.fault(name, "not set");
            String::new()
        })
    }

    /// A text that `ok` accepts.
    pub(super) fn checked(&mut self, name: &str, expected: &str, ok: impl Fn(&str) -> bool) -> String {
        let text = self.text(name);
        if !text.is_empty() && !ok(&text) {
            self.fault(name, format_args!("expected {expected}, found `{text}`"));
        }
        text
    }

    pub(super) fn tenant(&mut self, name: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        self.checked(name, "a tenant's GUID or domain", |text| text.chars().all(plain))
    }

    pub(super) fn arn(&mut self, name: &str) -> String {
        self.checked(name, "a secret's ARN", |text| text.starts_with("arn:"))
    }

    /// An absolute URL with any path: https, or http on loopback.
    pub(super) fn url(&mut self, name: &str) -> String {
        self.checked(name, "a URL, https or on loopback", |text| secure(text).is_some())
    }

    /// Scheme, host and port; the client adds paths and versions. A lone final slash is dropped.
    pub(super) fn origin(&mut self, name: &str) -> String {
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let origin = |text: &str| {
            secure(text)
                .is_some_and(|url| url.origin().ascii_serialization() == bare(text).to_ascii_lowercase())
        };
        bare(&self.checked(name, "an origin like `https://host`, https or on loopback", origin))
    }

    pub(super) fn number(&mut self, name: &str, default: u32) -> u32 {
        let Some(text) = self.optional(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.fault(name, format_args!("expected a whole number, found `{text}`"));
            default
        })
    }

    pub(super) fn yes(&mut self, name: &str, default: bool) -> bool {
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

    pub(super) fn right(&mut self, name: &str) -> Right {
        match self.text(name).as_str() {
            "act" => Right::Act,
            "look" | "" => Right::Look,
            other => {
                self.fault(name, format_args!("expected `act` or `look`, found `{other}`"));
                Right::Look
            }
        }
    }

    pub(super) fn writes(&mut self, name: &str) -> Writes {
        match self.text(name).as_str() {
            "none" => Writes::None,
            "all" | "" => Writes::All,
            other => {
                self.fault(name, format_args!("expected `all` or `none`, found `{other}`"));
                Writes::None
            }
        }
    }

    pub(super) fn crm(&mut self, name: &str, login_url: String) -> CrmConfig {
        let kind = self.text(name);
        match kind.parse() {
            Ok(CrmKind::Salesforce) => return CrmConfig::Salesforce(self.salesforce()),
            Ok(CrmKind::Dynamics365) => {}
            Err(_) if kind.is_empty() => {}
            Err(UnknownCrm(_)) => {
                self.fault(name, format_args!("expected `dynamics365` or `salesforce`, found `{kind}`"));
            }
        }
        CrmConfig::Dynamics365(DynamicsConfig {
            url: self.origin("DYNAMICS_URL"),
            tenant_id: self.tenant("DYNAMICS_TENANT_ID"),
            client_id: self.text("DYNAMICS_CLIENT_ID"),
            secret_arn: self.arn("CRM_SECRET_ARN"),
            login_url,
        })
    }
}

/// A URL with https, or with plain http on loopback, where no other machine can listen; without user and password.
pub(crate) fn secure(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
    (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)).then_some(url)
}
