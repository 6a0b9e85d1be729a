//! Issuers that a certificate's file lacks, fetched from the addresses that the certificates themselves name (RFC 5280
//! §4.2.2.1), as Microsoft's own receiver does. Off the list nothing is fetched; what is fetched is path material and
//! never trusted; steps, time, size and number are bounded, because an attacker may have made the certificate.

use super::{
    Address, Certificates, NoCertificate, Prefix, TIME_LIMIT,
    chain::{Chain, End, issuer_of, issuers_name},
    genuine::Genuine,
    parts::Parts,
    trust::Distrust,
};
use crate::http::one_line;
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;

/// Issuers fetched for one certificate, one above the other. Microsoft's chains have one or two below their root.
const STEPS: usize = 2;
/// Addresses tried for one issuer; certificates name one or two.
const PLACES: usize = 2;
/// Issuers kept.
const KEPT: usize = 32;

/// Why an issuer is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate of the issuer `{issuer}` is missing: {why}")]
pub struct Missing {
    /// Its name, as the certificate below it says.
    pub issuer: String,
    /// What stands between it and us.
    pub why: Why,
}

/// What stands between an issuer and us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The certificate below it does not say where it lies.
    #[error("the certificate below it names no address")]
    NoAddress,
    /// It lies where nothing is fetched from.
    #[error("`{0}` is not on the list of issuers")]
    OffList(String),
    /// It could not be fetched.
    #[error(transparent)]
    NotFetched(#[from] NoCertificate),
    /// So many were fetched for this certificate already.
    #[error("{STEPS} issuers were fetched already")]
    TooFar,
    /// The certificates send each other round in a circle.
    #[error("its address was asked already")]
    Again,
}

/// Why a certificate does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// It could not be fetched.
    #[error(transparent)]
    NoCertificate(#[from] NoCertificate),
    /// An issuer of it is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// It is not Microsoft's.
    #[error(transparent)]
    Distrust(#[from] Distrust),
}

impl NotGenuine {
    /// Whether it may count later: something could not be fetched at the moment.
    pub fn is_for_now(&self) -> bool {
        let (NotGenuine::NoCertificate(fetch)
        | NotGenuine::Missing(Missing { why: Why::NotFetched(fetch), .. })) = self
        else {
            return false;
        };
        !matches!(fetch, NoCertificate::NotThere(_))
    }
}

/// Where a certificate (DER) says that its issuer's lies: those on the list, and no more than are tried.
pub fn issuer_addresses(certificate: &[u8], list: &[Prefix]) -> Vec<Address> {
    let named = Parts::of(certificate).map_or_else(Vec::new, |parts| parts.issuer_addresses());
    named.into_iter().filter_map(|text| Address::of_issuer(text, list)).take(PLACES).collect()
}

/// One certificate's search for its issuers.
struct Search {
    /// Whether the certificate's own address is one of Microsoft's: what is fetched for others is counted apart.
    known: bool,
    ends: Instant,
    found: Vec<(Address, CertificateDer<'static>)>,
    asked: Vec<Address>,
}

impl Certificates {
    /// Whether the file that lies at `address` is a certificate that counts; fetches the issuers it lacks.
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

    /// The next issuer above the chain.
    async fn more(
        &self,
        chain: &Chain,
        distrust: Distrust,
        search: &mut Search,
    ) -> Result<CertificateDer<'static>, NotGenuine> {
        let end = self.trust.end(chain);
        // Where no name is missing, the leaf's issuer may have another key by now, or another one above it.
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

    /// The issuer of `below`, from the first of its addresses that has it.
    async fn ask(
        &self,
        below: &CertificateDer<'static>,
        search: &mut Search,
    ) -> Result<CertificateDer<'static>, Why> {
        let parts = Parts::of(below).filter(|parts| parts.issuer != parts.subject).ok_or(Why::NoAddress)?;
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
                // An address that may have it later says more than one that does not have it.
                Err(NoCertificate::NotThere(_)) if matches!(why, Why::NotFetched(_)) => {}
                Err(failure) => why = failure.into(),
            }
        }
        Err(why)
    }

    /// Fetches once, within the bounds.
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
        // Another's certificate is not remembered: one that names this address wrongly must not hide it.
        if let Err(failure) = &file {
            self.state().issuer_failures.remember(address, failure, now);
        }
        let other = || NoCertificate::NotThere("not a valid certificate of the issuer".to_owned());
        issuer_of(below, &file?, self.seconds()).ok_or_else(other)
    }

    /// Keeps those that stand on a path to a root.
    fn keep_issuers(&self, found: Vec<(Address, CertificateDer<'static>)>, path: &[CertificateDer<'static>]) {
        let mut state = self.state();
        for (address, issuer) in found.into_iter().filter(|(_, issuer)| path.contains(issuer)) {
            if state.issuers.len() < KEPT || state.issuers.contains_key(&address) {
                state.issuers.insert(address, issuer);
            }
        }
    }
}
