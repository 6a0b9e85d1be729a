//! One schedule from its seed: set-up, storm, calm, silence, verdict.

use crate::{
    crm::{COPIES, OTHER_NOTES},
    dice::Dice,
    executor::Executor,
    faults::{Allowed, Faults, Kind},
    invariant::{Invariant, Violation},
    invariants,
    world::World,
};
use jiff::SignedDuration;
use mapping::{CrmKind, Map};
use std::sync::LazyLock;

/// What may happen in a schedule.
#[derive(Clone, Debug)]
pub struct Setting {
    pub allowed: Allowed,
    /// Whose versions and feeds the CRM has.
    pub crm: CrmKind,
    /// Keep the schedule in words.
    pub trace: bool,
}

impl Setting {
    /// The same with nothing but these kinds of faults, which must be known; as it is if none is named.
    pub fn only(&self, kinds: &str) -> Self {
        let mut only = self.clone();
        if !kinds.is_empty() {
            only.allowed = Allowed::only(kinds).expect("known kinds of faults");
        }
        only
    }
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub violations: Vec<Violation>,
    /// The schedule in words, if wanted.
    pub trace: Vec<String>,
    /// Steps of the executor.
    pub steps: u32,
    /// What people did to deals, on both sides together.
    pub acts: u32,
    pub faults: u32,
    /// Calls to the outside.
    pub calls: u32,
    /// Deals linked at the end.
    pub linked: u32,
}

/// What sort of schedule a seed is, whatever its dice say: what is added here leaves the others as they were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sort {
    /// With the whole default map, not a lean one: converting is most of the work.
    whole: bool,
    /// Nobody looks at every deal once a day, so that nothing else leans on it; the poller is busier instead, and deals
    /// come in at any time.
    pub(crate) roundless: bool,
    /// ... and what comes in names a deal that asks Microsoft for help and waits for acceptance.
    pub(crate) asks: bool,
    /// Microsoft sends leads, too.
    pub(crate) leads: bool,
    /// ... which we convert as Salesforce does: without a version, and with values of its own.
    converts: bool,
    /// What Microsoft says is noted at the record, and it says more.
    pub(crate) notes: bool,
    /// What changed is taken from a page of the list, as if many had changed at once.
    pub(crate) listed: bool,
    /// An administrator moves the notes to another column, which is empty.
    pub(crate) remaps: bool,
    /// The CRM's versions are stamps of whole seconds: Salesforce.
    pub(crate) stamps: bool,
}

impl Sort {
    fn of(seed: u64, crm: CrmKind) -> Self {
        let stamps = crm == CrmKind::Salesforce;
        Sort {
            whole: seed.is_multiple_of(8),
            roundless: matches!(seed % 16, 5 | 6),
            asks: seed % 64 == 53,
            leads: !stamps && matches!(seed % 16, 1 | 6 | 8 | 15),
            converts: !stamps && matches!(seed % 32, 8 | 17 | 22),
            notes: matches!(seed % 16, 7 | 9 | 15),
            listed: matches!(seed % 16, 3 | 13),
            remaps: seed % 16 == 11,
            stamps,
        }
    }

    fn map(self) -> &'static Map {
        match self {
            Sort { roundless: true, .. } => &ROUNDLESS,
            Sort { notes: true, .. } => &NOTED,
            Sort { whole: true, .. } => &WHOLE,
            _ => &LEAN,
        }
    }
}

/// The default map without what only a new deal carries.
pub(crate) static LEAN: LazyLock<Map> = LazyLock::new(|| lean("microsoft_note = false"));
/// The same with the notes in another column.
pub(crate) static REMAPPED: LazyLock<Map> = LazyLock::new(|| {
    laid_over(&format!("{}[fields.notes]\ncrm = \"{OTHER_NOTES}\"\n", lean_text("microsoft_note = false")))
});
static ROUNDLESS: LazyLock<Map> = LazyLock::new(|| lean("microsoft_note = false\ndaily_engagements = false"));
static NOTED: LazyLock<Map> = LazyLock::new(|| lean("microsoft_note = true"));
static WHOLE: LazyLock<Map> = LazyLock::new(|| laid_over("[switches]\nmicrosoft_note = false\n"));

