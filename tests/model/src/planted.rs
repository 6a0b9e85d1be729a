//! Planted bugs, one at a time, until each is seen: a schedule counts only if it is clean without the bug.

use crate::{Invariant, Setting, run};
use mapping::CrmKind;
use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use sync::planted::{Bug, plant};

/// Bugs that few schedules show, and one that does, with nothing but these kinds of faults (`""`: with all): looked at
/// first. One that does not show it any more costs nothing but itself.
const RARE: &[(Bug, u64, &str)] = &[
    (Bug::AdoptionGivenUp, 5935, ""),
    (Bug::AcknowledgedBeforeStored, 1478, "queue-down"),
    (Bug::ActionUnread, 1842, "stale-page"),
    (Bug::AnswerSwallowsLists, 2386, "stale-page"),
    (Bug::ClaimedRowSkipped, 850, "late,not-sent"),
    (Bug::DeadWriteForgotten, 1788, "late,lost-answer,not-sent"),
    (Bug::DealGetsOwnReferral, 3334, "lost-answer,late,redelivery"),
    (Bug::ExpiryForgets, 414, "delta-expiry"),
    (Bug::FailedRowForgotten, 4918, ""),
    (Bug::ForbiddenDropped, 22, "hidden"),
    (Bug::GoneAtFirstSight, 8694097, ""),
    (Bug::GoneRowForgotten, 62, "delete"),
    (Bug::HalfNotRemembered, 11365, ""),
    (Bug::HiddenIsEmpty, 76, "webhook-lost"),
    (Bug::LeadNotLookedFor, 2385, "lost-answer,crash"),
    (Bug::ListSentBare, 74, "webhook-late"),
    (Bug::LookUpOnePage, 4, "lost-answer,webhook-lost,slow-index"),
    (Bug::NoClaim, 1230, "late"),
    (Bug::NobodyInvited, 5462, "stale-page"),
    (Bug::NoDealBelieved, 9366, "stale-read"),
    (Bug::NoSweepOverlap, 3781, "webhook-lost,stale-page"),
    (Bug::NoteNotOwed, 5337, "crash"),
    (Bug::NoteUnclaimed, 1647, "late"),
    (Bug::OldListBelieved, 160, "stale-page"),
    (Bug::OldPageBelieved, 8915, "stale-page"),
    (Bug::OlderBelieved, 3557, ""),
    (Bug::OlderThanFeed, 5526, "stale-read"),
    (Bug::OneRecordTwoReferrals, 76, "redelivery,double-tick"),
    (Bug::ParkedForgotten, 22, "rule"),
    (Bug::PostNotWrittenAhead, 358, "crash"),
    (Bug::RevivedByOldRead, 982, "stale-read,delete"),
    (Bug::IntentUnstoppable, 1685, "stale-page"),
    (Bug::ResumedFromRow, 1110, "redelivery"),
    (Bug::SecondPostEarly, 6578, ""),
    (Bug::SeenForgotten, 3557, ""),
    (Bug::SeenIsSettled, 864, "table-lost,bare-answer"),
    (Bug::StatusLeftBehind, 3666, ""),
    (Bug::StepIsTheEnd, 410, "crash"),
    (Bug::TerminalMoveNotWaiting, 7555, "rule"),
    (Bug::ClaimTakenOver, 1767, "late"),
    (Bug::UnknownIsLater, 5168, "lost-answer,late"),
    (Bug::RelatedDroppedByTime, 2053, "webhook-late"),
    (Bug::WaitingForgotten, 118, "rule"),
    (Bug::NoDailyRound, 3787, "webhook-lost"),
    (Bug::ListVersionTrusted, 1162, "late,crash,not-sent"),
    (Bug::ListedGivenUp, 3527, "hidden,webhook-lost"),
    (Bug::AnswerHidesLists, 2853, "bare-answer,lost-answer,stale-read"),
];

/// Rare bugs whose schedule has to be found anew: a run reads more than it did, so the same seed rolls other dice. Until
/// then a hunt that does not meet them says so and is no failure; whoever finds a schedule puts it into `RARE` and takes
/// the bug from here. `IntentForgotten` was last seen at 1974453, which does not show it any more.
pub const SOUGHT: &[Bug] = &[Bug::IntentForgotten];

/// Bugs that only versions of whole seconds show.
const BY_STAMP: &[Bug] = &[Bug::FreshIsCondition];

/// What became of one bug.
#[derive(Clone, Debug)]
pub struct Hunt {
    pub bug: Bug,
    /// How many schedules it took.
    pub schedules: u64,
    /// The schedule that shows it; `None`: it is alive.
    pub caught: Option<Caught>,
    /// Schedules that are broken without it as well.
    pub broken: Vec<u64>,
}

/// The schedule that shows a bug.
#[derive(Clone, Debug)]
pub struct Caught {
    pub seed: u64,
    /// With nothing but these kinds of faults; empty: with all that are allowed.
    pub only: &'static str,
    /// The invariant that trips first; `words` says how.
    pub invariant: Invariant,
    pub words: String,
    /// Every invariant that trips in the schedule.
    pub all: BTreeSet<Invariant>,
}

/// Runs the schedules from `first` on (each so manieth) with one bug planted, at most `most`; from the first of all on, a
/// rare bug's own before them.
pub fn hunt(bug: Bug, (first, every): (u64, u64), most: u64, setting: &Setting) -> Hunt {
    let mut hunt = Hunt { bug, schedules: 0, caught: None, broken: vec![] };
    let setting = match BY_STAMP.contains(&bug) {
        true => &Setting { crm: CrmKind::Salesforce, ..setting.clone() },
        false => setting,
    };
    let rare =
        RARE.iter().filter(|(rare, ..)| *rare == bug && first == 1).map(|(_, seed, only)| (*seed, *only));
    for (seed, only) in rare.chain((0..most).map(|n| (first + n * every, ""))) {
        let setting = setting.only(only);
        hunt.schedules += 1;
        plant(Some(bug));
        let violations = run(seed, &setting).violations;
        plant(None);
        let Some(violation) = violations.first() else { continue };
        if !run(seed, &setting).violations.is_empty() {
            hunt.broken.push(seed);
            continue;
        }
        hunt.caught = Some(Caught {
            seed,
            only,
            invariant: violation.invariant,
            words: violation.words.clone(),
            all: violations.iter().map(|v| v.invariant).collect(),
        });
        break;
    }
    hunt
}

/// All of these, several at a time; each as soon as it is known.
pub fn hunt_all(
    bugs: &[Bug],
    first: (u64, u64),
    most: u64,
    setting: &Setting,
    told: impl Fn(&Hunt) + Sync,
) -> Vec<Hunt> {
    let next = AtomicU64::new(0);
    let hunts: Mutex<Vec<(usize, Hunt)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = usize::try_from(next.fetch_add(1, Relaxed)).unwrap_or(usize::MAX);
                    let Some(bug) = bugs.get(n) else { return };
                    let hunt = hunt(*bug, first, most, setting);
                    told(&hunt);
                    hunts.lock().unwrap_or_else(PoisonError::into_inner).push((n, hunt));
                }
            });
        }
    });
    let mut hunts = hunts.into_inner().unwrap_or_else(PoisonError::into_inner);
    hunts.sort_by_key(|(n, _)| *n);
    hunts.into_iter().map(|(_, hunt)| hunt).collect()
}
