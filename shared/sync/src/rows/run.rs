//! What one run of a story is given: ports, map, settings, and when it will be killed.

use crate::{
    ports::{Clock, Ports},
    state::failure::Failure,
};
use jiff::{SignedDuration, Timestamp};
use mapping::Map;

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
