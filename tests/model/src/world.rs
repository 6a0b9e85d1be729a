//! The shared state of one schedule: both vendors, table, queue, clock. Ports lock it between awaits only.

use crate::{
    crm::Dataverse,
    dice::Dice,
    faults::{Faults, Kind},
    invariant::{Invariant, Violation},
    late::Late,
    ledger::Ledger,
    partner_center::Center,
    queue::Queue,
    table::Table,
    trace::Trace,
};
use jiff::{SignedDuration, Timestamp};
use mapping::Map;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use sync::{
    failure::{Class, Failure, System},
    ports::{Clock, Ports},
    run::{Run, Settings},
};

/// Our organisation in Partner Center.
pub(crate) const OURS: &str = "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10";
/// The longest a sent request may still land after its sender died, plus ...
pub(crate) const LANDS: i64 = 120;
/// ... how far a replica lags, stay below the grace period.
pub(crate) const LAGS: i64 = 50;
/// The `GraceSeconds` of `template.yaml`, as it is by default.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_secs(180);

pub(crate) struct World {
    pub(crate) settings: Settings,
    /// A small world: what happens after a call and before the next is one step.
    small: bool,
    state: Mutex<State>,
}

/// Everything that changes while a schedule runs.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    /// As an administrator has set it; every run keeps the one it began with.
    pub(crate) map: &'static Map,
    /// Since when it is another one.
    pub(crate) remapped: Option<Timestamp>,
    pub(crate) center: Center,
    pub(crate) crm: Dataverse,
    pub(crate) table: Table,
    pub(crate) queue: Queue,
    pub(crate) late: Vec<Late>,
    pub(crate) ledger: Ledger,
    pub(crate) trace: Trace,
    pub(crate) runs: Running,
    pub(crate) counts: Counts,
    /// What is broken, in words.
    pub(crate) violations: Vec<Violation>,
    /// What every task has seen so far, as digests, for a small world's states.
    pub(crate) next_id: u64,
}

/// The run that is being polled.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) name: Arc<str>,
    pub(crate) ends: Timestamp,
    pub(crate) skew: SignedDuration,
    /// Digest of what it saw.
    pub(crate) seen: u64,
    /// How much people had done when it began.
    pub(crate) edits: u32,
}

/// Calls by the connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) reads: u32,
    pub(crate) writes: u32,
    pub(crate) table_reads: u32,
    pub(crate) commits: u32,
    pub(crate) ticks: u32,
    pub(crate) received: u32,
    /// What people did to deals, on both sides: no calls.
    pub(crate) edits: u32,
}

/// How a write will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    LostAnswer,
    NotSent,
    Late,
    Throttled,
    Refused,
    Race,
}

impl World {
    pub(crate) fn new(map: &'static Map, dice: Dice, faults: Faults, trace: bool) -> Self {
        let small = dice.is_script();
        let now = Timestamp::constant(1_774_000_000, 0);
        let settings = Settings {
            organization: OURS.to_owned(),
            grace: GRACE,
            audit_kept: SignedDuration::from_hours(24 * 400),
            writes: true,
            strangers: Arc::default(),
        };
        let state = State {
            now,
            dice,
            faults,
            map,
            remapped: None,
            center: Center::default(),
            crm: Dataverse::default(),
            table: Table::default(),
            queue: Queue::default(),
            late: vec![],
            ledger: Ledger::default(),
            trace: Trace { on: trace, lines: vec![] },
            runs: Running { name: "world".into(), ends: now, skew: SignedDuration::ZERO, seen: 0, edits: 0 },
            counts: Counts::default(),
            violations: vec![],
            next_id: 0,
        };
        World { settings, small, state: Mutex::new(state) }
    }

