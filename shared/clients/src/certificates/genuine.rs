//! The verdict on a certificate that proved to be Microsoft's: its key, and from when to when its whole chain is
//! valid. Kept instead of the certificate: the chain is verified once, when it is fetched, and each event costs only
//! the check of its signature.

use super::validity;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::{EndEntityCert, RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

/// The verdict on one chain. Only [`Trust`](super::Trust) makes one.
#[derive(Debug)]
pub struct Genuine {
    key: SubjectPublicKeyInfoDer<'static>,
    from: i64,
    until: i64,
}

impl Genuine {
    /// The verdict holds while every certificate up to the root is valid. `None`: a date cannot be read.
    pub(super) fn new(leaf: &EndEntityCert<'_>, above: &[CertificateDer<'static>]) -> Option<Self> {
        let mut genuine = Genuine { key: leaf.subject_public_key_info(), from: i64::MIN, until: i64::MAX };
        for certificate in above.iter().chain([&leaf.der()]) {
            let (from, until) = validity(certificate)?;
            genuine.from = genuine.from.max(from.as_second());
            genuine.until = genuine.until.min(until.as_second());
        }
        Some(genuine)
    }

    #[cfg(test)]
    pub(super) fn until(until: i64) -> Self {
        Genuine { key: SubjectPublicKeyInfoDer::from(vec![]), from: 0, until }
    }

    /// Whether the whole chain is valid at `now` (seconds since 1970), both dates included.
    pub fn is_valid(&self, now: u64) -> bool {
        i64::try_from(now).is_ok_and(|now| (self.from..=self.until).contains(&now))
    }

    /// Whether its key signed these bytes.
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = RawPublicKeyEntity::try_from(&self.key);
        key.is_ok_and(|key| key.verify_signature(RSA_PKCS1_2048_8192_SHA256, bytes, signature).is_ok())
    }
}
