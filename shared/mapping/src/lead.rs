//! `[lead]`: what the map says about leads. It names the fields of a lead. Each has the rule of the same name in
//! `[fields]`, with the keys that differ laid over it. The result is a map of its own and is checked as one.

use crate::{
    Fault,
    check::Check,
    list::is_relation,
    reader::{Place, Reader},
    rule::{Kind, Rule},
    tree::{Node, Raw},
};

/// The name of the section.
pub(crate) const LEAD: &str = "lead";
const FIELDS: &str = "fields";
/// The keys of the section: what may differ from opportunities.
const PARTS: [&str; 4] = ["owner", "audit", "status", FIELDS];

/// The whole map, as it is for leads; `None`: there is no such section.
pub(crate) fn tree(reader: &mut Reader, whole: &Node) -> Option<Node> {
    let lead = whole.get(LEAD)?;
    if !reader.known(Place { node: lead, key: LEAD }, &PARTS) {
        return None;
    }
    let Raw::Table(parts) = &whole.raw else { return None };
    let mut parts: Vec<(String, Node)> = parts.iter().filter(|(key, _)| key != LEAD).cloned().collect();
    for (key, node) in &mut parts {
        match (key.as_str(), lead.get(key)) {
            (FIELDS, Some(own)) => *node = fields(node, own),
            (FIELDS, None) => *node = Node { line: lead.line, raw: Raw::Table(vec![]) },
            (_, Some(own)) => node.overlay(own.clone()),
            (_, None) => {}
        }
    }
    Some(Node { line: lead.line, raw: Raw::Table(parts) })
}

/// Only the fields that the section names, each laid over the rule of the same name.
fn fields(all: &Node, own: &Node) -> Node {
    let Some(named) = own.table() else { return own.clone() };
    let laid = named.iter().map(|(name, node)| {
        let mut rule = all.get(name).cloned().unwrap_or(Node { line: 0, raw: Raw::Table(vec![]) });
        // `lookup` belongs to a column: if the section names another column, that needs a `lookup` of its own.
        if let (Raw::Table(keys), Some(_)) = (&mut rule.raw, node.get("crm")) {
            keys.retain(|(key, _)| key != "lookup");
        }
        rule.overlay(node.clone());
        (name.clone(), rule)
    });
    Node { line: own.line, raw: Raw::Table(laid.collect()) }
}

/// Adds the faults that only leads have, under the section's name; not those on lines that have a fault already.
pub(crate) fn add_faults(reader: &mut Reader, of_leads: Reader) {
    let told = |line: usize| reader.faults.iter().any(|fault| line == 0 || fault.line == line);
    let new: Vec<Fault> = of_leads.faults.into_iter().filter(|fault| !told(fault.line)).collect();
    reader
        .faults
        .extend(new.into_iter().map(|fault| Fault { key: format!("{LEAD}.{}", fault.key), ..fault }));
}

impl Check<'_> {
    /// Checks a rule of leads: a lead has no account, no owner that is read, and no child rows; it is its own contact.
    pub(crate) fn of_lead(&mut self, rule: &Rule) {
        let own = "a lead has neither an account nor rows of its own: expected one of its columns";
        match (rule.kind, rule.crm.as_deref()) {
            (Kind::List, Some("contact")) => {}
            (Kind::List, _) => {
                let what = if is_relation(rule) { "its owner is not read" } else { own };
                self.fault(rule, "crm", &format!("expected `contact`: {what}"));
            }
            (_, Some(crm)) if crm.contains('.') => self.fault(rule, "crm", &format!("`{crm}`: {own}")),
            _ => {}
        }
    }
}
