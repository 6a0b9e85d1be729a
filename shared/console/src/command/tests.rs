//! What the words of the command line become.

use super::{deal::end_of, *};
use clap::CommandFactory;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const GUID: &str = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";

fn event(words: &str) -> Value {
    let parsed = Cosell::try_parse_from(["cosell"].into_iter().chain(words.split(' '))).unwrap();
    parsed.command.event(|_| Ok("[switches]\n".to_owned())).unwrap().unwrap()
}

#[test]
fn the_command_line_is_sound() {
    Cosell::command().debug_assert();
}

#[test]
fn a_deal_is_found_in_whatever_names_it() {
    let of = |text: &str| end_of(text).unwrap();
    assert_eq!(of(GUID), ("referral", GUID.to_owned()));
    assert_eq!(of(&format!("opportunity/{GUID}")), ("record", format!("opportunity/{GUID}")));
    let page = format!("https://partner.microsoft.com/referrals/v2/inbox?id={GUID}");
    assert_eq!(of(&page), ("referral", GUID.to_owned()));
    let page = format!("https://contoso.crm.dynamics.com/main.aspx?etn=lead&id={GUID}&pagetype=entityrecord");
    assert_eq!(of(&page), ("record", format!("lead/{GUID}")));
    let app = "5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55";
    let page =
        format!("https://o.crm.dynamics.com/main.aspx?appid={app}&etn=opportunity&id=%7B{GUID}%7D&x=y");
    assert_eq!(of(&page), ("record", format!("opportunity/{GUID}")), "not the app's");
    let page = "https://contoso.lightning.force.com/lightning/r/Opportunity/006Qy00000kLmNoIAK/view";
    assert_eq!(of(page), ("record", "opportunity/006Qy00000kLmNoIAK".to_owned()));
    assert_eq!(of("00QQy00000AbCdE"), ("record", "lead/00QQy00000AbCdE".to_owned()));
    for nothing in ["", "the deal with Kestrel", "12345", "opportunity/", "0061234"] {
        assert_eq!(end_of(nothing), None, "{nothing}");
    }
}

#[test]
fn each_command_is_the_admin_functions() {
    assert_eq!(event("doctor"), json!({ "command": "doctor" }));
    let explain = json!({ "command": "explain", "referral": GUID, "sides": "yes" });
    assert_eq!(event(&format!("--local explain {GUID}")), explain);
    assert_eq!(event("deals --state awaiting_microsoft")["state"], "awaiting_microsoft");
    assert_eq!(event("backfill")["action"], "status", "looking is the default");
    let set = json!({ "command": "map", "action": "set", "map": "[switches]\n" });
    assert_eq!(event("map set mine.toml"), set);
    assert_eq!(event("preview --all"), json!({ "command": "preview", "all": "yes" }));
}

/// What the page gives to copy: each admin command and its text. That the page's own rule (`commandText` of command.js)
/// makes these texts is held by tests/browser.
fn copied() -> Vec<(Value, String)> {
    let all: Vec<Value> = serde_json::from_str(include_str!("copied.json")).unwrap();
    let text = |one: &Value| one["text"].as_str().unwrap().to_owned();
    all.iter().map(|one| (one["event"].clone(), text(one))).collect()
}

/// The words of a line, as a shell takes quotes and `\'`.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let word = words.last_mut().unwrap();
        match letter {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.extend(letters.next()),
            ' ' if !quoted => words.push(String::new()),
            letter => word.push(letter),
        }
    }
    words
}

/// A command's members, however a yes is written.
fn members(event: &Value) -> BTreeMap<String, Value> {
    let given = event.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    let plain = |value: &Value| if *value == json!(true) { json!("yes") } else { value.clone() };
    given.map(|(name, value)| (name.clone(), plain(value))).collect()
}

#[test]
fn what_the_page_copies_is_understood() {
    for (event, text) in copied() {
        let (line, document) = text.split_once(" <<'TOML'\n").unwrap_or((text.as_str(), ""));
        let words = ["cosell", "--local"].map(str::to_owned).into_iter().chain(shell_words(line));
        let parsed = Cosell::try_parse_from(words).unwrap_or_else(|e| panic!("{text}: {e}"));
        let document = document.strip_suffix("\nTOML");
        let told = parsed.command.event(|_| Ok(document.unwrap().to_owned())).unwrap().unwrap();
        assert_eq!(members(&told), members(&event), "{text}");
        // A document at standard input is no terminal: no question could be answered.
        assert!(document.is_none() || parsed.yes || parsed.command.question().is_none(), "{text}");
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![fs::read_to_string(&path).unwrap()],
    };
    entries.flat_map(of).collect()
}

/// The reader of a cure copies its command.
#[test]
fn each_command_in_a_cure_is_one_that_is_copied() {
    let known: Vec<_> = copied().iter().map(|(event, _)| members(event)).collect();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/admin/src"));
    let mut found = 0;
    for text in sources(folder) {
        let text = text.replace("{host}", "HOST");
        for rest in text.split(r#"{\"command\""#).skip(1) {
            let rest = rest.split('}').next().unwrap().replace('\\', "");
            let cure = format!("{{\"command\"{rest}}}");
            let Ok(event) = serde_json::from_str::<Value>(&cure) else {
                assert!(cure.contains('…'), "neither a command nor the form of one: {cure}");
                continue;
            };
            assert!(known.contains(&members(&event)), "copied.json lacks {cure}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn what_changes_something_asks_first() {
    let asks = |words: &str| {
        let parsed = Cosell::try_parse_from(["cosell"].into_iter().chain(words.split(' '))).unwrap();
        parsed.command.question().is_some()
    };
    for words in ["redrive", "unregister", "rebase start", "map rollback", "retry", "backfill start"] {
        assert!(asks(words), "{words}");
    }
    for words in ["doctor", "deals", "backfill", "map show", "overview", "preview --all"] {
        assert!(!asks(words), "{words}");
    }
}
