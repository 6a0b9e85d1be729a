//! What can go wrong, each kind of it a flag.

use crate::{
    actors::{ASKING_THEME, LEAD_THEMES, ROUNDLESS_THEMES, THEMES},
    dice::Dice,
    schedule::Sort,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// Its name on the command line.
            pub fn word(self) -> &'static str {
                match self { $(Kind::$name => $word,)* }
            }
        }
    };
}

kinds! {
    /// A run ends at an await; its messages come again.
    Crash "crash",
    /// A write happens, its answer is lost.
    LostAnswer "lost-answer",
    /// A write never arrives, and its sender cannot know.
    NotSent "not-sent",
    /// A write arrives after its sender gave up or died.
    Late "late",
    /// A vendor answers a call with 429.
    Throttle "throttle",
    /// A read fails with a 5xx.
    Outage "outage",
    /// A write is refused for one of its fields.
    Refusal "refusal",
    /// A rule refuses one field for minutes or hours.
    Rule "rule",
    /// From now on one record cannot be read by id.
    Broken "broken",
    /// A version that was never there: 412 for nothing.
    Race "race",
    /// A read by id shows an older state.
    StaleRead "stale-read",
    /// A list shows an older state.
    StalePage "stale-page",
    /// A save happens, its answer is lost.
    TableLost "table-lost",
    /// A save or read of the table is throttled.
    TableThrottle "table-throttle",
    /// A save meets somebody else's transaction.
    TableConflict "table-conflict",
    /// A save happens after its sender gave up.
    TableLate "table-late",
    /// The queue took the hints, its answer is lost.
    QueueLost "queue-lost",
    /// The queue takes no hints.
    QueueDown "queue-down",
    /// A new referral is missing from lists for a while.
    SlowIndex "slow-index",
    /// A webhook never comes.
    WebhookLost "webhook-lost",
    /// A webhook comes twice.
    WebhookTwice "webhook-twice",
    /// A webhook comes late and out of order.
    WebhookLate "webhook-late",
    /// A message comes again while its first run still goes.
    Redelivery "redelivery",
    /// A poller runs beside another one.
    DoubleTick "double-tick",
    /// A delta token is too old.
    DeltaExpiry "delta-expiry",
    /// A seller deletes the record.
    Delete "delete",
    /// A seller takes a solution off the record.
    ChildDelete "child-delete",
    /// A write's answer shows no state, or no eTag.
    BareAnswer "bare-answer",
    /// The clocks of two runs differ.
    Skew "skew",
    /// A referral cannot be read for a while (404 or 403).
    Hidden "hidden",
    /// A read shows an older list of child rows under the same version of their record.
    StaleChild "stale-child",
}

/// What the protocol cannot tell: child rows have no version, and a bare deletion of one names no parent.
const LIMITS: [Kind; 2] = [Kind::ChildDelete, Kind::StaleChild];

/// How often in a thousand, at least, where only a few kinds are asked for.
const OFTEN: f64 = 250.0;

/// Which kinds a command allows.
#[derive(Clone, Debug)]
pub struct Allowed {
    kinds: Vec<bool>,
    /// Each allowed kind strikes at least [`OFTEN`] times in a thousand.
    often: bool,
}

impl Allowed {
    /// Every kind that the protocol stands up to, or none.
    pub fn new(all: bool) -> Self {
        let kinds = Kind::ALL.iter().map(|kind| all && !LIMITS.contains(kind)).collect();
        Allowed { kinds, often: false }
    }

    /// Nothing but the named kinds, and those often: rare meetings of a few need the others out of the way.
    pub fn only(words: &str) -> Result<Self, String> {
        let mut only = Allowed { often: true, ..Allowed::new(false) };
        only.set(words, true)?;
        Ok(only)
    }

    /// Switches the named kinds; `Err` names an unknown one.
    pub fn set(&mut self, words: &str, on: bool) -> Result<(), String> {
        for word in words.split(',').filter(|word| !word.is_empty()) {
            let kind = Kind::ALL.iter().find(|kind| kind.word() == word);
            self.kinds[*kind.ok_or_else(|| format!("`{word}` is no kind of fault"))? as usize] = on;
        }
        Ok(())
    }