fn lean(switches: &str) -> Map {
    laid_over(&lean_text(switches))
}

fn lean_text(switches: &str) -> String {
    let off = ["marketplace_intent", "qualification", "referral_link"];
    let members = ["line1", "line2", "city", "state", "postal_code"];
    let consents = ["consent_to_share", "consent_to_contact", "consent_to_contact_partners"];
    let rules = off.iter().chain(&members).chain(&consents);
    let toml: String = rules.map(|name| format!("[fields.{name}]\noff = true\n")).collect();
    format!("[switches]\n{switches}\n{toml}")
}

fn laid_over(toml: &str) -> Map {
    Map::with_override(CrmKind::Dynamics365, toml).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Ticks after the storm, each so many minutes after the last: parked things are tried after 15 min, 1 h, 6 h, a day.
const CALM: [i64; 6] = [6, 16, 61, 365, 1445, 1445];

/// Runs the schedule of a seed.
pub fn run(seed: u64, setting: &Setting) -> Outcome {
    let mut dice = Dice::seeded(seed);
    let sort = Sort::of(seed, setting.crm);
    let faults = Faults::of(&setting.allowed, &mut dice, sort);
    let world = World::new(sort.map(), dice, faults, setting.trace);
    {
        let mut state = world.lock();
        state.faults.on = false;
        let (hides, appears, sibling) =
            (state.dice.chance(300), state.dice.chance(200), state.dice.chance(500));
        state.center.hides = hides;
        state.center.narrow = state.dice.chance(300);
        state.center.appears = appears;
        state.center.sibling_id = sibling;
        if sort.leads {
            state.crm.copies = COPIES[state.dice.below(COPIES.len())];
            state.crm.converts = sort.converts;
        }
    }
    let mut executor = Executor::new(&world);
    // The first start only sets the marks.
    executor.rest(1);
    executor.rest(1);
    let (acts, deals) = {
        let mut state = world.lock();
        state.now += SignedDuration::from_mins(1);
        state.faults.on = true;
        // A crowd fills more than one page.
        let deals = if state.dice.chance(150) { 4 } else { 1 + state.dice.below(2) };
        let more = if sort.asks {
            24
        } else if sort.roundless {
            6
        } else {
            0
        };
        (2 + more + state.dice.below(9) as u32, deals)
    };
    for _ in 0..deals {
        let mut state = world.lock();
        if sort.asks {
            state.deal_opens();
            state.deal_comes_in();
        } else if state.dice.chance(550) {
            state.deal_comes_in();
        } else {
            state.deal_opens();
        }
    }
    executor.storm(acts);
    calm_down(&world);
    let mut rests = executor.drain();
    for minutes in CALM {
        rests = rests && executor.rest(minutes);
    }
    let before = world.lock().counts;
    rests = rests && executor.rest(16) && executor.rest(1445);
    let steps = executor.steps();
    drop(executor);
    let mut state = world.lock();
    if !rests {
        state.violate(Invariant::Rest, "it does not come to rest".into());
    }
    let after = state.counts;
    // A record that takes writes and cannot be read back is told so again each day.
    if after.writes > before.writes && state.crm.broken.is_empty() {
        let words = format!("{} writes after everything had come to rest", after.writes - before.writes);
        state.violate(Invariant::Rest, words);
    }
    invariants::check(&mut state);
    let linked = invariants::linked(&state);
    Outcome {
        violations: std::mem::take(&mut state.violations),
        trace: std::mem::take(&mut state.trace.lines),
        steps,
        acts: state.counts.edits,
        faults: state.faults.struck,
        calls: after.reads + after.writes,
        linked,
    }
}

/// Faults stop; what they left behind stays.
fn calm_down(world: &World) {
    let mut state = world.lock();
    state.faults.on = false;
    state.center.hidden.clear();
    let state = &mut *state;
    crate::trace::say!(state, "----", "calm");
}

/// Every kind of fault, by name.
pub fn kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.word()).collect()
}
