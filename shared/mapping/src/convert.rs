//! Converts a unit's value into the other side's form, and decides whether two sides have the same value.

use crate::{
    Direction, Map, Refusal, Side, Value, fields, list,
    rule::{Kind, Required, Rule},
    scalar,
    shape::Shape,
    status::{pair_of, phase_of_pair},
    text::MARK_LENGTH,
};
use std::collections::BTreeMap;

impl Map {
    /// The value as the CRM would store it: after the table of values, with length, rounding and date applied.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// assert_eq!(map.to_crm("help", &Value::of_text("ProofOfConceptOrDemo"))?, Value::of_text("100000003"));
    /// // 300 characters, of which the check mark and its blank take two.
    /// let name = map.to_crm("name", &Value::of_text("x".repeat(400)))?;
    /// assert_eq!(name, Value::Text("x".repeat(297) + "…"));
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn to_crm(&self, unit: &str, shown: &Value) -> Result<Value, Refusal> {
        let one = self.rule(unit)?;
        let refused = |text: String| Refusal::new(unit, text);
        match &one.shape {
            Shape::Plain(rule) => self.plain_to_crm(rule, shown).map_err(refused),
            Shape::Group(rules) => group(rules, shown, scalar::to_crm)
                .and_then(|value| bounded_by_constants(rules, value))
                .and_then(|value| amounts_have_currencies(rules, value))
                .map_err(refused),
            Shape::List(rule) => {
                list::convert(rule, shown, Direction::ToCrm, scalar::to_crm).map_err(refused)
            }
            Shape::Status => self.status_to_crm(shown),
        }
    }

    /// The value as Partner Center would store it. Refuses what must never be sent: an amount of 0 or none, no date
    /// where one is required, a list without the elements that a referral requires.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let help = map.to_partner_center("help", &Value::of_text("100000003"))?;
    /// assert_eq!(help, Value::of_text("ProofOfConceptOrDemo"));
    /// let nothing: Value = serde_json::from_str(r#"{ "deal_value": "0", "currency": "CHF" }"#).unwrap();
    /// let refusal = map.to_partner_center("value", &nothing).unwrap_err();
    /// assert_eq!(refusal.to_string(), "value: only an amount above 0 is sent to Partner Center");
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn to_partner_center(&self, unit: &str, shown: &Value) -> Result<Value, Refusal> {
        let value = self.in_partner_center(unit, shown)?;
        let refused = |text: &str| Err(Refusal::new(unit, text));
        match &self.rule(unit)?.shape {
            Shape::Plain(rule) if rule.kind == Kind::Money && !is_positive(&value) => {
                refused("only an amount above 0 is sent to Partner Center")
            }
            Shape::Plain(rule)
                if rule.kind == Kind::Date && rule.required == Required::Always && value.is_null() =>
            {
                refused("a date is needed in Partner Center")
            }
            Shape::Group(rules)
                if rules.iter().any(|r| r.kind == Kind::Money && !is_positive(value.member(&r.name))) =>
            {
                refused("only an amount above 0 is sent to Partner Center")
            }
            Shape::List(rule) if rule.required == Required::Always && value.is_null() => {
                refused("the last one cannot be removed, Partner Center needs at least one")
            }
            _ => Ok(value),
        }
    }

    fn in_partner_center(&self, unit: &str, shown: &Value) -> Result<Value, Refusal> {
        let refused = |text: String| Refusal::new(unit, text);
        match &self.rule(unit)?.shape {
            Shape::Plain(rule) => scalar::to_partner_center(rule, shown).map_err(refused),
            Shape::Group(rules) => group(rules, shown, scalar::to_partner_center)
                .and_then(|value| amounts_have_currencies(rules, value))
                .map_err(refused),
            Shape::List(rule) => {
                list::convert(rule, shown, Direction::ToPartnerCenter, scalar::to_partner_center)
                    .map_err(refused)
            }
            Shape::Status => self.status_to_partner_center(shown),
        }
    }

