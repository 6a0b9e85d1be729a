//! What a link remembers of one side: its images, the settled version, and the versions seen since.

use crate::{
    planted::{self, Bug},
    state::{
        images::Images,
        version::{Age, Version},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many replaced tokens are remembered.
const REPLACED_KEPT: usize = 5;

/// What a link remembers of one side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Per unit: this side's own value when both sides agreed (long text as a digest).
    pub images: Images,
    /// A version in which no mapped unit was outstanding: it permits a write without a read before it.
    pub settled: Option<Version>,
    /// The newest version that a read returned, and when it was first returned.
    pub seen: Option<Sighting>,
    /// Tokens of versions that are known to be replaced: a read that returns one is late.
    #[serde(default)]
    pub replaced: VecDeque<String>,
}

/// A version and when it was first seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The version that was read.
    pub version: Version,
    /// When it was first read.
    pub at: Timestamp,
}

impl Memory {
    /// Makes `version` the newest one seen, and the one before it a replaced one. It does not compare the two:
    /// [`Memory::is_stale`] does, before.
    pub fn saw(&mut self, version: &Version, now: Timestamp) {
        match &self.seen {
            _ if planted::is(Bug::SeenForgotten) => {}
            Some(seen) if seen.version.token == version.token => {}
            Some(seen) => {
                let old = seen.version.token.clone();
                self.replace(old);
                self.seen = Some(Sighting { version: version.clone(), at: now });
            }
            None => self.seen = Some(Sighting { version: version.clone(), at: now }),
        }
    }

    /// A write replaced `base`, or lost its race, and its answer does not show the new version: from now on a read that
    /// returns `base` is late.
    pub fn wrote_over(&mut self, base: &Version, now: Timestamp) {
        self.replace(base.token.clone());
        self.seen = Some(Sighting { version: base.clone(), at: now });
    }

    /// Remembers that this token is no longer current.
    pub fn replace(&mut self, token: String) {
        if !self.replaced.contains(&token) {
            self.replaced.push_back(token);
            while self.replaced.len() > REPLACED_KEPT {
                self.replaced.pop_front();
            }
        }
    }

    /// Whether a read is older than the newest version seen.
    pub fn is_stale(&self, read: &Version) -> bool {
        !planted::is(Bug::OlderBelieved)
            && (self.replaced.contains(&read.token)
                || self.seen.as_ref().is_some_and(|seen| matches!(read.against(&seen.version), Age::Older)))
    }

    /// Whether the newest version was first seen more than `grace` ago, longer than a replica may lag: then an older
    /// one is believed.
    pub fn seen_long_ago(&self, now: Timestamp, grace: SignedDuration) -> bool {
        self.seen.as_ref().is_none_or(|seen| now.duration_since(seen.at) > grace)
    }
}
