//! Certificates that are almost Microsoft's: below the simulated issuing authority, for the simulated key, and wrong
//! in one thing. In PEM.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256, date_time_ymd,
};

const MICROSOFT: &str = "Microsoft Corporation";
/// As the simulator names it; key and name make the authority.
const ISSUING: &str = "Simulated Microsoft Azure RSA TLS Issuing CA";

/// The certificate of that name in the corpus.
pub(super) fn paper(name: &str) -> String {
    let pem = |organisations: &[&str]| issue(&issuing(), leaf(organisations));
    match name {
        "two organisations" => pem(&[MICROSOFT, "Evil"]),
        "two organisations, the other first" => pem(&["Evil", MICROSOFT]),
        "no organisation" => pem(&[]),
        "organisation in lower case" => pem(&["microsoft corporation"]),
        "a longer organisation" => pem(&["Microsoft Corporation Ltd"]),
        "a shorter organisation" => pem(&["Microsoft"]),
        "organisation with a blank behind" => pem(&["Microsoft Corporation "]),
        "organisation with a Cyrillic letter" => pem(&["Micr\u{43e}soft Corporation"]),
        "organisation in another field" => {
            let mut params = leaf(&["Evil"]);
            params.distinguished_name.push(DnType::OrganizationalUnitName, MICROSOFT);
            issue(&issuing(), params)
        }
        "an authority as leaf" => {
            let mut params = leaf(&[MICROSOFT]);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            issue(&issuing(), params)
        }
        "the issuing authority itself" => {
            let root =
                Issuer::new(authority("Simulated Microsoft RSA Root Certificate Authority"), key(ROOT));
            issue(&root, authority(ISSUING))
        }
        "issued by a leaf" => {
            let middle = Issuer::new(leaf(&[MICROSOFT]), key(LEAF));
            let mut params = leaf(&[MICROSOFT]);
            params.distinguished_name.push(DnType::OrganizationalUnitName, "below a leaf");
            issue(&middle, params) + &issue(&issuing(), leaf(&[MICROSOFT]))
        }
        "a foreign chain, brought along" => {
            let foreign = Issuer::new(authority("Foreign Issuing CA"), key(FOREIGN));
            let itself = authority("Foreign Issuing CA").self_signed(&key(FOREIGN)).expect("an authority");
            issue(&foreign, leaf(&[MICROSOFT])) + &itself.pem()
        }
        "a foreign authority of that name" => {
            authority(ISSUING).self_signed(&key(FOREIGN)).expect("an authority").pem()
        }
        "the issuing authority's former key" => {
            let root =
                Issuer::new(authority("Simulated Microsoft RSA Root Certificate Authority"), key(ROOT));
            authority(ISSUING).signed_by(&key(FOREIGN), &root).expect("an authority").pem()
        }
        "the genuine one second" => {
            let own = leaf(&[MICROSOFT]).self_signed(&key(LEAF)).expect("a certificate");
            own.pem() + &pem(&[MICROSOFT])
        }
        "cut in half" => {
            let whole = pem(&[MICROSOFT]);
            whole[..whole.len() / 2].to_owned()
        }
        "a key only" => LEAF.to_owned(),
        _ => panic!("no such certificate: `{name}`"),
    }
}

/// A certificate that names these as its issuer's addresses.
pub(super) fn issued_at(addresses: &[String]) -> String {
    issued_by(ISSUING, addresses)
}

/// The same by an issuer of this name.
pub(super) fn issued_by(name: &str, addresses: &[String]) -> String {
    let mut params = leaf(&[MICROSOFT]);
    params.custom_extensions.push(access(addresses));
    issue(&Issuer::new(authority(name), key(INTERMEDIATE)), params)
}

/// `authorityInfoAccess` with so many `caIssuers` (RFC 5280 §4.2.2.1).
fn access(addresses: &[String]) -> CustomExtension {
    let entry = |url: &String| {
        let method: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, 2];
        wrap(0x30, &[method, &wrap(0x86, url.as_bytes())].concat())
    };
    let entries = addresses.iter().flat_map(entry).collect::<Vec<u8>>();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], wrap(0x30, &entries))
}

/// One DER element: tag, length in one to three bytes, content.
fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    let head = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}

const ROOT: &str = include_str!("../../fixtures/keys/root.pem");
const INTERMEDIATE: &str = include_str!("../../fixtures/keys/intermediate.pem");
const LEAF: &str = include_str!("../../fixtures/keys/leaf.pem");
const FOREIGN: &str = include_str!("../../fixtures/keys/foreign.pem");

fn key(pem: &str) -> KeyPair {
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).expect("a fixture key")
}

fn issuing() -> Issuer<'static, KeyPair> {
    Issuer::new(authority(ISSUING), key(INTERMEDIATE))
}

fn issue(issuer: &Issuer<'_, KeyPair>, params: CertificateParams) -> String {
    params.signed_by(&key(LEAF), issuer).expect("a certificate").pem()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(&[MICROSOFT], name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn leaf(organisations: &[&str]) -> CertificateParams {
    named(organisations, "pcnotifications-dispatch.microsoft.com")
}

fn named(organisations: &[&str], name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    // A type is a key: a second organisation needs another spelling of the same type.
    let kinds = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
    for (organisation, kind) in organisations.iter().zip(kinds) {
        params.distinguished_name.push(kind, *organisation);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
