//! Rules that are used only if their column exists. Overrides from before there were such rules stay valid.

use crate::{
    rule::Rule,
    tree::{Node, Raw},
};

/// Turns optional rules into rules for free text if an override has `off = false` or a `kind` for them: such an
/// override was written when these rules were free text and off.
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

/// The rules without those optional ones whose path or column another rule uses.
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
