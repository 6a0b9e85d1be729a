//! Decides which addresses are fetched at all, of certificates and of their issuers. An address is compared with the
//! list as text, and nothing in it is interpreted. The sender of an event, or the maker of a certificate, chooses the
//! address, so one that is not plainly on the list is refused.

use crate::http::is_loopback;
use reqwest::Url;

/// Where Microsoft's signing certificates lie (vendors/partner-center.md, *Certificates*).
pub const STANDARD_PREFIX: &str = "https://3psostorageacct.blob.core.windows.net/cert/";
/// Where certificates of Microsoft and DigiCert say that their issuers' certificates lie. These addresses are plain
/// http, as is usual: while a client fetches an issuer it cannot have verified anything yet, and each issuer's
/// signature is checked up to a root (RFC 5280 §8).
pub const STANDARD_ISSUER_PREFIXES: [&str; 3] = [
    "http://www.microsoft.com/pkiops/certs/",
    "http://cacerts.digicert.com/",
    "http://caissuers.microsoft.com/pkiops/certs/",
];
/// The file names that Microsoft's pages show, the present one first.
const DOCUMENTED_NAMES: [&str; 2] =
    ["pcnotifications-dispatch.microsoft.com.cer", "pcnotifications.microsoft.com.cer"];
/// The longest address that is considered, in bytes.
const LONGEST: usize = 512;

/// An entry of the list: a folder (final slash) or one whole address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// An address on the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    expected: bool,
}

/// Why a text cannot be an entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrefix {
    /// It is not in the one spelling that can be compared with an address.
    #[error("expected a plain address like `{STANDARD_PREFIX}`, spelt as a browser would show it")]
    Spelling,
    /// Plain http: another machine on the network could replace the certificate.
    #[error("plain http is for loopback only")]
    Http,
}

impl Prefix {
    /// Reads an entry in its one spelling: lower-case host, no standard port, no user, query, fragment or escapes.
    pub fn parse(text: &str) -> Result<Self, BadPrefix> {
        let (prefix, url) = Self::spelt(text)?;
        if url.scheme() == "http" && !is_loopback(&url) { Err(BadPrefix::Http) } else { Ok(prefix) }
    }

    /// Reads an entry of the list of issuers, which may lie on plain http anywhere.
    pub fn of_issuers(text: &str) -> Result<Self, BadPrefix> {
        Ok(Self::spelt(text)?.0)
    }

    fn spelt(text: &str) -> Result<(Self, Url), BadPrefix> {
        let url = plain(text).filter(|url| ["https", "http"].contains(&url.scheme()));
        // Anything the parser would have rewritten (upper case, a standard port, dots) is not the one spelling.
        let url = url.filter(|url| url.as_str() == text).ok_or(BadPrefix::Spelling)?;
        Ok((Prefix(text.to_owned()), url))
    }

    fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }

    /// Whether this entry is the address, or is the folder that directly holds it under a name that `fits`.
    fn covers(&self, address: &str, fits: impl Fn(&str) -> bool) -> bool {
        match address.strip_prefix(&self.0) {
            Some("") => !self.is_folder(),
            Some(name) => self.is_folder() && fits(name),
            None => false,
        }
    }
}

impl Address {
    /// The address that a sender names, if it is on the list.
    pub fn on_list(text: &str, list: &[Prefix]) -> Option<Self> {
        let url = plain(text)?;
        let text = url.as_str();
        let entry = list.iter().find(|prefix| prefix.covers(text, is_name))?;
        let name = text.strip_prefix(&entry.0).unwrap_or_default();
        let expected = !entry.is_folder() || DOCUMENTED_NAMES.contains(&name);
        Some(Address { text: text.to_owned(), expected })
    }

    /// The address at which a certificate says that its issuer's certificate lies, if it is on the list exactly as
    /// written.
    pub(super) fn of_issuer(text: &str, list: &[Prefix]) -> Option<Self> {
        // File names in Microsoft's folder contain `%20` and `(1)`; no other escape or special character is accepted.
        let fits = |name: &str| is_name(&name.replace("%20", "_").replace(['(', ')'], "_"));
        let sent_as_written = || Url::parse(text).is_ok_and(|url| url.as_str() == text);
        let listed = list.iter().any(|prefix| prefix.covers(text, fits));
        let listed = listed && text.len() <= LONGEST && sent_as_written();
        listed.then(|| Address { text: text.to_owned(), expected: false })
    }

    /// The address of Microsoft's present certificate, if its folder is on the list.
    pub fn documented(list: &[Prefix]) -> Option<Self> {
        Self::on_list(&format!("{STANDARD_PREFIX}{}", DOCUMENTED_NAMES[0]), list)
    }

    /// The list's first entry, if it is a whole address, else Microsoft's present certificate in that folder.
    pub fn expected(list: &[Prefix]) -> Option<Self> {
        let first = list.first()?;
        let name = if first.is_folder() { DOCUMENTED_NAMES[0] } else { "" };
        Self::on_list(&format!("{}{name}", first.0), list)
    }

