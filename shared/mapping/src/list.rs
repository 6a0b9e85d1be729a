//! Lists: people by e-mail address, solutions by id. Elements without a key (a contact whose address is hidden) cannot
//! be distinguished, and are left as they are.

use crate::{
    Direction, Record, Value,
    rule::{Required, Rule},
    scalar,
};
use serde_json::Value as Json;
use std::{borrow::Cow, collections::BTreeMap};

/// Relations of a record that lead to one row, whose columns are read with the record.
pub(crate) const RELATIONS: [&str; 3] = ["account", "contact", "owner"];
/// Child rows of a record, which are read as a list.
pub(crate) const LISTS: [&str; 1] = ["solutions"];

type Element = BTreeMap<String, Value>;

/// Whether a list's elements come from one related row and not from child rows.
pub(crate) fn is_relation(rule: &Rule) -> bool {
    rule.crm.as_deref().is_some_and(|crm| RELATIONS.contains(&crm))
}

/// The elements of a referral's list, as JSON. There may be an object in the place of an array
/// (vendors/partner-center.md, *The referral*).
pub(crate) fn raw_elements<'a>(rule: &Rule, body: &'a Json) -> Option<Vec<&'a Json>> {
    rule.referral.as_ref()?.read(body).map(elements)
}

/// The elements of a value that should be an array.
pub(crate) fn elements(shown: &Json) -> Vec<&Json> {
    match shown {
        Json::Array(items) => items.iter().collect(),
        Json::Null => Vec::new(),
        Json::Object(object) if object.is_empty() => Vec::new(),
        one => vec![one],
    }
}

/// The list in a referral.
pub(crate) fn of_referral(rule: &Rule, body: &Json) -> Option<Value> {
    let raw = raw_elements(rule, body)?;
    Some(keyed(rule, raw.into_iter().map(|raw| element_of_referral(rule, raw))))
}

/// One element of a referral's list.
pub(crate) fn element_of_referral(rule: &Rule, raw: &Json) -> Element {
    members(rule, |member| {
        let shown = member.referral.as_ref()?.read(raw).unwrap_or(&Json::Null);
        Some(scalar::from_partner_center(member, shown))
    })
}

/// The list in a record.
pub(crate) fn of_record(rule: &Rule, record: &Record) -> Option<Value> {
    Some(keyed(rule, elements_of_record(rule, record)?.into_iter()))
}

/// The elements of a record's list, with those that have no key.
pub(crate) fn elements_of_record(rule: &Rule, record: &Record) -> Option<Vec<Element>> {
    let of_row = |row: &BTreeMap<String, Json>| {
        members(rule, |member| {
            let shown = row.get(member.crm.as_deref()?).unwrap_or(&Json::Null);
            Some(scalar::from_crm(member, shown))
        })
    };
    if !is_relation(rule) {
        let rows = record.lists.get(rule.crm.as_deref()?)?.iter().map(of_row);
        return Some(rows.chain(named_in_text(rule, record)).collect());
    }
    let key = rule.members.iter().find(|member| Some(&member.name) == rule.key.as_ref())?;
    record.columns.get(key.crm.as_deref()?)?;
    let one = of_row(&record.columns);
    let mut all = if one.values().all(Value::is_null) { Vec::new() } else { vec![one] };
    let further = rule.further.as_ref().and_then(|list| record.lists.get(list));
    // A further person who lacks a required member is left out and does not block the rest: only the person of the
    // related row has to be complete.
    let lacks = |element: &Element| {
        let mut required = rule.members.iter().filter(|member| member.required == Required::Always);
        required.any(|member| element.get(&member.name).is_none_or(Value::is_null))
    };
    all.extend(further.into_iter().flatten().map(of_row).filter(|element| !lacks(element)));
    Some(all)
}

/// The column of the record that names further elements of a list of child rows.
pub(crate) fn text_column(rule: &Rule) -> Option<&str> {
    rule.further.as_deref().filter(|_| !is_relation(rule))
}

/// Elements of which a text column holds only the ids, with any separators between them.
fn named_in_text(rule: &Rule, record: &Record) -> impl Iterator<Item = Element> {
    let text = text_column(rule).and_then(|column| record.columns.get(column)?.as_str()).unwrap_or_default();
    let ids =
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|')).filter(|id| !id.is_empty());
    ids.map(|id| {
        let id = Json::from(id);
        members(rule, |member| {
            member.crm.as_ref()?;
            let is_key = Some(&member.name) == rule.key.as_ref();
            Some(if is_key { scalar::from_crm(member, &id) } else { Value::Null })
        })
    })
    .collect::<Vec<_>>()
    .into_iter()
}

