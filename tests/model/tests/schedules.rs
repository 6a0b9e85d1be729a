//! The model itself: deterministic, without violations, and the small world is walked through whole.

use mapping::CrmKind;
use model::{
    Setting,
    exhaustive::{KINDS, Small, explore},
    faults::Allowed,
    run,
};

/// Seeds that once showed a fault of the protocol, or of what judges it.
const FOUND: [u64; 71] = [
    31, 874, 2285, 3882, 22958, 28017, 45968, 47469, 49248, 54926, 86139, 92155, 100244, 125891, 143117,
    143991, 155681, 199623, 208598, 226564, 233882, 343998, 356332, 407341, 412420, 472713, 489555, 538259,
    646300, 1139019, 1555616, 34994, 656394, 686614, 697867, 760468, 1146649, 582, 1473, 2214, 3224, 7830,
    11110, 29345, 76143, 84166, 231459, 128657, 339656, 619126, 673374, 718232, 725974, 1057430, 1240918,
    1298614, 1369624, 1968742, 2216552, 2347605, 2378632, 2604566, 3095174, 4814607, 6113556, 6378614,
    6415238, 6726176, 7731058, 8500758, 8694097,
];

/// And those that showed one with nothing but these kinds of faults.
const FOUND_WITH: [(u64, &str); 6] = [
    (14784, "stale-read"),
    (5958, "stale-read"),
    (95173, "webhook-lost,stale-page"),
    (113365, "webhook-lost,stale-page"),
    (29217, "crash,lost-answer"),
    (29633, "crash,lost-answer"),
];

fn setting(trace: bool) -> Setting {
    Setting { allowed: Allowed::new(true), crm: CrmKind::Dynamics365, trace }
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    for seed in 1..6 {
        let (one, other) = (run(seed, &setting(true)), run(seed, &setting(true)));
        assert!(one.trace.len() > 20, "seed {seed}: nothing happened");
        assert_eq!(one.trace, other.trace, "seed {seed}");
    }
}

#[test]
fn hostile_schedules_lose_nothing() {
    let any = (1..200).chain(FOUND).map(|seed| (seed, ""));
    for (seed, only) in any.chain(FOUND_WITH) {
        let outcome = run(seed, &setting(false).only(only));
        assert!(outcome.violations.is_empty(), "seed {seed} {only}: {:?}", outcome.violations);
    }
}

#[test]
fn hostile_schedules_lose_nothing_where_versions_are_seconds() {
    for seed in 1..100 {
        let outcome = run(seed, &Setting { crm: CrmKind::Salesforce, ..setting(false) });
        assert!(outcome.linked > 0 || outcome.acts > 0, "seed {seed}: nothing happened");
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
    }
}

#[test]
fn schedules_do_what_they_are_for() {
    let outcomes: Vec<_> = (1..60).map(|seed| run(seed, &setting(false))).collect();
    let sum = |of: fn(&model::Outcome) -> u32| outcomes.iter().map(of).sum::<u32>();
    assert!(sum(|o| o.linked) > 40, "too few deals are linked");
    assert!(sum(|o| o.faults) > 100, "too few faults strike");
    assert!(sum(|o| o.acts) > 200, "people do too little");
}

#[test]
fn a_small_world_is_whole() {
    let mut allowed = Allowed::new(false);
    KINDS.iter().for_each(|kind| allowed.set(kind.word(), true).expect("its own word"));
    let report = explore(&Small { edits: 1, faults: 0, ticks: 0, allowed, most: 0 });
    assert!(report.whole && report.broken.is_empty(), "{report:?}");
    assert!(report.states > 100 && report.ends > 20, "{report:?}");
}
