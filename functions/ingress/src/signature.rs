//! Is this call really Partner Center's? Pure: headers, raw bytes, certificate and time in, a verdict out
//! (vendors/partner-center.md, *Signature*, hardened).

use crate::call::Headers;
use base64::{Engine, engine::general_purpose::STANDARD};
use clients::certificates::{Distrust, Genuine, NotGenuine};

const ALGORITHM: &str = "rsa-sha256";
const SCHEME: &str = "Signature";
/// RSA keys have up to 8192 bits.
const LONGEST_SIGNATURE: usize = 1024;
/// A body may begin with it. Microsoft's own sample verifies the text without it: both are accepted.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the headers claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address at which the sender says the certificate lies: to be trusted only if it is on our list.
    pub certificate_url: String,
    signature: Vec<u8>,
}

/// Why a call is not Partner Center's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// The gateway's event, or the body in it, cannot be read.
    #[error("unreadable")]
    Unreadable,
    /// The call's path is not that of the address that is registered in Partner Center.
    #[error("the path is not the registered one")]
    Path,
    /// A header is missing, repeated or not readable.
    #[error("header `{0}` is missing or unusable")]
    Header(&'static str),
    /// The header names another algorithm than the documented one.
    #[error("the algorithm is not `{ALGORITHM}`", ALGORITHM = ALGORITHM)]
    Algorithm,
    /// Two different signatures: which one counts is not for the sender to choose.
    #[error("two different signatures")]
    TwoSignatures,
    /// The certificate's address is not on our list.
    #[error("the certificate's address is not on the list")]
    Address,
    /// There is no certificate, or not one of Microsoft's.
    #[error(transparent)]
    Certificate(#[from] NotGenuine),
    /// The bytes are not what was signed.
    #[error("the signature does not fit the body")]
    Signature,
}

/// Reads the headers: exactly one signature, the one algorithm, one certificate address.
pub fn claim(headers: &Headers) -> Result<Claim, NotVerified> {
    let algorithm = one(headers, "x-ms-signature-algorithm")?;
    if !algorithm.eq_ignore_ascii_case(ALGORITHM) {
        return Err(NotVerified::Algorithm);
    }
    let certificate_url = one(headers, "x-ms-certificate-url")?.to_owned();
    Ok(Claim { certificate_url, signature: signature(headers)? })
}

/// Checks the certificate's time and the signature at `now` (seconds since 1970).
pub fn verify(claim: &Claim, body: &[u8], certificate: &Genuine, now: u64) -> Result<(), NotVerified> {
    if !certificate.is_valid(now) {
        return Err(NotGenuine::from(Distrust::Time).into());
    }
    let signed = |bytes: &[u8]| certificate.signed(bytes, &claim.signature);
    let fits = signed(body) || body.strip_prefix(BYTE_ORDER_MARK).is_some_and(signed);
    if fits { Ok(()) } else { Err(NotVerified::Signature) }
}

/// The body without a byte order mark, which JSON does not allow.
pub fn text(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// The signature in `Authorization: Signature <base64>`, or, where a gateway keeps that header for itself, in
/// `x-ms-signature` with or without the scheme. An `Authorization` of another scheme is the gateway's and is ignored.
fn signature(headers: &Headers) -> Result<Vec<u8>, NotVerified> {
    const OWN: &str = "x-ms-signature";
    const STANDARD_PLACE: &str = "authorization";
    let standard = match headers.has(STANDARD_PLACE) {
        true => with_scheme(one(headers, STANDARD_PLACE)?),
        false => None,
    };
    let own = match headers.has(OWN) {
        true => {
            let value = one(headers, OWN)?;
            Some(with_scheme(value).unwrap_or(value))
        }
        false => None,
    };
    let encoded = match (standard, own) {
        (Some(a), Some(b)) if a != b => return Err(NotVerified::TwoSignatures),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => return Err(NotVerified::Header(STANDARD_PLACE)),
    };
    let decoded = STANDARD.decode(encoded).ok().filter(|s| !s.is_empty() && s.len() <= LONGEST_SIGNATURE);
    decoded.ok_or(NotVerified::Header(if standard.is_some() { STANDARD_PLACE } else { OWN }))
}

fn with_scheme(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| rest.trim())
}

/// The only value of a header.
fn one<'a>(headers: &'a Headers, name: &'static str) -> Result<&'a str, NotVerified> {
    headers.one(name).ok_or(NotVerified::Header(name))
}

#[cfg(test)]
mod tests;
