//! Decides whether a certificate is Microsoft's, by the trusted roots, the issuing authorities below them, and the
//! organisation's name.

use super::{
    chain::{Chain, End, issuers_name},
    genuine::Genuine,
    names, pem,
};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
    ring as algorithms,
};

/// The roots above Microsoft's issuing authorities. Microsoft does not publish which one signs the webhook's
/// certificate (vendors/partner-center.md, *Certificates*), and no package carries the issuing authorities as data:
/// they are fetched, or `CertificateRootsPem` has them.
const BUNDLED: [&str; 3] = [
    "Microsoft RSA Root Certificate Authority 2017",
    "Microsoft ECC Root Certificate Authority 2017",
    "DigiCert Global Root G2",
];
/// The organisation that issuer and subject of the certificate name (vendors/partner-center.md, *Certificates*).
const ORGANISATION: &str = "Microsoft Corporation";

/// The signature algorithms that a chain may use.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 7] = [
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Roots and issuing authorities.
#[derive(Clone, Debug)]
pub struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
}

/// The configured bundle is not certificates in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`CERTIFICATE_ROOTS_PEM`: expected certificates in PEM")]
pub struct BadRoots;

/// Why a certificate is not Microsoft's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Neither DER nor PEM of an X.509 certificate.
    #[error("the certificate is unreadable")]
    Unreadable,
    /// No valid path to a root at this time.
    #[error("the certificate's chain: {0}")]
    Chain(Error),
    /// The chain is complete, but its root is not a trusted one. The name is the root's.
    #[error("the certificate's chain leads to `{0}`, which is none of the trusted roots")]
    Root(String),
    /// The certificate proved genuine earlier, but one of its chain has expired or is not valid yet.
    #[error("the certificate's chain is not valid at this time")]
    Time,
    /// Its issuer or its subject is not this one organisation.
    #[error("the certificate's {0} is not one organisation `{ORGANISATION}`", ORGANISATION = ORGANISATION)]
    Organisation(&'static str),
}

/// A certificate that counts, and the issuing authorities on its path.
pub(super) struct Path {
    pub(super) genuine: Genuine,
    pub(super) issuers: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The roots that are part of this binary.
    pub fn bundled() -> Self {
        let ours = |anchor: &&TrustAnchor<'static>| {
            BUNDLED.iter().any(|name| anchor.subject.as_ref().ends_with(name.as_bytes()))
        };
        let anchors = webpki_roots::TLS_SERVER_ROOTS.iter().filter(ours).cloned().collect();
        Trust { anchors, intermediates: vec![] }
    }

    /// A bundle of the deployment's own: self-signed certificates are roots, others are issuing authorities. If it has
    /// no root, the bundled roots are used with it.
    pub fn from_pem(text: &str) -> Result<Self, BadRoots> {
        let mut trust = Trust { anchors: vec![], intermediates: vec![] };
        for der in pem::certificates(text).ok_or(BadRoots)? {
            let certificate = CertificateDer::from(der);
            let parsed = EndEntityCert::try_from(&certificate).map_err(|_| BadRoots)?;
            if parsed.issuer() == parsed.subject() {
                trust.anchors.push(anchor_from_trusted_cert(&certificate).map_err(|_| BadRoots)?.to_owned());
            } else {
                trust.intermediates.push(certificate);
            }
        }
        if trust.anchors.is_empty() {
            trust.anchors = Self::bundled().anchors;
        }
        Ok(trust)
    }

    /// Whether `file` is Microsoft's certificate, valid at `now` (seconds since 1970), without fetching any issuer:
    /// only those in the file and in the bundle are used. `file` is DER or PEM; further certificates in a PEM are
    /// issuing authorities, which count only if a root stands above them.
    pub fn genuine(&self, file: &[u8], now: u64) -> Result<Genuine, Distrust> {
        self.path(&self.chain(file, now)?, now).map(|path| path.genuine)
    }

    /// The certificates of the file and of the bundle. An error unless both issuer and subject of the first one name
    /// Microsoft, so that no issuer is fetched for any other certificate.
    pub(super) fn chain(&self, file: &[u8], now: u64) -> Result<Chain, Distrust> {
        let mut chain = Chain::read(file, now).ok_or(Distrust::Unreadable)?;
        chain.add(self.intermediates.iter().cloned(), now);
        let leaf = EndEntityCert::try_from(chain.leaf()).map_err(|_| Distrust::Unreadable)?;
        for (who, name) in [("issuer", leaf.issuer()), ("subject", leaf.subject())] {
            if names::organisations(name).as_deref() != Some(&[ORGANISATION.as_bytes()]) {
                return Err(Distrust::Organisation(who));
            }
        }
        Ok(chain)
    }

    /// A path from the leaf to a root.
    pub(super) fn path(&self, chain: &Chain, now: u64) -> Result<Path, Distrust> {
        let leaf = EndEntityCert::try_from(chain.leaf()).map_err(|_| Distrust::Unreadable)?;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
        let path =
            leaf.verify_for_usage(&ALGORITHMS, &self.anchors, chain.above(), now, AnyPurpose, None, None);
        let path = path.map_err(Distrust::Chain)?;
        let issuers: Vec<_> =
            path.intermediate_certificates().map(|issuer| issuer.der().into_owned()).collect();
        let genuine = Genuine::new(&leaf, &issuers).ok_or(Distrust::Unreadable)?;
        Ok(Path { genuine, issuers })
    }

    /// Where the names of the chain lead.
    pub(super) fn end<'a>(&self, chain: &'a Chain) -> End<'a> {
        chain.end(|name| self.anchors.iter().any(|anchor| anchor.subject.as_ref() == name))
    }
}

impl Distrust {
    /// Whether one more issuer could complete the path: nothing else was found wrong with the leaf.
    pub(super) fn wants_issuers(&self) -> bool {
        matches!(self, Distrust::Chain(Error::UnknownIssuer | Error::InvalidSignatureForPublicKey))
    }

    /// The same error, with the name to which the chain leads, if only trust is missing and no certificate.
    pub(super) fn named(self, end: End<'_>) -> Self {
        match (self, end) {
            (Distrust::Chain(Error::UnknownIssuer), End::Closed(top)) => Distrust::Root(issuers_name(top)),
            (other, _) => other,
        }
    }
}

/// Accepts every purpose: Microsoft does not publish which one its certificate names, so chain, dates and names
/// decide.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bundled_roots_exist() {
        assert_eq!(Trust::bundled().anchors.len(), BUNDLED.len());
    }

    #[test]
    fn a_bundle_that_is_none_is_refused() {
        assert_eq!(Trust::from_pem("hello").err(), Some(BadRoots));
        let junk = "-----BEGIN CERTIFICATE-----AQID-----END CERTIFICATE-----";
        assert_eq!(Trust::from_pem(junk).err(), Some(BadRoots));
    }
}
