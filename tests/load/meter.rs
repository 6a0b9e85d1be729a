//! Counts every request to the vendors as it happens: a storm is too long for a log.

use local::world::{World, is_write};
use simulators::server::Logged;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

#[derive(Default)]
pub(crate) struct Meter {
    calls: AtomicU64,
    crm_calls: AtomicU64,
    writes: AtomicU64,
    changes: AtomicU64,
    hot: Mutex<Option<String>>,
    hot_reads: AtomicU64,
    unknown: Mutex<Option<String>>,
}

impl Meter {
    /// Watches all systems of a world from now on.
    pub(crate) fn watch(world: &World) -> Arc<Self> {
        let meter = Arc::new(Meter::default());
        let told = |crm: bool| {
            let meter = meter.clone();
            move |log: &Logged| meter.vendor(log, crm)
        };
        world.partner_center.watch(told(false));
        world.dataverse.watch(told(true));
        let told = || {
            let meter = meter.clone();
            move |log: &Logged| meter.known(log)
        };
        world.login.watch(told());
        world.aws.watch(told());
        meter
    }

    fn known(&self, log: &Logged) {
        if log.status == 501 {
            let words = format!("a simulator did not know this request: {}", log.answer);
            self.unknown.lock().expect("unknown").get_or_insert(words);
        }
    }

    fn vendor(&self, log: &Logged, crm: bool) {
        self.known(log);
        // As in the budget: look-ups of currencies apart; the certificate is the ingress's.
        if log.route.contains("cert/")
            || log.route.contains("issuers/")
            || log.route.contains("transactioncurrencies")
        {
            return;
        }
        self.calls.fetch_add(1, Relaxed);
        self.crm_calls.fetch_add(u64::from(crm), Relaxed);
        if is_write(log) {
            self.writes.fetch_add(1, Relaxed);
            let happened = log.committed && !(400..500).contains(&log.status);
            self.changes.fetch_add(u64::from(happened), Relaxed);
        } else if self.hot.lock().expect("hot").as_ref().is_some_and(|id| log.path.contains(id.as_str())) {
            self.hot_reads.fetch_add(1, Relaxed);
        }
    }

    /// Reads of this referral are counted from now on.
    pub(crate) fn follow(&self, referral: &str) {
        *self.hot.lock().expect("hot") = Some(referral.to_owned());
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    pub(crate) fn crm_calls(&self) -> u64 {
        self.crm_calls.load(Relaxed)
    }

    /// Writes sent to a vendor, whatever came of them.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// Writes that a vendor carried out.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Relaxed)
    }

    /// Reads of the followed referral; `None`: none is followed.
    pub(crate) fn hot_reads(&self) -> Option<u64> {
        self.hot.lock().expect("hot").as_ref().map(|_| self.hot_reads.load(Relaxed))
    }

    pub(crate) fn unknown(&self) -> Option<String> {
        self.unknown.lock().expect("unknown").clone()
    }
}
