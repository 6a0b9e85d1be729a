//! Who issues certificates, and where their own certificates lie: `/issuers/`, named as Microsoft names such files.

use super::certificates::MICROSOFT;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, date_time_ymd,
};
use std::sync::LazyLock;

/// Below them real and hostile certificates are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authority {
    /// The root that a receiver trusts.
    Root,
    /// Microsoft's issuing authority, below the root.
    Issuing,
    /// Another company's, below the root.
    Contoso,
    /// Below the root: the first of three in a chain.
    First,
    /// Below `First`, and above `Third`.
    Second,
    /// Below `Second`: the last of the chain.
    Third,
    /// Issued by the next one,
    Left,
    /// which is issued by the one before.
    Right,
    /// Named as Microsoft's issuing authority, so that only the signature tells.
    Foreign,
    /// The root above it, which nobody trusts.
    ForeignRoot,
}

static ROOT: LazyLock<KeyPair> = LazyLock::new(|| key(include_str!("../../fixtures/keys/root.pem")));
static INTERMEDIATE: LazyLock<KeyPair> =
    LazyLock::new(|| key(include_str!("../../fixtures/keys/intermediate.pem")));
static LEAF: LazyLock<KeyPair> = LazyLock::new(|| key(include_str!("../../fixtures/keys/leaf.pem")));
static RENEWED: LazyLock<KeyPair> = LazyLock::new(|| key(include_str!("../../fixtures/keys/renewed.pem")));
static FOREIGN: LazyLock<KeyPair> = LazyLock::new(|| key(include_str!("../../fixtures/keys/foreign.pem")));

fn key(pem: &str) -> KeyPair {
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).expect("fixture key")
}

pub(super) fn leaf() -> &'static KeyPair {
    &LEAF
}

pub(super) fn renewed() -> &'static KeyPair {
    &RENEWED
}

pub(super) fn foreign() -> &'static KeyPair {
    &FOREIGN
}

impl Authority {
    const ALL: [Authority; 10] = [
        Authority::Root,
        Authority::Issuing,
        Authority::Contoso,
        Authority::First,
        Authority::Second,
        Authority::Third,
        Authority::Left,
        Authority::Right,
        Authority::Foreign,
        Authority::ForeignRoot,
    ];

    fn name(self) -> &'static str {
        match self {
            Authority::Root => "Simulated Microsoft RSA Root Certificate Authority",
            Authority::Issuing | Authority::Foreign => "Simulated Microsoft Azure RSA TLS Issuing CA",
            Authority::Contoso => "Contoso Issuing CA",
            Authority::First => "Simulated Microsoft TLS RSA Root G2",
            Authority::Second => "Simulated Microsoft TLS G2 RSA CA 02",
            Authority::Third => "Simulated Microsoft TLS G3 RSA CA 03",
            Authority::Left => "Simulated Left CA",
            Authority::Right => "Simulated Right CA",
            Authority::ForeignRoot => "Foreign Root",
        }
    }

    fn organization(self) -> &'static str {
        if self == Authority::Contoso { "Contoso Ltd" } else { MICROSOFT }
    }

    fn above(self) -> Authority {
        match self {
            Authority::Root | Authority::Issuing | Authority::Contoso | Authority::First => Authority::Root,
            Authority::Second => Authority::First,
            Authority::Third => Authority::Second,
            Authority::Left => Authority::Right,
            Authority::Right => Authority::Left,
            Authority::Foreign | Authority::ForeignRoot => Authority::ForeignRoot,
        }
    }

    fn key(self) -> &'static KeyPair {
        match self {
            Authority::Root => &ROOT,
            Authority::Issuing | Authority::Second | Authority::Left => &INTERMEDIATE,
            Authority::First | Authority::Third | Authority::Right => &RENEWED,
            Authority::Contoso | Authority::Foreign | Authority::ForeignRoot => &FOREIGN,
        }
    }

    /// File name below `/issuers/`, as it is sent.
    pub(super) fn file(self) -> String {
        let which = if self == Authority::Foreign { "Foreign Issuing CA" } else { self.name() };
        format!("{}%20-%20xsign.crt", which.replace(' ', "%20"))
    }

    pub(super) fn address(self, base: &str) -> String {
        format!("{base}/issuers/{}", self.file())
    }

    /// Its certificate, which names the address of the one above it, as roots do not.
    fn params(self, base: &str) -> CertificateParams {
        let mut params = named(self.organization(), self.name(), 2015, 2049);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        if self.above() != self {
            params.custom_extensions.push(issuer_address(&self.above().address(base)));
        }
        params
    }

    pub(super) fn issuer(self, base: &str) -> Issuer<'static, &'static KeyPair> {
        Issuer::new(self.params(base), self.key())
    }

    fn certificate(self, base: &str) -> rcgen::Certificate {
        let above = Issuer::new(self.above().params(base), self.above().key());
        self.params(base).signed_by(self.key(), &above).expect("an authority's certificate")
    }

    pub(super) fn pem(self, base: &str) -> String {
        self.certificate(base).pem()
    }
}

/// The certificate, in DER, that is answered at `/issuers/<file>`.
pub(super) fn file(base: &str, name: &str) -> Option<Vec<u8>> {
    let authority = Authority::ALL.into_iter().find(|authority| authority.file() == name)?;
    Some(authority.certificate(base).der().to_vec())
}

pub(super) fn named(organization: &str, name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Without the default name, which would come first.
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 12, 31);
    params
}

/// The extension that says where the issuer's certificate lies, behind one that says who answers for revocation.
pub(super) fn issuer_address(url: &str) -> CustomExtension {
    const ACCESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];
    let entry = |method: u8, url: &str| {
        let method = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, method];
        wrap(0x30, &[&method[..], &wrap(0x86, url.as_bytes())].concat())
    };
    let entries = [entry(1, "http://ocsp.example"), entry(2, url)].concat();
    CustomExtension::from_oid_content(&ACCESS, wrap(0x30, &entries))
}

/// One DER element: tag, length in one to three bytes, content.
fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    let head = match length {
        [0, short @ 0..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}
