//! `$batch`: multipart in and out, change sets that are atomic, references to earlier parts.

use super::refusal::{DataverseOutcome, DataverseRefusal, bad_payload, not_modelled, to_response};
use super::store::ChangeSet;
use super::{Dataverse, DataverseCall};
use crate::server::{Request, Response};
use bytes::Bytes;
use std::collections::BTreeMap;
use uuid::Uuid;

const MOST: usize = 1000;
const LONGEST_URL: usize = 65_536;

type PartHeaders = BTreeMap<String, String>;

/// One item of a batch.
enum BatchItem {
    Single(Request),
    ChangeSet(Vec<Request>),
}

fn malformed(text: impl std::fmt::Display) -> DataverseRefusal {
    bad_payload("", text)
}

/// The boundary of a `multipart/mixed` content type.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    let value = rest.trim().strip_prefix("boundary=")?;
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (kind.trim() == "multipart/mixed" && !value.is_empty()).then_some(value)
}

/// The parts between the boundary lines: headers and content.
fn parts<'a>(body: &'a str, boundary: &str) -> DataverseOutcome<Vec<(PartHeaders, &'a str)>> {
    let delimiter = format!("--{boundary}");
    // Clients that are in use begin a batch with an empty line.
    let inside = body.strip_prefix("\r\n").unwrap_or(body).strip_prefix(&delimiter);
    let inside = inside.ok_or_else(|| malformed("The boundary line is missing."))?;
    let line = format!("\r\n{delimiter}");
    let mut pieces: Vec<&str> = inside.split(line.as_str()).collect();
    let end = pieces.pop().unwrap_or_default();
    if !end.starts_with("--") || !end[2..].trim_matches(['\r', '\n']).is_empty() || pieces.is_empty() {
        return Err(malformed("The closing boundary line is missing."));
    }
    pieces
        .into_iter()
        .map(|piece| {
            let piece = piece.strip_prefix("\r\n").ok_or_else(|| malformed("A boundary line is broken."))?;
            head(piece)
        })
        .collect()
}

