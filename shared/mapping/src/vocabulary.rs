//! Microsoft's words that change every year, kept as data beside the maps: where a rule of a default map names a table of
//! them, its `values` are that table.

use crate::{
    CrmKind,
    tree::{Node, Raw},
};

const WORDS: &str = include_str!("../maps/solution-areas-2026.toml");

/// Puts the tables in the place of their names. A test holds that each name is there.
pub(crate) fn fill(map: &mut Node, crm: CrmKind) {
    let words = Node::parse(WORDS, false).unwrap_or_else(|faults| panic!("{faults:?}"));
    let fields = map.get_mut("fields").into_iter().flat_map(Node::entries_mut);
    for values in fields.filter_map(|(_, rule)| rule.get_mut("values")) {
        if let Raw::Text(name) = &values.raw {
            let table = words.get(name).unwrap_or_else(|| panic!("no table `{name}` of words"));
            *values = of_crm(table, crm);
        }
    }
}

/// Dynamics 365 has numbers for options; in Salesforce an option is its word.
fn of_crm(table: &Node, crm: CrmKind) -> Node {
    let mut table = table.clone();
    if crm == CrmKind::Salesforce {
        for (word, option) in table.entries_mut() {
            option.raw = Raw::Text(word.clone());
        }
    }
    table
}
