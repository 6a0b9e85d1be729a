//! The parts of a certificate that are read here (RFC 5280 §4.1): its subject, its issuer, its dates, and where it
//! says that its issuer's certificate lies. Nothing here is checked: the caller verifies the signature.

use super::der::{OBJECT_ID, OCTETS, SEQUENCE, each, element, inside};

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `authorityInfoAccess`, 1.3.6.1.5.5.7.1.1 (RFC 5280 §4.2.2.1).
const AUTHORITY_INFO_ACCESS: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 1, 1];
/// `caIssuers`, 1.3.6.1.5.5.7.48.2: the other kind of entry names the service for revocation.
const CA_ISSUERS: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 48, 2];
/// A general name that is a URI.
const URI: u8 = 0x86;

/// Each part is the content of its element, without tag and length.
#[derive(Clone, Copy, Debug)]
pub(super) struct CertificateParts<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) dates: &'a [u8],
    pub(super) subject: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> CertificateParts<'a> {
    /// `None`: the bytes are no certificate.
    pub(super) fn of(der: &'a [u8]) -> Option<Self> {
        let mut signed = inside(inside(der, SEQUENCE)?.0, SEQUENCE)?.0;
        // The version is absent if it is the first one; serial number and algorithm are skipped.
        if signed.first() == Some(&VERSION) {
            signed = element(signed)?.2;
        }
        for _ in 0..2 {
            signed = element(signed)?.2;
        }
        let (issuer, rest) = inside(signed, SEQUENCE)?;
        let (dates, rest) = inside(rest, SEQUENCE)?;
        let (subject, rest) = inside(rest, SEQUENCE)?;
        let (_key, rest) = inside(rest, SEQUENCE)?;
        let mut extensions: &[u8] = &[];
        each(rest, |tag, content| {
            if tag == EXTENSIONS {
                extensions = inside(content, SEQUENCE)?.0;
            }
            Some(())
        })?;
        Some(CertificateParts { issuer, dates, subject, extensions })
    }

    /// The addresses at which the issuer's certificate is said to lie, in the certificate's order. Its maker chose
    /// them.
    pub(super) fn issuer_addresses(&self) -> Vec<&'a str> {
        let mut found = vec![];
        // If the extensions are damaged, an address that stands before the damage does not count either.
        let whole = each(self.extensions, |_, extension| {
            let (id, rest) = inside(extension, OBJECT_ID)?;
            if id != AUTHORITY_INFO_ACCESS {
                return Some(());
            }
            let value = octets(rest)?;
            each(inside(value, SEQUENCE)?.0, |_, entry| {
                let (method, place) = inside(entry, OBJECT_ID)?;
                if method == CA_ISSUERS
                    && let Some((uri, _)) = inside(place, URI)
                {
                    found.extend(std::str::from_utf8(uri).ok());
                }
                Some(())
            })
        });
        whole.map_or_else(Vec::new, |()| found)
    }
}

/// The value of an extension. It stands behind the optional mark that the extension is critical.
fn octets(rest: &[u8]) -> Option<&[u8]> {
    let (tag, content, behind) = element(rest)?;
    if tag == OCTETS { Some(content) } else { Some(inside(behind, OCTETS)?.0) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::der::tests::wrap, *};

    /// A certificate's beginning: version, serial, algorithm, issuer, dates, subject, key, extensions.
    pub(crate) fn certificate(dates: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
        let parts = [
            wrap(VERSION, &[2, 1, 2]),
            wrap(2, &[7]),
            wrap(SEQUENCE, &[5, 0]),
            wrap(SEQUENCE, b"issuer"),
            wrap(SEQUENCE, dates),
            wrap(SEQUENCE, b"subject"),
            wrap(SEQUENCE, b"key"),
            wrap(EXTENSIONS, &wrap(SEQUENCE, &extensions.concat())),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &parts.concat()))
    }

    fn entry(method: &[u8], tag: u8, place: &[u8]) -> Vec<u8> {
        wrap(SEQUENCE, &[wrap(OBJECT_ID, method), wrap(tag, place)].concat())
    }

    fn access(critical: bool, entries: &[Vec<u8>]) -> Vec<u8> {
        let mark = if critical { wrap(1, &[0xff]) } else { vec![] };
        let value = wrap(OCTETS, &wrap(SEQUENCE, &entries.concat()));
        wrap(SEQUENCE, &[wrap(OBJECT_ID, &AUTHORITY_INFO_ACCESS), mark, value].concat())
    }

    fn other_extension() -> Vec<u8> {
        wrap(SEQUENCE, &[wrap(OBJECT_ID, &[0x55, 29, 15]), wrap(OCTETS, &[3, 2, 7, 128])].concat())
    }

    fn addresses(extensions: &[Vec<u8>]) -> Vec<String> {
        let der = certificate(b"", extensions);
        CertificateParts::of(&der).unwrap().issuer_addresses().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn names_and_addresses_are_read_where_they_stand() {
        let der = certificate(b"dates", &[]);
        let parts = CertificateParts::of(&der).unwrap();
        assert_eq!(
            (parts.issuer, parts.dates, parts.subject),
            (&b"issuer"[..], &b"dates"[..], &b"subject"[..])
        );
        const OCSP: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 48, 1];
        let entries = [
            entry(&OCSP, URI, b"http://ocsp.example"),
            entry(&CA_ISSUERS, URI, b"http://a.example/1.crt"),
            entry(&CA_ISSUERS, 0x82, b"a.example"),
            entry(&CA_ISSUERS, URI, &[0xff]),
            entry(&CA_ISSUERS, URI, b"http://a.example/2.crt"),
        ];
        for critical in [false, true] {
            let found = addresses(&[other_extension(), access(critical, &entries)]);
            assert_eq!(found, ["http://a.example/1.crt", "http://a.example/2.crt"]);
        }
        assert!(addresses(&[other_extension()]).is_empty());
        assert!(addresses(&[]).is_empty());
    }

    #[test]
    fn damage_is_no_address() {
        let good = access(false, &[entry(&CA_ISSUERS, URI, b"http://a.example/1.crt")]);
        assert_eq!(addresses(std::slice::from_ref(&good)).len(), 1);
        assert_eq!(addresses(&[good.clone(), vec![SEQUENCE, 9]]), Vec::<String>::new());
        assert_eq!(addresses(&[access(false, &[b"\x30\x02\x06\x01".to_vec()])]), Vec::<String>::new());
        for bad in [&b""[..], b"words", &[SEQUENCE, 0x84, 0, 0, 0, 0]] {
            assert!(CertificateParts::of(bad).is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(0u8.., 0..400)) {
            let der = certificate(b"", &[bytes.clone(), access(false, std::slice::from_ref(&bytes))]);
            let _ = CertificateParts::of(&der).map(|parts| parts.issuer_addresses().len());
            let _ = CertificateParts::of(&bytes);
        }
    }
}
