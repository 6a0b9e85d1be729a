//! What is set aside, why, and when it is tried again.

use crate::state::{
    image::digest,
    version::{Age, Version},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{Map, RecordId, Side, one_line};
use serde::{Deserialize, Serialize};

/// Characters of a reason: a vendor's words may repeat what was sent.
const REASON: usize = 2_000;

/// A field, link, record or message that was refused or lacks something. Acknowledged; tried again when the
/// fingerprint of its inputs differs, and by time, because a fixed role or validation rule changes no input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The vendor's words, or what is missing, all of it.
    pub reason: String,
    /// The field, where one is named.
    pub field: Option<String>,
    /// The side that would not take it, where a link's unit is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Digest of the inputs (values, map).
    pub fingerprint: String,
    /// When it is tried again.
    pub next_try: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is set aside, whatever was tried meanwhile; unknown of rows of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of a referral: the record that it names, and that has not agreed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<RecordId>,
    /// Of a record without a link: the version it was looked at in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// For an unusable message: its body, at most 4 KB, so that it can be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Between the two parts of a print.
const MAP: char = '.';

/// The fingerprint of an attempt: what was attempted, and the map that made it so. Another map is worth another attempt,
/// but no second telling.
pub fn print(attempt: &str, map: &Map) -> String {
    format!("{}{MAP}{}", digest(attempt), map.hash().get(..12).unwrap_or_default())
}

impl Parked {
    /// Sets aside at `now`; `before` is the same thing parked earlier. A look that was not due is no try.
    pub fn again(
        reason: String,
        field: Option<String>,
        fingerprint: String,
        now: Timestamp,
        before: Option<&Parked>,
    ) -> Self {
        let (attempts, next_try) = match before.filter(|before| before.fingerprint == fingerprint) {
            // Whoever looked did so for a reason of its own: the clock runs on.
            Some(before) if now < before.next_try => (before.attempts, before.next_try),
            Some(before) => (before.attempts + 1, now + pause(before.attempts + 1)),
            None => (1, now + pause(1)),
        };
        let reason = one_line(&reason, REASON);
        Parked {
            reason,
            field,
            fingerprint,
            next_try,
            attempts,
            since: before.and_then(|before| before.since).or(Some(now)),
            waits_for: None,
            version: None,
            body: None,
            side: None,
        }
    }

    /// Whether a row of a feed shows no more than what was looked at when it was set aside.
    pub fn has_seen(&self, row: &Version) -> bool {
        self.version.as_ref().is_some_and(|seen| matches!(row.against(seen), Age::Same | Age::Older))
    }

    /// Whether whoever reads it has read this already: the same words about the same attempt, whichever map made it.
    pub fn tells(&self, words: &str, fingerprint: &str) -> bool {
        let attempt = |print: &str| print.split_once(MAP).map(|(attempt, _)| attempt.to_owned());
        let same = match (attempt(&self.fingerprint), attempt(fingerprint)) {
            (Some(before), Some(now)) => before == now,
            (None, None) => self.fingerprint == fingerprint,
            // From before a print had two parts.
            _ => true,
        };
        self.reason == words && same
    }

    /// Whether it stays set aside: the same inputs, and its time has not come.
    pub fn holds(&self, fingerprint: &str, now: Timestamp) -> bool {
        self.fingerprint == fingerprint && now < self.next_try
    }
}

/// 15 min, 1 h, 6 h, then daily.
fn pause(attempts: u32) -> SignedDuration {
    match attempts {
        0 | 1 => SignedDuration::from_mins(15),
        2 => SignedDuration::from_hours(1),
        3 => SignedDuration::from_hours(6),
        _ => SignedDuration::from_hours(24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_the_clock_while_the_input_stays_and_begin_anew_when_it_changes() {
        let park = |print: &str, now: Timestamp, before: Option<&Parked>| {
            Parked::again("no".into(), None, print.into(), now, before)
        };
        let mut parked = park("a", Timestamp::UNIX_EPOCH, None);
        for minutes in [15, 60, 6 * 60, 24 * 60, 24 * 60] {
            let begun = parked.next_try - SignedDuration::from_mins(minutes);
            for looked in 1..9 {
                // Its own feed, child rows, hints: looks that nobody waited for.
                let early = park("a", begun + SignedDuration::from_secs(looked), Some(&parked));
                assert_eq!(early, parked);
            }
            assert_eq!(parked.since, Some(Timestamp::UNIX_EPOCH));
            let other = park("b", parked.next_try, Some(&parked));
            assert_eq!(other.next_try, parked.next_try + SignedDuration::from_mins(15));
            parked = park("a", parked.next_try, Some(&parked));
        }
    }

    #[test]
    fn another_input_is_tried_at_once() {
        let parked = Parked::again("no".into(), None, "a".into(), Timestamp::UNIX_EPOCH, None);
        assert!(parked.holds("a", Timestamp::UNIX_EPOCH));
        assert!(!parked.holds("b", Timestamp::UNIX_EPOCH));
        assert!(!parked.holds("a", parked.next_try));
    }
}
