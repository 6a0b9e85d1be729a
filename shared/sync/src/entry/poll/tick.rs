//! One tick: its parts share its time, its report and the way to the queue.

use super::report::Report;
use crate::{
    planted::{self, Bug},
    ports::{Hints, Ports},
    rows::run::Run,
    state::{
        failure::{Failure, System},
        hint::Hint,
    },
};
use jiff::Timestamp;

/// A tick that is under way.
pub(super) struct Tick<'a> {
    /// When the tick began, before anything was read.
    pub(super) began: Timestamp,
    /// Until when the present part may work.
    pub(super) until: Timestamp,
    pub(super) report: &'a mut Report,
}

impl Tick<'_> {
    /// Whether the present part has used up its share.
    pub(super) fn is_over<P: Ports>(&self, run: &Run<'_, P>) -> bool {
        run.now() > self.until
    }
}

/// How far a part has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing of it is left for this tick.
    Through,
    /// Its time was up; how far it came is saved.
    PartWay,
}

/// Whether every row would meet the failure. A failure of one row or one feed does not stop the others.
pub(super) fn stops_a_run(failure: &Failure) -> bool {
    failure.wide || failure.is_retryable() && matches!(failure.system, System::Table | System::Queue)
}

/// Sends hints, and counts them.
pub(super) async fn send<P: Ports>(
    run: &Run<'_, P>,
    hints: &[Hint],
    report: &mut Report,
) -> Result<(), Failure> {
    report.hints += u32::try_from(hints.len()).unwrap_or(u32::MAX);
    if hints.is_empty() {
        return Ok(());
    }
    let sent = run.ports.hints().send(hints).await;
    if planted::is(Bug::AcknowledgedBeforeStored) { Ok(()) } else { sent }
}
