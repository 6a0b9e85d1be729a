//! What a run gives to a story: ports, map, settings, and the instant at which the run is killed.

use crate::{
    ports::{Clock, Ports},
    state::failure::Failure,
};
use jiff::{SignedDuration, Timestamp};
use mapping::Map;
use std::sync::{Arc, Mutex, PoisonError};

/// No write begins with less time left than this: its answer must still be saved.
const TAIL: SignedDuration = SignedDuration::from_secs(15);

/// Facts of the deployment that the stories need.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our organisation in Partner Center.
    pub organization: String,
    /// The longest time in which a sent request may still take effect after its sender died, plus replica lag.
    pub grace: SignedDuration,
    /// How long audit lines are kept.
    pub audit_kept: SignedDuration,
    /// Whether this stack may write to Partner Center (`PartnerCenterWrites`).
    pub writes: bool,
    /// Limits how many unknown referrals are read.
    pub strangers: Arc<Budget>,
}

/// The most calls within [`PERIOD`]: more than any partner has new deals, and few enough for Partner Center to bear
/// beside the other calls.
const MOST: u32 = 1_000;
const PERIOD: SignedDuration = SignedDuration::from_mins(10);

/// Limits the calls within a period. Anyone can send us genuine events of other organisations again, by the thousand.
/// If such an event is about a referral of ours, the sweep lists it.
#[derive(Debug, Default)]
pub struct Budget(Mutex<Option<(Timestamp, u32)>>);

impl Budget {
    /// Takes one call from the budget. `false`: none is left in this period.
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

/// One run of a story.
pub struct Run<'a, P: Ports> {
    /// The ports to all outside systems.
    pub ports: &'a P,
    /// The field map in effect.
    pub map: &'a Map,
    /// The facts of the deployment.
    pub settings: &'a Settings,
    /// The instant at which this run is killed.
    pub ends: Timestamp,
    /// How many times this hint was received, this time included.
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
    /// The instant that the port's clock has reached.
    pub fn now(&self) -> Timestamp {
        self.ports.clock().now()
    }

    /// Whether a write to Partner Center or the CRM may still begin.
    pub fn may_write(&self) -> bool {
        self.now() + TAIL <= self.ends
    }

    /// The deadline of a claim placed now.
    pub fn deadline(&self) -> Timestamp {
        self.ends + self.settings.grace
    }

    /// Ends the story; the message is delivered again just after this instant.
    pub(crate) fn just_after(&self, instant: Timestamp, why: impl Into<String>) -> Ended {
        let after = instant.duration_since(self.now()) + SignedDuration::from_secs(1);
        Ended::Later { after, why: why.into() }
    }
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The message is acknowledged.
    Done(Decision),
    /// The message is delivered again.
    Later {
        /// The pause before that.
        after: SignedDuration,
        /// The reason, as the log has it.
        why: String,
    },
}

/// What was decided, for one line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The kind of decision, a fixed word.
    pub decision: &'static str,
    /// The reason, as text.
    pub reason: String,
}

impl Ended {
    /// The story is done: the message is acknowledged.
    pub fn done(decision: &'static str, reason: impl Into<String>) -> Self {
        Ended::Done(Decision { decision, reason: reason.into() })
    }

    /// The message is delivered again after so many seconds.
    pub fn later(seconds: i64, why: impl Into<String>) -> Self {
        Ended::Later { after: SignedDuration::from_secs(seconds), why: why.into() }
    }
}

/// How a story ended, or the failure that stopped it.
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
