//! What a tick did.

use jiff::SignedDuration;

/// What a run did, for its log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the CRM's feeds.
    pub rows: u32,
    /// Rows settled or created here.
    pub settled: u32,
    /// Referrals listed by the sweep.
    pub listed: u32,
    /// Referrals whose change no webhook had told, or not brought to its end yet.
    pub found: u32,
    /// How old the oldest of these changes is.
    pub lag: SignedDuration,
    /// Hints sent: by the sweep, for parked items, for rows that need another look.
    pub hints: u32,
    /// What each row came to: record or referral id, decision, reason.
    pub decisions: Vec<(String, String, String)>,
    /// The parts that this run had no time left for: they go on at the next tick where they are.
    pub unfinished: Vec<&'static str>,
    /// Why the run stopped early, or which of its parts failed.
    pub stopped: Option<String>,
}
