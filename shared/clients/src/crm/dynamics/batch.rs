//! Writes and reads `$batch` (vendors/dataverse.md, *Batch*), which is multipart in both directions. Every line that
//! is sent ends in CRLF; answers are read leniently.

use crate::http::text;
use serde_json::Value;

/// A request inside a batch.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// Below the service root; already escaped.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Request {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Request { method: "GET", path: path.into(), headers: vec![], body: None }
    }

    pub(super) fn write(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        Request { method, path: path.into(), headers: vec![], body: Some(body) }
    }

    /// A conditional PATCH whose answer contains the row after it.
    pub(super) fn patch(path: impl Into<String>, etag: &str, body: Value) -> Self {
        Request::write("PATCH", path, body).with("If-Match", etag).with("Prefer", "return=representation")
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// One item of a batch, in order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A request by itself.
    One(Request),
    /// Requests of which all are carried out or none.
    ChangeSet(Vec<Request>),
}

/// An answer inside a batch's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its own status, which may differ from the batch's.
    pub status: u16,
    /// As sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without the blank lines around it.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body, if it is JSON; bytes and escapes that no text can hold are replaced in it.
    pub fn json(&self) -> Option<Value> {
        text::json(&self.body).ok()
    }

    /// A header by its name, in upper or lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// How one item ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A read's answer, or the one answer of a change set that failed.
    One(Reply),
    /// The answers of a change set that was carried out, one per request.
    Set(Vec<Reply>),
}

impl Outcome {
    /// The answer that gives the reason why a change set was not carried out; `None`: it was.
    pub(super) fn refusal(&self) -> Option<&Reply> {
        match self {
            Outcome::Set(replies) => replies.iter().find(|reply| reply.status >= 400),
            Outcome::One(reply) => Some(reply).filter(|reply| reply.status >= 300),
        }
    }
}

impl Item {
    fn requests(&self) -> usize {
        match self {
            Item::One(_) => 1,
            Item::ChangeSet(requests) => requests.len(),
        }
    }
}

/// The most requests in one batch, those of its change sets included (vendors/dataverse.md, *Batch*).
const MOST: usize = 1000;

/// The items of one batch: never more than Dataverse accepts, because there is no other way to make one.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a>(&'a [Item]);

impl<'a> Batch<'a> {
    /// `None`: they are too many.
    pub(super) fn of(items: &'a [Item]) -> Option<Self> {
        (items.iter().map(Item::requests).sum::<usize>() <= MOST).then_some(Batch(items))
    }

    /// As many batches as the items need, in order; for items that are single requests.
    pub(super) fn apart(items: &'a [Item]) -> impl Iterator<Item = Self> {
        items.chunks(MOST).filter_map(Batch::of)
    }

    /// The number of items.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The body of a batch. `id` makes the boundaries unique; a body of JSON in one line never begins with dashes.
pub(super) fn encode(batch: Batch<'_>, root: &str, id: &str) -> String {
    let mut text = String::new();
    for (n, item) in batch.0.iter().enumerate() {
        text += &format!("--batch_{id}\r\n");
        match item {
            Item::One(request) => part(&mut text, request, root, None),
            Item::ChangeSet(requests) => {
                text += &format!("Content-Type: multipart/mixed; boundary=changeset_{n}_{id}\r\n\r\n");
                for (content_id, request) in requests.iter().enumerate() {
                    text += &format!("--changeset_{n}_{id}\r\n");
                    part(&mut text, request, root, Some(content_id + 1));
                }
                text += &format!("--changeset_{n}_{id}--\r\n");
            }
        }
    }
    text + &format!("--batch_{id}--\r\n")
}

/// The content type that goes with [`encode`].
pub(super) fn content_type(id: &str) -> String {
    format!("multipart/mixed; boundary=\"batch_{id}\"")
}

fn part(text: &mut String, request: &Request, root: &str, content_id: Option<usize>) {
    *text += "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";
    if let Some(id) = content_id {
        *text += &format!("Content-ID: {id}\r\n");
    }
    *text +=
        &format!("\r\n{} {root}/{} HTTP/1.1\r\nAccept: application/json\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        *text += &format!("{name}: {value}\r\n");
    }
    match &request.body {
        Some(body) => *text += &format!("Content-Type: application/json\r\n\r\n{body}\r\n"),
        // The blank line after the headers, and the line end that belongs to the boundary.
        None => *text += "\r\n\r\n",
    }
}

/// The outcomes in a batch's answer, in order; `None`: it is not the answer to a batch.
pub fn decode(content_type: &str, body: &[u8]) -> Option<Vec<Outcome>> {
    parts(body, &boundary(content_type)?)?
        .into_iter()
        .map(|part| {
            let (headers, content) = head(part)?;
            let kind = named(&headers, "content-type").unwrap_or_default();
            match boundary(kind) {
                None => reply(content).map(Outcome::One),
                Some(inner) => {
                    let replies = parts(content, &inner)?.into_iter().map(|p| reply(head(p)?.1));
                    replies.collect::<Option<Vec<_>>>().map(Outcome::Set)
                }
            }
        })
        .collect()
}

fn boundary(content_type: &str) -> Option<String> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    Some(value.trim_matches('"').to_owned()).filter(|v| !v.is_empty())
}

/// What lies between the boundary lines; `None`: the closing boundary is missing, so other parts may be too.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<&'a [u8]>> {
    let (open, close) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut found = vec![];
    let mut began = None;
    let mut at = 0;
    while at < body.len() {
        let end = body[at..].iter().position(|b| *b == b'\n').map_or(body.len(), |n| at + n + 1);
        let line = body[at..end].trim_ascii_end();
        if line == open.as_bytes() || line == close.as_bytes() {
            if let Some(from) = began {
                found.push(without_last_line_end(&body[from..at]));
            }
            if line == close.as_bytes() {
                return Some(found);
            }
            began = Some(end);
        }
        at = end;
    }
    None
}

/// The line end before a boundary belongs to the boundary.
fn without_last_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

type Headers = Vec<(String, String)>;

/// Header lines up to the blank line, and what follows.
fn head(part: &[u8]) -> Option<(Headers, &[u8])> {
    let mut headers = vec![];
    let mut rest = part;
    loop {
        let end = rest.iter().position(|b| *b == b'\n');
        let (line, after) = end.map_or((rest, &rest[rest.len()..]), |n| rest.split_at(n + 1));
        let line = line.trim_ascii();
        if line.is_empty() {
            return Some((headers, after));
        }
        let line = String::from_utf8_lossy(line);
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
}

fn named<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

fn reply(content: &[u8]) -> Option<Reply> {
    let end = content.iter().position(|b| *b == b'\n').unwrap_or(content.len());
    let line = String::from_utf8_lossy(&content[..end]);
    let mut words = line.split_whitespace();
    let status = words.next().filter(|w| w.starts_with("HTTP/"))?;
    let status = words.next().filter(|_| !status.is_empty())?.parse().ok()?;
    let (headers, body) = head(content.get(end + 1..).unwrap_or_default())?;
    Some(Reply { status, headers, body: body.trim_ascii().to_vec() })
}

#[cfg(test)]
#[path = "batch/tests.rs"]
mod tests;
