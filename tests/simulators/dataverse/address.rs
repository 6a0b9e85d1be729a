//! URLs: path segments, row addresses, query options, preferences.

use super::metadata::Table;
use super::refusal::{DataverseOutcome, bad_key, bad_request, not_modelled};
use super::values::{guid, key_value};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

/// `name` or `name(key)`, decoded.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub name: String,
    pub key: Option<String>,
}

/// Which row a URL means.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Id(String),
    /// Column and value, of an active alternate key.
    Key(Vec<(String, String)>),
}

/// Characters that cannot be used in key values of a URL.
const KEY_FORBIDDEN: &[char] = &['/', '<', '>', '*', '%', '&', ':', '\\', '?', '+'];

pub(super) fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

/// Splits a path below the service root.
pub(super) fn segments(path: &str) -> Option<Vec<Segment>> {
    path.split('/')
        .map(|raw| {
            let text = decode(raw)?;
            match text.split_once('(') {
                None => Some(Segment { name: text, key: None }),
                Some((name, rest)) => {
                    let key = rest.strip_suffix(')')?;
                    Some(Segment { name: name.to_owned(), key: Some(key.to_owned()) })
                }
            }
        })
        .collect()
}

/// Reads the key of a segment against the table's keys.
pub(super) fn address(table: &Table, key: &str) -> DataverseOutcome<Address> {
    if let Some(id) = guid(key) {
        return Ok(Address::Id(id));
    }
    let pairs = key_pairs(key).ok_or_else(|| bad_key(table))?;
    if let [(name, value)] = pairs.as_slice()
        && *name == table.id
        && let Some(id) = guid(value)
    {
        return Ok(Address::Id(id));
    }
    let names: Vec<&str> = pairs.iter().map(|p| p.0.as_str()).collect();
    if table.active_key(&names).is_none() || pairs.iter().any(|p| p.1.contains(KEY_FORBIDDEN)) {
        return Err(bad_key(table));
    }
    if pairs.iter().any(|p| p.1.is_empty()) {
        return Err(not_modelled("an empty key value"));
    }
    if pairs.iter().any(|(name, value)| key_value(&table.columns[name], value).is_none()) {
        return Err(bad_key(table));
    }
    Ok(Address::Key(pairs))
}

/// The names and values of a key written as `a='x',b='it''s'`; `None`: it is not.
pub(super) fn key_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = vec![];
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let value;
        (value, rest) = match after.strip_prefix('\'') {
            Some(quoted) => {
                let mut end = 0;
                loop {
                    end += quoted[end..].find('\'')?;
                    if quoted[end + 1..].starts_with('\'') {
                        end += 2;
                    } else {
                        break;
                    }
                }
                (quoted[..end].replace("''", "'"), &quoted[end + 1..])
            }
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        pairs.push((name.to_owned(), value));
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(pairs),
        }
    }
}

/// The query options by name, decoded. `+` is a blank, as servers read it.
pub(super) fn options(query: &str) -> DataverseOutcome<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let broken = || bad_request(format!("The query option '{pair}' is not valid."));
        let name = decode(name).ok_or_else(broken)?;
        let value = decode(&value.replace('+', "%20")).ok_or_else(broken)?;
        if found.insert(name.clone(), value).is_some() {
            return Err(bad_request(format!("Query option '{name}' was specified more than once.")));
        }
    }
    Ok(found)
}

/// What a `Prefer` header asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Prefer {
    pub representation: bool,
    pub annotations: bool,
    pub page: Option<usize>,
    pub track: bool,
    pub continue_on_error: bool,
}

impl Prefer {
    pub(super) fn parse(header: Option<&str>) -> DataverseOutcome<Self> {
        let mut prefer = Prefer::default();
        for wish in header.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty()) {
            match wish.split_once('=') {
                None if wish == "odata.track-changes" => prefer.track = true,
                None if wish == "odata.continue-on-error" => prefer.continue_on_error = true,
                Some(("return", "representation")) => prefer.representation = true,
                Some(("return", "minimal")) => {}
                Some(("odata.include-annotations", "\"*\"" | "*")) => prefer.annotations = true,
                Some(("odata.maxpagesize", n)) => {
                    let size: usize = n.parse().map_err(|_| bad_request("maxpagesize is not a number"))?;
                    if size == 0 {
                        return Err(bad_request("maxpagesize must be greater than 0"));
                    }
                    prefer.page = Some(size.min(5000));
                }
                _ => return Err(not_modelled(format!("preference `{wish}`"))),
            }
        }
        Ok(prefer)
    }
}
