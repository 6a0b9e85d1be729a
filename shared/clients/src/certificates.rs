//! Fetches signing certificates, at a bounded rate and from listed addresses only, and keeps those that proved
//! genuine. The sender of an event names the address of its certificate, so the sender must decide neither where from
//! nor how often this process fetches.

mod address;
mod chain;
mod der;
mod fetches;
mod genuine;
mod issuers;
mod names;
mod parts;
pub mod pem;
mod trust;
mod validity;

pub use address::{Address, BadPrefix, Prefix, STANDARD_ISSUER_PREFIXES, STANDARD_PREFIX};
pub use genuine::Genuine;
pub use issuers::{Missing, NotGenuine, Why, issuer_addresses};
pub use trust::{BadRoots, Distrust, Trust};
pub use validity::validity;

use crate::{
    clock::Clock,
    http::{BuildError, Http},
};
use fetches::{Failures, Fetches};
use reqwest::{Method, StatusCode};
use rustls_pki_types::CertificateDer;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Time for fetching a certificate, and as much again for all issuers that its file lacks.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// The largest file that is read, in bytes, even if it is a chain in PEM.
const SIZE_LIMIT: usize = 32 * 1024;
/// How many genuine certificates are kept; Microsoft uses one or two.
const KEPT: usize = 32;

/// Where certificates may be fetched from, and which roots are trusted.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `CERTIFICATE_URL_PREFIXES`: where a signing certificate may lie; comma separated. Default: Microsoft's.
    pub prefixes: Vec<Prefix>,
    /// `CERTIFICATE_ISSUER_URLS`: where issuers' certificates may lie; comma separated. Default: Microsoft's and
    /// DigiCert's.
    pub issuers: Vec<Prefix>,
    /// `CERTIFICATE_ROOTS_PEM`: roots (self-signed) and intermediates; `None`, unset or empty: the bundled ones.
    pub roots_pem: Option<String>,
}

/// Fetches and judges the certificates of one process; of each genuine one it keeps the verdict.
pub struct Certificates {
    http: Http,
    list: Vec<Prefix>,
    issuer_list: Vec<Prefix>,
    trust: Trust,
    clock: Clock,
    state: Mutex<CertificateCache>,
}

#[derive(Default)]
struct CertificateCache {
    genuine: HashMap<Address, Arc<Genuine>>,
    /// Issuers' certificates that were part of a valid path to a root, by the address they came from.
    issuers: HashMap<Address, CertificateDer<'static>>,
    fetches: Fetches,
    issuer_fetches: Fetches,
    issuer_failures: Failures<NoCertificate>,
    /// Certificates whose issuer could not be fetched a moment ago: until that is tried again, they are not fetched
    /// either.
    lacking: Failures<NotGenuine>,
}

/// Why no certificate was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCertificate {
    /// The limit of fetches is reached (`fetches.rs`).
    #[error("fetched too often within the hour")]
    TooOften,
    /// Its host did not answer in time, or answered that it cannot at the moment.
    #[error("certificate host: {0}")]
    NotNow(String),
    /// Its host answered that there is none, or sent something else.
    #[error("no certificate there: {0}")]
    NotThere(String),
}

/// Why certificates cannot be fetched at all: the function does not start.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// The HTTP client could not be built.
    #[error(transparent)]
    Http(#[from] BuildError),
}

impl Certificates {
    /// From configuration; opens no connection yet. If the configured roots cannot be read, an alarm is logged and the
    /// bundled roots are used, so that a faulty parameter keeps no event out.
    pub fn new(sources: &Sources, clock: Clock) -> Result<Self, Unopened> {
        let trust = match sources.roots_pem.as_deref().map(Trust::from_pem) {
            Some(Ok(own)) => own,
            None => Trust::bundled(),
            Some(Err(unreadable)) => {
                tracing::error!(alarm = "roots", reason = %unreadable, "`CertificateRootsPem` is not used");
                Trust::bundled()
            }
        };
        // This client follows no redirects, so nothing is fetched from an address that is not listed.
        let http = Http::new(TIME_LIMIT)?;
        let (list, issuer_list) = (sources.prefixes.clone(), sources.issuers.clone());
        Ok(Certificates { http, list, issuer_list, trust, clock, state: Mutex::default() })
    }

