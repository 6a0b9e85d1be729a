//! The chain behind the webhook signatures: root, intermediate, leaf like the vendor's, and hostile variants of it.

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SigningKey, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

const MICROSOFT: &str = "Microsoft Corporation";
const HOST: &str = "pcnotifications-dispatch.microsoft.com";

/// Which certificate and key sign a delivery. Everything but the first three must be refused by a receiver.
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
    pub const ALL: [Forge; 11] = [
        Forge::Microsoft,
        Forge::Pem,
        Forge::Renewed,
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
}

/// All certificates and keys, made once per process.
static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::make);

struct Chain {
    roots_pem: String,
    leaf_key: KeyPair,
    renewed_key: KeyPair,
    foreign_key: KeyPair,
    /// In the order of `Forge::ALL`.
    files: Vec<Vec<u8>>,
}

impl Chain {
    fn make() -> Self {
        let root_key = key(include_str!("../../fixtures/keys/root.pem"));
        let middle_key = key(include_str!("../../fixtures/keys/intermediate.pem"));
        let leaf_key = key(include_str!("../../fixtures/keys/leaf.pem"));
        let renewed_key = key(include_str!("../../fixtures/keys/renewed.pem"));
        let foreign_key = key(include_str!("../../fixtures/keys/foreign.pem"));

        let root_params = authority(MICROSOFT, "Simulated Microsoft RSA Root Certificate Authority");
        let root_pem = root_params.self_signed(&root_key).expect("root").pem();
        let root = Issuer::new(root_params, &root_key);
        let middle_params = authority(MICROSOFT, "Simulated Microsoft Azure RSA TLS Issuing CA");
        let middle_pem = middle_params.signed_by(&middle_key, &root).expect("intermediate").pem();
        let middle = Issuer::new(middle_params, &middle_key);
        let other_params = authority("Contoso Ltd", "Contoso Issuing CA");
        let other_pem = other_params.signed_by(&foreign_key, &root).expect("other intermediate").pem();
        let other = Issuer::new(other_params, &foreign_key);
        // Same names as the real intermediate, so that only the signature tells.
        let foreign_params = authority(MICROSOFT, "Simulated Microsoft Azure RSA TLS Issuing CA");
        let foreign = Issuer::new(foreign_params, &foreign_key);

        let genuine = leaf(MICROSOFT, 2020, 2049).signed_by(&leaf_key, &middle).expect("leaf");
        let der = |params: CertificateParams, key: &KeyPair, issuer: &Issuer<'_, &KeyPair>| {
            params.signed_by(key, issuer).expect("leaf").der().to_vec()
        };
        let file = |forge: Forge| match forge {
            Forge::Microsoft | Forge::WrongKey => genuine.der().to_vec(),
            Forge::Pem => genuine.pem().into_bytes(),
            Forge::Renewed => der(leaf(MICROSOFT, 2020, 2049), &renewed_key, &middle),
            Forge::Expired => der(leaf(MICROSOFT, 2018, 2019), &leaf_key, &middle),
            Forge::NotYetValid => der(leaf(MICROSOFT, 2048, 2049), &leaf_key, &middle),
            Forge::WrongIssuer => der(leaf(MICROSOFT, 2020, 2049), &leaf_key, &other),
            Forge::WrongSubject => der(leaf("Contoso Ltd", 2020, 2049), &leaf_key, &middle),
            Forge::SelfSigned => {
                leaf(MICROSOFT, 2020, 2049).self_signed(&leaf_key).expect("leaf").der().to_vec()
            }
            Forge::Foreign => der(leaf(MICROSOFT, 2020, 2049), &leaf_key, &foreign),
            Forge::Garbage => b"<html>not found</html>".to_vec(),
        };
        let files = Forge::ALL.into_iter().map(file).collect();
        Chain {
            roots_pem: format!("{root_pem}{middle_pem}{other_pem}"),
            leaf_key,
            renewed_key,
            foreign_key,
            files,
        }
    }
}

fn key(pem: &str) -> KeyPair {
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).expect("fixture key")
}

fn authority(organization: &str, name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Without the default name, which would come first.
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2015, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}

fn leaf(organization: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new([HOST.to_owned()]).expect("host name");
    // Without the default name, which would come first.
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, HOST);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 12, 31);
    params
}

/// What an admin would configure as trusted: root and intermediates, PEM. Holds the other company's intermediate
/// too, so that `WrongIssuer` falls to the organisation check and to nothing else.
pub fn roots_pem() -> String {
    CHAIN.roots_pem.clone()
}

/// Content of `/cert/<file>`; `renewed`: the real name already serves the renewed certificate.
pub(super) fn file(name: &str, renewed: bool) -> Option<Vec<u8>> {
    let at = Forge::ALL.iter().position(|f| f.file() == name)?;
    let at = if at == 0 && renewed { 2 } else { at };
    Some(CHAIN.files[at].clone())
}

/// Base64 RSASSA-PKCS1-v1_5 SHA-256 signature over the body, by the key that belongs to `forge`.
pub(super) fn sign(body: &[u8], forge: Forge, renewed: bool) -> String {
    let key = match forge {
        Forge::Microsoft if renewed => &CHAIN.renewed_key,
        Forge::Renewed => &CHAIN.renewed_key,
        Forge::WrongKey => &CHAIN.foreign_key,
        _ => &CHAIN.leaf_key,
    };
    STANDARD.encode(key.sign(body).expect("signature"))
}

/// Whether a signature is by the key whose certificate is served for `forge`.
#[cfg(test)]
pub(super) fn verifies(body: &[u8], signature: &str, forge: Forge) -> bool {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    let key = if forge == Forge::Renewed { &CHAIN.renewed_key } else { &CHAIN.leaf_key };
    let signature = STANDARD.decode(signature).expect("base64");
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rcgen::PublicKeyData::der_bytes(key))
        .verify(body, &signature)
        .is_ok()
}
