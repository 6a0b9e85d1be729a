//! What is set aside, why, and when it is tried again.

use jiff::{SignedDuration, Timestamp};
use mapping::Side;
use serde::{Deserialize, Serialize};

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
    /// For an unusable message: its body, at most 4 KB, so that it can be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Parked {
    /// Sets aside at `now`; `before` is the same thing parked earlier.
    pub fn again(
        reason: String,
        field: Option<String>,
        fingerprint: String,
        now: Timestamp,
        before: Option<&Parked>,
    ) -> Self {
        let attempts = before.filter(|b| b.fingerprint == fingerprint).map_or(1, |b| b.attempts + 1);
        Parked {
            reason,
            field,
            fingerprint,
            next_try: now + pause(attempts),
            attempts,
            body: None,
            side: None,
        }
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
    fn pauses_grow_while_the_input_stays_and_begin_anew_when_it_changes() {
        let now = Timestamp::UNIX_EPOCH;
        let park = |print: &str, before: Option<&Parked>| {
            Parked::again("no".into(), None, print.into(), now, before)
        };
        let first = park("a", None);
        let second = park("a", Some(&first));
        assert_eq!((second.next_try - now).get_hours().max(1), 1);
        assert!(second.next_try > first.next_try);
        assert_eq!(park("b", Some(&second)).next_try, first.next_try);
    }

    #[test]
    fn another_input_is_tried_at_once() {
        let parked = Parked::again("no".into(), None, "a".into(), Timestamp::UNIX_EPOCH, None);
        assert!(parked.holds("a", Timestamp::UNIX_EPOCH));
        assert!(!parked.holds("b", Timestamp::UNIX_EPOCH));
        assert!(!parked.holds("a", parked.next_try));
    }
}
