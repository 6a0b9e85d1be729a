//! What should happen next to a link: decided by the merge, then left out what has to wait.

use mapping::{Fields, Side, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One unit on its way to the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What the target shall show, in its own words.
    pub value: Value,
    /// What the source's image becomes once it is written.
    pub source: Value,
    /// Elements of a list whose own change still has to go the other way: their images stay as they were.
    pub pending: BTreeSet<String>,
}

impl Change {
    pub(crate) fn new(value: Value, source: Value) -> Self {
        Change { value, source, pending: BTreeSet::new() }
    }
}

/// What should happen next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Units on which both sides agree already, or whose present state is taken as it is: (Partner Center's, CRM's).
    pub agree: BTreeMap<String, (Value, Value)>,
    /// What goes to the CRM by a patch.
    pub to_crm: BTreeMap<String, Change>,
    /// The status unit, if it goes to the CRM by an action of its own.
    pub action: Option<Change>,
    /// What goes to Partner Center.
    pub to_partner_center: BTreeMap<String, Change>,
    /// Both sides changed and differ: the loser's words, before they are overwritten.
    pub conflicts: BTreeMap<String, Conflict>,
    /// Refused by rule; the present state is taken: unit and sentence.
    pub refused: BTreeMap<String, String>,
    /// Cannot be converted for the other side.
    pub unfit: BTreeMap<String, Unfit>,
    /// Changes that wait for acceptance of the referral (or for a parked unit to heal before the deal is closed).
    pub waiting: BTreeSet<String>,
    /// Long texts of Partner Center of which the CRM holds a shortened form, and which its edit now replaces.
    pub kept: BTreeMap<String, Value>,
    /// Microsoft is to be invited, by this request for a referral.
    pub invite: Option<String>,
    /// This side must be read before anything can be decided.
    pub need: Option<Side>,
    /// It was needed and could not be had: nothing is settled.
    pub incomplete: bool,
}

/// A value that cannot go where it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// Where it should go.
    pub target: Side,
    /// Why it cannot.
    pub words: String,
    /// What it is.
    pub value: Value,
}

/// Who lost what.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The side that wins.
    pub winner: Side,
    /// What the other side showed.
    pub loser: Value,
}

/// What each side shows; `None`: not read, it stands at its settled version and so shows its images.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Partner Center.
    pub partner_center: Option<&'a Fields>,
    /// The CRM.
    pub crm: Option<&'a Fields>,
}
