//! What the units of a map are made of.

use crate::{Unit, rule::Rule};

/// A unit with what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct UnitRule {
    pub(crate) unit: Unit,
    pub(crate) shape: Shape,
}

/// What a unit is made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Plain(Box<Rule>),
    Group(Vec<Rule>),
    List(Box<Rule>),
    Status,
}
