//! What is parked, why, and when it is tried again.

use crate::state::{
    image::digest,
    version::{Age, Version},
};
use jiff::{SignedDuration, Timestamp};
use mapping::{Map, RecordId, Side, one_line};
use serde::{Deserialize, Serialize};

/// The most characters of a reason: a vendor's message may repeat what was sent.
const REASON: usize = 2_000;

/// A field, link, record or message that was refused or lacks something. It is acknowledged and tried again when the
/// fingerprint of its inputs changes, and also by time, because a corrected role or validation rule changes no input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The vendor's message, or everything that is missing.
    pub reason: String,
    /// The field that the reason is about, if it is about one.
    pub field: Option<String>,
    /// For a link's unit: the side that would not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The fingerprint: a digest of the inputs (values and map).
    pub fingerprint: String,
    /// When it is tried again.
    pub next_try: Timestamp,
    /// How many attempts have failed.
    pub attempts: u32,
    /// Since when it has been parked, across all attempts; `None` in a row that an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// For a referral: the record that it names and that has not consented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<RecordId>,
    /// For a record without a link: the version in which it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// For an unusable message: its body, at most 4 KB, so that it can be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Separates the two parts of a fingerprint.
const MAP: char = '.';

/// The fingerprint of an attempt: the values that were attempted, and the map. With another map the attempt is made
/// again, but the same result is not reported to the seller a second time.
pub fn print(attempt: &str, map: &Map) -> String {
    format!("{}{MAP}{}", digest(attempt), map.hash().get(..12).unwrap_or_default())
}

impl Parked {
    /// Parks at `now`; `before` is the same thing's parked row, if there is one. A run that looked before the next try
    /// was due does not count as an attempt.
    pub fn again(
        reason: String,
        field: Option<String>,
        fingerprint: String,
        now: Timestamp,
        before: Option<&Parked>,
    ) -> Self {
        let (attempts, next_try) = match before.filter(|before| before.fingerprint == fingerprint) {
            // Not due yet: some other reason caused this look, so attempts and next try stay.
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

    /// Whether a feed's row is no newer than the version that was judged when the record was parked.
    pub fn has_seen(&self, row: &Version) -> bool {
        self.version.as_ref().is_some_and(|seen| matches!(row.against(seen), Age::Same | Age::Older))
    }

    /// Whether this was reported already: the same reason for the same attempt, whatever the map.
    pub fn tells(&self, words: &str, fingerprint: &str) -> bool {
        let attempt = |print: &str| print.split_once(MAP).map(|(attempt, _)| attempt.to_owned());
        let same = match (attempt(&self.fingerprint), attempt(fingerprint)) {
            (Some(before), Some(now)) => before == now,
            (None, None) => self.fingerprint == fingerprint,
            // One of the two was written before fingerprints had two parts: the reason alone decides.
            _ => true,
        };
        self.reason == words && same
    }

    /// Whether it stays parked: the inputs are the same and its next try is not due.
    pub fn holds(&self, fingerprint: &str, now: Timestamp) -> bool {
        self.fingerprint == fingerprint && now < self.next_try
    }
}

/// The pause after so many attempts: 15 min, 1 h, 6 h, then 24 h.
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
                // Runs for other reasons (its feed, child rows, hints) come before the next try is due.
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
