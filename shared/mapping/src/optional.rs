//! Rules that are used only where they have a place: overrides that were good before there were such rules stay good.

use crate::{
    rule::Rule,
    tree::{Node, Raw},
};

/// An override that takes an optional rule by `off = false`, or gives it a kind of its own, was written when that rule was
/// free text and off: so it is taken.
pub(crate) fn as_text(map: &mut Node, top: &Node) {
    let overrides = top.get("fields").and_then(Node::table).unwrap_or_default();
    for (name, own) in overrides {
        let taken = own.get("off").is_some_and(|off| matches!(off.raw, Raw::Bool(false)));
        let rule = map.get_mut("fields").and_then(|fields| fields.get_mut(name));
        let Some(rule) = rule.filter(|rule| rule.get("optional").is_some()) else { continue };
        if (taken || own.get("kind").is_some())
            && let Raw::Table(keys) = &mut rule.raw
        {
            keys.retain(|(key, _)| !["optional", "values", "kind"].contains(&key.as_str()));
            keys.push(("kind".to_owned(), Node { line: 0, raw: Raw::Text("text".to_owned()) }));
        }
    }
}

/// Without the optional rules whose place in the referral or whose column another rule has.
pub(crate) fn giving_way(rules: Vec<Rule>) -> Vec<Rule> {
    let place = |rule: &Rule, other: &Rule| {
        (rule.referral.is_some() && rule.referral == other.referral)
            || (rule.crm.is_some() && rule.crm == other.crm)
    };
    let gives_way =
        |rule: &Rule| rule.optional && rules.iter().any(|other| !other.optional && place(rule, other));
    let stays: Vec<bool> = rules.iter().map(|rule| !gives_way(rule)).collect();
    rules.into_iter().zip(stays).filter_map(|(rule, stays)| stays.then_some(rule)).collect()
}
