//! For each key of a rule: whether another value of it is another reading.

use super::*;
use crate::{CrmKind, rule};

fn reading(toml: &str, unit: &str) -> String {
    // Faults of the map as a whole do not matter here.
    let (map, _) = crate::load::build(CrmKind::Dynamics365, Node::parse(toml, true).unwrap());
    map.unit(unit).unwrap().reading.clone()
}

/// A key, a rule that may have it (that of the notes, where possible), and lines that give it another value.
const OTHERS: [(&str, &str, &str); 30] = [
    ("kind", "notes", "kind = \"phone\""),
    ("referral", "notes", "referral = \"details.other\"\ndirection = \"to_crm\""),
    ("referral_else", "notes", "referral_else = \"details.other\""),
    ("referral_next", "notes", "referral_next = \"details.other\""),
    ("crm", "notes", "crm = \"customerneed\""),
    ("lookup", "notes", "lookup = { table = \"queues\", column = \"name\" }"),
    ("values", "marketplace_intent", "values = { Yes = 1, No = 2 }"),
    ("empty", "notes", "empty = \"-\""),
    ("entities", "notes", "entities = true"),
    ("constant", "notes", "constant = \"x\""),
    ("template", "notes", "template = \"{{ name }}\""),
    ("key", "solutions", "key = \"other\""),
    ("members", "solutions", "members.name.crm = \"other\""),
    ("further", "team", "further = \"other\""),
    ("label", "notes", "label = \"Need\""),
    ("direction", "notes", "direction = \"to_crm\""),
    ("length", "notes", "length = 90"),
    ("referral_length", "notes", "referral_length = 90"),
    ("precision", "value", "precision = 0"),
    ("default", "notes", "default = \"x\""),
    ("crm_default", "notes", "crm_default = \"x\""),
    ("solution_default", "notes", "solution_default = { \"SOL-1-A\" = \"x\" }"),
    ("optional", "notes", "optional = true"),
    ("required", "notes", "required = \"always\""),
    ("on", "notes", "on = \"update\""),
    ("owner", "notes", "owner = \"partner_center\""),
    ("group", "notes", "group = \"address\""),
    ("required_by_crm", "notes", "required_by_crm = true"),
    ("rise_only", "notes", "rise_only = true"),
    ("only_while_empty", "notes", "only_while_empty = true"),
];

#[test]
fn another_value_of_a_key_that_reads_is_another_reading_and_of_any_other_key_is_not() {
    for (key, unit, line) in OTHERS {
        // Faults of the map as a whole do not matter here.
        let (map, _) = crate::load::build(
            CrmKind::Dynamics365,
            Node::parse(&format!("[fields.{unit}]\n{line}\n"), true).unwrap(),
        );
        let Some(changed) = map.unit(unit).map(|unit| unit.reading.clone()) else { continue };
        let before = reading("", unit);
        assert_eq!(changed != before, KEYS.contains(&key), "{key}: {before} {changed}");
    }
    let told: Vec<&str> = OTHERS.iter().map(|(key, ..)| *key).collect();
    let all = rule::all_keys();
    let missing: Vec<_> =
        all.filter(|key| !told.contains(key) && !["carried", "off"].contains(key)).collect();
    assert!(missing.is_empty(), "say whether these decide what is read: {missing:?}");
}

#[test]
fn a_member_of_a_group_the_status_table_and_the_zone_of_dates_read_too() {
    assert_ne!(reading("", "address"), reading("[fields.city]\ncrm = \"address1_city\"\n", "address"));
    assert_ne!(reading("", "status"), reading("[status]\non_hold = [\"1\"]\n", "status"));
    let zone = "[vendor]\nclosing_date_zone = \"+13:00\"\n";
    assert_ne!(reading("", "closing_date"), reading(zone, "closing_date"));
    assert_eq!(reading("", "notes"), reading(zone, "notes"));
}

#[test]
fn leads_are_read_by_their_own_rules() {
    for crm in [CrmKind::Dynamics365, CrmKind::Salesforce] {
        let map = Map::standard(crm);
        let readings = map.readings();
        assert!(readings.contains_key("notes") && readings.contains_key("lead.notes"), "{readings:?}");
        let before = Readings::from([("lead.notes".to_owned(), "abc".to_owned())]);
        let known = Map::with_override(crm, "").unwrap().with_readings_before(&before);
        assert_eq!(known.reading_before("notes"), None);
        assert_eq!(known.of(RecordKind::Lead).reading_before("notes"), Some("abc"));
    }
}
