//! Turns a row of `sync` into an item of the table and back. Rows have real attributes, which can be read in the
//! console. Only a link is one attribute of JSON: as a tree of a hundred attributes it would cost a third more to
//! store, and most of a run's own time to read.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};
use std::collections::HashMap;
use sync::{
    link::Link,
    table::{Change, Expect, Item, Key, Row},
};

/// The attributes of an item.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The attribute that holds a link. An item from before this attribute existed is the tree itself.
const LINK: &str = "link";
/// The attribute with the units that have an image on Partner Center's side only; few links have any.
const LACKS: &str = "crm_lacks";

/// The condition under which DynamoDB saves an item.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) expression: Option<String>,
    pub(super) values: Option<Attributes>,
}

impl Condition {
    pub(super) fn of(expect: Expect, now: Timestamp) -> Self {
        let (expression, name, number) = match expect {
            // The table deletes expired items late: such an item counts as absent.
            Expect::Absent => {
                ("attribute_not_exists(pk) OR expires_at <= :now", ":now", now.as_second().to_string())
            }
            Expect::Rev(rev) => ("rev = :rev", ":rev", rev.to_string()),
            Expect::Any => return Condition { expression: None, values: None },
        };
        let values = HashMap::from([(name.to_owned(), AttributeValue::N(number))]);
        Condition { expression: Some(expression.to_owned()), values: Some(values) }
    }
}

