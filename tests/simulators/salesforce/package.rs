//! What a deployment carries: a multipart body with options and an archive, the archive's files, and their XML.

use super::refusal::{SalesforceOutcome, bad, not_modelled};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The parts of a `multipart/form-data` body by name.
pub(super) fn parts(kind: &str, body: &[u8]) -> SalesforceOutcome<BTreeMap<String, Vec<u8>>> {
    let broken = |what: &str| bad("INVALID_MULTIPART_REQUEST", what.to_owned(), &[]);
    let boundary = kind.split_once("boundary=").map(|(_, b)| b.trim_matches('"'));
    let boundary = format!("--{}", boundary.ok_or_else(|| broken("no boundary"))?);
    let mut found = BTreeMap::new();
    let mut rest = body;
    loop {
        let at = position(rest, boundary.as_bytes()).ok_or_else(|| broken("the last boundary is missing"))?;
        rest = &rest[at + boundary.len()..];
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        let head = position(rest, b"\r\n\r\n").ok_or_else(|| broken("a part without content"))?;
        let headers = String::from_utf8_lossy(&rest[..head]).into_owned();
        let name = headers.split_once("name=\"").and_then(|(_, n)| n.split('"').next());
        let name = name.ok_or_else(|| broken("a part without name"))?.to_owned();
        rest = &rest[head + 4..];
        let end = format!("\r\n{boundary}");
        let end = position(rest, end.as_bytes()).ok_or_else(|| broken("a part without end"))?;
        found.insert(name, rest[..end].to_vec());
        rest = &rest[end + 2..];
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The files of an archive whose entries are stored as they are.
pub(super) fn files(archive: &[u8]) -> SalesforceOutcome<BTreeMap<String, String>> {
    let broken = |what: &str| bad("INVALID_ZIP", what.to_owned(), &[]);
    let number = |at: usize, bytes: usize| -> SalesforceOutcome<usize> {
        let slice = archive.get(at..at + bytes).ok_or_else(|| broken("it ends too early"))?;
        Ok(slice.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte)))
    };
    let end = archive.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(|| broken("no directory"))?;
    let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut found = BTreeMap::new();
    for _ in 0..count {
        if archive.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(broken("no entry of the directory"));
        }
        if number(at + 10, 2)? != 0 {
            return Err(not_modelled("an archive whose entries are compressed"));
        }
        let (crc, size, name) = (number(at + 16, 4)?, number(at + 24, 4)?, number(at + 28, 2)?);
        let start = number(at + 42, 4)?;
        let title = archive.get(at + 46..at + 46 + name).ok_or_else(|| broken("a name"))?;
        at += 46 + name + number(at + 30, 2)? + number(at + 32, 2)?;
        let data = start + 30 + number(start + 26, 2)? + number(start + 28, 2)?;
        let text = archive.get(data..data + size).ok_or_else(|| broken("an entry ends too early"))?;
        if crc32(text) as usize != crc || number(start + 14, 4)? != crc {
            return Err(broken("a checksum is wrong"));
        }
        let text = String::from_utf8(text.to_vec()).map_err(|_| broken("an entry is no text"))?;
        found.insert(String::from_utf8_lossy(title).into_owned(), text);
    }
    Ok(found)
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// An element: its name, what is in it, its text.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub name: String,
    pub space: String,
    pub inside: Vec<Element>,
    pub text: String,
}

impl Element {
    /// The root of a document.
    pub(super) fn parse(document: &str) -> SalesforceOutcome<Element> {
        let broken = |what: &str| bad("MALFORMED_XML", what.to_owned(), &[]);
        let mut open = vec![Element::default()];
        let mut rest = document;
        while let Some((text, after)) = rest.split_once('<') {
            let top = open.last_mut().ok_or_else(|| broken("more ends than beginnings"))?;
            top.text += &text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let (tag, after) = after.split_once('>').ok_or_else(|| broken("a tag without end"))?;
            rest = after;
            if tag.starts_with('?') {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                let done = open.pop().filter(|e| e.name == name).ok_or_else(|| broken("tags that cross"))?;
                open.last_mut().ok_or_else(|| broken("an end too many"))?.inside.push(done);
                continue;
            }
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let space = attributes.strip_prefix("xmlns=\"").and_then(|a| a.strip_suffix('"'));
            if name.ends_with('/') || (space.is_none() && !attributes.is_empty()) {
                return Err(not_modelled(format!("the tag `{tag}`")));
            }
            open.push(Element {
                name: name.to_owned(),
                space: space.unwrap_or_default().into(),
                ..Element::default()
            });
        }
        let mut roots = open.pop().filter(|_| open.is_empty()).ok_or_else(|| broken("no end"))?.inside;
        roots.pop().filter(|_| roots.is_empty()).ok_or_else(|| broken("one root is expected"))
    }

    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.inside.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; empty: there is none.
    pub(super) fn of(&self, name: &str) -> &str {
        let found = self.inside.iter().find(|child| child.name == name);
        found.map(|child| child.text.trim()).unwrap_or_default()
    }

    /// As the Tooling API writes the same.
    pub(super) fn to_json(&self) -> Value {
        const NUMBERS: [&str; 5] = ["length", "visibleLines", "precision", "scale", "relationshipOrder"];
        if self.inside.is_empty() {
            let text = self.text.trim();
            return match text {
                "true" | "false" => json!(text == "true"),
                _ if NUMBERS.contains(&self.name.as_str()) => json!(text.parse::<u64>().ok()),
                _ => json!(text),
            };
        }
        let mut object = Map::new();
        for child in &self.inside {
            if child.name == "value" {
                let values = object.entry("value").or_insert(json!([]));
                values.as_array_mut().expect("made here").push(child.to_json());
            } else {
                object.insert(child.name.clone(), child.to_json());
            }
        }
        Value::Object(object)
    }
}
