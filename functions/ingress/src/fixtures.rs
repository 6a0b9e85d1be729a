//! Certificates and signatures for the tests of this crate: an authority of our own that calls itself Microsoft.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
    date_time_ymd,
};
use ring::{rand::SystemRandom, signature};

const ROOT: &str = include_str!("../../../tests/fixtures/keys/root.pem");
const INTERMEDIATE: &str = include_str!("../../../tests/fixtures/keys/intermediate.pem");
const LEAF: &str = include_str!("../../../tests/fixtures/keys/leaf.pem");
const FOREIGN: &str = include_str!("../../../tests/fixtures/keys/foreign.pem");

/// The last segment of the address.
pub(crate) const SEGMENT: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH";
pub(crate) const NOW: Timestamp = Timestamp::constant(1_774_000_000, 0);
pub(crate) const MICROSOFT: &str = "Microsoft Corporation";
pub(crate) const FOLDER: &str = "http://127.0.0.1:9/cert/";

/// Root and issuing authority.
pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    issuing: CertifiedIssuer<'static, KeyPair>,
}

/// What the leaf says.
#[derive(Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) organisations: &'static [&'static str],
    pub(crate) until: i32,
    pub(crate) is_ca: bool,
}

pub(crate) const GENUINE: Leaf = Leaf { organisations: &[MICROSOFT], until: 2027, is_ca: false };

impl Authority {
    /// One whose issuing authority belongs to `organisation`.
    pub(crate) fn of(organisation: &str) -> Self {
        let root = authority("Test Root", &["Test"]);
        let root = CertifiedIssuer::self_signed(root, key(ROOT)).unwrap();
        let issuing = authority("Test Issuing", &[organisation]);
        let issuing = CertifiedIssuer::signed_by(issuing, key(INTERMEDIATE), &root).unwrap();
        Authority { root, issuing }
    }

    pub(crate) fn root(&self) -> String {
        self.root.pem()
    }

    pub(crate) fn issuing(&self) -> String {
        self.issuing.pem()
    }

    /// Root and issuing authority, as `CertificateRootsPem` takes them.
    pub(crate) fn bundle(&self) -> String {
        self.root() + &self.issuing()
    }

    /// A certificate for the signing key.
    pub(crate) fn issue(&self, leaf: Leaf) -> rcgen::Certificate {
        self.certify(leaf, LEAF)
    }

    /// A certificate for the other key: what [`forge`] signs is genuine from then on.
    pub(crate) fn renew(&self) -> rcgen::Certificate {
        self.certify(GENUINE, FOREIGN)
    }

    fn certify(&self, leaf: Leaf, pem: &str) -> rcgen::Certificate {
        let mut params = named("pcnotifications-dispatch.microsoft.com", leaf.organisations);
        params.not_after = date_time_ymd(leaf.until, 1, 1);
        if leaf.is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.signed_by(&key(pem), &self.issuing).unwrap()
    }
}

fn named(name: &str, organisations: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // `DnType` is a key: a second organisation needs another spelling of the same type.
    let kinds = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
    for (organisation, kind) in organisations.iter().zip(kinds) {
        params.distinguished_name.push(kind, *organisation);
    }
    params
}

fn authority(name: &str, organisations: &[&str]) -> CertificateParams {
    let mut params = named(name, organisations);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key(pem: &str) -> KeyPair {
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).unwrap()
}

/// The signature of the genuine key.
pub(crate) fn sign(body: &[u8]) -> String {
    sign_with(LEAF, body)
}

/// The signature of a key that is not the certificate's.
pub(crate) fn forge(body: &[u8]) -> String {
    sign_with(FOREIGN, body)
}

fn sign_with(pem: &str, body: &[u8]) -> String {
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = signature::RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let mut signed = vec![0; pair.public().modulus_len()];
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signed).unwrap();
    STANDARD.encode(signed)
}

/// The gateway's event of a call with these headers; the values of a repeated header are joined, as the gateway does.
pub(crate) fn event(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut joined = serde_json::Map::new();
    for (name, value) in headers {
        let before = joined.get(*name).and_then(serde_json::Value::as_str);
        let value = before.map_or((*value).to_owned(), |before| format!("{before},{value}"));
        joined.insert((*name).to_owned(), value.into());
    }
    let body = STANDARD.encode(body);
    serde_json::json!({ "rawPath": format!("/webhook/{SEGMENT}"), "headers": joined, "body": body, "isBase64Encoded": true })
        .to_string()
        .into_bytes()
}

pub(crate) fn headers<'a>(authorization: &'a str, url: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("authorization", authorization),
        ("x-ms-certificate-url", url),
        ("x-ms-signature-algorithm", "rsa-sha256"),
    ]
}