/// The list in the other side's form. A `carried` member that cannot be converted is empty there; an element whose key
/// cannot be converted is left out.
pub(crate) fn convert(
    rule: &Rule,
    shown: &Value,
    to: Direction,
    one: impl Fn(&Rule, &Value) -> Result<Value, String>,
) -> Result<Value, String> {
    let Value::Map(elements) = shown else {
        return if shown.is_null() {
            Ok(Value::Map(BTreeMap::new()))
        } else {
            Err("expected a list".to_owned())
        };
    };
    let mut converted = BTreeMap::new();
    for (key, element) in elements.iter().filter(|(_, element)| **element != Value::Null) {
        let mut target = Element::new();
        for member in &rule.members {
            let there = if to == Direction::ToCrm { member.crm.is_some() } else { member.referral.is_some() };
            if !there || element.members().is_none_or(|members| !members.contains_key(&member.name)) {
                continue;
            }
            match one(member, element.member(&member.name)) {
                Ok(value) => _ = target.insert(member.name.clone(), value),
                Err(_) if member.carried => _ = target.insert(member.name.clone(), Value::Null),
                Err(text) => return Err(format!("`{key}`: {text}")),
            }
        }
        let lost = |name: &String| target.get(name).is_some_and(Value::is_null);
        if !rule.key.as_ref().is_some_and(lost) {
            converted.insert(key.clone(), Value::Map(target));
        }
    }
    Ok(Value::Map(converted))
}

/// Partner Center's list without the elements that the CRM lacks because it cannot take their key, such as a person
/// without a usable address.
pub(crate) fn taken<'a>(rule: &Rule, partner_center: &'a Value, crm: &Value) -> Cow<'a, Value> {
    let key = rule.members.iter().find(|member| Some(&member.name) == rule.key.as_ref());
    let (Some(key), Value::Map(elements)) = (key, partner_center) else {
        return Cow::Borrowed(partner_center);
    };
    let there = |id: &String| crm.members().is_some_and(|elements| elements.contains_key(id));
    let untaken = |one: &Value| scalar::to_crm(key, one.member(&key.name)).is_ok_and(|there| there.is_null());
    let stays = |(id, one): &(&String, &Value)| there(id) || !untaken(one);
    if elements.iter().all(|element| stays(&element)) {
        return Cow::Borrowed(partner_center);
    }
    let left = elements.iter().filter(stays).map(|(id, one)| (id.clone(), one.clone()));
    Cow::Owned(Value::Map(left.collect()))
}

/// Whether two lists have the same keys, and elements with the same values in all members that are compared.
pub(crate) fn equal(rule: &Rule, a: &Value, b: &Value, same: impl Fn(&Rule, &Value, &Value) -> bool) -> bool {
    let empty = BTreeMap::new();
    let (a, b) = (a.members().unwrap_or(&empty), b.members().unwrap_or(&empty));
    let deciding = || rule.members.iter().filter(|m| !m.carried && m.referral.is_some() && m.crm.is_some());
    a.len() == b.len()
        && a.iter().all(|(key, one)| {
            b.get(key)
                .is_some_and(|other| deciding().all(|m| same(m, one.member(&m.name), other.member(&m.name))))
        })
}

/// The list to send, as JSON. The elements of `current` stay in their order; those without a change or without a key
/// are sent as they are, removed ones are left out, and new ones follow at the end. Several elements may have one key
/// (two people with one address): a change applies to the one that is most like it, and a removal to the first.
pub(crate) fn merged(rule: &Rule, current: &Json, target: &Value) -> Result<Json, String> {
    let empty = BTreeMap::new();
    let wanted = target.members().unwrap_or(&empty).iter().filter(|(_, element)| **element != Value::Null);
    let wanted: BTreeMap<&str, &Value> = wanted.map(|(key, element)| (key.as_str(), element)).collect();
    let raw = raw_elements(rule, current).unwrap_or_default();
    let shown: Vec<Element> = raw.iter().map(|raw| element_of_referral(rule, raw)).collect();
    let keys: Vec<Option<String>> = shown.iter().map(|element| key_of(rule, element)).collect();
    let of_key = |key: &Option<String>| {
        let same = keys.iter().zip(&shown).enumerate().filter(move |(_, (other, _))| *other == key);
        same.map(|(at, (_, element))| (at, element)).collect::<Vec<_>>()
    };
    let mut items = Vec::new();
    for (at, raw) in raw.iter().enumerate() {
        let Some(key) = &keys[at] else {
            items.push((*raw).clone());
            continue;
        };
        let alike = of_key(&keys[at]);
        let first = alike[0].1;
        match wanted.get(key.as_str()) {
            Some(element) if changed_one(rule, &alike, element) == Some(at) => {
                items.push(rewritten(rule, raw, &shown[at], element)?);
            }
            Some(_) => items.push((*raw).clone()),
            None if differing(rule, &shown[at], first).next().is_some() => items.push((*raw).clone()),
            None => {}
        }
    }
    for (_, element) in wanted.iter().filter(|(key, _)| !keys.iter().any(|k| k.as_deref() == Some(key))) {
        items.push(new_element(rule, element)?);
    }
    Ok(Json::Array(items))
}

