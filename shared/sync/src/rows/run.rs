//! What one run of a story is given: ports, map, settings, and when it will be killed.

use crate::{
    ports::{Clock, Ports},
    state::failure::Failure,
};
use jiff::{SignedDuration, Timestamp};
use mapping::Map;
use std::sync::{Arc, Mutex, PoisonError};

/// No outside write begins with less than this left: its answer must still be saved.
const TAIL: SignedDuration = SignedDuration::from_secs(15);

/// Facts of the deployment that the stories need.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our organisation in Partner Center.
    pub organization: String,
    /// The longest a sent request may still land after its sender died, plus replica lag.
    pub grace: SignedDuration,
    /// How long audit lines are kept.
    pub audit_kept: SignedDuration,
    /// Whether this stack may write to Partner Center (`PartnerCenterWrites`).
    pub writes: bool,
    /// How many referrals that nothing of ours names are asked for.
    pub strangers: Arc<Budget>,
}

/// So many in [`PERIOD`]: more than any partner's new deals, and few enough for Partner Center to bear beside all else.
const MOST: u32 = 1_000;
const PERIOD: SignedDuration = SignedDuration::from_mins(10);

/// A number of calls in a time. Genuine events of anybody can be sent to us again by the thousand; what they are about,
/// if it is ours, the sweep lists.
#[derive(Debug, Default)]
pub struct Budget(Mutex<Option<(Timestamp, u32)>>);

impl Budget {
    /// One more, if there is one.
    pub fn take(&self, now: Timestamp) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = match *spent {
            Some((began, count)) if now.duration_since(began).abs() < PERIOD => (began, count),
            _ => (now, 0),
        };
        *spent = Some((began, (count + 1).min(MOST)));
        count < MOST
    }
}

/// One run.
pub struct Run<'a, P: Ports> {
    /// The outside.
    pub ports: &'a P,
    /// The field map.
    pub map: &'a Map,
    /// The deployment.
    pub settings: &'a Settings,
    /// The instant this run is killed.
    pub ends: Timestamp,
    /// How often this hint was received, this time included.
    pub attempt: u32,
}

impl<P: Ports> Clone for Run<'_, P> {
    fn clone(&self) -> Self {
        Run {
            ports: self.ports,
            map: self.map,
            settings: self.settings,
            ends: self.ends,
            attempt: self.attempt,
        }
    }
}

impl<P: Ports> Run<'_, P> {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.ports.clock().now()
    }

    /// Whether an outside write may still begin.
    pub fn may_write(&self) -> bool {
        self.now() + TAIL <= self.ends
    }

    /// The deadline of a claim placed now.
    pub fn deadline(&self) -> Timestamp {
        self.ends + self.settings.grace
    }

    /// Again when this instant has passed.
    pub(crate) fn just_after(&self, instant: Timestamp, why: impl Into<String>) -> Ended {
        let after = instant.duration_since(self.now()) + SignedDuration::from_secs(1);
        Ended::Later { after, why: why.into() }
    }
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Acknowledge.
    Done(Decision),
    /// Come again.
    Later {
        /// After this pause.
        after: SignedDuration,
        /// Because.
        why: String,
    },
}

/// What was decided, for the log: one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// A fixed word.
    pub decision: &'static str,
    /// Why, in words.
    pub reason: String,
}

impl Ended {
    /// An acknowledged decision.
    pub fn done(decision: &'static str, reason: impl Into<String>) -> Self {
        Ended::Done(Decision { decision, reason: reason.into() })
    }

    /// Again after so many seconds.
    pub fn later(seconds: i64, why: impl Into<String>) -> Self {
        Ended::Later { after: SignedDuration::from_secs(seconds), why: why.into() }
    }
}

/// A story's end, or the failure that stopped it.
pub type Story = Result<Ended, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_there_again_after_its_time() {
        let (budget, now) = (Budget::default(), Timestamp::from_second(1_774_000_000).unwrap());
        assert!((0..MOST).all(|_| budget.take(now)));
        assert!(!budget.take(now + SignedDuration::from_mins(9)));
        assert!(budget.take(now + PERIOD));
    }
}
