//! What one side of a link showed: its images, the version that is settled, and the versions seen since.

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

/// How many replaced eTags are remembered.
const REPLACED_KEPT: usize = 5;

/// What one side showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Per unit: what this side itself showed when both agreed (long text as digest).
    pub images: Images,
    /// A version in which no mapped unit was outstanding: permits writing without reading.
    pub settled: Option<Version>,
    /// The newest version seen, and when first.
    pub seen: Option<Sighting>,
    /// Tokens known to be replaced.
    #[serde(default)]
    pub replaced: VecDeque<String>,
}

/// A version and when it was first seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The version.
    pub version: Version,
    /// When.
    pub at: Timestamp,
}

impl Memory {
    /// Remembers a version that was seen; an older one changes nothing.
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

    /// The version a write replaced without showing the new one: reads that still show it are late, from now on.
    pub fn wrote_over(&mut self, base: &Version, now: Timestamp) {
        self.replace(base.token.clone());
        self.seen = Some(Sighting { version: base.clone(), at: now });
    }

    /// A token that is no longer current.
    pub fn replace(&mut self, token: String) {
        if !self.replaced.contains(&token) {
            self.replaced.push_back(token);
            while self.replaced.len() > REPLACED_KEPT {
                self.replaced.pop_front();
            }
        }
    }

    /// Whether a read is older than what was seen before.
    pub fn is_stale(&self, read: &Version) -> bool {
        !planted::is(Bug::OlderBelieved)
            && (self.replaced.contains(&read.token)
                || self.seen.as_ref().is_some_and(|seen| matches!(read.against(&seen.version), Age::Older)))
    }

    /// Whether the newest version was seen longer ago than a replica may lag: then an older one is believed.
    pub fn seen_long_ago(&self, now: Timestamp, grace: SignedDuration) -> bool {
        self.seen.as_ref().is_none_or(|seen| now.duration_since(seen.at) > grace)
    }
}