/// Which of the elements with one key has to change to what is wanted. `None`: none of them, because the first one,
/// which stands for its key, has these values already.
fn changed_one(rule: &Rule, alike: &[(usize, &Element)], wanted: &Value) -> Option<usize> {
    let changes = |element: &Element| changes(rule, element, wanted).count();
    let (_, first) = alike.first()?;
    if changes(first) == 0 {
        return None;
    }
    alike.iter().min_by_key(|(_, element)| changes(element)).map(|(at, _)| *at)
}

/// The members of an element that have to change, with their new values.
fn changes<'a>(
    rule: &'a Rule,
    shown: &'a Element,
    wanted: &'a Value,
) -> impl Iterator<Item = (&'a Rule, &'a Value)> {
    let given = wanted.members().into_iter().flatten();
    given.filter_map(move |(name, value)| {
        let member = deciding(rule).find(|member| member.name == *name)?;
        // A value that equals this one after conversion to the CRM has not changed: the CRM's copy may be cut or left
        // out.
        let stays =
            |now: &Value| now == value || scalar::to_crm(member, now).is_ok_and(|held| held == *value);
        (!shown.get(name).is_some_and(stays)).then_some((member, value))
    })
}

/// The members in which two elements differ.
fn differing<'a>(rule: &'a Rule, a: &'a Element, b: &'a Element) -> impl Iterator<Item = &'a Rule> {
    deciding(rule).filter(|member| a.get(&member.name) != b.get(&member.name))
}

/// The members that are compared: neither `carried` nor constant.
fn deciding(rule: &Rule) -> impl Iterator<Item = &Rule> {
    rule.members.iter().filter(|member| !member.carried && member.constant.is_none())
}

fn rewritten(rule: &Rule, raw: &Json, shown: &Element, wanted: &Value) -> Result<Json, String> {
    let mut item = raw.clone();
    for (member, value) in changes(rule, shown, wanted) {
        write(member, value, &mut item)?;
    }
    Ok(item)
}

/// An element that is new in Partner Center, as JSON.
pub(crate) fn new_element(rule: &Rule, element: &Value) -> Result<Json, String> {
    let mut item = serde_json::json!({});
    for member in &rule.members {
        let constant = member.constant.as_ref().map(|constant| scalar::from_map(member, constant));
        let value = constant.as_ref().unwrap_or_else(|| element.member(&member.name));
        if !value.is_null() {
            write(member, value, &mut item)?;
        }
    }
    Ok(item)
}

fn write(member: &Rule, value: &Value, item: &mut Json) -> Result<(), String> {
    match &member.referral {
        Some(path) if member.direction != Some(Direction::ToCrm) => {
            path.write(item, scalar::partner_center_json(member, value)?);
        }
        _ => {}
    }
    Ok(())
}

fn members(rule: &Rule, shown: impl Fn(&Rule) -> Option<Value>) -> Element {
    rule.members.iter().filter_map(|member| Some((member.name.clone(), shown(member)?))).collect()
}

pub(crate) fn key_of(rule: &Rule, element: &Element) -> Option<String> {
    element.get(rule.key.as_ref()?)?.text().map(str::to_owned)
}

fn keyed(rule: &Rule, elements: impl Iterator<Item = Element>) -> Value {
    let mut list = BTreeMap::new();
    for element in elements {
        if let Some(key) = key_of(rule, &element) {
            list.entry(key).or_insert(Value::Map(element));
        }
    }
    Value::Map(list)
}
