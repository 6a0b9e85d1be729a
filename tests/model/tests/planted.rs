//! The planted bugs that a few schedules show, so that every change of the model is asked whether it still sees.
//! All of them: `cargo run --release --example model -- --planted-bugs`.

use mapping::CrmKind;
use model::{Invariant, Setting, faults::Allowed, planted::hunt};
use sync::planted::Bug;

/// More than enough for each of these, and few enough for every build.
const MOST: u64 = 400;

fn tripped_by(bug: Bug) -> Invariant {
    let setting = Setting { allowed: Allowed::new(true), crm: CrmKind::Dynamics365, trace: false };
    let hunt = hunt(bug, (1, 1), MOST, &setting);
    assert_eq!(hunt.broken, Vec::<u64>::new(), "schedules that are broken without `{bug:?}`");
    hunt.caught.unwrap_or_else(|| panic!("`{bug:?}` is not seen: {}", bug.sentence())).invariant
}

#[test]
fn edits_before_acceptance_are_seen() {
    assert_eq!(tripped_by(Bug::EditsBeforeAcceptance), Invariant::Accepted);
}

#[test]
fn a_conflict_without_a_word_is_seen() {
    assert_eq!(tripped_by(Bug::ConflictWithoutBase), Invariant::Unseen);
}

#[test]
fn our_own_referral_taken_for_a_strangers_is_seen() {
    assert_eq!(tripped_by(Bug::OwnReferralIsStranger), Invariant::OneRecord);
}

#[test]
fn writes_while_sync_is_no_are_seen() {
    assert_eq!(tripped_by(Bug::StopIgnored), Invariant::Sync);
}
