//! What should happen next to a link: the merge decides it, then what has to wait is taken out.

use mapping::{Fields, Side, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One unit on its way to the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitChange {
    /// The value that the target should get, in the target's form.
    pub value: Value,
    /// The value that becomes the source's image once the write is done.
    pub source: Value,
    /// Elements of a list whose change still has to go in the other direction: their images stay as they were.
    pub pending: BTreeSet<String>,
}

impl UnitChange {
    pub(crate) fn new(value: Value, source: Value) -> Self {
        UnitChange { value, source, pending: BTreeSet::new() }
    }
}

/// The plan: what should happen next to a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Units on which both sides agree already, or whose two values are taken as they are: (Partner Center's, the
    /// CRM's).
    pub agree: BTreeMap<String, (Value, Value)>,
    /// What goes to the CRM by a patch.
    pub to_crm: BTreeMap<String, UnitChange>,
    /// The status unit, if it goes to the CRM by an action of its own.
    pub action: Option<UnitChange>,
    /// What goes to Partner Center.
    pub to_partner_center: BTreeMap<String, UnitChange>,
    /// Units that both sides changed to different values: the loser, noted before it is overwritten.
    pub conflicts: BTreeMap<String, Conflict>,
    /// Units whose change is refused by rule, each with a sentence why; both values stay as they are.
    pub refused: BTreeMap<String, String>,
    /// Units that cannot be converted for the other side.
    pub unfit: BTreeMap<String, Unfit>,
    /// Units whose change waits for acceptance of the referral (or for a parked unit to heal before the deal is
    /// closed).
    pub waiting: BTreeSet<String>,
    /// Long texts of Partner Center that are about to be overwritten by a seller's edit of the CRM's shortened form.
    pub kept: BTreeMap<String, Value>,
    /// The body of a referral from which Microsoft's half is made, if Microsoft is to be invited.
    pub invite: Option<String>,
    /// A side that must be read by id before the merge can decide.
    pub need: Option<Side>,
    /// That side was read by id and the merge still cannot decide: no version becomes settled.
    pub incomplete: bool,
}

/// A value that cannot go where it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// The side it should go to.
    pub target: Side,
    /// Why it cannot go there.
    pub words: String,
    /// The value, as the other side has it.
    pub value: Value,
}

/// How a conflict was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The side that wins.
    pub winner: Side,
    /// The other side's value.
    pub loser: Value,
}

/// What each side shows; `None`: it was not read, so it stands at its settled version and shows its images.
#[derive(Clone, Copy)]
pub struct SideFields<'a> {
    /// The units of the referral.
    pub partner_center: Option<&'a Fields>,
    /// The units of the record.
    pub crm: Option<&'a Fields>,
}
