//! Which certificate addresses are fetched at all: the list is compared whole, nothing is interpreted. The sender
//! chooses the address, so whatever is not plainly on the list is off it.

use crate::config::is_loopback;
use reqwest::Url;

/// Where Microsoft's signing certificates lie (partner-center.md §8.4).
pub const STANDARD_PREFIX: &str = "https://3psostorageacct.blob.core.windows.net/cert/";
/// The names Microsoft's pages show, the present one first.
const DOCUMENTED_NAMES: [&str; 2] =
    ["pcnotifications-dispatch.microsoft.com.cer", "pcnotifications.microsoft.com.cer"];
/// No address of a certificate is longer.
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

/// Why an entry of the list cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrefix {
    /// Not in the one spelling that can be compared.
    #[error("expected a plain address like `{STANDARD_PREFIX}`, spelt as a browser would show it")]
    Spelling,
    /// Certificates from a network that anybody may change.
    #[error("plain http is for loopback only")]
    Http,
}

impl Prefix {
    /// An entry in its one spelling: lower-case host, no standard port, no user, query, fragment or escapes.
    pub fn parse(text: &str) -> Result<Self, BadPrefix> {
        let url = plain(text).ok_or(BadPrefix::Spelling)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(BadPrefix::Http),
            _ => return Err(BadPrefix::Spelling),
        }
        // Anything the parser would have rewritten (upper case, a standard port, dots) is not the one spelling.
        (url.as_str() == text).then(|| Prefix(text.to_owned())).ok_or(BadPrefix::Spelling)
    }

    fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }

    /// Whether the address lies directly in this folder or is this one.
    fn covers(&self, address: &str) -> bool {
        match address.strip_prefix(&self.0) {
            Some("") => !self.is_folder(),
            Some(name) => self.is_folder() && is_name(name),
            None => false,
        }
    }
}

impl Address {
    /// The address a sender names, if it is on the list.
    pub fn on_list(text: &str, list: &[Prefix]) -> Option<Self> {
        let url = plain(text)?;
        let text = url.as_str();
        let entry = list.iter().find(|prefix| prefix.covers(text))?;
        let name = text.strip_prefix(&entry.0).unwrap_or_default();
        let expected = !entry.is_folder() || DOCUMENTED_NAMES.contains(&name);
        Some(Address { text: text.to_owned(), expected })
    }

    /// Microsoft's present certificate, if its folder is on the list.
    pub fn documented(list: &[Prefix]) -> Option<Self> {
        Self::on_list(&format!("{STANDARD_PREFIX}{}", DOCUMENTED_NAMES[0]), list)
    }

    /// The first entry of the list itself, or Microsoft's present certificate in that folder.
    pub fn expected(list: &[Prefix]) -> Option<Self> {
        let first = list.first()?;
        let name = if first.is_folder() { DOCUMENTED_NAMES[0] } else { "" };
        Self::on_list(&format!("{}{name}", first.0), list)
    }

    /// The address in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Named by Microsoft's pages or, whole, by the list: not just anything below a folder.
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
    !name.starts_with('.') && name.chars().all(plain)
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

    proptest::proptest! {
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