    /// The address in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether Microsoft's pages name it, or an entry of the list is this whole address: it is not just any file of a
    /// listed folder.
    pub fn is_expected(&self) -> bool {
        self.expected
    }
}

/// A URL without anything that two parsers could read differently.
fn plain(text: &str) -> Option<Url> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || ":/.-_~[]".contains(c);
    let suspicious = text.len() > LONGEST || !text.chars().all(harmless) || text.contains("..");
    let path_is_plain = text.split_once("://").is_some_and(|(_, rest)| !rest.contains("//"));
    if suspicious || !path_is_plain {
        return None;
    }
    Url::parse(text).ok().filter(|url| url.has_host())
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    !name.starts_with('.') && !name.contains("..") && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<Prefix> {
        entries.iter().map(|e| Prefix::parse(e).unwrap()).collect()
    }

    #[test]
    fn microsofts_certificate_is_on_the_standard_list() {
        let list = list(&[STANDARD_PREFIX]);
        let address = Address::documented(&list).unwrap();
        assert!(address.is_expected());
        assert_eq!(Address::expected(&list), Some(address));
        let other = Address::on_list(&format!("{STANDARD_PREFIX}renamed.cer"), &list).unwrap();
        assert!(!other.is_expected());
        // Another spelling of the same host and port is the same address.
        let shouted = "HTTPS://3PSOSTORAGEACCT.blob.core.windows.net:443/cert/renamed.cer";
        assert_eq!(Address::on_list(shouted, &list), Some(other));
    }

    #[test]
    fn whatever_only_looks_like_the_list_is_off_it() {
        let list = list(&[STANDARD_PREFIX]);
        for bad in [
            "",
            "3psostorageacct.blob.core.windows.net/cert/x.cer",
            "http://3psostorageacct.blob.core.windows.net/cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net:8443/cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert",
            "https://3psostorageacct.blob.core.windows.net/cert/",
            "https://3psostorageacct.blob.core.windows.net/Cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert/../evil/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert/%2e%2e/evil/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert/a/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert//x.cer",
            "https://3psostorageacct.blob.core.windows.net//cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert/.hidden",
            "https://3psostorageacct.blob.core.windows.net/cert/x.cer?sig=1",
            "https://3psostorageacct.blob.core.windows.net/cert/x.cer#y",
            "https://3psostorageacct.blob.core.windows.net/cert\\x.cer",
            "https://3psostorageacct.blob.core.windows.net.evil.example/cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net@evil.example/cert/x.cer",
            "https://evil.example/https://3psostorageacct.blob.core.windows.net/cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net./cert/x.cer",
            " https://3psostorageacct.blob.core.windows.net/cert/x.cer",
            "https://3psostorageacct.blob.core.windows.net/cert/x.cer\n",
            "https://3psostorageacct.blob.core.windows.net/cert/\u{fb00}.cer",
        ] {
            assert_eq!(Address::on_list(bad, &list), None, "{bad}");
        }
        let long = format!("{STANDARD_PREFIX}{}.cer", "x".repeat(LONGEST));
        assert_eq!(Address::on_list(&long, &list), None);
    }

    #[test]
    fn a_whole_address_allows_just_itself() {
        let list = list(&["https://a.example/c/one.cer"]);
        assert!(Address::on_list("https://a.example/c/one.cer", &list).unwrap().is_expected());
        for bad in [
            "https://a.example/c/one.cer/two",
            "https://a.example/c/one.certain",
            "https://a.example/c/two.cer",
        ] {
            assert_eq!(Address::on_list(bad, &list), None, "{bad}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(Prefix::parse("http://127.0.0.1:8099/cert/").is_ok());
        assert!(Prefix::parse("http://[::1]:8099/cert/").is_ok());
        assert_eq!(Prefix::parse("http://10.0.0.1/cert/"), Err(BadPrefix::Http));
        assert_eq!(Prefix::parse("http://127.0.0.1.evil.example/cert/"), Err(BadPrefix::Http));
    }

    #[test]
    fn an_entry_has_one_spelling() {
        for bad in [
            "https://A.example/c/",
            "https://a.example:443/c/",
            "https://a.example",
            "ftp://a.example/c/",
            "c/",
        ] {
            assert_eq!(Prefix::parse(bad), Err(BadPrefix::Spelling), "{bad}");
        }
    }

    fn issuers() -> Vec<Prefix> {
        STANDARD_ISSUER_PREFIXES.map(|e| Prefix::of_issuers(e).unwrap()).into()
    }

    #[test]
    fn issuers_addresses_are_taken_as_microsoft_and_digicert_write_them() {
        for good in [
            "http://www.microsoft.com/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt",
            "http://www.microsoft.com/pkiops/certs/Microsoft%20Time-Stamp%20PCA%202010(1).crt",
            "http://caissuers.microsoft.com/pkiops/certs/Microsoft%20TLS%20RSA%20Root%20G2.crt",
            "http://cacerts.digicert.com/DigiCertGlobalRootG2.crt",
        ] {
            let address = Address::of_issuer(good, &issuers()).unwrap();
            assert_eq!((address.as_str(), address.is_expected()), (good, false));
        }
    }

    #[test]
    fn whatever_only_looks_like_the_list_of_issuers_is_off_it() {
        for bad in [
            "",
            "http://cacerts.digicert.com/",
            "http://cacerts.digicert.com",
            "https://cacerts.digicert.com/x.crt",
            "HTTP://cacerts.digicert.com/x.crt",
            "http://CACERTS.digicert.com/x.crt",
            "http://cacerts.digicert.com:80/x.crt",
            "http://cacerts.digicert.com:8080/x.crt",
            "http://cacerts.digicert.com./x.crt",
            "http://cacerts.digicert.com@evil.example/x.crt",
            "http://user@cacerts.digicert.com/x.crt",
            "http://cacerts.digicert.com.evil.example/x.crt",
            "http://evil.example/http://cacerts.digicert.com/x.crt",
            "http://cacerts.digicert.com//evil.example/x.crt",
            "http://cacerts.digicert.com/a/x.crt",
            "http://cacerts.digicert.com/x.crt?y",
            "http://cacerts.digicert.com/x.crt#y",
            "http://cacerts.digicert.com/..",
            "http://cacerts.digicert.com/%2e%2e",
            "http://cacerts.digicert.com/%2E",
            "http://cacerts.digicert.com/a%2fb.crt",
            "http://cacerts.digicert.com/a%5cb.crt",
            "http://cacerts.digicert.com/a%2520b.crt",
            "http://cacerts.digicert.com/a%%2020b.crt",
            "http://cacerts.digicert.com/a%00.crt",
            "http://cacerts.digicert.com/a b.crt",
            "http://cacerts.digicert.com/a\\b.crt",
            "http://cacerts.digicert.com/a\r\nHost: evil.example",
            " http://cacerts.digicert.com/x.crt",
            "http://cacerts.digicert.com/x.crt\n",
            "http://www.microsoft.com/pkiops/certs/../../evil/x.crt",
            "http://www.microsoft.com/pkiops/certs/%2e%2e/x.crt",
            "http://www.microsoft.com/pkiops/x.crt",
            "http://www.microsoft.com/PKIOPS/certs/x.crt",
            "ldap://cacerts.digicert.com/x.crt",
            "http://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        ] {
            assert_eq!(Address::of_issuer(bad, &issuers()), None, "{bad:?}");
        }
        let long = format!("{}{}.crt", STANDARD_ISSUER_PREFIXES[1], "x".repeat(LONGEST));
        assert_eq!(Address::of_issuer(&long, &issuers()), None);
    }

    #[test]
    fn an_issuers_whole_address_allows_just_itself() {
        let list = [Prefix::of_issuers("http://a.example/c/one.crt").unwrap()];
        assert!(Address::of_issuer("http://a.example/c/one.crt", &list).is_some());
        assert_eq!(Address::of_issuer("http://a.example/c/one.crt%20", &list), None);
        assert_eq!(Prefix::of_issuers("ftp://a.example/c/"), Err(BadPrefix::Spelling));
        assert_eq!(Prefix::of_issuers("http://A.example/c/"), Err(BadPrefix::Spelling));
    }

    proptest::proptest! {
        #[test]
        fn an_issuer_on_the_list_lies_on_its_host_and_in_its_folder(text in "(http://|HTTP://|https://)?[a-z@]{0,3}(www\\.microsoft\\.com|cacerts\\.digicert\\.com)?(:80|:8080|\\.)?(/pkiops/certs)?/?[/a-z.%0-9()?#@:~\\\\ -]{0,12}") {
            if let Some(address) = Address::of_issuer(&text, &issuers()) {
                let url = Url::parse(address.as_str()).unwrap();
                proptest::prop_assert_eq!((address.as_str(), url.as_str()), (text.as_str(), text.as_str()));
                proptest::prop_assert_eq!((url.scheme(), url.port(), url.username(), url.query(), url.fragment()), ("http", None, "", None, None));
                let place = (url.host_str().unwrap(), url.path().rsplit_once('/').unwrap().0);
                proptest::prop_assert!([("www.microsoft.com", "/pkiops/certs"), ("cacerts.digicert.com", "")].contains(&place));
                proptest::prop_assert!(!text.replace("%20", "").contains('%'));
            }
        }

        #[test]
        fn whatever_is_on_the_list_lies_below_its_prefix(text in "(?i)(https?://)?[a-z@]{0,3}(3psostorageacct\\.blob\\.core\\.windows\\.net)?(:443|:8443)?/?(cert)?[/a-z.%?#@:~-]{0,12}") {
            let list = list(&[STANDARD_PREFIX]);
            if let Some(address) = Address::on_list(&text, &list) {
                let url = Url::parse(address.as_str()).unwrap();
                let host = (url.scheme(), url.host_str(), url.port(), url.username());
                proptest::prop_assert_eq!(host, ("https", Some("3psostorageacct.blob.core.windows.net"), None, ""));
                let folder = url.path().rsplit_once('/').unwrap().0;
                proptest::prop_assert_eq!((folder, url.query(), url.fragment()), ("/cert", None, None));
            }
        }
    }
}
