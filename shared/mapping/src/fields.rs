//! Reads the units of a referral or of a record, in the form native to that side.

use crate::{
    Direction, Fields, Map, Record, Referral, Unit, Value, list,
    rule::{Kind, Rule},
    scalar,
    shape::{Shape, UnitRule},
    status::shown_status,
    text::{unmarked, without_entities},
};
use serde_json::Value as Json;
use std::{borrow::Cow, collections::BTreeMap};

/// The rule of the name, before which the check mark stands.
pub(crate) const NAME: &str = "name";
/// The rule of the record's own id.
const EXTERNAL_REFERENCE: &str = "external_reference";

impl Map {
    /// All units that have a path into the referral and are in its body.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Referral, Value};
    ///
    /// let referral = Referral::parse(serde_json::json!({
    ///     # "id": "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "updatedDateTime": "2026-03-02T09:14:21Z",
    ///     # "status": "New", "substatus": "Pending", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "name": "Harbor Line – multi-site tracking",
    ///     "details": { "notes": null, "closingDateTime": "2026-09-30T00:00:00Z" },
    /// }))?;
    /// let fields = Map::standard(CrmKind::Dynamics365).referral_fields(&referral);
    /// assert_eq!(fields["closing_date"], Value::of_text("2026-09-30"));
    /// assert_eq!(fields["notes"], Value::Null, "it was read and is empty");
    /// assert_eq!(fields.get("visible"), None, "it was not observed");
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn referral_fields(&self, referral: &Referral) -> Fields {
        self.fields(|_| true, |one| self.shown_by_referral(one, referral))
    }

    pub(crate) fn shown_by_referral(&self, one: &UnitRule, referral: &Referral) -> Option<Value> {
        match &one.shape {
            Shape::Plain(rule) => self.plain_of_referral(rule, referral),
            Shape::Group(rules) => group_of_referral(rules, referral.body()),
            Shape::List(rule) => list::of_referral(rule, referral.body()),
            Shape::Status => {
                let reason = referral.body().get("statusReason").and_then(Json::as_str).unwrap_or_default();
                let reason = Value::of_text(without_entities(reason));
                Some(shown_status(referral.status(), referral.substatus(), reason))
            }
        }
    }

    /// All units that have a column and were read of the record. The check mark is not part of the name.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId, Value};
    /// use serde_json::json;
    ///
    /// let columns = [("name", json!("✔ Kestrel Foods")), ("description", json!(null))];
    /// let columns = columns.map(|(name, value)| (name.to_owned(), value)).into();
    /// let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let fields = Map::standard(CrmKind::Dynamics365).record_fields(&Record { id, columns, lists: [].into() });
    /// assert_eq!(fields["name"], Value::of_text("Kestrel Foods"));
    /// assert_eq!(fields["notes"], Value::Null);
    /// assert_eq!(fields.get("closing_date"), None, "the column was not read");
    /// ```
    pub fn record_fields(&self, record: &Record) -> Fields {
        self.fields(|_| true, |one| self.shown_by_record(one, record))
    }

    /// The [`referral_fields`](Map::referral_fields) that are kept in step once the deal is linked.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Referral};
    ///
    /// let referral = Referral::parse(serde_json::json!({
    ///     # "id": "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "updatedDateTime": "2026-03-02T09:14:21Z",
    ///     # "status": "New", "substatus": "Pending", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "name": "Harbor Line – multi-site tracking",
    ///     "customerProfile": { "name": "Harbor Line Logistics AG" },
    /// }))?;
    /// let kept = Map::standard(CrmKind::Dynamics365).kept_referral_fields(&referral);
    /// assert!(kept.contains_key("name") && !kept.contains_key("customer_name"));
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    pub fn kept_referral_fields(&self, referral: &Referral) -> Fields {
        self.fields(Unit::is_kept_in_step, |one| self.shown_by_referral(one, referral))
    }

    /// The [`record_fields`](Map::record_fields) that are kept in step once the deal is linked.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Record, RecordId};
    ///
    /// let columns = ["description", "account.name"].map(|name| (name.to_owned(), "Harbor Line".into())).into();
    /// let id = RecordId::parse("opportunity/5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55").unwrap();
    /// let kept = Map::standard(CrmKind::Dynamics365).kept_record_fields(&Record { id, columns, lists: [].into() });
    /// assert!(kept.contains_key("notes") && !kept.contains_key("customer_name"));
    /// ```
    pub fn kept_record_fields(&self, record: &Record) -> Fields {
        self.fields(Unit::is_kept_in_step, |one| self.shown_by_record(one, record))
    }

    fn fields(&self, wanted: impl Fn(&Unit) -> bool, shown: impl Fn(&UnitRule) -> Option<Value>) -> Fields {
        let rules = self.by_name.iter().map(|at| &self.rules[*at]).filter(|one| wanted(&one.unit));
        rules.filter_map(|one| Some((one.unit.name.clone(), shown(one)?))).collect()
    }

