//! The canonical value of one merge unit, as one side shows it.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// Canonical value of one merge unit in the form native to one side; the other side's form is got by
/// [`Map::to_crm`](crate::Map::to_crm) and [`Map::to_partner_center`](crate::Map::to_partner_center).
///
/// Numbers and money are the text of the normalised decimal (`84000`, `61000.5`), dates are `YYYY-MM-DD`, an empty
/// text is `Null`. Groups are a `Map` of their members, lists a `Map` of their elements by key, each a `Map`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Seen empty.
    Null,
    /// Yes or no.
    Bool(bool),
    /// Text, number, date, choice.
    Text(String),
    /// Group or list.
    Map(BTreeMap<String, Value>),
}

/// Unit name to value. A missing unit was not observed; [`Value::Null`] was seen empty.
pub type Fields = BTreeMap<String, Value>;

impl Value {
    /// Nothing is shown: `Null`, or a `Map` all of whose members show nothing.
    pub fn is_null(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Map(members) => members.values().all(Value::is_null),
            Value::Bool(_) | Value::Text(_) => false,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of a group or the elements of a list.
    pub fn members(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Value::Map(members) => Some(members),
            _ => None,
        }
    }

    /// One member of a group; `Null` if it shows none.
    pub fn member(&self, name: &str) -> &Value {
        self.members().and_then(|members| members.get(name)).unwrap_or(&Value::Null)
    }

    /// Text; an empty one is `Null`. Line ends are `\n`, as both sides may show either.
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
