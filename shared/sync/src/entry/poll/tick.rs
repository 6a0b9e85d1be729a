//! One tick in work: its parts share its time, its report and the way to the queue.

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

/// One tick in work.
pub(super) struct Tick<'a> {
    /// Before anything was read.
    pub(super) began: Timestamp,
    /// The present part goes on until then.
    pub(super) until: Timestamp,
    pub(super) report: &'a mut Report,
}

impl Tick<'_> {
    /// Whether the part has used its share.
    pub(super) fn is_over<P: Ports>(&self, run: &Run<'_, P>) -> bool {
        run.now() > self.until
    }
}

/// How far a part came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// To the end of what there was.
    Through,
    /// Its time was up; where it is, is saved.
    PartWay,
}

/// Everybody would meet it. What only one row meets is that row's, what only one feed meets that feed's.
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