    /// Whether the CRM has an option that the map does not list and that no rule needs: Partner Center's value then
    /// stays.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Salesforce);
    /// assert!(map.leaves_alone("solution_area", &Value::of_text("Our own area")));
    /// assert!(!map.leaves_alone("solution_area", &Value::of_text("Security")));
    /// ```
    pub fn leaves_alone(&self, unit: &str, crm: &Value) -> bool {
        self.plain_rule(unit).is_some_and(|rule| scalar::leaves_alone(rule, crm))
    }

    /// Whether a value says nothing. An amount of money that is not there says nothing in whichever currency.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let value = |json| serde_json::from_str::<Value>(json);
    /// assert!(map.says_nothing("value", &value(r#"{ "deal_value": "0", "currency": "CHF" }"#)?));
    /// assert!(!map.says_nothing("value", &value(r#"{ "deal_value": "84000", "currency": "CHF" }"#)?));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn says_nothing(&self, unit: &str, value: &Value) -> bool {
        let group = |rules: &[Rule]| no_amount(rules, value);
        value.is_null()
            || self.rule(unit).is_ok_and(|one| matches!(&one.shape, Shape::Group(rules) if group(rules)))
    }

    /// Whether both sides have the same value: one of them is what the other would be after conversion.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let long = "Warehouse visibility, 14 sites. ".repeat(100);
    /// let cut = map.to_crm("notes", &Value::of_text(long.as_str()))?;
    /// assert!(map.equal("notes", &Value::of_text(long.as_str()), &cut), "the column takes 2,000 characters");
    /// assert!(!map.equal("notes", &Value::of_text(long), &Value::of_text("Warehouse visibility, 17 sites.")));
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn equal(&self, unit: &str, partner_center: &Value, crm: &Value) -> bool {
        let Ok(one) = self.rule(unit) else { return false };
        let direction = one.unit.direction;
        // The elements of a list are created in the CRM with a new record, even if the list goes one way afterwards.
        let to_crm = direction != Direction::ToPartnerCenter || one.unit.list;
        let same = |rule: &Rule, pc: &Value, crm: &Value| {
            let as_crm = || self.plain_to_crm(rule, pc).is_ok_and(|value| same_plain(rule, &value, crm));
            let as_pc =
                || scalar::to_partner_center(rule, crm).is_ok_and(|value| same_plain(rule, &value, pc));
            (to_crm && as_crm()) || (direction != Direction::ToCrm && as_pc())
        };
        match &one.shape {
            Shape::Plain(rule) => scalar::leaves_alone(rule, crm) || same(rule, partner_center, crm),
            Shape::Group(rules) => {
                (no_amount(rules, partner_center) && no_amount(rules, crm))
                    || rules
                        .iter()
                        .filter(|rule| rule.crm.is_some() || rule.constant.is_some())
                        .all(|rule| same(rule, partner_center.member(&rule.name), crm.member(&rule.name)))
            }
            // A list always goes to the CRM, see `to_crm`.
            Shape::List(rule) => list::equal(rule, &list::taken(rule, partner_center, crm), crm, same),
            Shape::Status => self.status_equal(partner_center, crm),
        }
    }

    /// Whether `shown` is what writing `target` to `side` should have led to (both in that side's form). It is looser
    /// than `==` where a side returns more or less than was written: the reason of a loss, the name of a row of the
    /// catalogue.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Side, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let status = |json| serde_json::from_str::<Value>(json);
    /// let sent = status(r#"{ "status": "Closed", "substatus": "Lost", "reason": "Price" }"#)?;
    /// let kept = status(r#"{ "status": "Closed", "substatus": "Lost", "reason": null }"#)?;
    /// assert!(map.shows("status", Side::PartnerCenter, &sent, &kept));
    /// assert!(!map.shows("notes", Side::PartnerCenter, &Value::of_text("Price"), &Value::Null));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn shows(&self, unit: &str, side: Side, target: &Value, shown: &Value) -> bool {
        if target == shown {
            return true;
        }
        let Ok(one) = self.rule(unit) else { return false };
        match (&one.shape, side) {
            (Shape::Status, Side::PartnerCenter) => pair_of(target) == pair_of(shown),
            (Shape::Status, Side::Crm) => {
                let member = |name| target.member(name) == shown.member(name);
                member("state") && member("status") && member("stage")
            }
            (Shape::List(rule), _) => list::equal(rule, target, shown, |_, a, b| a == b),
            (Shape::Plain(rule), _) => same_plain(rule, target, shown),
            (Shape::Group(_), _) => target.is_null() && shown.is_null(),
        }
    }

    /// Which side wins a conflict. A status that is final in Partner Center always wins.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Side, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let declined: Value = serde_json::from_str(r#"{ "status": "Closed", "substatus": "Declined" }"#)?;
    /// assert_eq!(map.owner("status", None), Side::Crm);
    /// assert_eq!(map.owner("status", Some(&declined)), Side::PartnerCenter);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn owner(&self, unit: &str, partner_center: Option<&Value>) -> Side {
        let Ok(one) = self.rule(unit) else { return Side::PartnerCenter };
        let terminal = |value: &Value| phase_of_pair(&pair_of(value)).is_some_and(|phase| phase.is_closed());
        match one.shape {
            Shape::Status if partner_center.is_some_and(terminal) => Side::PartnerCenter,
            _ => one.unit.owner,
        }
    }

    pub(crate) fn plain_to_crm(&self, rule: &Rule, shown: &Value) -> Result<Value, String> {
        match rule.length {
            // The check mark takes its room from the name, so that both fit into the column.
            Some(length) if rule.name == fields::NAME && self.switches().check_mark => {
                scalar::to_crm_within(Some(length.saturating_sub(MARK_LENGTH)), rule, shown)
            }
            _ => scalar::to_crm(rule, shown),
        }
    }
}

