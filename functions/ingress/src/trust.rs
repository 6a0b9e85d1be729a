//! Whose certificates count: the roots, the issuing authorities below them, and the organisation's name.

use crate::genuine::Genuine;
use clients::certificates::pem;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
    ring as algorithms,
};

/// The roots above Microsoft's issuing authorities. Which one signs the webhook's certificate is not published
/// (unverified); its issuing authority is not bundled either: `CertificateRootsPem` takes it.
const BUNDLED: [&str; 3] = [
    "Microsoft RSA Root Certificate Authority 2017",
    "Microsoft ECC Root Certificate Authority 2017",
    "DigiCert Global Root G2",
];
/// Issuer and subject of the certificate, partner-center.md §8.4.
const ORGANISATION: &str = "Microsoft Corporation";

/// How certificates may be signed.
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

/// Why a configured bundle is none.
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
    /// It was valid once; now one of its chain is not, any more or yet.
    #[error("the certificate's chain is not valid at this time")]
    Time,
    /// Issued by or for somebody else.
    #[error("the certificate's {0} is not one organisation `{ORGANISATION}`", ORGANISATION = ORGANISATION)]
    Organisation(&'static str),
}

impl Trust {
    /// The bundled roots.
    pub fn bundled() -> Self {
        let ours = |anchor: &&TrustAnchor<'static>| {
            BUNDLED.iter().any(|name| anchor.subject.as_ref().ends_with(name.as_bytes()))
        };
        let anchors = webpki_roots::TLS_SERVER_ROOTS.iter().filter(ours).cloned().collect();
        Trust { anchors, intermediates: vec![] }
    }

    /// A bundle of the deployment's own: self-signed certificates are roots, others issuing authorities. Without a
    /// root in it, the bundled roots stand.
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

    /// Microsoft's certificate, valid at `now` (seconds since 1970). `file` is DER or PEM; further certificates in a
    /// PEM are issuing authorities, believed only if a root stands above them.
    pub fn genuine(&self, file: &[u8], now: u64) -> Result<Genuine, Distrust> {
        let mut chain = chain(file).into_iter();
        let leaf = chain.next().ok_or(Distrust::Unreadable)?;
        let leaf = EndEntityCert::try_from(&leaf).map_err(|_| Distrust::Unreadable)?;
        let intermediates: Vec<_> = self.intermediates.iter().cloned().chain(chain).collect();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
        let path =
            leaf.verify_for_usage(&ALGORITHMS, &self.anchors, &intermediates, now, AnyPurpose, None, None);
        let path = path.map_err(Distrust::Chain)?;
        for (who, name) in [("issuer", leaf.issuer()), ("subject", leaf.subject())] {
            let organisations = organisations(name);
            if organisations.as_deref() != Some(&[ORGANISATION.as_bytes()]) {
                return Err(Distrust::Organisation(who));
            }
        }
        let used = path.intermediate_certificates().map(|issuer| issuer.der().into_owned());
        let used = used.chain([leaf.der().into_owned()]);
        Genuine::new(leaf.subject_public_key_info(), used).ok_or(Distrust::Unreadable)
    }
}

/// The leaf first.
fn chain(file: &[u8]) -> Vec<CertificateDer<'static>> {
    let pem = std::str::from_utf8(file).ok().and_then(pem::certificates);
    pem.unwrap_or_else(|| vec![file.to_vec()]).into_iter().map(CertificateDer::from).collect()
}

/// What purpose Microsoft's certificate names is not published: chain, dates and names decide.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

/// The values of all `O=` in a distinguished name, in DER: a sequence of sets of (type, value). `None`: malformed.
fn organisations(mut name: &[u8]) -> Option<Vec<&[u8]>> {
    const SEQUENCE: u8 = 0x30;
    const SET: u8 = 0x31;
    const OBJECT_ID: u8 = 0x06;
    const ORGANISATION_NAME: [u8; 3] = [0x55, 4, 10];
    let mut found = vec![];
    while !name.is_empty() {
        let (mut set, rest) = element(name).filter(|e| e.tag == SET)?.parts();
        name = rest;
        while !set.is_empty() {
            let (pair, rest) = element(set).filter(|e| e.tag == SEQUENCE)?.parts();
            set = rest;
            let (kind, value) = element(pair).filter(|e| e.tag == OBJECT_ID)?.parts();
            let (value, rest) = element(value)?.parts();
            if !rest.is_empty() {
                return None;
            }
            if kind == ORGANISATION_NAME {
                found.push(value);
            }
        }
    }
    Some(found)
}

/// One DER element and what follows it.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn parts(self) -> (&'a [u8], &'a [u8]) {
        (self.content, self.rest)
    }
}

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&[tag, first], body) = bytes.split_first_chunk::<2>()?;
    let (length, body) = match first {
        0..=0x7f => (usize::from(first), body),
        0x81 => {
            let (length, body) = body.split_first()?;
            (usize::from(*length), body)
        }
        // A name with more than 255 bytes in one place is nobody's.
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(kind: u8, text: &str) -> Vec<u8> {
        let mut pair = vec![6, 3, 0x55, 4, kind, 0x0c, text.len() as u8];
        pair.extend_from_slice(text.as_bytes());
        [vec![0x31, pair.len() as u8 + 2, 0x30, pair.len() as u8], pair].concat()
    }

    #[test]
    fn all_bundled_roots_exist() {
        assert_eq!(Trust::bundled().anchors.len(), BUNDLED.len());
    }

    #[test]
    fn the_organisation_is_read_where_it_stands_and_nowhere_else() {
        let hidden = String::from_utf8(pair(10, ORGANISATION)).unwrap();
        let name = [pair(6, "US"), pair(3, &hidden), pair(10, "Evil")].concat();
        assert_eq!(organisations(&name), Some(vec![b"Evil".as_slice()]));
        let twice = [pair(10, ORGANISATION), pair(10, "Evil")].concat();
        assert_eq!(organisations(&twice).map(|o| o.len()), Some(2));
        assert_eq!(organisations(&name[..name.len() - 1]), None);
        assert_eq!(organisations(&[]), Some(vec![]));
    }

    #[test]
    fn a_bundle_that_is_none_is_refused() {
        assert_eq!(Trust::from_pem("hello").err(), Some(BadRoots));
        let junk = "-----BEGIN CERTIFICATE-----AQID-----END CERTIFICATE-----";
        assert_eq!(Trust::from_pem(junk).err(), Some(BadRoots));
    }
}
