//! What the words of the command line become.

use super::{deal::end_of, *};
use clap::CommandFactory;

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

/// The page's copied texts, by its own rule (`commandText` in app.js).
#[test]
fn what_the_page_copies_is_understood() {
    for words in [
        "explain GUID",
        "look GUID",
        "relink GUID",
        "disconnect GUID",
        "retry --filter GUID",
        "redrive",
        "doctor",
        "selftest",
        "watch",
        "backfill start",
        "backfill stop",
        "map set -",
        "map rollback 2",
        "explain opportunity/GUID",
    ] {
        let words = words.replace("GUID", GUID);
        let parsed = Cosell::try_parse_from(["cosell", "--local"].into_iter().chain(words.split(' ')));
        assert!(parsed.is_ok_and(|parsed| parsed.command.event(|_| Ok(String::new())).is_ok()), "{words}");
    }
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