fn group(
    rules: &[Rule],
    shown: &Value,
    one: impl Fn(&Rule, &Value) -> Result<Value, String>,
) -> Result<Value, String> {
    if !matches!(shown, Value::Map(_) | Value::Null) {
        return Err("expected a group".to_owned());
    }
    let mut members = BTreeMap::new();
    for rule in rules {
        let value = one(rule, shown.member(&rule.name)).map_err(|text| match &rule.label {
            Some(label) => format!("{label}: {text}"),
            None => format!("{}: {text}", rule.name),
        })?;
        members.insert(rule.name.clone(), value);
    }
    Ok(fields::as_group(rules, members))
}

fn amounts_have_currencies(rules: &[Rule], value: Value) -> Result<Value, String> {
    let member = |kind| rules.iter().find(|rule| rule.kind == kind).map(|rule| value.member(&rule.name));
    // An amount of 0 or none needs no currency.
    match (member(Kind::Money), member(Kind::Currency)) {
        (Some(amount), Some(currency)) if !is_zero(amount) && currency.is_null() => {
            Err("an amount without a currency".to_owned())
        }
        _ => Ok(value),
    }
}

/// For a member that has a constant and no column in this CRM (as in an organisation with one currency), refuses every
/// other value.
fn bounded_by_constants(rules: &[Rule], value: Value) -> Result<Value, String> {
    for rule in rules.iter().filter(|rule| rule.crm.is_none()) {
        let Some(constant) = rule.constant.as_ref().map(|constant| scalar::from_map(rule, constant)) else {
            continue;
        };
        let shown = value.member(&rule.name);
        if !shown.is_null() && *shown != constant {
            let (shown, only) = (shown.text().unwrap_or_default(), constant.text().unwrap_or_default());
            return Err(format!("`{shown}` where this CRM only has `{only}`"));
        }
    }
    Ok(value)
}

/// Whether two plain values are the same. No amount equals an amount of 0, and an empty boolean equals No.
fn same_plain(rule: &Rule, a: &Value, b: &Value) -> bool {
    let compared = |value| match rule.kind {
        Kind::Money if is_zero(value) => &Value::Null,
        Kind::Boolean if value.is_null() => &Value::Bool(false),
        _ => value,
    };
    compared(a) == compared(b)
}

/// Whether an amount may be sent: Partner Center accepts only amounts above 0.
pub(crate) fn is_positive(value: &Value) -> bool {
    value.text().is_some_and(|text| text != "0" && !text.starts_with('-'))
}

/// Whether a group of money shows no amount.
fn no_amount(rules: &[Rule], value: &Value) -> bool {
    rules.iter().any(|rule| rule.kind == Kind::Money && is_zero(value.member(&rule.name)))
}

fn is_zero(value: &Value) -> bool {
    value.is_null() || value.text() == Some("0")
}
