//! Calls and bytes, counted where they arrive.

use serde::Serialize;
use simulators::server::Logged;
use std::{
    ops::AddAssign,
    sync::{Arc, Mutex},
};

/// What was called since it was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Calls of Partner Center and the CRM; tokens, the certificate and look-ups of currencies apart.
    pub(crate) outside: u64,
    /// Those of them that went to the CRM.
    pub(crate) crm: u64,
    /// Bytes of these, both ways: line, headers as received, bodies.
    pub(crate) outside_bytes: u64,
    /// Calls that read the table.
    pub(crate) table_reads: u64,
    /// Calls that write it, of one item or several together.
    pub(crate) table_writes: u64,
    /// Bytes of these, both ways, bodies only.
    pub(crate) table_bytes: u64,
    /// What DynamoDB charges for reads: 4 KB of an item, consistently read. Items are measured as JSON: a bit too long.
    pub(crate) read_units: u64,
    /// What it charges for writes: 1 KB of an item, twice that in a transaction.
    pub(crate) write_units: u64,
    /// Calls of SQS; a batch is one.
    pub(crate) queue: u64,
    /// Calls of Secrets Manager.
    pub(crate) secrets: u64,
    /// Calls of the sign-in endpoints, which answer tokens.
    pub(crate) tokens: u64,
    /// Bytes written to the log.
    pub(crate) log_bytes: u64,
    /// Requests that a simulator did not know.
    pub(crate) unknown: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.outside += more.outside;
        self.crm += more.crm;
        self.outside_bytes += more.outside_bytes;
        self.table_reads += more.table_reads;
        self.table_writes += more.table_writes;
        self.table_bytes += more.table_bytes;
        self.read_units += more.read_units;
        self.write_units += more.write_units;
        self.queue += more.queue;
        self.secrets += more.secrets;
        self.tokens += more.tokens;
        self.log_bytes += more.log_bytes;
        self.unknown += more.unknown;
    }
}

/// Shared by everything that counts.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// What was counted, and begins again.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.0.lock().expect("tally"))
    }

    pub(crate) fn add(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().expect("tally"));
    }

    pub(crate) fn vendor(&self, log: &Logged, crm: bool) {
        if log.route.contains("cert/") || log.route.contains("transactioncurrencies") {
            return;
        }
        let headers: usize = log.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let bytes = log.method.len() + log.path.len() + log.query.len() + headers;
        let bytes = bytes + log.body.len() + log.answer.len();
        self.known(log);
        self.add(|counts| {
            counts.outside += 1;
            counts.crm += u64::from(crm);
            counts.outside_bytes += bytes as u64;
        });
    }

    pub(crate) fn aws(&self, log: &Logged) {
        self.known(log);
        let secret = log.route.starts_with("secretsmanager");
        self.add(|counts| *(if secret { &mut counts.secrets } else { &mut counts.queue }) += 1);
    }

    pub(crate) fn login(&self, log: &Logged) {
        self.known(log);
        self.add(|counts| counts.tokens += 1);
    }

    fn known(&self, log: &Logged) {
        if log.status == 501 {
            eprintln!("a simulator did not know this request: {}", log.answer);
            self.add(|counts| counts.unknown += 1);
        }
    }
}
