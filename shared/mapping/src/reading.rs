//! What of a rule decides how a value is read, as a digest. What one side showed under one rule says nothing about what it
//! shows under another: a column that a map names for the first time is empty, and nobody emptied it.

use crate::{
    Map, RecordKind,
    shape::{Shape, UnitRule},
    tree::Node,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The keys of a rule, or of a list's member, that decide what is read. The others (owner, direction, length, defaults)
/// decide where a value goes and what becomes of it there.
pub(crate) const KEYS: [&str; 14] = [
    "kind",
    "referral",
    "referral_else",
    "referral_next",
    "crm",
    "lookup",
    "values",
    "empty",
    "entities",
    "constant",
    "template",
    "key",
    "members",
    "further",
];

/// Unit to digest, for one kind of record; of leads the unit's name has `lead.` in front.
pub type Readings = BTreeMap<String, String>;

/// The digest of each unit's rules. `tree`: of the same kind of record.
pub(crate) fn note(rules: &mut [UnitRule], tree: &Node) {
    let zone = tree.get("vendor").and_then(|vendor| vendor.get("closing_date_zone"));
    let zone = zone.map(Node::digest_text).unwrap_or_default();
    for UnitRule { unit, shape } in rules {
        let text = match shape {
            Shape::Status => tree.get("status").map(Node::digest_text).unwrap_or_default(),
            Shape::Group(members) => members
                .iter()
                .map(|member| format!("{}:{}", member.name, of_field(tree, &member.name)))
                .collect(),
            Shape::Plain(rule) if rule.kind == crate::rule::Kind::Date => {
                format!("{zone} {}", of_field(tree, &unit.name))
            }
            Shape::Plain(_) | Shape::List(_) => of_field(tree, &unit.name),
        };
        // Enough to tell a few dozen rules of one unit apart: each link keeps one of each unit.
        unit.reading = Sha256::digest(text).iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    }
}

fn of_field(tree: &Node, name: &str) -> String {
    let node = tree.get("fields").and_then(|fields| fields.get(name));
    let keys = node.and_then(Node::table).unwrap_or_default().iter();
    let mut parts: Vec<String> = keys
        .filter(|(key, _)| KEYS.contains(&key.as_str()))
        .map(|(key, node)| format!("{key}={}", node.digest_text()))
        .collect();
    parts.sort();
    parts.join(";")
}

impl Map {
    /// How this map reads each unit, of opportunities and of leads.
    pub fn readings(&self) -> Readings {
        let of = |map: &Map| -> Vec<(String, String)> {
            let named = |unit: &crate::Unit| (map.reading_name(&unit.name), unit.reading.clone());
            map.units().map(named).collect()
        };
        let leads = self.lead.as_deref().map(of).unwrap_or_default();
        of(self).into_iter().chain(leads).collect()
    }

    /// The same map, which knows how units were read when nobody noted it yet.
    pub fn with_readings_before(mut self, before: &Readings) -> Map {
        let lead = self.lead.take().map(|lead| Box::new(lead.with_readings_before(before)));
        Map { before: before.clone(), lead, ..self }
    }

    /// How a unit was read when nobody noted it yet; `None`: not known, and so as today.
    pub fn reading_before(&self, unit: &str) -> Option<&str> {
        self.before.get(&self.reading_name(unit)).map(String::as_str)
    }

    fn reading_name(&self, unit: &str) -> String {
        match self.kind {
            RecordKind::Opportunity => unit.to_owned(),
            RecordKind::Lead => format!("lead.{unit}"),
        }
    }
}

#[cfg(test)]
mod tests;
