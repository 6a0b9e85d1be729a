//! Every sample of the reference: its request is sent as it is written, and the answer must be the documented one,
//! member by member. Ids, versions and links may differ in value, not in form.

mod compare;
mod errors;
mod story;

use super::*;
use compare::{differences, line_form};
use std::{collections::BTreeSet, fs, path::PathBuf};

const ORG_OF_THE_SAMPLES: &str = "https://contoso-sales.crm.dynamics.com";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/dataverse/samples"))
}

/// An org with the example columns of the reference, and the samples played on it so far.
struct Stage {
    bench: Bench,
    played: BTreeSet<String>,
}

impl Stage {
    /// A sample about our org, with some of its invented values replaced by those that are true here.
    fn sample(&mut self, name: &str, replaced: &[(&str, &str)]) -> Value {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).expect(name);
        self.played.insert(name.to_owned());
        let text = text.replace(ORG_OF_THE_SAMPLES, ORG);
        let text = replaced.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{name} does not say {old}");
            text.replace(old, new)
        });
        serde_json::from_str(&text).expect(name)
    }

    #[track_caller]
    fn play(&mut self, name: &str) -> Answer {
        self.play_with(name, &[])
    }

    /// Sends a sample's request and compares the answer.
    #[track_caller]
    fn play_with(&mut self, name: &str, replaced: &[(&str, &str)]) -> Answer {
        let sample = self.sample(name, replaced);
        let request = &sample["request"];
        let url = request["url"].as_str().expect("a url").strip_prefix(ORG).expect("our org").to_owned();
        let headers: Vec<(String, String)> = request["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .filter(|(header, _)| *header != "Authorization")
            .map(|(header, value)| (header.to_lowercase(), value.as_str().expect("text").to_owned()))
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
        let body = match (request.get("body"), request["bodyLines"].as_array()) {
            (Some(body), _) => body.to_string(),
            (None, Some(lines)) => joined(lines),
            (None, None) => String::new(),
        };
        let response =
            self.bench.raw(request["method"].as_str().expect("a method"), &url, &headers, body.as_bytes());
        let text = String::from_utf8(response.body.to_vec()).expect("text");
        let answer = Answer::of(response);
        same(name, &sample["response"], &answer, &text);
        answer
    }
}

fn joined(lines: &[Value]) -> String {
    lines.iter().map(|line| line.as_str().expect("a line")).collect::<Vec<_>>().join("\r\n")
}

#[track_caller]
fn same(what: &str, expected: &Value, answer: &Answer, text: &str) {
    let mut found = vec![];
    if expected["status"] != answer.status {
        found.push(format!("status {} became {}", expected["status"], answer.status));
    }
    for (header, value) in expected["headers"].as_object().into_iter().flatten() {
        let (value, seen) = (value.as_str().expect("text"), answer.header(&header.to_lowercase()));
        let made = header.starts_with("x-ms-") || ["ETag", "Retry-After"].contains(&header.as_str());
        let equal = match header.as_str() {
            "OData-EntityId" | "Content-Type" => line_form(value) == line_form(seen),
            _ if made => !seen.is_empty(),
            _ => value == seen,
        };
        if !equal {
            found.push(format!("{header}: {value} became {seen}"));
        }
    }
    match (expected.get("body"), expected["bodyLines"].as_array()) {
        (Some(body), _) if body.is_object() => differences(body, &answer.body, "", &mut found),
        (Some(Value::String(body)), _) if body != text => found.push(format!("{body} became {text}")),
        (Some(Value::String(_)), _) => {}
        (_, Some(lines)) => {
            let form = |text: &str| text.split("\r\n").map(line_form).collect::<Vec<_>>();
            let (documented, seen) = (form(&joined(lines)), form(text));
            if documented != seen {
                found.push(format!("{documented:#?} became {seen:#?}"));
            }
        }
        _ if !text.is_empty() => found.push(format!("a body: {text}")),
        _ => {}
    }
    assert!(found.is_empty(), "{what}: {found:#?}\n{answer:?}");
}

#[test]
fn every_sample_is_sent_or_answered() {
    let mut played = BTreeSet::new();
    for part in [story::provisioning, story::writes, story::deals, story::polls, story::sign_in, errors::all]
    {
        played.extend(part());
    }
    let files = fs::read_dir(folder()).expect("samples").map(|entry| entry.expect("a file").path());
    let all: BTreeSet<String> =
        files.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(played, all);
}
