//! The program as people and scripts meet it: each command's text, `--json` and exit code against a local run of each
//! CRM, and against servers that answer with something other than a report. Loopback only.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

#[path = "commands/hostile.rs"]
mod hostile;
#[path = "commands/play.rs"]
mod play;

use play::{Demo, Done, cosell};
use serde_json::{Value, json};

/// Everything a newcomer may type, against a run of his own.
fn commands(crm: &str) {
    let demo = Demo::start(crm);
    let referral = demo.act(&json!({ "act": "refer" }))["id"].as_str().unwrap().to_owned();
    let listed = demo.until(&["deals"], |report| report["data"]["deals"][0]["record"].is_string());
    let record = listed["data"]["deals"][0]["record"].as_str().unwrap().to_owned();
    lists(&demo, crm, &referral);
    about_a_deal(&demo, &referral, &record);
    set_up(&demo);
    map(&demo);
    long(&demo);
    decisions(&demo, &referral, &record);
    acts_on_a_deal(&demo, &referral, &record);
}

fn lists(demo: &Demo, crm: &str, referral: &str) {
    let (text, report) = demo.both(&["overview"], 0);
    assert!(text.contains("deals") && report["data"]["crm"] == crm, "{text}");
    let (text, report) = demo.both(&["deals"], 0);
    assert!(text.contains(referral) && text.contains("Partner Center") && text.contains("linked"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    assert_eq!(report["data"]["deals"][0]["referral"], referral);
    let (text, report) = demo.both(&["deals", "--state", "closed"], 0);
    assert!(text.trim().is_empty() && report["data"]["deals"] == json!([]), "{text}");
    let (text, _) = demo.both(&["deals", "--filter", &referral[..8], "--limit", "5"], 0);
    assert!(text.contains(referral), "{text}");
    let (text, _) = demo.both(&["parked"], 0);
    assert!(text.contains("nothing is parked"), "{text}");
    let (text, report) = demo.both(&["whoami"], 0);
    assert!(text.starts_with("local run (--local="), "{text}");
    assert_eq!(report["name"], "local run");
}

fn about_a_deal(demo: &Demo, referral: &str, record: &str) {
    let (text, report) = demo.both(&["explain", referral], 0);
    assert!(text.contains("kept in step") && text.contains("who wins") && text.contains("created"), "{text}");
    assert_eq!(report["data"]["link"]["record"], record);
    let (text, _) = demo.both(&["explain", record], 0);
    assert!(text.contains(referral), "by its other end: {text}");
    let address = format!("https://partner.microsoft.com/dashboard/referrals/v2/inbox?id={referral}");
    demo.both(&["explain", &address], 0);
    demo.both(&["preview", referral], 0);
    demo.both(&["preview", "--all"], 0);
    let (text, _) = demo.both(&["look", referral], 0);
    assert!(text.starts_with("ok"), "{text}");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let (text, _) = demo.both(&["explain", unknown], 0);
    assert!(text.contains("warning") && text.contains("->"), "with its cure: {text}");
    let (text, report) = demo.both(&["relink", unknown, "--yes"], 1);
    assert!(text.contains("fault") && report["ok"] == false, "{text}");
    let done = demo.cosell(&["explain", "the deal with Kestrel"]);
    done.fails(2, "usage", "holds no id");
}

fn set_up(demo: &Demo) {
    for words in
        [&["doctor"][..], &["selftest"], &["watch"], &["register"], &["register", "--overwrite", "--yes"]]
    {
        let (text, _) = demo.both(words, 0);
        assert!(text.contains("ok"), "{words:?}: {text}");
    }
    for words in [&["provision"][..], &["deprovision"]] {
        demo.same(words);
    }
    demo.cosell(&["unregister"]).fails(2, "no-terminal", "--yes");
    demo.cosell(&["deprovision", "--delete-data", "--confirm", "x"]).fails(2, "no-terminal", "--yes");
    demo.both(&["unregister", "--yes"], 0);
    demo.both(&["register"], 0);
}

fn map(demo: &Demo) {
    demo.both(&["map", "show"], 0);
    let good = demo.file("good.toml", "[switches]\ncheck_mark = false\n");
    let faulty = demo.file("faulty.toml", "[switches]\ncheck_marc = false\n");
    demo.both(&["map", "check", &good], 0);
    let (text, _) = demo.both(&["map", "check", &faulty], 1);
    assert!(text.contains("check_marc"), "{text}");
    demo.cosell(&["map", "set", &good]).fails(2, "no-terminal", "--yes");
    demo.both(&["map", "set", &good, "--yes"], 0);
    let (text, _) = demo.both(&["map", "history"], 0);
    assert!(!text.is_empty());
    demo.both(&["map", "rollback", "--yes"], 0);
    demo.cosell(&["map", "check", "/no/such/file"]).fails(2, "usage", "/no/such/file");
    let piped = demo.piped(&["map", "check", "-"], "[switches]\ncheck_mark = true\n");
    assert_eq!(piped.code, 0, "{piped:?}");
}

fn long(demo: &Demo) {
    let (text, _) = demo.both(&["backfill"], 0);
    assert!(text.contains("never started"), "{text}");
    for name in ["backfill", "rebase"] {
        demo.cosell(&[name, "start"]).fails(2, "no-terminal", "--yes");
        let done = demo.cosell(&[name, "start", "--yes", "--wait", "--json"]);
        assert_eq!((done.code, done.json()["data"]["done"].clone()), (0, json!(true)), "{done:?}");
        let (text, _) = demo.both(&[name], 0);
        assert!(text.contains("is over"), "{text}");
        demo.both(&[name, "stop"], 0);
    }
    demo.both(&["retry", "--yes"], 0);
    demo.both(&["retry", "--filter", "nothing like it"], 0);
    demo.cosell(&["redrive"]).fails(2, "no-terminal", "--yes");
    demo.both(&["redrive", "--yes", "--wait"], 0);
}

fn decisions(demo: &Demo, referral: &str, record: &str) {
    let lines = demo.tail(&["--since", "1h"], |lines| lines.iter().any(|line| line.contains(referral)));
    let created = lines.iter().find(|line| line.contains(referral)).unwrap();
    assert!(created.len() > 60 && created[10..11] == *"T", "time, deal, decision, reason: {created}");
    demo.act(&json!({ "act": "refer" }));
    let of = |lines: &[String]| -> Vec<Value> {
        lines.iter().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    };
    let words = ["--since", "1h", "--deal", record, "--json"];
    let lines = demo.tail(&words, |lines| of(lines).iter().any(|one| one["decision"] == "settled"));
    for one in of(&lines) {
        assert_eq!(one["schema_version"], 1);
        assert!(one["referral"] == referral || one["record"] == record, "of another deal: {one}");
    }
    demo.cosell(&["tail", "--since", "soon"]).usage();
    demo.cosell(&["tail", "--deal", "nonsense"]).fails(2, "usage", "holds no id");
}

fn acts_on_a_deal(demo: &Demo, referral: &str, record: &str) {
    demo.cosell(&["relink", referral]).fails(2, "no-terminal", "--yes");
    demo.same(&["relink", referral, record, "--yes"]);
    demo.cosell(&["disconnect", referral]).fails(2, "no-terminal", "--yes");
    // Salesforce's record may be too fresh for a conditional write.
    let done = demo.until(&["disconnect", record, "--yes"], |report| report["ok"] == true);
    assert!(done.to_string().contains("Sync with Partner Center is No"), "{done}");
}

#[test]
fn commands_with_dynamics365() {
    commands("dynamics365");
}

#[test]
fn commands_with_salesforce() {
    commands("salesforce");
}

#[test]
fn what_is_meant_is_never_guessed() {
    let of = |words: &[&str], stack: Option<&str>| -> Done {
        cosell(words, &stack.map(|name| ("COSELL_STACK", name)).into_iter().collect::<Vec<_>>())
    };
    of(&["overview"], None).fails(2, "no-target", "--stack NAME");
    of(&["overview"], Some("")).fails(2, "no-target", "--local");
    of(&["overview", "--stack", "a", "--local"], None).usage();
    of(&["--local", "overview", "--stack", "a"], None).fails(2, "usage", "which of them");
    of(&["dance"], None).usage();
    of(&["deals", "--state", "lost"], None).usage();
    of(&[], None).usage();
    of(&["demo", "--crm", "abacus"], None).usage();
    of(&["demo", "--map", "/no/such/file"], None).usage();
    // A flag is nearer than the environment.
    of(&["--local=1", "overview"], Some("production")).fails(1, "no-local-run", "cosell demo");
    if !cfg!(feature = "aws") {
        of(&["overview"], Some("production")).fails(2, "not-built", "production");
        of(&["tail", "--stack", "production"], None).fails(2, "not-built", "--features aws");
    }
}

#[test]
fn help_shows_examples_first_and_how_it_ends() {
    let done = cosell(&["--help"], &[]);
    assert_eq!(done.code, 0);
    let at = |part: &str| done.out.find(part).unwrap_or_else(|| panic!("`{part}` is missing:\n{}", done.out));
    assert!(at("cosell demo") < at("Usage:") && at("Usage:") < at("Exit:"));
    at("No telemetry");
    at("130 stopped by Ctrl-C");
    let short = cosell(&["-h"], &[]);
    assert!(short.code == 0 && short.out.contains("backfill") && short.out.len() < done.out.len());
    let demo = cosell(&["demo", "--help"], &[]);
    assert!(demo.out.contains("--crm") && demo.out.contains("--check"), "{}", demo.out);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let done = cosell(&["completions", shell], &[]);
        assert!(done.code == 0 && done.out.contains("backfill"), "{shell}");
    }
}

/// README's table has each code that the program may print.
#[test]
fn every_code_is_in_the_readme() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../console/README.md")).unwrap();
    for code in console::wrong::Code::ALL {
        assert!(readme.contains(&format!("| `{}` | {} |", code.word(), code.exit())), "{}", code.word());
    }
}
