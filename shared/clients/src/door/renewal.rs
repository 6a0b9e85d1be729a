//! The address as the admin function tells it to Partner Center, renews it, and shows it to people: without its secret.

use super::{CURRENT, FORMER, Segments, UNTIL};
use crate::secrets::{Secret, Secrets, Stored};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use ring::rand::{SecureRandom, SystemRandom};
use sync::failure::{Failure, System};

/// The former address stays good for so long once the new one is registered.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// What stands for a secret.
const HIDDEN: &str = "***";
/// A part of a foreign address that is longer may be a secret of somebody's.
const PLAIN: usize = 19;

/// The public address, with what is secret in it.
#[derive(Clone, Debug)]
pub struct Address {
    base: String,
    stored: Stored,
    segments: Segments,
}

impl Address {
    /// Reads it. `base`: without the segment.
    pub async fn fetch(secrets: &Secrets, arn: &str, base: &str) -> Result<Self, Failure> {
        let stored = secrets.fetch(System::PartnerCenter, arn).await?;
        let segments = Segments::read(&stored)?;
        Ok(Address { base: base.to_owned(), stored, segments })
    }

    /// The whole of it, for Partner Center alone.
    pub fn url(&self) -> String {
        format!("{}/{}", self.base, self.segments.current.expose())
    }

    /// As it may be shown.
    pub fn shown(&self) -> String {
        format!("{}/{HIDDEN}", self.base)
    }

    /// Whether a registered address leads to this stack, by whatever segment.
    pub fn is_here(&self, url: &str) -> bool {
        url == self.base || url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether it is noted how long the former address stays good.
    pub fn is_confirmed(&self) -> bool {
        self.segments.until.is_some()
    }

    /// Notes that the address is registered. `known`: Partner Center knew an earlier one, which stays good for a day.
    pub async fn confirm(
        &self,
        secrets: &Secrets,
        arn: &str,
        known: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let until = if known { now + OVERLAP } else { now };
        let confirmed = self.stored.with(UNTIL, &Secret::new(until.to_string()));
        // Somebody who was faster has renewed it, and notes his own.
        secrets.replace(System::PartnerCenter, arn, &confirmed).await.map(drop)
    }

    /// Makes a new one; the one there was stays good until the new one has been registered for a day. `None`: somebody
    /// else has just done so.
    pub async fn renew(&self, secrets: &Secrets, arn: &str) -> Result<Option<()>, Failure> {
        let renewed =
            self.stored.with(CURRENT, &random()?).with(FORMER, &self.segments.current).without(UNTIL);
        Ok(secrets.replace(System::PartnerCenter, arn, &renewed).await?.then_some(()))
    }

    /// A failure whose words may repeat the address.
    pub fn hide(&self, failure: Failure) -> Failure {
        Failure { text: failure.text.replace(self.segments.current.expose(), HIDDEN), ..failure }
    }
}

/// 32 random bytes, as they may stand in an address.
fn random() -> Result<Secret, Failure> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Failure::later(System::PartnerCenter, "make an address", "no random numbers"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// An address as it may be shown: where it leads, and nothing that may be a secret of its owner's.
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
