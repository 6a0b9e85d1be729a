//! The webhook's public address. Its last segment is a secret: the stack makes it, and an administrator can renew it.
//! The former segment stays valid until Partner Center has had the new one for a day; where the new one is not
//! registered, for a day from then on. A stack from before there were
//! segments has an address without one, which counts as the former segment. Segments are never logged.

use crate::{
    clock::Clock,
    secrets::{Secret, Secrets, Stored},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use sync::failure::{Failure, System};

/// The names of the members in the secret's JSON.
const CURRENT: &str = "token";
const FORMER: &str = "previous";
const UNTIL: &str = "previous_until";
/// The shortest segment that is accepted, in characters. A shorter one could be guessed, and only a mistake can have
/// made it.
const SHORTEST: usize = 32;

/// Segments that were looked up this long ago are looked up again.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The shortest pause between two look-ups, no matter how many calls arrive and with which segments.
pub const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Time limit of one look-up, and so the longest that a caller waits for it.
const LOOK: Duration = Duration::from_secs(2);

/// The segments that are accepted.
#[derive(Clone, Debug)]
pub struct Segments {
    current: Secret,
    /// `None`: the address without a segment.
    former: Option<Secret>,
    /// Until when the former one is accepted; `None`: no end yet, because the new one is not registered.
    until: Option<Timestamp>,
}

impl Segments {
    /// Reads the stored secret. A segment that could be guessed counts as missing.
    pub fn read(stored: &Stored) -> Result<Self, Failure> {
        let current = stored.member(CURRENT).filter(|segment| segment.expose().len() >= SHORTEST);
        let current = current.ok_or_else(|| unread("its secret has no `token` of 32 characters or more"))?;
        let until = stored.member(UNTIL).and_then(|until| until.expose().parse().ok());
        Ok(Segments { current, former: stored.member(FORMER), until })
    }

    /// Whether a call with this segment may come in; an empty one stands for a call without a segment. Takes the same
    /// time whether or not it may.
    pub fn admit(&self, segment: &str, now: Timestamp) -> bool {
        let former = self.former.as_ref().map_or("", Secret::expose);
        let as_current = same(segment.as_bytes(), self.current.expose().as_bytes());
        let as_former = same(segment.as_bytes(), former.as_bytes());
        as_current | (as_former & self.until.is_none_or(|until| now < until))
    }
}

fn unread(why: &str) -> Failure {
    Failure::later(System::PartnerCenter, "read the webhook's address", why)
}

/// Compares all bytes, even after a difference.
fn same(a: &[u8], b: &[u8]) -> bool {
    let different = a.iter().zip(b).fold(0, |different, (a, b)| black_box(different | (a ^ b)));
    (a.len() == b.len()) & (different == 0)
}

/// The segment of a path: `/webhook/SEGMENT`, or empty for `/webhook`; `None`: another path.
pub fn segment(path: &str) -> Option<&str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    match path.rsplit_once('/')? {
        (_, "webhook") => Some(""),
        (before, segment) => before.ends_with("/webhook").then_some(segment),
    }
}

/// The ingress's view of the address. It keeps the segments between look-ups.
#[derive(Debug)]
pub struct Door {
    secrets: Secrets,
    arn: String,
    clock: Clock,
    kept: Mutex<SegmentCache>,
}

#[derive(Debug, Default)]
struct SegmentCache {
    segments: Option<Segments>,
    looked: Option<Timestamp>,
    /// Why the last look-up failed; `None`: it did not.
    silent: Option<String>,
}

impl Door {
    /// Of the secret at this ARN.
    pub fn new(secrets: Secrets, arn: &str, clock: Clock) -> Self {
        Door { secrets, arn: arn.to_owned(), clock, kept: Mutex::default() }
    }

    /// Looks the segments up before the first call arrives.
    pub async fn open(&self) {
        self.look().await;
        if let Some(reason) = &self.kept().silent {
            tracing::error!(decision = "address", reason, "the webhook's segment is not known yet");
        }
    }

    /// Whether a call with this segment may come in. `Err`: this cannot be decided now, so the sender must try again
    /// later.
    pub async fn admits(&self, segment: &str) -> Result<bool, String> {
        let now = self.clock.now();
        let due = {
            let kept = self.kept();
            let known = kept.segments.as_ref().is_some_and(|all| all.admit(segment, now));
            let after = |pause| kept.looked.is_none_or(|looked| now.duration_since(looked) >= pause);
            let stale = after(FRESH) || kept.silent.is_some();
            (stale || !known) && after(PAUSE)
        };
        if due {
            self.look().await;
        }
        let kept = self.kept();
        match (&kept.segments, &kept.silent) {
            (Some(all), _) if all.admit(segment, now) => Ok(true),
            // While Secrets Manager does not answer, a segment that was valid stays valid. Any other may be a new one.
            (_, Some(reason)) => Err(reason.clone()),
            _ => Ok(false),
        }
    }

    /// Replaces the segments by these, as if they had just been looked up.
    pub fn keep(&self, segments: Segments) {
        *self.kept() =
            SegmentCache { segments: Some(segments), looked: Some(self.clock.now()), silent: None };
    }

    async fn look(&self) {
        let looked = Some(self.clock.now());
        let fetched = tokio::time::timeout(LOOK, self.secrets.fetch(System::PartnerCenter, &self.arn)).await;
        let found = match fetched {
            Ok(Ok(stored)) => Segments::read(&stored),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(unread("no answer in time")),
        };
        let mut kept = self.kept();
        kept.looked = looked;
        match found {
            Ok(segments) => (kept.segments, kept.silent) = (Some(segments), None),
            Err(failure) => kept.silent = Some(failure.to_string()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, SegmentCache> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "full")]
mod renewal;
#[cfg(feature = "full")]
pub use renewal::{WebhookAddress, shown};
#[cfg(test)]
mod tests;