/// The attributes of a key.
pub(super) fn key(key: &Key) -> Attributes {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

/// The whole item of a save; `None`: the change deletes the item.
pub(super) fn attributes(change: &Change, now: Timestamp) -> Result<Option<Attributes>, String> {
    let Some(item) = &change.item else { return Ok(None) };
    let rev = match change.expect {
        Expect::Absent => 1,
        Expect::Rev(rev) => rev + 1,
        // It is not known which revision is replaced. This number is higher than any count, so that it cannot equal a
        // revision that another run expects.
        Expect::Any => u64::try_from(now.as_microsecond()).unwrap_or(1),
    };
    let mut attributes: Attributes = match item {
        Item::Link(link) => {
            let (packed, lacks) = packed(link);
            let json = serde_json::to_string(&packed).map_err(|e| e.to_string())?;
            let text = |name: &str, value| (name.to_owned(), AttributeValue::S(value));
            let lacks = Some(lacks).filter(|units| !units.is_empty());
            let lacks = lacks.map(|units| (LACKS.to_owned(), AttributeValue::Ss(units)));
            [text("type", LINK.to_owned()), text(LINK, json)].into_iter().chain(lacks).collect()
        }
        other => to_item(other).map_err(|e| e.to_string())?,
    };
    attributes.extend(key(&change.key));
    attributes.insert("rev".to_owned(), AttributeValue::N(rev.to_string()));
    if let Some(at) = change.expires_at {
        attributes.insert("expires_at".to_owned(), AttributeValue::N(at.as_second().to_string()));
    }
    Ok(Some(attributes))
}

/// The row of an item; `None`: it has expired.
pub(super) fn row(mut found: Attributes, now: Timestamp) -> Result<Option<Row>, String> {
    let key = Key { pk: text(&found, "pk"), sk: text(&found, "sk") };
    let rev = number(&found, "rev").ok_or("no `rev`")?;
    if number(&found, "expires_at").is_some_and(|at: i64| at <= now.as_second()) {
        return Ok(None);
    }
    for name in ["pk", "sk", "rev", "expires_at"] {
        found.remove(name);
    }
    let item = match found.get(LINK) {
        Some(AttributeValue::S(json)) => {
            let link = serde_json::from_str(json).map_err(|e| format!("`{LINK}`: {e}"))?;
            let lacks = found.get(LACKS).and_then(|units| units.as_ss().ok());
            Item::Link(Box::new(unpacked(link, lacks.map_or(&[], Vec::as_slice))))
        }
        _ => from_item(found).map_err(|e| e.to_string())?,
    };
    Ok(Some(Row { key, rev, item }))
}

/// An image that is equal on both sides is stored once: of the CRM's images only those that differ from Partner
/// Center's are kept, and the units without one are listed.
fn packed(link: &Link) -> (Link, Vec<String>) {
    let (theirs, ours) = (&link.partner_center.images, &link.crm.images);
    let lacks = theirs.keys().filter(|unit| !ours.contains_key(*unit)).cloned().collect();
    let differ = ours.iter().filter(|(unit, image)| theirs.get(*unit) != Some(image));
    let mut packed = link.clone();
    packed.crm.images = differ.map(|(unit, image)| (unit.clone(), image.clone())).collect();
    (packed, lacks)
}

fn unpacked(mut link: Link, lacks: &[String]) -> Link {
    let (theirs, ours) = (&link.partner_center.images, &link.crm.images);
    let alike = theirs.iter().filter(|(unit, _)| !ours.contains_key(*unit) && !lacks.contains(unit));
    let alike: Vec<_> = alike.map(|(unit, image)| (unit.clone(), image.clone())).collect();
    link.crm.images.extend(alike);
    link
}

/// A text attribute; `""`: there is none.
pub(super) fn text(found: &Attributes, name: &str) -> String {
    found.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

fn number<N: std::str::FromStr>(found: &Attributes, name: &str) -> Option<N> {
    found.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use mapping::{RecordId, ReferralId, Side, Value};
    use std::collections::{BTreeMap, BTreeSet};
    use sync::{
        link::{Claim, State},
        table::Hold,
        version::Version,
    };

    const NOW: Timestamp = Timestamp::constant(1_774_000_000, 0);

    fn full_link() -> Item {
        let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01").unwrap();
        let record = RecordId::parse("opportunity/5f0c54a8-3b0e-4d2c-9d55-5b8b8a3f1a11");
        let mut link = Link::new(referral, record, State::Linked);
        let version = Version { token: "\"0000-0100\"".into(), order: Some(1_772_442_862_013_552_700) };
        let value = BTreeMap::from([
            ("amount".to_owned(), Value::Text("84000".into())),
            ("currency".to_owned(), Value::Null),
            ("empty".to_owned(), Value::Map(BTreeMap::new())),
        ]);
        link.agree("value", &Value::Map(value), &Value::Text("12".into()));
        link.agree("visible", &Value::Bool(true), &Value::Null);
        link.agree("name", &Value::Text(String::new()), &Value::Text("Ünïcode \u{1f600}".into()));
        link.partner_center.saw(&version, NOW);
        link.partner_center.replace("\"old\"".into());
        link.crm.settled = Some(Version { token: "W/\"77\"".into(), order: None });
        let units = BTreeSet::from(["value".to_owned()]);
        link.claim = Some(Claim { side: Side::Crm, units, base: Some(version), deadline: NOW });
        Item::Link(Box::new(link))
    }

    fn there_and_back(change: &Change, now: Timestamp) -> Option<Row> {
        row(attributes(change, NOW).unwrap().unwrap(), now).unwrap()
    }

    #[test]
    fn a_link_with_everything_survives_the_table() {
        let key = Key::hold("x");
        let change = Change::put(key.clone(), Expect::Rev(6), full_link());
        assert_eq!(there_and_back(&change, NOW), Some(Row { key, rev: 7, item: full_link() }));
    }

    #[test]
    fn a_link_stored_as_a_tree_of_attributes_is_still_read() {
        let mut tree: Attributes = to_item(full_link()).unwrap();
        tree.extend(super::key(&Key::hold("x")));
        tree.insert("rev".to_owned(), AttributeValue::N("7".to_owned()));
        assert!(tree.len() > 10, "a tree");
        assert_eq!(row(tree, NOW).unwrap(), Some(Row { key: Key::hold("x"), rev: 7, item: full_link() }));
        let change = Change::put(Key::hold("x"), Expect::Rev(6), full_link());
        assert_eq!(attributes(&change, NOW).unwrap().unwrap().len(), 5, "pk, sk, rev, type and the link");
    }

    #[test]
    fn what_both_sides_show_alike_is_stored_once_and_what_only_one_shows_stays_so() {
        let Item::Link(mut link) = full_link() else { panic!("a link") };
        let town = Value::Map(BTreeMap::from([("city".to_owned(), Value::Text("Basel".into()))]));
        link.agree("address", &town, &town);
        link.partner_center.images.insert("theirs".to_owned(), town.clone());
        link.crm.images.insert("ours".to_owned(), Value::Null);
        let change = Change::put(Key::hold("x"), Expect::Rev(6), Item::Link(link.clone()));
        let stored = attributes(&change, NOW).unwrap().unwrap();
        assert_eq!(text(&stored, LINK).matches("Basel").count(), 2, "`address` and `theirs`, once each");
        assert_eq!(stored[LACKS], AttributeValue::Ss(vec!["theirs".to_owned()]));
        assert_eq!(there_and_back(&change, NOW).map(|row| row.item), Some(Item::Link(link)));
    }

    #[test]
    fn every_small_item_survives_the_table() {
        let hold = Hold { until: NOW, reason: String::new(), attempts: 3 };
        for item in [Item::Foreign, Item::Hold(hold), Item::Lease { until: NOW }] {
            let change = Change::put(Key::lease(), Expect::Absent, item.clone());
            assert_eq!(there_and_back(&change, NOW).map(|row| (row.rev, row.item)), Some((1, item)));
        }
    }

    #[test]
    fn what_should_be_forgotten_is_not_seen_although_the_table_still_has_it() {
        let change = Change::put(Key::lease(), Expect::Absent, Item::Foreign).until(NOW);
        assert_eq!(there_and_back(&change, NOW), None);
        assert!(there_and_back(&change, NOW - SignedDuration::from_secs(1)).is_some());
        assert!(Condition::of(Expect::Absent, NOW).expression.unwrap().contains("expires_at <= :now"));
    }

    #[test]
    fn a_save_over_anything_gets_a_revision_that_no_reader_of_a_counted_one_holds() {
        let change = Change::put(Key::lease(), Expect::Any, Item::Foreign);
        assert!(there_and_back(&change, NOW).unwrap().rev > 1_000_000_000);
        assert!(Condition::of(Expect::Any, NOW).expression.is_none());
    }
}
