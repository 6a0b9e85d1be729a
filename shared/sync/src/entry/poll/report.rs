//! What a tick has done.

use jiff::SignedDuration;

/// What a tick has done, for its log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many rows the CRM's feeds returned.
    pub rows: u32,
    /// How many rows were settled or created in this run.
    pub settled: u32,
    /// How many referrals the sweep has listed.
    pub listed: u32,
    /// How many of them had a change that no webhook had reported, or that was not settled yet.
    pub found: u32,
    /// The age of the oldest of these changes.
    pub lag: SignedDuration,
    /// How many hints were sent: by the sweep, for parked items, for rows that need another look.
    pub hints: u32,
    /// The outcome of each row: record id, decision, reason.
    pub decisions: Vec<(String, String, String)>,
    /// The parts that this run had no time left for: the next tick continues with them.
    pub unfinished: Vec<&'static str>,
    /// Why the run stopped early, or which of its parts failed.
    pub stopped: Option<String>,
}
