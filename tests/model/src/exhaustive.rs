//! A small world, whole: one linked deal, two fields, a few edits a side, a few faults, and every order of what may
//! happen. The same schedule is run again up to each choice and takes the next way there; a state that was seen before
//! is not followed twice.

mod walk;

use crate::faults::{Allowed, Kind};
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};
use walk::{Start, Way, walk};

/// How small.
#[derive(Clone, Debug)]
pub struct Small {
    /// Edits on each side.
    pub edits: u32,
    /// Faults in all.
    pub faults: u32,
    /// Ticks of the poller before everything calms down.
    pub ticks: u32,
    /// Kinds of faults.
    pub allowed: Allowed,
    /// Give up after so many states; 0: never.
    pub most: usize,
}

/// What was walked through.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// Ways from one state to the next.
    pub ways: usize,
    /// Ends that were checked.
    pub ends: usize,
    /// The longest way.
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
    seen: Mutex<HashSet<u64>>,
    open: Mutex<(Vec<Vec<u8>>, usize)>,
    report: Mutex<Report>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Walks through all of it, on every core.
pub fn explore(small: &Small) -> Report {
    let shared = Shared {
        seen: Mutex::default(),
        open: Mutex::new((vec![vec![]], 0)),
        report: Mutex::new(Report { whole: true, ..Report::default() }),
    };
    let walkers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..walkers {
            scope.spawn(|| walker(small, &shared));
        }
    });
    let mut report = std::mem::take(&mut *held(&shared.report));
    report.states = held(&shared.seen).len();
    report
}

fn walker(small: &Small, shared: &Shared) {
    let start = Start::new(small, false);
    loop {
        let way = {
            let mut open = held(&shared.open);
            match open.0.pop() {
                Some(way) => {
                    open.1 += 1;
                    way
                }
                None if open.1 == 0 => return,
                None => {
                    drop(open);
                    std::thread::yield_now();
                    continue;
                }
            }
        };
        let given = way.len();
        let path = way.iter().map(|chosen| (usize::from(*chosen), usize::MAX)).collect();
        let (end, taken, violations, _) = walk(small, &start, path, Some(&shared.seen));
        let chosen: Vec<u8> = taken.iter().map(|(chosen, _)| *chosen as u8).collect();
        let enough = small.most > 0 && held(&shared.seen).len() >= small.most;
        {
            // Every choice that was met for the first time has other ways.
            let mut open = held(&shared.open);
            for (n, (_, of)) in taken.iter().enumerate().skip(given) {
                for other in 1..*of {
                    let mut way = chosen[..n].to_vec();
                    way.push(other as u8);
                    open.0.push(way);
                }
            }
            open.1 -= 1;
            if enough {
                open.0.clear();
            }
        }
        let mut report = held(&shared.report);
        report.ways += 1;
        report.whole &= !enough;
        report.longest = report.longest.max(taken.len());
        report.ends += usize::from(matches!(end, Way::End));
        for words in violations {
            if report.broken.len() < 20 && !report.broken.iter().any(|(known, _)| *known == words) {
                report.broken.push((words, taken.iter().map(|(chosen, _)| *chosen).collect()));
            }
        }
    }
}

/// One way again, in words.
pub fn replay(small: &Small, choices: &[usize]) -> (Vec<String>, Vec<String>) {
    // Of how many is not known here; it does not matter where the choice is given.
    let path = choices.iter().map(|chosen| (*chosen, usize::MAX)).collect();
    let (_, _, violations, trace) = walk(small, &Start::new(small, true), path, None);
    (violations, trace)
}