    /// One unit of [`referral_fields`](Map::referral_fields).
    pub fn referral_field(&self, unit: &str, referral: &Referral) -> Option<Value> {
        self.shown_by_referral(self.rule(unit).ok()?, referral)
    }

    /// One unit of [`record_fields`](Map::record_fields).
    pub fn record_field(&self, unit: &str, record: &Record) -> Option<Value> {
        self.shown_by_record(self.rule(unit).ok()?, record)
    }

    fn shown_by_record(&self, one: &UnitRule, record: &Record) -> Option<Value> {
        match &one.shape {
            Shape::Plain(rule) => self.plain_of_record(rule, record),
            Shape::Group(rules) => group_of_record(rules, record),
            Shape::List(rule) => list::of_record(rule, record),
            Shape::Status => self.status.of_record(record),
        }
    }

    fn plain_of_referral(&self, rule: &Rule, referral: &Referral) -> Option<Value> {
        if rule.template.is_some() && rule.direction == Some(Direction::ToCrm) {
            return self.render_referral(rule, referral);
        }
        if rule.constant.is_some() {
            return None;
        }
        let value = scalar::from_partner_center(rule, shown(rule, referral.body())?.as_ref());
        Some(without_mark(rule, value))
    }

    fn plain_of_record(&self, rule: &Rule, record: &Record) -> Option<Value> {
        if rule.template.is_some() && rule.direction == Some(Direction::ToPartnerCenter) {
            return self.render_record(rule, record);
        }
        match record.columns.get(rule.crm.as_deref()?) {
            Some(shown) => Some(without_mark(rule, scalar::from_crm(rule, shown))),
            None if rule.name == EXTERNAL_REFERENCE => Some(Value::of_text(&record.id.id)),
            None => None,
        }
    }
}

fn without_mark(rule: &Rule, value: Value) -> Value {
    match value {
        Value::Text(name) if rule.name == NAME => Value::of_text(unmarked(&name).trim()),
        value => value,
    }
}

/// The body's value at the rule's path, else at `referral_else` if that is empty; with the lines at `referral_next`.
fn shown<'a>(rule: &Rule, body: &'a Json) -> Option<Cow<'a, Json>> {
    let first = rule.referral.as_ref()?.read(body);
    let is_empty = |shown: Option<&Json>| shown.is_none_or(|shown| shown.is_null() || shown == "");
    let first = match &rule.referral_else {
        Some(second) if is_empty(first) => second.read(body).filter(|shown| !is_empty(Some(shown))).or(first),
        _ => first,
    };
    let next =
        rule.referral_next.as_ref().and_then(|next| next.read(body)).filter(|next| !is_empty(Some(next)));
    match (first, next) {
        (Some(Json::String(first)), Some(Json::String(next))) if !first.is_empty() => {
            Some(Cow::Owned(format!("{first}\n{next}").into()))
        }
        (first, Some(next)) if is_empty(first) => Some(Cow::Borrowed(next)),
        _ => first.map(Cow::Borrowed),
    }
}

/// A group is observed if any member is: a body may lack an optional line of an address.
fn group_of_referral(rules: &[Rule], body: &Json) -> Option<Value> {
    let read: Vec<_> = rules.iter().map(|rule| (rule, shown(rule, body))).collect();
    read.iter().any(|(_, shown)| shown.is_some()).then(|| {
        let member = |(rule, shown): (&Rule, Option<Cow<'_, Json>>)| {
            (rule.name.clone(), scalar::from_partner_center(rule, shown.as_deref().unwrap_or(&Json::Null)))
        };
        as_group(rules, read.into_iter().map(member).collect())
    })
}

/// A group is observed if all its members are: a column that was not read says nothing.
fn group_of_record(rules: &[Rule], record: &Record) -> Option<Value> {
    let mut members = BTreeMap::new();
    for rule in rules {
        let value = match (&rule.crm, &rule.constant) {
            (Some(crm), _) => scalar::from_crm(rule, record.columns.get(crm)?),
            (None, Some(constant)) => scalar::from_map(rule, constant),
            (None, None) => continue,
        };
        members.insert(rule.name.clone(), value);
    }
    Some(as_group(rules, members))
}

/// The members of a group. Without an amount all are empty, because a currency alone means nothing.
pub(crate) fn as_group(rules: &[Rule], mut members: BTreeMap<String, Value>) -> Value {
    let no_amount =
        rules.iter().any(|rule| rule.kind == Kind::Money && members.get(&rule.name) == Some(&Value::Null));
    if no_amount {
        members.values_mut().for_each(|value| *value = Value::Null);
    }
    Value::Map(members)
}
