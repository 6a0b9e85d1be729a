//! A digest of those keys of a rule that decide how a value is read. A value that one side had under one rule says
//! nothing about its value under another: a column that a map names for the first time is empty, but no user has
//! emptied it.

use crate::{
    Map, RecordKind,
    shape::{Shape, UnitRule},
    tree::Node,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The keys of a rule, or of a list's member, that decide what is read. The others (owner, direction, length,
/// defaults) decide where a value is written, and how.
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

/// The digest of each unit, by its name; `lead.` precedes the names of a lead's units.
pub type Readings = BTreeMap<String, String>;

/// Computes the digest of each unit. `tree` must be that of the same kind of record.
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
        // Three bytes distinguish the few dozen rules that one unit ever has; each link stores one digest per unit.
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
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let standard = Map::standard(CrmKind::Dynamics365).readings();
    /// let map = Map::with_override(CrmKind::Dynamics365, "[fields.notes]\ncrm = \"new_scope\"\nlength = 500")?;
    /// assert_ne!(map.readings()["notes"], standard["notes"], "another column");
    /// assert_eq!(map.readings()["name"], standard["name"]);
    /// # Ok::<(), Vec<mapping::Fault>>(())
    /// ```
    pub fn readings(&self) -> Readings {
        let of = |map: &Map| -> Vec<(String, String)> {
            let named = |unit: &crate::Unit| (map.reading_name(&unit.name), unit.reading.clone());
            map.units().map(named).collect()
        };
        let leads = self.lead.as_deref().map(of).unwrap_or_default();
        of(self).into_iter().chain(leads).collect()
    }

    /// The same map, with the readings of units from before readings were stored with each link.
    ///
    /// ```
    /// use mapping::{CrmKind, Map};
    ///
    /// let before = [("notes".to_owned(), "a1b2c3".to_owned())].into();
    /// let map = Map::with_override(CrmKind::Dynamics365, "")?.with_readings_before(&before);
    /// assert_eq!(map.reading_before("notes"), Some("a1b2c3"));
    /// assert_eq!(map.reading_before("name"), None);
    /// # Ok::<(), Vec<mapping::Fault>>(())
    /// ```
    pub fn with_readings_before(mut self, before: &Readings) -> Map {
        let lead = self.lead.take().map(|lead| Box::new(lead.with_readings_before(before)));
        Map { before: before.clone(), lead, ..self }
    }

    /// How a unit was read before readings were stored; `None`: unknown, and taken to be today's reading.
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
