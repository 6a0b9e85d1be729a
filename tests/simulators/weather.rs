//! Bad weather: every call fails with a probability, in one of several ways, drawn from a seed.

use crate::server::FaultKind;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What befalls each request of the servers that share it.
pub struct Weather {
    /// Of a million requests so many fail.
    per_million: u64,
    kinds: Vec<FaultKind>,
    draws: AtomicU64,
    struck: AtomicU64,
}

impl Weather {
    /// `chance`: 0 to 1. The kinds are equally likely.
    pub fn new(seed: u64, chance: f64, kinds: Vec<FaultKind>) -> Arc<Self> {
        let per_million = (chance.clamp(0.0, 1.0) * 1e6) as u64;
        Arc::new(Weather { per_million, kinds, draws: AtomicU64::new(seed), struck: AtomicU64::new(0) })
    }

    /// Throttled, busy, failed after it took effect, request lost, answer lost.
    pub fn mixed(seed: u64, chance: f64) -> Arc<Self> {
        let retry_after = [("retry-after".to_owned(), "3".to_owned())].into();
        let kinds = vec![
            FaultKind::Answer { status: 429, headers: retry_after, body: String::new() },
            FaultKind::Answer { status: 503, headers: [].into(), body: "<html>busy</html>".into() },
            FaultKind::AnswerAfter { status: 500, body: "<html>error</html>".into() },
            FaultKind::DropBefore,
            FaultKind::DropAfter,
        ];
        Weather::new(seed, chance, kinds)
    }

    /// Nothing is answered but 503, or not at all.
    pub fn down(seed: u64) -> Arc<Self> {
        let busy = FaultKind::Answer { status: 503, headers: [].into(), body: "<html>down</html>".into() };
        Weather::new(seed, 1.0, vec![busy, FaultKind::DropBefore])
    }

    /// Requests that failed so far.
    pub fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }

    pub(crate) fn next(&self) -> Option<FaultKind> {
        let drawn = splitmix(self.draws.fetch_add(GOLDEN, Ordering::Relaxed));
        if drawn % 1_000_000 >= self.per_million {
            return None;
        }
        self.struck.fetch_add(1, Ordering::Relaxed);
        self.kinds.get((drawn >> 32) as usize % self.kinds.len().max(1)).cloned()
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One step of SplitMix64.
fn splitmix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_often_as_said_and_each_kind_alike() {
        let weather = Weather::mixed(7, 0.05);
        let mut seen = std::collections::BTreeMap::new();
        for kind in (0..100_000).filter_map(|_| weather.next()) {
            *seen.entry(format!("{kind:?}")).or_insert(0) += 1;
        }
        assert!((4_600..5_400).contains(&weather.struck()), "{}", weather.struck());
        assert_eq!(seen.len(), 5);
        assert!(seen.values().all(|n| (800..1_200).contains(n)), "{seen:?}");
    }

    #[test]
    fn one_seed_one_weather() {
        let drawn = |seed| {
            let weather = Weather::mixed(seed, 0.5);
            (0..50).map(|_| format!("{:?}", weather.next())).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
