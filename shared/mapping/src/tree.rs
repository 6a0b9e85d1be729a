//! A TOML text as a tree that keeps lines and the order of keys, and laying an override over a default.

use crate::Fault;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The value of a key.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The line of the key in the override; 0 in the default.
    pub(crate) line: usize,
    pub(crate) raw: Raw,
}

#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// The keys in the order of the text.
    Table(Vec<(String, Node)>),
    Array(Vec<Node>),
    Text(String),
    Integer(i64),
    Bool(bool),
    /// A float or a date and time, which no key of a map accepts.
    Other(&'static str),
}

/// Tables that an override replaces as a whole, because a mixture with the default's would never be meant.
const REPLACED: [&str; 2] = ["values", "reasons"];

impl Node {
    pub(crate) fn empty() -> Node {
        Node { line: 0, raw: Raw::Table(Vec::new()) }
    }

    /// Reads a text, or returns all its syntax errors. `lines`: whether the nodes keep their lines.
    pub(crate) fn parse(text: &str, lines: bool) -> Result<Node, Vec<Fault>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
            let at = |offset: usize| if lines { line(&starts, offset) } else { 0 };
            return Ok(Node { line: 0, raw: table_of(table.get_ref(), &at) });
        }
        let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let faults = errors.iter().map(|error| Fault {
            line: error.span().map_or(0, |span| line(&starts, span.start)),
            key: String::new(),
            text: error.message().replace('\n', ", "),
        });
        let faults: BTreeSet<Fault> = faults.collect();
        Err(faults.into_iter().collect())
    }

    /// Lays `top` over this node.
    pub(crate) fn overlay(&mut self, top: Node) {
        self.line = top.line;
        match (&mut self.raw, top.raw) {
            (Raw::Table(base), Raw::Table(top)) => {
                for (key, node) in top {
                    match base.iter_mut().find(|(name, _)| *name == key) {
                        Some((name, under)) if !REPLACED.contains(&name.as_str()) => under.overlay(node),
                        Some((_, under)) => *under = node,
                        None => base.push((key, node)),
                    }
                }
            }
            (base, top) => *base = top,
        }
    }

    pub(crate) fn table(&self) -> Option<&[(String, Node)]> {
        match &self.raw {
            Raw::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.table()?.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The keys and values of a table, to change them; empty for anything else.
    pub(crate) fn entries_mut(&mut self) -> &mut [(String, Node)] {
        match &mut self.raw {
            Raw::Table(entries) => entries,
            _ => &mut [],
        }
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries_mut().iter_mut().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// What this is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self.raw {
            Raw::Table(_) => "a table",
            Raw::Array(_) => "an array",
            Raw::Text(_) => "a text",
            Raw::Integer(_) => "a whole number",
            Raw::Bool(_) => "true or false",
            Raw::Other(what) => what,
        }
    }

    /// A text, a whole number or a boolean as JSON.
    pub(crate) fn plain(&self) -> Option<serde_json::Value> {
        match &self.raw {
            Raw::Text(text) => Some(text.as_str().into()),
            Raw::Integer(number) => Some((*number).into()),
            Raw::Bool(yes) => Some((*yes).into()),
            Raw::Table(_) | Raw::Array(_) | Raw::Other(_) => None,
        }
    }

    /// A text that depends on the content only, and not on comments, layout or the order of keys.
    pub(crate) fn digest_text(&self) -> String {
        match &self.raw {
            Raw::Table(entries) => {
                let mut entries: Vec<String> =
                    entries.iter().map(|(key, node)| format!("{key:?}={}", node.digest_text())).collect();
                entries.sort();
                format!("{{{}}}", entries.join(";"))
            }
            Raw::Array(items) => {
                format!("[{}]", items.iter().map(Node::digest_text).collect::<Vec<_>>().join(";"))
            }
            Raw::Text(text) => format!("{text:?}"),
            Raw::Integer(number) => number.to_string(),
            Raw::Bool(yes) => yes.to_string(),
            Raw::Other(what) => (*what).to_owned(),
        }
    }
}

fn line(starts: &[usize], offset: usize) -> usize {
    starts.partition_point(|start| *start < offset) + 1
}

fn table_of(table: &DeTable<'_>, at: &dyn Fn(usize) -> usize) -> Raw {
    let mut entries: Vec<(usize, String, Node)> = table
        .iter()
        .map(|(key, value)| {
            let offset = key.span().start;
            (offset, key.get_ref().to_string(), Node { line: at(offset), raw: raw_of(value, at) })
        })
        .collect();
    entries.sort_by_key(|(offset, ..)| *offset);
    Raw::Table(entries.into_iter().map(|(_, key, node)| (key, node)).collect())
}

fn raw_of(value: &Spanned<DeValue<'_>>, at: &dyn Fn(usize) -> usize) -> Raw {
    match value.get_ref() {
        DeValue::Table(table) => table_of(table, at),
        DeValue::Array(items) => Raw::Array(
            items.iter().map(|item| Node { line: at(item.span().start), raw: raw_of(item, at) }).collect(),
        ),
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(yes) => Raw::Bool(*yes),
        DeValue::Integer(number) => {
            match i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()) {
                Ok(number) => Raw::Integer(number),
                Err(_) => Raw::Other("a number out of range"),
            }
        }
        DeValue::Float(_) => Raw::Other("a decimal number"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
    }
}
