//! The chain behind the webhook signatures, as the vendor serves it: the leaf alone, which names the address of its
//! issuer's certificate (RFC 5280 §4.2.2.1). And hostile variants of it.

use super::authorities::{self, Authority};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SigningKey};
use serde::{Deserialize, Serialize};

pub(super) const MICROSOFT: &str = "Microsoft Corporation";
const HOST: &str = "pcnotifications-dispatch.microsoft.com";

/// Which certificate and key sign a delivery. A receiver accepts [`Forge::GENUINE`] and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forge {
    /// The real thing (its key changes with `PartnerCenter::renew_certificate`).
    #[default]
    Microsoft,
    /// The real one, PEM encoded.
    Pem,
    /// The real one after its renewal, under its own name.
    Renewed,
    /// The real one with its issuer's certificate below it, PEM encoded.
    Chained,
    /// Real, with two issuers below the root, each at the address that the one below it names.
    TwoSteps,
    /// The same with three.
    ThreeSteps,
    /// Two issuers, each issued by the other.
    Circle,
    /// Real, but does not say where its issuer's certificate lies.
    NoAddress,
    /// Real, but says that its issuer's certificate lies on another port of its host.
    Elsewhere,
    /// Real chain, but its time is over.
    Expired,
    /// Real chain, but its time has not come.
    NotYetValid,
    /// Chains to the real root through another company's intermediate.
    WrongIssuer,
    /// Issued by the real intermediate to another company.
    WrongSubject,
    /// Says Microsoft, signed by itself.
    SelfSigned,
    /// Says Microsoft all the way up, but from a root nobody trusts.
    Foreign,
    /// The real certificate, with a signature of another key.
    WrongKey,
    /// Not a certificate at all.
    Garbage,
}

impl Forge {
    /// What a receiver accepts that knows the root alone.
    pub const GENUINE: [Forge; 5] =
        [Forge::Microsoft, Forge::Pem, Forge::Renewed, Forge::Chained, Forge::TwoSteps];

    /// Real too, but nothing says where an issuer of theirs lies, or it lies too far: a receiver refuses them unless it
    /// has kept that issuer from another one.
    pub const INCOMPLETE: [Forge; 3] = [Forge::ThreeSteps, Forge::NoAddress, Forge::Elsewhere];

    pub const ALL: [Forge; 17] = [
        Forge::Microsoft,
        Forge::Pem,
        Forge::Renewed,
        Forge::Chained,
        Forge::TwoSteps,
        Forge::ThreeSteps,
        Forge::Circle,
        Forge::NoAddress,
        Forge::Elsewhere,
        Forge::Expired,
        Forge::NotYetValid,
        Forge::WrongIssuer,
        Forge::WrongSubject,
        Forge::SelfSigned,
        Forge::Foreign,
        Forge::WrongKey,
        Forge::Garbage,
    ];

    /// File name below `/cert/`.
    pub fn file(self) -> &'static str {
        match self {
            Forge::Microsoft => "pcnotifications-dispatch.microsoft.com.cer",
            Forge::Pem => "pem.cer",
            Forge::Renewed => "renewed.cer",
            Forge::Chained => "chained.cer",
            Forge::TwoSteps => "two-steps.cer",
            Forge::ThreeSteps => "three-steps.cer",
            Forge::Circle => "circle.cer",
            Forge::NoAddress => "no-address.cer",
            Forge::Elsewhere => "elsewhere.cer",
            Forge::Expired => "expired.cer",
            Forge::NotYetValid => "not-yet-valid.cer",
            Forge::WrongIssuer => "wrong-issuer.cer",
            Forge::WrongSubject => "wrong-subject.cer",
            Forge::SelfSigned => "self-signed.cer",
            Forge::Foreign => "foreign.cer",
            Forge::WrongKey => "wrong-key.cer",
            Forge::Garbage => "garbage.cer",
        }
    }

    fn or(self, real: Forge) -> Forge {
        if self == Forge::Microsoft { real } else { self }
    }

    fn authority(self) -> Authority {
        match self {
            Forge::TwoSteps => Authority::Second,
            Forge::ThreeSteps => Authority::Third,
            Forge::Circle => Authority::Left,
            Forge::WrongIssuer => Authority::Contoso,
            Forge::Foreign => Authority::Foreign,
            _ => Authority::Issuing,
        }
    }

    fn content(self, base: &str) -> Vec<u8> {
        let authority = self.authority();
        let (organization, from, until) = match self {
            Forge::Expired => (MICROSOFT, 2018, 2019),
            Forge::NotYetValid => (MICROSOFT, 2048, 2049),
            Forge::WrongSubject => ("Contoso Ltd", 2020, 2049),
            _ => (MICROSOFT, 2020, 2049),
        };
        let mut params = leaf(organization, from, until);
        let address = match self {
            Forge::NoAddress => None,
            Forge::Elsewhere => Some(format!("http://127.0.0.2:9/issuers/{}", authority.file())),
            _ => Some(authority.address(base)),
        };
        params.custom_extensions.extend(address.map(|url| authorities::issuer_address(&url)));
        let key = if self == Forge::Renewed { authorities::renewed() } else { authorities::leaf() };
        let certificate = match self {
            Forge::Garbage => return b"<html>not found</html>".to_vec(),
            Forge::SelfSigned => params.self_signed(key).expect("leaf"),
            _ => params.signed_by(key, &authority.issuer(base)).expect("leaf"),
        };
        match self {
            Forge::Pem => certificate.pem().into_bytes(),
            Forge::Chained => (certificate.pem() + &authority.pem(base)).into_bytes(),
            _ => certificate.der().to_vec(),
        }
    }

    /// The key of its signatures.
    fn key(self) -> &'static KeyPair {
        match self {
            Forge::Renewed => authorities::renewed(),
            Forge::WrongKey => authorities::foreign(),
            _ => authorities::leaf(),
        }
    }
}

fn leaf(organization: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = authorities::named(organization, HOST, from, until);
    params.subject_alt_names = vec![rcgen::SanType::DnsName(HOST.try_into().expect("host name"))];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// What an admin would configure as trusted: the root alone, as the product's own list has it.
pub fn roots_pem() -> String {
    Authority::Root.pem("")
}

/// Root and intermediates. Holds the other company's intermediate too, so that `WrongIssuer` falls to the organisation
/// check and to nothing else.
pub fn bundle_pem() -> String {
    [Authority::Root, Authority::Issuing, Authority::Contoso].map(|authority| authority.pem("")).concat()
}

/// Content of `/cert/<file>`; `real`: what lies at the real one's name.
pub(super) fn file(base: &str, name: &str, real: Forge) -> Option<Vec<u8>> {
    let forge = Forge::ALL.into_iter().find(|forge| forge.file() == name)?;
    Some(forge.or(real).content(base))
}

/// Base64 RSASSA-PKCS1-v1_5 SHA-256 signature over the body, by the key that belongs to `forge`.
pub(super) fn sign(body: &[u8], forge: Forge, real: Forge) -> String {
    STANDARD.encode(forge.or(real).key().sign(body).expect("signature"))
}

/// Whether a signature is by the key whose certificate is served for `forge`.
#[cfg(test)]
pub(super) fn verifies(body: &[u8], signature: &str, forge: Forge) -> bool {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    let key = if forge == Forge::Renewed { authorities::renewed() } else { authorities::leaf() };
    let signature = STANDARD.decode(signature).expect("base64");
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rcgen::PublicKeyData::der_bytes(key))
        .verify(body, &signature)
        .is_ok()
}
