//! Every sample of the reference: its request is sent as it is written, and the answer must be the documented one,
//! member by member. Ids, tokens and counters may differ in value, not in form.

mod errors;
mod story;

use super::*;
use crate::compare::differences;
use std::{collections::BTreeSet, fs, path::PathBuf};

const ORG_OF_THE_SAMPLES: &str = "https://contoso-partner.my.salesforce.com";
/// Made by the server: same form only.
const MADE: [&str; 10] = [
    "id",
    "Id",
    "url",
    "access_token",
    "nextRecordsUrl",
    "totalSize",
    "Max",
    "Remaining",
    "issued_at",
    "Location",
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/salesforce/samples"))
}

/// Ids by their prefix, other parts without their digits.
fn form(text: &str) -> String {
    // The locator of the samples has no right check characters.
    let id = |part: &str| part.len() == 18 && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let part = |part: &str| match id(part) {
        true => format!("#{}", &part[..3]),
        false => part.replace(|c: char| c.is_ascii_digit(), ""),
    };
    text.split(['/', '-']).map(part).collect::<Vec<_>>().join("/")
}

fn alike(at: &str, sample: &Value, seen: &Value) -> bool {
    let name = at.rsplit('/').next().unwrap_or_default();
    let listed = at.contains("/ids/") || at.starts_with("/0") || at.starts_with("/1");
    match (sample, seen) {
        (Value::String(_), Value::String(_)) if name == "access_token" => true,
        (Value::String(a), Value::String(b)) if name == "message" => {
            // Words are the vendor's; an id in them is ours.
            let words = |text: &str| text.split([' ', '"']).map(form).collect::<Vec<_>>();
            words(a) == words(b)
        }
        (Value::String(a), Value::String(b)) => {
            let id = ids::parsed(a).is_some() && ids::parsed(b).is_some() && a[..3] == b[..3];
            (MADE.contains(&name) || listed || id) && (form(a) == form(b) || id)
        }
        (Value::Number(_), Value::Number(_)) => MADE.contains(&name),
        _ => false,
    }
}

/// What of an answer a shortened sample shows.
fn shortened(seen: &Value, sample: &Value) -> Value {
    match (seen, sample) {
        (Value::Object(members), Value::Object(shown)) => {
            shown.iter().filter_map(|(n, v)| Some((n.clone(), shortened(members.get(n)?, v)))).collect()
        }
        (Value::Array(items), Value::Array(shown)) => {
            let same = |item: &&Value, sample: &Value| {
                ["name", "value", "ApiName"]
                    .iter()
                    .any(|n| sample.get(*n).is_some() && item.get(*n) == sample.get(*n))
            };
            let found = shown.iter().filter_map(|s| Some(shortened(items.iter().find(|i| same(i, s))?, s)));
            found.collect()
        }
        (other, _) => other.clone(),
    }
}

/// An org with the example fields of the reference, and the samples played on it so far.
struct Stage {
    bench: Bench,
    played: BTreeSet<String>,
}

impl Stage {
    /// A sample with some of its invented values replaced by those that are true here.
    fn sample(&mut self, name: &str, replaced: &[(&str, &str)]) -> Value {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).expect(name);
        self.played.insert(name.to_owned());
        let text = text.replace(ORG_OF_THE_SAMPLES, BASE);
        let text = replaced.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{name} does not say {old}");
            text.replace(old, new)
        });
        serde_json::from_str(&text).expect(name)
    }

    #[track_caller]
    fn play(&mut self, name: &str) -> Answer {
        self.play_with(name, &[], false)
    }

    /// Sends a sample's request and compares the answer; of a long one only what the sample shows.
    #[track_caller]
    fn play_with(&mut self, name: &str, replaced: &[(&str, &str)], short: bool) -> Answer {
        let sample = self.sample(name, replaced);
        let request = &sample["request"];
        let url = request["url"].as_str().expect("a url").strip_prefix(BASE).expect("our org").to_owned();
        let headers = request["headers"].as_object().expect("headers").iter();
        let headers: Vec<(String, String)> = headers
            .filter(|(header, _)| *header != "Authorization")
            .map(|(header, value)| (header.to_lowercase(), value.as_str().expect("text").to_owned()))
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
        let body = request.get("body").map_or(String::new(), Value::to_string);
        let method = request["method"].as_str().expect("a method");
        let mut answer = Answer::of(self.bench.raw(method, &url, &headers, &body));
        if short {
            answer.body = shortened(&answer.body, &sample["response"]["body"]);
        }
        same(name, &sample["response"], &answer);
        answer
    }
}

#[track_caller]
fn same(what: &str, expected: &Value, answer: &Answer) {
    let mut found = vec![];
    if expected["status"] != answer.status {
        found.push(format!("status {} became {}", expected["status"], answer.status));
    }
    for (header, value) in expected["headers"].as_object().into_iter().flatten() {
        let (value, seen) = (value.as_str().expect("text"), answer.header(&header.to_lowercase()));
        let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        let equal = match header.as_str() {
            "Sforce-Limit-Info" => digits(value) == digits(seen),
            "Location" => form(value) == form(seen),
            _ => value == seen,
        };
        if !equal {
            found.push(format!("{header}: {value} became {seen}"));
        }
    }
    match expected.get("body") {
        Some(body) => differences(body, &answer.body, "", &alike, &mut found),
        None if answer.body != "" => found.push(format!("a body: {}", answer.body)),
        None => {}
    }
    assert!(found.is_empty(), "{what}: {found:#?}\n{answer:?}");
}

#[test]
fn every_sample_is_sent_or_answered() {
    let mut played = BTreeSet::new();
    for part in [
        story::provisioning,
        story::rows,
        story::composites,
        story::related,
        story::polls,
        story::sign_in,
        errors::all,
    ] {
        played.extend(part());
    }
    // A change event is none of this API's answers: the Pub/Sub API is not modelled.
    played.insert("cdc-change-event".to_owned());
    let files = fs::read_dir(folder()).expect("samples").map(|entry| entry.expect("a file").path());
    let all: BTreeSet<String> =
        files.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(played, all);
}
