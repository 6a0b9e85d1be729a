//! Where certificates may be fetched from, and which roots are trusted: read alike for the ingress and for the admin
//! function, which checks them.

use super::reader::Reader;
use crate::certificates::{BadPrefix, Prefix, STANDARD_ISSUER_PREFIXES, STANDARD_PREFIX, Sources};

impl Reader<'_> {
    pub(super) fn certificates(&mut self) -> Sources {
        let issuers = STANDARD_ISSUER_PREFIXES.join(",");
        Sources {
            prefixes: self.prefixes("CERTIFICATE_URL_PREFIXES", STANDARD_PREFIX, Prefix::parse),
            issuers: self.prefixes("CERTIFICATE_ISSUER_URLS", &issuers, Prefix::of_issuers),
            roots_pem: self.pem("CERTIFICATE_ROOTS_PEM"),
        }
    }

    fn prefixes(
        &mut self,
        name: &str,
        standard: &str,
        parse: fn(&str) -> Result<Prefix, BadPrefix>,
    ) -> Vec<Prefix> {
        let list = self.optional(name).unwrap_or_else(|| standard.to_owned());
        let mut prefixes = vec![];
        for text in list.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            match parse(text) {
                Ok(prefix) => prefixes.push(prefix),
                Err(e) => self.fault(name, format_args!("`{text}`: {e}")),
            }
        }
        prefixes
    }
}
