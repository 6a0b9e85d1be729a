//! A small world, whole: one linked deal, two fields, a few edits a side, a few faults, and every order of what may
//! happen. The same schedule is run again up to each choice and takes the next way there; a state that was seen before
//! is not followed twice.

mod walk;

use crate::faults::{Allowed, Kind};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use walk::{Point, Way, walk};

/// The bounds of a small world: they keep its states few enough to walk through all of them.
#[derive(Clone, Debug)]
pub struct Small {
    /// Edits on each side.
    pub edits: u32,
    /// Faults on one way, of all kinds together.
    pub faults: u32,
    /// Ticks of the poller before everything calms down.
    pub ticks: u32,
    pub allowed: Allowed,
    /// Give up after so many states; 0: never.
    pub most: usize,
}

/// What was walked through.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// States that were reached, each counted once.
    pub states: usize,
    /// Ways from one state to the next.
    pub ways: usize,
    /// Ends that were checked.
    pub ends: usize,
    /// Choices on the longest way from the beginning.
    pub longest: usize,
    /// All of it was walked through.
    pub whole: bool,
    /// What is broken, and the choices that lead there.
    pub broken: Vec<(String, Vec<usize>)>,
}

/// Faults that a small world knows.
pub const KINDS: [Kind; 7] = [
    Kind::Crash,
    Kind::LostAnswer,
    Kind::NotSent,
    Kind::Late,
    Kind::Race,
    Kind::TableLost,
    Kind::WebhookLost,
];

/// What the walkers share: states seen, ways not taken yet, how many are on their way.
struct Shared {
    seen: Seen,
    open: Mutex<Open>,
    report: Mutex<Report>,
}

/// Ways not taken yet, each from a state in which nobody was at work, and how many walkers are on their way.
#[derive(Default)]
struct Open {
    ways: Vec<(Arc<Point>, Vec<u8>)>,
    walking: usize,
}

/// States seen, as digests.
#[derive(Default)]
struct Seen(Mutex<HashSet<u64>>);

impl Seen {
    fn is_new(&self, digest: u64) -> bool {
        held(&self.0).insert(digest)
    }

    fn count(&self) -> usize {
        held(&self.0).len()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Walks through all of it, on every core.
pub fn explore(small: &Small) -> Report {
    let shared = Shared {
        seen: Seen::default(),
        open: Mutex::new(Open { ways: vec![(Point::first(small, false), vec![])], walking: 0 }),
        report: Mutex::new(Report { whole: true, ..Report::default() }),
    };
    let walkers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..walkers {
            scope.spawn(|| walker(small, &shared));
        }
    });
    let mut report = std::mem::take(&mut *held(&shared.report));
    report.states = shared.seen.count();
    report
}

fn walker(small: &Small, shared: &Shared) {
    loop {
        let (point, given) = {
            let mut open = held(&shared.open);
            match open.ways.pop() {
                Some(way) => {
                    open.walking += 1;
                    way
                }
                None if open.walking == 0 => return,
                None => {
                    drop(open);
                    std::thread::yield_now();
                    continue;
                }
            }
        };
        let walked = walk(&point, script(&given), Some(&shared.seen));
        let chosen: Vec<u8> = walked.path.iter().map(|(chosen, _)| *chosen as u8).collect();
        let enough = small.most > 0 && shared.seen.count() >= small.most;
        {
            // Every choice that was met for the first time has other ways.
            let mut open = held(&shared.open);
            for (n, (_, of)) in walked.path.iter().enumerate().skip(given.len()) {
                let last = walked.points.iter().rev().find(|(at, _)| *at <= n);
                let Some((at, point)) = last else { continue };
                for other in 1..*of {
                    let mut way = chosen[*at..n].to_vec();
                    way.push(other as u8);
                    open.ways.push((point.clone(), way));
                }
            }
            open.walking -= 1;
            if enough {
                open.ways.clear();
            }
        }
        let mut report = held(&shared.report);
        report.ways += 1;
        report.whole &= !enough;
        report.longest = report.longest.max(point.chosen.len() + chosen.len());
        report.ends += usize::from(matches!(walked.way, Way::End));
        for words in walked.violations {
            if report.broken.len() < 20 && !report.broken.iter().any(|(known, _)| *known == words) {
                let all = point.chosen.iter().chain(&chosen).map(|chosen| usize::from(*chosen));
                report.broken.push((words, all.collect()));
            }
        }
    }
}

/// One way again, in words.
pub fn replay(small: &Small, choices: &[usize]) -> (Vec<String>, Vec<String>) {
    let choices: Vec<u8> = choices.iter().map(|chosen| *chosen as u8).collect();
    let walked = walk(&Point::first(small, true), script(&choices), None);
    (walked.violations, walked.trace)
}

/// Of how many is not known here; it does not matter where the choice is given.
fn script(choices: &[u8]) -> Vec<(usize, usize)> {
    choices.iter().map(|chosen| (usize::from(*chosen), usize::MAX)).collect()
}
