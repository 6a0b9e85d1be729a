//! The canonical value of one merge unit, as one side has it.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The canonical value of one merge unit, in the form native to one side.
/// [`Map::to_crm`](crate::Map::to_crm) and [`Map::to_partner_center`](crate::Map::to_partner_center) convert it.
///
/// A number or an amount is the text of its normalised decimal (`84000`, `61000.5`), a date is `YYYY-MM-DD`, an empty
/// text is `Null`. A group is a `Map` of its members, a list a `Map` of its elements by key, each of them a `Map`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// It was read and is empty.
    Null,
    /// Yes or no; an empty one is `Null`.
    Bool(bool),
    /// A text, number, date or choice.
    Text(String),
    /// A group or a list.
    Map(BTreeMap<String, Value>),
}

/// Values by the units' names. A missing unit was not observed; [`Value::Null`] is an empty one.
pub type Fields = BTreeMap<String, Value>;

impl Value {
    /// Whether it is empty: `Null`, or a `Map` whose members are all empty.
    ///
    /// ```
    /// use mapping::Value;
    ///
    /// assert!(serde_json::from_str::<Value>(r#"{ "deal_value": null, "currency": null }"#)?.is_null());
    /// assert!(!Value::Bool(false).is_null(), "No is an answer");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_null(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Map(members) => members.values().all(Value::is_null),
            Value::Bool(_) | Value::Text(_) => false,
        }
    }

    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of a group, or the elements of a list.
    pub fn members(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Value::Map(members) => Some(members),
            _ => None,
        }
    }

    /// One member of a group; `Null` if the group does not have it.
    pub fn member(&self, name: &str) -> &Value {
        self.members().and_then(|members| members.get(name)).unwrap_or(&Value::Null)
    }

    /// A text; an empty one becomes `Null`. Line ends become `\n`, because either side may return others.
    ///
    /// ```
    /// use mapping::Value;
    ///
    /// assert_eq!(Value::of_text(""), Value::Null);
    /// assert_eq!(Value::of_text("14 sites\r\nin Basel").text(), Some("14 sites\nin Basel"));
    /// ```
    pub fn of_text<'a>(text: impl Into<Cow<'a, str>>) -> Value {
        let text = text.into();
        if text.is_empty() {
            Value::Null
        } else if text.contains('\r') {
            Value::Text(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Value::Text(text.into_owned())
        }
    }
}

/// Written by hand: a derived one would copy each value, and format an error message for each kind that does not
/// match.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shown)
    }
}

struct Shown;

impl<'de> Visitor<'de> for Shown {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing, yes or no, a text, or values by name")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = access.next_entry()? {
            members.insert(name, value);
        }
        Ok(Value::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_as_it_was_written_and_others_are_refused() {
        let text = r#"{"a":null,"b":true,"c":"84000","d":{},"e":{"f":"x"}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value.member("a"), &Value::Null);
        assert_eq!(value.member("e").member("f"), &Value::Text("x".to_owned()));
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        for other in ["1", "[]", r#"{"a":[1]}"#] {
            assert!(serde_json::from_str::<Value>(other).is_err(), "{other}");
        }
    }
}
