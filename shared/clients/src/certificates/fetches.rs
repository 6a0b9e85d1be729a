//! Limits how often this process fetches: the sender of an event names the certificate's address, and the certificate
//! names its issuer's, so neither may decide it.

use super::Address;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Fetches of addresses that never proved genuine, all together, in an hour.
const UNKNOWN_AN_HOUR: usize = 10;
/// How many fetches of one known address may follow each other without a pause, within an hour.
const KNOWN_AT_ONCE: usize = 4;
/// The pause before each further one. Forged signatures therefore cannot keep a renewed certificate out: each fetch
/// that they cause returns the renewed one. And there are at most ten fetches an hour.
const KNOWN_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How long a failure is remembered; until then the fetch is not tried again.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(1);

/// The instants of the fetches of the last hour.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    known: HashMap<Address, VecDeque<Timestamp>>,
    unknown: VecDeque<Timestamp>,
}

/// What failed within the last minute, and why.
#[derive(Debug)]
pub(super) struct Failures<E>(HashMap<Address, (Timestamp, E)>);

impl<E> Default for Failures<E> {
    fn default() -> Self {
        Failures(HashMap::new())
    }
}

impl<E: Clone> Failures<E> {
    /// Remembers that this address failed.
    pub(super) fn remember(&mut self, address: &Address, why: &E, now: Timestamp) {
        self.0.retain(|_, (at, _)| now.duration_since(*at) < REMEMBERED);
        self.0.insert(address.clone(), (now, why.clone()));
    }

    /// Why this address failed within the last minute, if it did.
    pub(super) fn of(&self, address: &Address, now: Timestamp) -> Option<E> {
        let (at, why) = self.0.get(address)?;
        (now.duration_since(*at) < REMEMBERED).then(|| why.clone())
    }
}

impl Fetches {
    /// Whether this fetch may be made; if so, it is counted. Each known address has a count of its own, so that
    /// made-up names below a listed folder cannot use up the fetches of the genuine one.
    pub(super) fn may(&mut self, address: &Address, known: bool, now: Timestamp) -> bool {
        let fetches = if known { self.known.entry(address.clone()).or_default() } else { &mut self.unknown };
        while fetches.front().is_some_and(|at| now.duration_since(*at) >= HOUR) {
            fetches.pop_front();
        }
        let rested = fetches.back().is_none_or(|at| now.duration_since(*at) >= KNOWN_PAUSE);
        let may =
            if known { fetches.len() < KNOWN_AT_ONCE || rested } else { fetches.len() < UNKNOWN_AN_HOUR };
        if may {
            fetches.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::{super::STANDARD_PREFIX, *};
    use crate::certificates::Prefix;

    fn address(name: &str) -> Address {
        let list = [Prefix::parse(STANDARD_PREFIX).unwrap()];
        Address::on_list(&format!("{STANDARD_PREFIX}{name}"), &list).unwrap()
    }

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_second(1_774_000_000 + 60 * n).unwrap()
    }

    #[test]
    fn made_up_names_share_ten_fetches_an_hour() {
        let mut fetches = Fetches::default();
        let made = (0..50).filter(|n| fetches.may(&address(&format!("{n}.cer")), false, minute(*n))).count();
        assert_eq!(made, UNKNOWN_AN_HOUR);
        assert!(fetches.may(&address("later.cer"), false, minute(60)));
        assert!(!fetches.may(&address("later.cer"), false, minute(60)));
    }

    #[test]
    fn made_up_names_cannot_use_up_the_genuine_ones_fetches() {
        let mut fetches = Fetches::default();
        for n in 0..50 {
            fetches.may(&address(&format!("{n}.cer")), false, minute(0));
        }
        assert!(fetches.may(&address("renamed.cer"), true, minute(0)));
    }

    #[test]
    fn a_renewed_certificate_is_seen_within_minutes_under_a_storm_of_forgeries() {
        let mut fetches = Fetches::default();
        let genuine = address("pcnotifications-dispatch.microsoft.com.cer");
        let storm = (0..60 * 60).map(|second| Timestamp::from_second(1_774_000_000 + second).unwrap());
        let made: Vec<Timestamp> = storm.filter(|at| fetches.may(&genuine, true, *at)).collect();
        assert!(made.len() <= 10, "{}", made.len());
        let longest = made.windows(2).map(|pair| pair[1].duration_since(pair[0])).max();
        assert_eq!(longest, Some(KNOWN_PAUSE));
    }

    #[test]
    fn what_failed_is_remembered_for_a_minute_and_no_longer() {
        let mut failures = Failures::default();
        let (one, other) = (address("one.cer"), address("other.cer"));
        failures.remember(&one, &"status 503", minute(0));
        assert_eq!(failures.of(&one, minute(0)), Some("status 503"));
        assert_eq!(failures.of(&other, minute(0)), None);
        assert_eq!(failures.of(&one, minute(1)), None);
        failures.remember(&other, &"status 404", minute(1));
        assert_eq!(failures.0.len(), 1, "what is over is forgotten");
    }
}
