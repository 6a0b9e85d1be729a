//! The shape of a unit: the rules of which it consists.

use crate::{Unit, rule::Rule};

/// A unit and its rules.
#[derive(Clone, Debug)]
pub(crate) struct UnitRule {
    pub(crate) unit: Unit,
    pub(crate) shape: Shape,
}

/// The rules of a unit.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Plain(Box<Rule>),
    Group(Vec<Rule>),
    List(Box<Rule>),
    Status,
}
