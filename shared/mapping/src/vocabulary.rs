//! Microsoft's vocabularies that change every year, kept as data beside the maps. If `values` of a rule in a default
//! map is the name of such a table, the table is put in its place.

use crate::{
    CrmKind,
    tree::{Node, Raw},
};

const WORDS: &str = include_str!("../maps/solution-areas-2026.toml");

/// Replaces the names by their tables. A test ensures that each table exists.
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

/// The table with the options of this CRM: numbers in Dynamics 365, the words themselves in Salesforce.
fn of_crm(table: &Node, crm: CrmKind) -> Node {
    let mut table = table.clone();
    if crm == CrmKind::Salesforce {
        for (word, option) in table.entries_mut() {
            option.raw = Raw::Text(word.clone());
        }
    }
    table
}
