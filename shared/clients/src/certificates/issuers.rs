//! Fetches issuers that a certificate's file lacks, from the addresses that the certificates themselves name (RFC 5280
//! §4.2.2.1), as Microsoft's own receiver does. Only listed addresses are fetched. What is fetched is path material
//! and never trusted by itself. Steps, time, size and number are bounded, because an attacker may have made the
//! certificate.

use super::{
    Address, Certificates, NoCertificate, Prefix, TIME_LIMIT,
    chain::{Chain, End, issuer_of, issuers_name},
    genuine::Genuine,
    parts::CertificateParts,
    trust::Distrust,
};
use crate::http::one_line;
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;

/// How many issuers are fetched for one certificate, one above the other. Microsoft's chains have one or two below
/// their root.
const STEPS: usize = 2;
/// How many addresses are tried for one issuer; certificates name one or two.
const PLACES: usize = 2;
/// How many issuers' certificates are kept.
const KEPT: usize = 32;

/// Why the certificate of an issuer is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate of the issuer `{issuer}` is missing: {why}")]
pub struct Missing {
    /// The issuer's name, as the certificate below it gives it.
    pub issuer: String,
    /// Why it is missing.
    pub why: Why,
}

/// Why the certificate of an issuer is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The certificate below it names no address.
    #[error("the certificate below it names no address")]
    NoAddress,
    /// Its address is not on the list, so nothing is fetched.
    #[error("`{0}` is not on the list of issuers")]
    OffList(String),
    /// It could not be fetched.
    #[error(transparent)]
    NotFetched(#[from] NoCertificate),
    /// As many issuers as one certificate may cost were fetched already.
    #[error("{STEPS} issuers were fetched already")]
    TooFar,
    /// Every listed address was asked already: the certificates name each other in a circle.
    #[error("its address was asked already")]
    Again,
}

