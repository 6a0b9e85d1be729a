//! The webhook's public address. Its last segment is a secret that the stack makes, that no stranger guesses and that an
//! administrator can renew; the one before stays good until Partner Center has known the new one for a day. A stack
//! from before this has an address without a segment, which counts as the one before. Never logged.

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

/// What stands in the secret.
const CURRENT: &str = "token";
const FORMER: &str = "previous";
const UNTIL: &str = "previous_until";
/// A shorter one could be guessed, and is nobody's doing but a typing error's.
const SHORTEST: usize = 32;

/// What is known is looked up again after so long.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// ... and no sooner than after so long, whoever knocks with what.
pub const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// For one look: nobody waits longer at the door.
const LOOK: Duration = Duration::from_secs(2);

/// The segments that are good.
#[derive(Clone, Debug)]
pub struct Segments {
    current: Secret,
    /// `None`: the address without a segment.
    former: Option<Secret>,
    /// Until when the former one is good; `None`: the new one is not registered yet.
    until: Option<Timestamp>,
}

impl Segments {
    /// As stored. One that could be guessed is none.
    pub fn read(stored: &Stored) -> Result<Self, Failure> {
        let current = stored.member(CURRENT).filter(|segment| segment.expose().len() >= SHORTEST);
        let current = current.ok_or_else(|| unread("its secret has no `token` of 32 characters or more"))?;
        let until = stored.member(UNTIL).and_then(|until| until.expose().parse().ok());
        Ok(Segments { current, former: stored.member(FORMER), until })
    }

    /// Whether a call with this segment may come in; an empty one: without any. Takes as long whatever it is.
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

/// Compared to the end, whatever differs.
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

/// The ingress's view: what it knows of the segments, looked up rarely.
#[derive(Debug)]
pub struct Door {
    secrets: Secrets,
    arn: String,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    segments: Option<Segments>,
    looked: Option<Timestamp>,
    /// Why the last look brought nothing.
    silent: Option<String>,
}

impl Door {
    /// Of the secret at this ARN.
    pub fn new(secrets: Secrets, arn: &str, clock: Clock) -> Self {
        Door { secrets, arn: arn.to_owned(), clock, kept: Mutex::default() }
    }

    /// Looks the segments up before anybody knocks.
    pub async fn open(&self) {
        self.look().await;
        if let Some(reason) = &self.kept().silent {
            tracing::error!(decision = "address", reason, "the webhook's segment is not known yet");
        }
    }

    /// Whether a call with this segment may come in. `Err`: nobody can say now, so the sender has to come again.
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
            // What was good stays good while the vault is silent; of anything else nobody knows.
            (_, Some(reason)) => Err(reason.clone()),
            _ => Ok(false),
        }
    }

    /// From now on these are the segments, as if they had been looked up.
    pub fn keep(&self, segments: Segments) {
        *self.kept() = Kept { segments: Some(segments), looked: Some(self.clock.now()), silent: None };
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

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "full")]
mod renewal;
#[cfg(feature = "full")]
pub use renewal::{Address, shown};
#[cfg(test)]
mod tests;