    /// Another world that goes on from here with other dice.
    pub(crate) fn again(&self, dice: Dice) -> Self {
        let (small, state) = (dice.is_script(), State { dice, ..self.lock().clone() });
        World { settings: self.settings.clone(), small, state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every choice counts here.
    pub(crate) fn is_small(&self) -> bool {
        self.small
    }

    /// After a call. What follows touches nothing that others see, so in a small world the next call's step is enough.
    pub(crate) async fn after(&self) {
        if !self.small {
            crate::step::step().await;
        }
    }

    pub(crate) fn run(&self, ends: Timestamp, attempt: u32) -> Run<'_, World> {
        let map = self.lock().map;
        Run { ports: self, map, settings: &self.settings, ends, attempt }
    }
}

impl State {
    pub(crate) fn violate(&mut self, invariant: Invariant, words: String) {
        let violation = Violation { invariant, words };
        crate::trace::say!(self, "VIOLATION", "{violation}");
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    pub(crate) fn strikes(&mut self, kind: Kind) -> bool {
        self.faults.strikes(kind, &mut self.dice)
    }

    /// A GUID that no schedule of this seed gave before.
    pub(crate) fn guid(&mut self, what: &str) -> String {
        self.next_id += 1;
        let name = format!("{what}{}", self.next_id);
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).hyphenated().to_string()
    }

    /// As of when a read shows the world.
    pub(crate) fn view(&mut self, kind: Kind) -> Timestamp {
        match self.strikes(kind) {
            true => self.now - SignedDuration::from_millis(self.dice.between(1, LAGS * 1000)),
            false => self.now,
        }
    }

    /// A read that fails.
    pub(crate) fn read_fails(&mut self, system: System, what: &str) -> Result<(), Failure> {
        self.counts.reads += 1;
        let failure = |after: Option<i64>, wide: bool, text: &str| Failure {
            system,
            operation: what.to_owned(),
            class: Class::Retryable { after: after.map(SignedDuration::from_secs) },
            wide,
            text: text.to_owned(),
        };
        if self.strikes(Kind::Throttle) {
            crate::trace::say!(self, self.runs.name, "{what}: 429");
            return Err(failure(Some(20), true, "429"));
        }
        if self.strikes(Kind::Outage) {
            let wide = self.dice.below(2) == 0;
            crate::trace::say!(self, self.runs.name, "{what}: 5xx");
            return Err(failure(None, wide, "5xx"));
        }
        Ok(())
    }

    /// How a write will go.
    pub(crate) fn fate(&mut self) -> Fate {
        self.counts.writes += 1;
        let kinds = [
            (Kind::Throttle, Fate::Throttled),
            (Kind::NotSent, Fate::NotSent),
            (Kind::Late, Fate::Late),
            (Kind::Refusal, Fate::Refused),
            (Kind::Race, Fate::Race),
            (Kind::LostAnswer, Fate::LostAnswer),
        ];
        kinds.into_iter().find(|(kind, _)| self.strikes(*kind)).map_or(Fate::Fine, |(_, fate)| fate)
    }

    /// When a late write lands.
    pub(crate) fn lands(&mut self) -> Timestamp {
        let last = (self.runs.ends - self.now).get_seconds().max(0) + LANDS;
        self.now + SignedDuration::from_millis(self.dice.between(1, last * 1000 - 1))
    }

    /// Remembers what the present run saw.
    pub(crate) fn saw(&mut self, what: &dyn std::fmt::Debug) {
        if self.dice.is_script() {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            (self.runs.seen, format!("{what:?}")).hash(&mut hasher);
            self.runs.seen = hasher.finish();
        }
    }
}

/// A failure after which nobody knows.
pub(crate) fn unknown(system: System, what: &str) -> Failure {
    Failure::later(system, what, "the answer never came")
}

/// 429 for a write.
pub(crate) fn throttled(system: System, what: &str) -> Failure {
    Failure {
        system,
        operation: what.to_owned(),
        class: Class::Retryable { after: Some(SignedDuration::from_secs(20)) },
        wide: true,
        text: "429".to_owned(),
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let state = self.lock();
        state.now + state.runs.skew
    }
}

impl Ports for World {
    type Referrals = World;
    type Crm = World;
    type Links = World;
    type Hints = World;
    type Clock = World;
    fn referrals(&self) -> &World {
        self
    }
    fn crm(&self) -> &World {
        self
    }
    fn links(&self) -> &World {
        self
    }
    fn hints(&self) -> &World {
        self
    }
    fn clock(&self) -> &World {
        self
    }
}