/// Why a certificate was not found genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// It could not be fetched.
    #[error(transparent)]
    NoCertificate(#[from] NoCertificate),
    /// The certificate of an issuer is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// It is not Microsoft's.
    #[error(transparent)]
    Distrust(#[from] Distrust),
}

impl NotGenuine {
    /// Whether it may be found genuine later, because something could not be fetched at the moment.
    pub fn is_for_now(&self) -> bool {
        let (NotGenuine::NoCertificate(fetch)
        | NotGenuine::Missing(Missing { why: Why::NotFetched(fetch), .. })) = self
        else {
            return false;
        };
        !matches!(fetch, NoCertificate::NotThere(_))
    }
}

/// The listed addresses at which a certificate (DER) says that its issuer's certificate lies, as many as are tried.
pub fn issuer_addresses(certificate: &[u8], list: &[Prefix]) -> Vec<Address> {
    let named = CertificateParts::of(certificate).map_or_else(Vec::new, |parts| parts.issuer_addresses());
    named.into_iter().filter_map(|text| Address::of_issuer(text, list)).take(PLACES).collect()
}

/// One certificate's search for its issuers.
struct Search {
    /// Whether the certificate's own address is known as Microsoft's. Fetches for all other certificates share one
    /// count.
    known: bool,
    ends: Instant,
    found: Vec<(Address, CertificateDer<'static>)>,
    asked: Vec<Address>,
}

impl Certificates {
    /// Whether the file that lies at `address` is a genuine certificate; fetches the issuers that the file lacks.
    pub async fn judge(&self, address: &Address, file: &[u8]) -> Result<Genuine, NotGenuine> {
        let now = self.seconds();
        let mut chain = self.trust.chain(file, now)?;
        let (known, kept) = {
            let state = self.state();
            (state.knows(address), state.issuers.values().cloned().collect::<Vec<_>>())
        };
        chain.add(kept, now);
        let mut search = Search { known, ends: Instant::now() + TIME_LIMIT, found: vec![], asked: vec![] };
        loop {
            let distrust = match self.trust.path(&chain, now) {
                Ok(path) => {
                    self.keep_issuers(search.found, &path.issuers);
                    return Ok(path.genuine);
                }
                Err(distrust) if distrust.wants_issuers() => distrust,
                Err(distrust) => return Err(distrust.into()),
            };
            let more = self.more(&chain, distrust, &mut search).await?;
            chain.add([more], now);
        }
    }

    /// The certificate of the next issuer above the chain.
    async fn more(
        &self,
        chain: &Chain,
        distrust: Distrust,
        search: &mut Search,
    ) -> Result<CertificateDer<'static>, NotGenuine> {
        let end = self.trust.end(chain);
        // If no name is missing, the leaf's issuer may have been renewed: with another key, or under another issuer.
        let (below, is_missing) = match end {
            End::Open(below) => (below, true),
            End::Closed(_) => (chain.leaf(), false),
        };
        let found = if search.found.len() < STEPS { self.ask(below, search).await } else { Err(Why::TooFar) };
        found.map_err(|why| {
            let missing = NotGenuine::from(Missing { issuer: issuers_name(below), why });
            if is_missing || missing.is_for_now() { missing } else { distrust.named(end).into() }
        })
    }

    /// The certificate of the issuer of `below`, from the first of its addresses that has it.
    async fn ask(
        &self,
        below: &CertificateDer<'static>,
        search: &mut Search,
    ) -> Result<CertificateDer<'static>, Why> {
        let parts = CertificateParts::of(below)
            .filter(|parts| parts.issuer != parts.subject)
            .ok_or(Why::NoAddress)?;
        let named = parts.issuer_addresses();
        let first = named.first().ok_or(Why::NoAddress)?;
        let listed = issuer_addresses(below, &self.issuer_list);
        let mut why = if listed.is_empty() { Why::OffList(one_line(first, 200)) } else { Why::Again };
        for address in listed {
            if search.asked.contains(&address) {
                continue;
            }
            search.asked.push(address.clone());
            match self.fetch_issuer(&address, below, search).await {
                Ok(issuer) => {
                    search.found.push((address, issuer.clone()));
                    return Ok(issuer);
                }
                // The earlier failure stands: it may pass, whereas this address answered that it has no such
                // certificate.
                Err(NoCertificate::NotThere(_)) if matches!(why, Why::NotFetched(_)) => {}
                Err(failure) => why = failure.into(),
            }
        }
        Err(why)
    }

    /// Fetches the file at an address once, within the limits, and finds the certificate of the issuer of `below` in
    /// it.
    async fn fetch_issuer(
        &self,
        address: &Address,
        below: &CertificateDer<'static>,
        search: &Search,
    ) -> Result<CertificateDer<'static>, NoCertificate> {
        let now = self.clock.now();
        {
            let mut state = self.state();
            if let Some(failure) = state.issuer_failures.of(address, now) {
                return Err(failure);
            }
            if !state.issuer_fetches.may(address, search.known, now) {
                return Err(NoCertificate::TooOften);
            }
        }
        let file = self.get_until(address, search.ends).await;
        // Only a failed fetch is remembered. That the file is another's certificate is not: a certificate that names
        // this address wrongly must not keep others from it.
        if let Err(failure) = &file {
            self.state().issuer_failures.remember(address, failure, now);
        }
        let other = || NoCertificate::NotThere("not a valid certificate of the issuer".to_owned());
        issuer_of(below, &file?, self.seconds()).ok_or_else(other)
    }

    /// Keeps the fetched certificates that are on the valid path to a root.
    fn keep_issuers(&self, found: Vec<(Address, CertificateDer<'static>)>, path: &[CertificateDer<'static>]) {
        let mut state = self.state();
        for (address, issuer) in found.into_iter().filter(|(_, issuer)| path.contains(issuer)) {
            if state.issuers.len() < KEPT || state.issuers.contains_key(&address) {
                state.issuers.insert(address, issuer);
            }
        }
    }
}
