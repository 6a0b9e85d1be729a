//! The address in the admin function: whole for Partner Center, renewed on demand, and shown to people without its
//! secret.

use super::{CURRENT, FORMER, Segments, UNTIL};
use crate::secrets::{Secret, Secrets, Stored};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use ring::rand::{SecureRandom, SystemRandom};
use sync::failure::{Failure, System};

/// How long the former address stays valid after the new one was registered.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// Stands in texts for a secret.
const HIDDEN: &str = "***";
/// The longest part of another receiver's address that is shown; a longer one may be a secret of its owner.
const PLAIN: usize = 19;

/// The public address, its secret included.
#[derive(Clone, Debug)]
pub struct WebhookAddress {
    base: String,
    stored: Stored,
    segments: Segments,
}

impl WebhookAddress {
    /// Reads it. `base`: without the segment.
    pub async fn fetch(secrets: &Secrets, arn: &str, base: &str) -> Result<Self, Failure> {
        let stored = secrets.fetch(System::PartnerCenter, arn).await?;
        let segments = Segments::read(&stored)?;
        Ok(WebhookAddress { base: base.to_owned(), stored, segments })
    }

    /// The whole address, secret included, for Partner Center alone.
    pub fn url(&self) -> String {
        format!("{}/{}", self.base, self.segments.current.expose())
    }

    /// The address as it may be shown.
    pub fn shown(&self) -> String {
        format!("{}/{HIDDEN}", self.base)
    }

    /// Whether a registered address leads to this stack, with any segment.
    pub fn is_here(&self, url: &str) -> bool {
        url == self.base || url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether the secret says how long the former address stays valid, which it does once the new one is registered.
    pub fn is_confirmed(&self) -> bool {
        self.segments.until.is_some()
    }

    /// Saves until when the former address stays valid: for a day, if it is `known` to Partner Center, else no longer.
    /// Called once the present one is registered, and where it is not going to be.
    pub async fn confirm(
        &self,
        secrets: &Secrets,
        arn: &str,
        known: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let until = if known { now + OVERLAP } else { now };
        let confirmed = self.stored.with(UNTIL, &Secret::new(until.to_string()));
        // If another run has renewed the address meanwhile, nothing is saved here: that run saves its own
        // registration.
        secrets.replace(System::PartnerCenter, arn, &confirmed).await.map(drop)
    }

    /// Makes a new segment; the present one stays valid until the new one has been registered for a day. `None`:
    /// another run has just made one.
    pub async fn renew(&self, secrets: &Secrets, arn: &str) -> Result<Option<()>, Failure> {
        let renewed =
            self.stored.with(CURRENT, &random()?).with(FORMER, &self.segments.current).without(UNTIL);
        Ok(secrets.replace(System::PartnerCenter, arn, &renewed).await?.then_some(()))
    }

    /// The failure without the segments, which its text may repeat: the former one may still be registered.
    pub fn hide(&self, failure: Failure) -> Failure {
        let segments = [Some(&self.segments.current), self.segments.former.as_ref()];
        let hide = |text: String, segment: &Secret| text.replace(segment.expose(), HIDDEN);
        Failure { text: segments.into_iter().flatten().fold(failure.text, hide), ..failure }
    }
}

/// 32 random bytes, encoded so that they can stand in an address.
fn random() -> Result<Secret, Failure> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Failure::later(System::PartnerCenter, "make an address", "no random numbers"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// An address as it may be shown: where it leads, without any part that may be its owner's secret.
pub fn shown(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return HIDDEN.to_owned() };
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let part = |part: &str| if part.len() > PLAIN { HIDDEN.to_owned() } else { part.to_owned() };
    let path: Vec<String> = parsed.path().split('/').map(part).collect();
    let query = if parsed.query().is_some() { "?***" } else { "" };
    format!("{}://{host}{port}{}{query}", parsed.scheme(), path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_segment_has_32_random_bytes_and_needs_no_escaping() {
        let [one, other] = [random().unwrap(), random().unwrap()];
        assert_ne!(one, other);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(one.expose().len() == 43 && one.expose().chars().all(plain));
    }

    #[test]
    fn a_failure_repeats_neither_the_present_segment_nor_the_former_one() {
        let (now, before) = ("n".repeat(43), "b".repeat(43));
        let stored = Stored::of(&[(CURRENT, &now), (FORMER, &before)]);
        let segments = Segments::read(&stored).unwrap();
        let address = WebhookAddress { base: "https://x.example/webhook".into(), stored, segments };
        let text = format!("400 {} is not https://x.example/webhook/{before}", address.url());
        let hidden = address.hide(Failure::later(System::PartnerCenter, "register", text)).text;
        assert!(hidden.contains("/***") && !hidden.contains(&now) && !hidden.contains(&before), "{hidden}");
    }

    #[test]
    fn no_secret_of_anybodys_is_shown() {
        let segment = "a".repeat(44);
        for (url, expected) in [
            ("https://flows.example/webhook", "https://flows.example/webhook"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
            (&format!("https://x.example/webhook/{segment}"), "https://x.example/webhook/***"),
            ("https://user:pass@x.example/a?sig=hush#b", "https://x.example/a?***"),
            ("no address", "***"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