    /// The address that a sender names, if it is on the list.
    pub fn on_list(&self, text: &str) -> Option<Address> {
        Address::on_list(text, &self.list)
    }

    /// The address of Microsoft's present certificate, if its folder is on the list. The ingress fetches it before the
    /// first event arrives.
    pub fn documented(&self) -> Option<Address> {
        Address::documented(&self.list)
    }

    /// The address of the certificate that the first entry of the list leads to.
    pub fn expected(&self) -> Option<Address> {
        Address::expected(&self.list)
    }

    /// The verdict on a certificate that proved genuine before.
    pub fn genuine(&self, address: &Address) -> Option<Arc<Genuine>> {
        self.state().genuine.get(address).cloned()
    }

    /// Fetches the certificate that lies at this address now and judges it. A genuine one replaces the one that was
    /// kept.
    pub async fn obtain(&self, address: &Address) -> Result<Arc<Genuine>, NotGenuine> {
        let now = self.clock.now();
        if let Some(why) = self.state().lacking.of(address, now) {
            return Err(why);
        }
        let file = self.fetch(address).await?;
        let verdict = self.judge(address, &file).await;
        if let Err(why) = &verdict
            && why.is_for_now()
        {
            self.state().lacking.remember(address, why, now);
        }
        Ok(self.keep(address, verdict?))
    }

    /// Keeps a genuine certificate, in place of the one that was kept for this address.
    pub fn keep(&self, address: &Address, certificate: Genuine) -> Arc<Genuine> {
        let certificate = Arc::new(certificate);
        let mut state = self.state();
        if state.genuine.len() < KEPT || state.genuine.contains_key(address) {
            state.genuine.insert(address.clone(), certificate.clone());
        }
        certificate
    }

    /// Fetches the file at an address once, if the limits of `fetches.rs` permit it.
    pub async fn fetch(&self, address: &Address) -> Result<Vec<u8>, NoCertificate> {
        let may = {
            let mut state = self.state();
            let known = state.knows(address);
            state.fetches.may(address, known, self.clock.now())
        };
        if !may {
            return Err(NoCertificate::TooOften);
        }
        self.get_until(address, Instant::now() + TIME_LIMIT).await
    }

    async fn get_until(&self, address: &Address, ends: Instant) -> Result<Vec<u8>, NoCertificate> {
        let answer = tokio::time::timeout_at(ends, self.get(address.as_str())).await;
        answer.unwrap_or_else(|_| Err(NoCertificate::NotNow("no answer in time".to_owned())))
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, NoCertificate> {
        let broken = |e: reqwest::Error| NoCertificate::NotNow(e.without_url().to_string());
        let mut answer = self.http.request(Method::GET, url).send().await.map_err(broken)?;
        match answer.status() {
            StatusCode::OK => {}
            busy if busy.is_server_error() || [408, 429].contains(&busy.as_u16()) => {
                return Err(NoCertificate::NotNow(format!("status {}", busy.as_u16())));
            }
            other => return Err(NoCertificate::NotThere(format!("status {}", other.as_u16()))),
        }
        let mut certificate = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if certificate.len() + chunk.len() > SIZE_LIMIT {
                return Err(NoCertificate::NotThere(format!("more than {SIZE_LIMIT} bytes")));
            }
            certificate.extend_from_slice(&chunk);
        }
        Ok(certificate)
    }

    /// In seconds since 1970, UTC.
    fn seconds(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, CertificateCache> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CertificateCache {
    /// Whether Microsoft's certificate is expected at this address, or was found there.
    fn knows(&self, address: &Address) -> bool {
        address.is_expected() || self.genuine.contains_key(address)
    }
}

#[cfg(test)]
mod tests;
