//! A certificate, and the certificates that may stand between it and a root (*path material*). No path material is
//! trusted by itself, no matter where it came from: it counts only if signatures lead from it to a root.

use super::{names, parts::CertificateParts, pem, validity};
use rustls_pki_types::CertificateDer;

/// The leaf and its path material.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    leaf: CertificateDer<'static>,
    above: Vec<CertificateDer<'static>>,
}

/// Where the names of the issuers lead, followed upwards from the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// To this certificate, whose issuer is not in the chain.
    Open(&'a CertificateDer<'static>),
    /// To this certificate, which names a root, itself or one further down as its issuer: no certificate is missing.
    Closed(&'a CertificateDer<'static>),
}

impl Chain {
    /// The certificates of a file, DER or PEM, the leaf first.
    pub(super) fn read(file: &[u8], now: u64) -> Option<Self> {
        let mut all = all(file).into_iter();
        let leaf = all.next().filter(|leaf| CertificateParts::of(leaf).is_some())?;
        let mut chain = Chain { leaf, above: vec![] };
        chain.add(all, now);
        Some(chain)
    }

    /// Adds path material. What is not valid at `now` is left out, so that a valid certificate of the same issuer is
    /// looked for in its place.
    pub(super) fn add(&mut self, more: impl IntoIterator<Item = CertificateDer<'static>>, now: u64) {
        self.above.extend(more.into_iter().filter(|certificate| is_valid(certificate, now)));
    }

    pub(super) fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    pub(super) fn above(&self) -> &[CertificateDer<'static>] {
        &self.above
    }

    /// Follows the names of the issuers upwards.
    pub(super) fn end(&self, is_root: impl Fn(&[u8]) -> bool) -> End<'_> {
        let mut end = &self.leaf;
        for _ in 0..=self.above.len() {
            let Some(parts) = CertificateParts::of(end) else { return End::Open(end) };
            if parts.issuer == parts.subject || is_root(parts.issuer) {
                return End::Closed(end);
            }
            match self.above.iter().find(|issuer| is_of(issuer, parts.issuer)) {
                Some(issuer) => end = issuer,
                None => return End::Open(end),
            }
        }
        End::Closed(end)
    }
}

/// The certificate of a file that belongs to the issuer of `below` and is valid at `now`.
pub(super) fn issuer_of(
    below: &CertificateDer<'_>,
    file: &[u8],
    now: u64,
) -> Option<CertificateDer<'static>> {
    let wanted = CertificateParts::of(below)?.issuer;
    all(file).into_iter().find(|certificate| is_of(certificate, wanted) && is_valid(certificate, now))
}

/// The name of the issuer, for a person to read.
pub(super) fn issuers_name(below: &CertificateDer<'_>) -> String {
    CertificateParts::of(below).map_or_else(String::new, |parts| names::told(parts.issuer))
}

fn is_valid(certificate: &[u8], now: u64) -> bool {
    let dates = validity(certificate).map(|(from, until)| from.as_second()..=until.as_second());
    i64::try_from(now).is_ok_and(|now| dates.is_some_and(|dates| dates.contains(&now)))
}

fn is_of(certificate: &[u8], name: &[u8]) -> bool {
    CertificateParts::of(certificate).is_some_and(|parts| parts.subject == name)
}

/// The certificates of a file in DER or PEM. A PKCS #7 bundle, which RFC 5280 §4.2.2.1 allows at an issuer's address,
/// is not supported.
fn all(file: &[u8]) -> Vec<CertificateDer<'static>> {
    let pem = std::str::from_utf8(file).ok().and_then(pem::certificates);
    pem.unwrap_or_else(|| vec![file.to_vec()]).into_iter().map(CertificateDer::from).collect()
}