    /// Whether a kind may happen.
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds[kind as usize]
    }
}

/// What happens how often in one schedule.
#[derive(Clone, Debug)]
pub struct Faults {
    rates: Vec<u32>,
    /// What people are after in this schedule: rolls of their dice; empty: anything.
    pub(crate) portal: Vec<usize>,
    pub(crate) seller: Vec<usize>,
    /// From how many values they choose.
    pub(crate) values: usize,
    /// What sort of schedule it is.
    pub(crate) sort: Sort,
    /// `false`: the weather is calm, and no fault strikes.
    pub on: bool,
    /// In a small world: how many are left.
    pub left: u32,
    /// How many there were so far, of all kinds.
    pub struck: u32,
}

impl Faults {
    /// Each schedule has its own weather.
    pub(crate) fn of(allowed: &Allowed, dice: &mut Dice, sort: Sort) -> Self {
        // Any of them, some, few, or two alone: rare meetings of two need the others out of the way.
        let (fierce, picks): (u32, &[u32]) = match dice.below(4) {
            0 => (*dice.pick(&[10, 30, 80]), &[0, 0, 1, 3]),
            1 => (*dice.pick(&[30, 80]), &[0, 0, 0, 0, 1, 3]),
            2 => (*dice.pick(&[60, 120]), &[0, 0, 0, 0, 0, 0, 0, 1, 2]),
            _ => (100, &[0]),
        };
        let alone = [*dice.pick(Kind::ALL), *dice.pick(Kind::ALL)];
        let rates = Kind::ALL.iter().map(|kind| {
            let rare = match kind {
                // One chance a step, not a call.
                Kind::Crash => 0.3,
                Kind::Delete | Kind::Broken => 0.5,
                Kind::Redelivery
                | Kind::ChildDelete
                | Kind::QueueLost
                | Kind::QueueDown
                | Kind::DoubleTick
                | Kind::SlowIndex => 6.0,
                Kind::Hidden => 2.0,
                _ => 1.0,
            };
            let pick = if picks.len() == 1 && alone.contains(kind) { 1 } else { *dice.pick(picks) };
            let rate = f64::from(pick * fierce).max(if allowed.often { OFTEN } else { 0.0 });
            let rate = (rate * rare) as u32;
            if allowed.has(*kind) { rate } else { 0 }
        });
        let rates = rates.collect();
        // Anything, or one or two things that people keep at on both sides.
        let (mut portal, mut seller) = (vec![], vec![]);
        for _ in 0..dice.below(3) {
            let mut themes = THEMES.to_vec();
            themes.extend(if sort.leads { &LEAD_THEMES[..] } else { &[] });
            let (theirs, ours) = dice.pick(&themes);
            portal.extend_from_slice(theirs);
            seller.extend_from_slice(ours);
        }
        if sort.roundless && dice.chance(600) {
            let (theirs, ours) = dice.pick(&ROUNDLESS_THEMES);
            (portal, seller) = (theirs.to_vec(), ours.to_vec());
        }
        if sort.asks {
            (portal, seller) = (ASKING_THEME.0.to_vec(), ASKING_THEME.1.to_vec());
        }
        let values = if dice.below(3) == 0 { 2 } else { usize::MAX };
        Faults { rates, portal, seller, values, sort, on: true, left: 0, struck: 0 }
    }

    /// None ever, but `left` of the allowed kinds where a script says so.
    pub fn scripted(allowed: &Allowed, left: u32) -> Self {
        let rates = Kind::ALL.iter().map(|kind| u32::from(allowed.has(*kind))).collect();
        Faults {
            rates,
            portal: vec![],
            seller: vec![],
            values: usize::MAX,
            sort: Sort::default(),
            on: true,
            left,
            struck: 0,
        }
    }

    /// Whether it happens now.
    pub fn strikes(&mut self, kind: Kind, dice: &mut Dice) -> bool {
        let rate = self.rates[kind as usize];
        if !self.on || rate == 0 {
            return false;
        }
        let strikes = if dice.is_script() { self.left > 0 && dice.choose(2) == 1 } else { dice.chance(rate) };
        if strikes {
            self.struck += 1;
            self.left = self.left.saturating_sub(1);
        }
        strikes
    }
}
