//! Turns changes of units into a JSON Patch: only `replace` operations, in the order of the map.

use crate::{
    Fields, Map, Referral, Refusal, Value, list,
    rule::Rule,
    scalar,
    shape::Shape,
    status::{Phase, pair_of, phase_of_pair},
};
use serde_json::{Value as Json, json};

impl Map {
    /// The operations after which a referral has `changes` (in Partner Center's form; of a list the whole list).
    /// Changes of lists need `current`, because a list is sent whole and its elements keep the members that the map
    /// does not know.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    /// use serde_json::json;
    ///
    /// let changes = [("closing_date".to_owned(), Value::of_text("2026-10-31"))].into();
    /// let patch = Map::standard(CrmKind::Dynamics365).referral_patch(None, &changes)?;
    /// let noon = "2026-10-31T12:00:00Z";
    /// assert_eq!(patch, [json!({ "op": "replace", "path": "/details/closingDateTime", "value": noon })]);
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn referral_patch(&self, current: Option<&Referral>, changes: &Fields) -> Result<Vec<Json>, Refusal> {
        if let Some(unknown) = changes.keys().find(|unit| self.unit(unit).is_none()) {
            return Err(Refusal::new(unknown, "the map has no such rule"));
        }
        let mut operations = Vec::new();
        for one in &self.rules {
            let unit = &one.unit;
            let Some(value) = changes.get(&unit.name) else { continue };
            let refused = |text: &str| Refusal::new(&unit.name, text);
            if !unit.patchable {
                return Err(refused("cannot be changed in Partner Center once the referral exists"));
            }
            let shown = current.filter(|_| unit.rise_only || unit.only_while_empty);
            let shown = shown.and_then(|current| self.shown_by_referral(one, current)).unwrap_or(Value::Null);
            if unit.rise_only && shown == Value::Bool(true) && *value != Value::Bool(true) {
                return Err(refused("cannot be turned off again in Partner Center"));
            }
            if unit.only_while_empty && !shown.is_null() && shown != *value {
                return Err(refused("is taken in Partner Center and is never overwritten"));
            }
            let replaced = |text: String| refused(&text);
            match &one.shape {
                Shape::Plain(rule) => operations.extend(replace(rule, value).map_err(replaced)?),
                Shape::Group(rules) => {
                    for rule in rules {
                        operations.extend(replace(rule, value.member(&rule.name)).map_err(replaced)?);
                    }
                }
                Shape::List(rule) => {
                    let current = current.ok_or_else(|| refused("is sent whole and was not read before"))?;
                    let whole = list::merged(rule, current.body(), value).map_err(replaced)?;
                    operations.extend(rule.referral.as_ref().map(|path| operation(&path.pointer(), whole)));
                }
                Shape::Status => {
                    let pair = pair_of(value);
                    if phase_of_pair(&pair).is_none() {
                        return Err(refused(&format!("`{pair}` is no status of Partner Center")));
                    }
                    operations.extend(status(value));
                }
            }
        }
        Ok(operations)
    }
}

fn replace(rule: &Rule, value: &Value) -> Result<Option<Json>, String> {
    let Some(path) = &rule.referral else { return Ok(None) };
    Ok(Some(operation(&path.pointer(), scalar::partner_center_json(rule, value)?)))
}

/// Status and substatus are changed in one patch (vendors/partner-center.md, *Patch*), with the reason of a loss.
fn status(value: &Value) -> Vec<Json> {
    let lost = phase_of_pair(&pair_of(value)) == Some(Phase::Lost);
    ["status", "substatus", "reason"]
        .into_iter()
        .filter(|name| *name != "reason" || lost)
        .filter_map(|name| {
            let path = if name == "reason" { "/statusReason".to_owned() } else { format!("/{name}") };
            value.member(name).text().map(|text| operation(&path, text.into()))
        })
        .collect()
}

fn operation(path: &str, value: Json) -> Json {
    json!({ "op": "replace", "path": path, "value": value })
}
