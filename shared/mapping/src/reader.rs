//! Reads the parts of a map file and collects all faults instead of stopping at the first.

use crate::{Fault, tree::Node, tree::Raw};
use std::borrow::Cow;

/// Collects faults instead of stopping at the first.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) faults: Vec<Fault>,
}

/// A table of the map file, and its dotted key for messages.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) node: &'a Node,
    pub(crate) key: &'a str,
}

impl Reader {
    pub(crate) fn fault(&mut self, line: usize, key: impl Into<String>, text: impl Into<String>) {
        self.faults.push(Fault { line, key: key.into(), text: text.into() });
    }

    /// Adds a fault for each unknown key; `false`: this is no table.
    pub(crate) fn known(&mut self, place: Place<'_>, keys: &[&str]) -> bool {
        self.known_besides(place, keys, &[])
    }

    /// Like `known`, but the keys in `passed_over` are ignored.
    pub(crate) fn known_besides(&mut self, place: Place<'_>, keys: &[&str], passed_over: &[&str]) -> bool {
        let Some(entries) = place.node.table() else {
            self.fault(place.node.line, place.key, format!("expected a table, found {}", place.node.what()));
            return false;
        };
        for (key, node) in entries
            .iter()
            .filter(|(key, _)| ![keys, passed_over].iter().any(|keys| keys.contains(&key.as_str())))
        {
            self.fault(node.line, place.key, format!("unknown key `{key}`: expected {}", one_of(keys)));
        }
        true
    }

    /// A text. An empty one counts as missing, so that an override can remove a default.
    pub(crate) fn text(&mut self, place: Place<'_>, key: &str) -> Option<String> {
        let node = place.node.get(key)?;
        match &node.raw {
            Raw::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            _ => {
                self.wrong(place, key, node, "a text");
                None
            }
        }
    }

    pub(crate) fn yes(&mut self, place: Place<'_>, key: &str, default: bool) -> bool {
        match place.node.get(key) {
            None => default,
            Some(Node { raw: Raw::Bool(yes), .. }) => *yes,
            Some(node) => {
                self.wrong(place, key, node, "true or false");
                default
            }
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn number(&mut self, place: Place<'_>, key: &str, least: i64) -> Option<u32> {
        let node = place.node.get(key)?;
        let number = match node.raw {
            Raw::Integer(number) if number >= least => u32::try_from(number).ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong(place, key, node, &format!("a whole number of at least {least}"));
        }
        number
    }

    /// The meaning of a word that must be one of `words`.
    pub(crate) fn word<T: Copy>(&mut self, place: Place<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let node = place.node.get(key)?;
        let found = match &node.raw {
            Raw::Text(text) => words.iter().find(|(word, _)| word == text).map(|(_, meaning)| *meaning),
            _ => None,
        };
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let shown = node.plain().map_or(node.what().to_owned(), |plain| format!("`{}`", bare(&plain)));
            self.fault(node.line, join(place.key, key), format!("{shown}: expected {}", one_of(&names)));
        }
        found
    }

    /// A text, a whole number or a boolean, as JSON.
    pub(crate) fn plain(&mut self, place: Place<'_>, key: &str) -> Option<serde_json::Value> {
        let node = place.node.get(key)?;
        let plain = node.plain();
        if plain.is_none() {
            self.wrong(place, key, node, "a text, a whole number, true or false");
        }
        plain
    }

    pub(crate) fn texts(&mut self, place: Place<'_>, key: &str) -> Vec<String> {
        let Some(node) = place.node.get(key) else { return Vec::new() };
        let texts = match &node.raw {
            Raw::Array(items) => items.iter().map(Node::plain).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        match texts {
            Some(texts) => texts.iter().map(|text| bare(text).into_owned()).collect(),
            None => {
                self.wrong(place, key, node, "an array of texts or whole numbers");
                Vec::new()
            }
        }
    }

    /// A table of plain values, in the order of the file.
    pub(crate) fn pairs(&mut self, place: Place<'_>, key: &str) -> Vec<(String, serde_json::Value)> {
        let Some(node) = place.node.get(key) else { return Vec::new() };
        let Some(entries) = node.table() else {
            self.wrong(place, key, node, "a table");
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in entries {
            match value.plain() {
                Some(plain) => pairs.push((name.clone(), plain)),
                None => self.wrong(place, &join(key, name), value, "a text, a whole number, true or false"),
            }
        }
        pairs
    }

    fn wrong(&mut self, place: Place<'_>, key: &str, node: &Node, expected: &str) {
        let shown = node.plain().map_or(node.what().to_owned(), |plain| format!("`{}`", bare(&plain)));
        self.fault(node.line, join(place.key, key), format!("expected {expected}, found {shown}"));
    }
}

pub(crate) fn join(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// ``one of `a`, `b` ``, for messages.
pub(crate) fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [only] => only.clone(),
        _ => format!("one of {}", words.join(", ")),
    }
}

/// A plain JSON value as a text without quotes.
pub(crate) fn bare(plain: &serde_json::Value) -> Cow<'_, str> {
    match plain {
        serde_json::Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}