/// Header lines up to the blank line, and what follows. Where nothing follows, the boundary took the blank line's end.
fn head(text: &str) -> DataverseOutcome<(PartHeaders, &str)> {
    let (lines, content) = match (text.strip_prefix("\r\n"), text.split_once("\r\n\r\n")) {
        (Some(content), _) => ("", content),
        (None, Some(cut)) => cut,
        (None, None) if text.is_empty() || text.ends_with("\r\n") => (text, ""),
        (None, None) => return Err(malformed("The blank line after the headers is missing.")),
    };
    let mut headers = PartHeaders::new();
    for line in lines.split("\r\n").filter(|l| !l.is_empty()) {
        let (name, value) =
            line.split_once(':').ok_or_else(|| malformed(format!("Header line '{line}'.")))?;
        headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok((headers, content))
}

impl Dataverse {
    pub(super) fn batch(&mut self, call: &DataverseCall) -> DataverseOutcome<Response> {
        let items = self.items(call)?;
        let separator = format!("batchresponse_{}", Uuid::new_v4());
        let mut answers: Vec<String> = vec![];
        let mut failed = false;
        for item in &items {
            let (answer, ok) = match item {
                BatchItem::Single(request) => {
                    let response = self.part(request, call)?;
                    (part(&response, None), response.status < 400)
                }
                BatchItem::ChangeSet(requests) => self.run_change_set(requests, call)?,
            };
            if !ok && !call.prefer.continue_on_error {
                failed = true;
                if !self.switches.batch_keeps_earlier_answers {
                    answers.clear();
                }
                answers.push(answer);
                break;
            }
            answers.push(answer);
        }
        let body: String = answers.iter().map(|a| format!("--{separator}\r\n{a}")).collect();
        let mut response = Response::new(if failed { 400 } else { 200 })
            .with("Content-Type", format!("multipart/mixed; boundary={separator}"))
            .with("OData-Version", "4.0");
        if call.prefer.continue_on_error {
            response = response.with("Preference-Applied", "odata.continue-on-error");
        }
        Ok(response.body(format!("{body}--{separator}--\r\n")))
    }

    fn items(&self, call: &DataverseCall) -> DataverseOutcome<Vec<BatchItem>> {
        let content_type = call.request.header("content-type").unwrap_or_default();
        let boundary = boundary(content_type)
            .ok_or_else(|| malformed(format!("The content type '{content_type}' is not a batch.")))?;
        let body = std::str::from_utf8(&call.request.body).map_err(malformed)?;
        let bytes = body.as_bytes();
        if bytes.iter().enumerate().any(|(at, b)| *b == b'\n' && (at == 0 || bytes[at - 1] != b'\r')) {
            return Err(malformed("Stream was not readable."));
        }
        let mut total = 0;
        let mut items = vec![];
        for (headers, content) in parts(body, boundary)? {
            let kind = headers.get("content-type").map(String::as_str).unwrap_or_default();
            if kind.starts_with("multipart/mixed") {
                let inner = self::boundary(kind).ok_or_else(|| malformed("A change set has no boundary."))?;
                let mut requests: Vec<Request> = vec![];
                for (headers, content) in parts(content, inner)? {
                    let request = self.inner(call, &headers, content)?;
                    let id = headers.get("content-id").cloned();
                    let id = id.ok_or_else(|| malformed("Content-ID is missing in a change set."))?;
                    if requests.iter().any(|r| r.header("content-id") == Some(&id)) {
                        return Err(malformed(format!("Content-ID '{id}' is used twice.")));
                    }
                    if request.method == "GET" {
                        return Err(malformed("A change set must not contain a query operation."));
                    }
                    requests.push(request);
                }
                total += requests.len();
                items.push(BatchItem::ChangeSet(requests));
            } else {
                total += 1;
                items.push(BatchItem::Single(self.inner(call, &headers, content)?));
            }
        }
        if total > MOST {
            return Err(malformed(format!("The batch has {total} operations; the maximum is {MOST}.")));
        }
        Ok(items)
    }

    /// The request inside an `application/http` part; it inherits nothing but the protocol headers.
    fn inner(&self, call: &DataverseCall, part: &PartHeaders, content: &str) -> DataverseOutcome<Request> {
        if part.get("content-type").map(String::as_str) != Some("application/http")
            || part.get("content-transfer-encoding").map(String::as_str) != Some("binary")
        {
            return Err(malformed("A part needs 'application/http' and the transfer encoding 'binary'."));
        }
        let (line, rest) =
            content.split_once("\r\n").ok_or_else(|| malformed("A request line is missing."))?;
        let words: Vec<&str> = line.split(' ').collect();
        let [method, url, "HTTP/1.1"] = words.as_slice() else {
            return Err(malformed(format!("The request line '{line}' is not valid.")));
        };
        if url.len() > LONGEST_URL {
            return Err(malformed("The URL is too long."));
        }
        let (mut headers, body) = head(rest)?;
        for name in ["accept", "odata-version", "odata-maxversion"] {
            if let Some(value) = call.request.header(name) {
                headers.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        if let Some(id) = part.get("content-id") {
            headers.insert("content-id".into(), id.clone());
        }
        let path = url.strip_prefix(self.base.as_str()).unwrap_or(url);
        if !path.starts_with('/') && !path.starts_with('$') {
            return Err(not_modelled(format!("the URL `{url}` in a batch")));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Ok(Request {
            method: (*method).to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            // The CRLF before the next boundary belongs to the boundary; a blank line at the end is no content.
            body: Bytes::from(body.trim_end_matches("\r\n").to_owned()),
        })
    }

    /// Runs one inner request; a vendor's refusal is its answer.
    fn part(&mut self, request: &Request, call: &DataverseCall) -> DataverseOutcome<Response> {
        let mut request = request.clone();
        if request.path.ends_with("/$batch") {
            return Err(malformed("A batch must not contain a batch."));
        }
        let outcome = match request.path.strip_prefix('$').map(|r| r.split_once('/').unwrap_or((r, ""))) {
            None => self.check_headers(&request).and_then(|()| self.dispatch(&request, &call.user, call.now)),
            Some((n, rest)) => match self.reference(n) {
                Err(refusal) => Err(refusal),
                Ok((set, id)) => {
                    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
                    request.path = format!("{}/{set}({id}){rest}", super::ROOT);
                    self.check_headers(&request).and_then(|()| self.dispatch(&request, &call.user, call.now))
                }
            },
        };
        match outcome {
            Ok(response) => Ok(response),
            Err(DataverseRefusal::Vendor { status, code, message, details }) => {
                let annotated = request.header("prefer").is_some_and(|p| p.contains("include-annotations"));
                Ok(to_response(status, &code, &message, &details, annotated))
            }
            Err(unknown) => Err(unknown),
        }
    }

    fn run_change_set(
        &mut self,
        requests: &[Request],
        call: &DataverseCall,
    ) -> DataverseOutcome<(String, bool)> {
        let separator = format!("changesetresponse_{}", Uuid::new_v4());
        self.change_set = Some(ChangeSet::default());
        let mut answers = vec![];
        for request in requests {
            let response = self.part(request, call);
            match response {
                Ok(response) if response.status < 400 => {
                    answers.push(part(&response, request.header("content-id")))
                }
                other => {
                    let set = self.change_set.take().unwrap_or_default();
                    self.roll_back(set);
                    return other.map(|response| (part(&response, None), false));
                }
            }
        }
        self.change_set = None;
        let body: String = answers.iter().map(|a| format!("--{separator}\r\n{a}")).collect();
        let text =
            format!("Content-Type: multipart/mixed; boundary={separator}\r\n\r\n{body}--{separator}--\r\n");
        Ok((text, true))
    }
}

/// One answer as a part; with a Content-ID inside a change set.
fn part(response: &Response, content_id: Option<&str>) -> String {
    let mut text = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n".to_owned();
    if let Some(id) = content_id {
        text.push_str(&format!("Content-ID: {id}\r\n"));
    }
    let reason = match response.status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        412 => "Precondition Failed",
        _ => "Error",
    };
    text.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", response.status));
    if response.status >= 400 {
        text.push_str(&format!("REQ_ID: {}\r\n", Uuid::new_v4()));
    }
    for (name, value) in &response.headers {
        if content_id.is_some() && name == "OData-EntityId" {
            text.push_str(&format!("Location: {value}\r\n"));
        }
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&String::from_utf8_lossy(&response.body));
    text.push_str("\r\n");
    text
}
