//! The JWT bearer assertion for Salesforce (vendors/salesforce.md, *Sign-in*): it names the app and the user, and is
//! signed with the private key whose certificate the app holds.

use super::key;
use crate::secrets::Secret;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::{rand::SystemRandom, signature::RSA_PKCS1_SHA256};
use serde_json::json;

/// How long an assertion is valid. Salesforce accepts at most three minutes (vendors/salesforce.md, *Sign-in*), and
/// clocks differ.
const LIFE: SignedDuration = SignedDuration::from_secs(150);

/// An assertion as of `now`. The error says what is wrong with the key, and never contains the key.
pub(super) fn assertion(
    client_id: &str,
    username: &str,
    audience: &str,
    private_key: &Secret,
    now: Timestamp,
) -> Result<Secret, String> {
    let key = key::rsa(private_key.expose())?;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    let claims =
        json!({ "iss": client_id, "sub": username, "aud": audience, "exp": (now + LIFE).as_second() });
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "the assertion could not be signed with `private_key`".to_owned())?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// The audience of an assertion: the public login host of production or of sandboxes, or any other address itself.
pub(super) fn audience(login_url: &str) -> &str {
    let host = login_url.split_once("://").map_or(login_url, |(_, host)| host);
    if host == "test.salesforce.com" || host.contains(".sandbox.") {
        "https://test.salesforce.com"
    } else if host.ends_with(".salesforce.com") {
        "https://login.salesforce.com"
    } else {
        login_url
    }
}

/// Whether an origin's host (and port, if any) matches the pattern, in which `*` stands for one or more characters.
pub(super) fn is_of(pattern: &str, origin: &str) -> bool {
    let Some(host) = origin.split_once("://").map(|(_, host)| host) else { return false };
    if host.contains(['/', '?', '#', '@', '\\']) {
        return false;
    }
    match pattern.split_once('*') {
        None => host.eq_ignore_ascii_case(pattern),
        Some((before, after)) => {
            let host = host.to_ascii_lowercase();
            host.len() > before.len() + after.len()
                && host.starts_with(&before.to_ascii_lowercase())
                && host.ends_with(&after.to_ascii_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sandboxes_have_their_own_audience() {
        for (login, expected) in [
            ("https://login.salesforce.com", "https://login.salesforce.com"),
            ("https://test.salesforce.com", "https://test.salesforce.com"),
            ("https://contoso.my.salesforce.com", "https://login.salesforce.com"),
            ("https://contoso--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
        ] {
            assert_eq!(audience(login), expected);
        }
    }

    #[test]
    fn a_token_goes_to_hosts_of_the_pattern_only() {
        let of = |origin: &str| is_of("*.my.salesforce.com", origin);
        assert!(of("https://contoso.my.salesforce.com"));
        assert!(of("https://contoso--uat.sandbox.my.salesforce.com"));
        for foreign in [
            "https://my.salesforce.com",
            "https://evil.example/x.my.salesforce.com",
            "https://x.my.salesforce.com.evil.example",
            "https://x.my.salesforce.com@evil.example",
            "contoso.my.salesforce.com",
        ] {
            assert!(!of(foreign), "{foreign}");
        }
        assert!(is_of("127.0.0.1:4711", "http://127.0.0.1:4711"));
        assert!(!is_of("127.0.0.1:4711", "http://127.0.0.1:4712"));
    }
}
