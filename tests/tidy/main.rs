//! The house in order: which crate and which part of a crate may know which, how long a file may be, that every file
//! says what it is for, that a doc comment says something, and that a crate has one type of a name. Reads manifests and
//! sources as text.

mod names;
mod source;

use std::{collections::BTreeSet, fs, path::Path};

const OURS: [&str; 12] = [
    "mapping",
    "sync",
    "clients",
    "ingress",
    "writer",
    "poller",
    "admin",
    "simulators",
    "local",
    "model",
    "console",
    "cosell",
];

/// Lines of the longest file of product code.
const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// The crates of this house that a manifest names under `[dependencies]`.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
    let section = text.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    let names = section.lines().skip(1).filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| OURS.contains(name)).map(str::to_owned).collect()
}

fn check(folder: &str, allowed: &[&str]) {
    let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
    let found = dependencies(folder);
    assert!(found.is_subset(&allowed), "{folder} depends on {found:?}, allowed are {allowed:?}");
}

#[test]
fn dependencies_run_one_way() {
    check("shared/mapping", &[]);
    check("shared/sync", &["mapping"]);
    check("shared/clients", &["sync", "mapping"]);
    for function in ["ingress", "writer", "poller", "admin"] {
        check(&format!("functions/{function}"), &["clients", "sync", "mapping"]);
    }
    // The face decides nothing: it knows the admin function by its answers only.
    check("shared/console", &[]);
    check("shared/cosell", &["console", "local"]);
    assert!(dependencies("functions/writer").contains("clients"), "this test can see dependencies");
}

/// What one parameter says, another part of the template does not undo.
#[test]
fn parameters_of_the_template_agree_with_what_they_govern() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("the template");
    for (why, line) in [
        ("two stacks of one name in two regions", "DashboardName: !Sub ${AWS::StackName}-${AWS::Region}"),
        ("no more batches than writers", "MaximumConcurrency: !If [FewWriters, !Ref ReservedConcurrency, 5]"),
        ("an SQS mapping runs two at least", "AllowedPattern: \"([2-9]|[1-9][0-9]+)?\""),
        ("a change runs the set-up", "PartnerCenterWrites: !Ref PartnerCenterWrites"),
        ("the alarm waits half an hour", "rate\\((1 minute|([2-9]|1[0-5]) minutes)\\)"),
    ] {
        assert!(template.contains(line), "{why}: `{line}`");
    }
}

/// Who judges stories knows what people and the vendors know.
#[test]
fn stories_know_nothing_of_the_protocol() {
    check("tests/stories", &["local", "mapping", "simulators"]);
}

/// States and marks of deals: the admin function's, the command line's and the page's, which know each other by text only.
#[test]
fn states_and_marks_of_deals_are_the_same_everywhere() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a source file");
    let known = admin::command::STATES;
    assert_eq!(console::command::State::words(), known, "the command line's");
    let page = read("shared/console/src/page/deals.js") + &read("shared/console/src/page/kit.js");
    let after = |start: &str, end: char| {
        let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("the page has no `{start}`"));
        rest.split(end).next().unwrap_or_default().to_owned()
    };
    let states = after("const STATES = [", ']');
    let marks = after("const MARKS = {", '}');
    let states = states.split(',').map(|word| word.trim().trim_matches('\''));
    let marks = marks.split(',').filter_map(|pair| Some(pair.split_once(':')?.0.trim()));
    assert_eq!(states.chain(marks).collect::<Vec<_>>(), known, "the page's");
    let answers = read("functions/admin/src/deals.rs");
    for word in known {
        assert!(answers.contains(&format!("\"{word}\"")), "no deal is ever `{word}`");
    }
}

#[test]
fn simulators_know_none_of_our_types() {
    check("tests/simulators", &[]);
    let mut folders = vec![root().join("tests/simulators")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("a source file");
                let ours =
                    ["use mapping", "use sync::", "use clients"].iter().any(|word| text.contains(word));
                assert!(!ours, "{}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in source::all() {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(text.starts_with("//!"), "{}: begin with what it is for", path.display());
    }
}

/// Three words repeat the name beside them: unit, range, promise or reason take a sentence, or there is nothing to say.
#[test]
fn a_doc_comment_says_more_than_three_words() {
    let mut found = vec![];
    for path in source::all() {
        let text = fs::read_to_string(&path).expect("a source file");
        let docs = source::short_docs(&text, 3);
        found.extend(docs.into_iter().map(|(line, doc)| format!("{}:{line}: {doc}", path.display())));
    }
    assert!(found.is_empty(), "say what the name does not, or nothing:\n{}", found.join("\n"));
}

#[test]
fn no_parts_of_a_crate_know_each_other_in_a_circle() {
    let mut found = vec![];
    for src in source::crates() {
        let circles = source::circles(&source::uses(&src));
        found.extend(circles.into_iter().map(|circle| format!("{}: {circle}", src.display())));
    }
    assert!(found.is_empty(), "circles of modules:\n{}", found.join("\n"));
}

#[test]
fn a_crate_has_one_type_of_a_name() {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let roots = names::roots();
    for known in ["shared/clients/src/lib.rs", "shared/clients/tests/answers.rs", "tests/simulators/lib.rs"] {
        let types = names::declared(&root().join(known), &read);
        assert!(roots.contains(&root().join(known)) && !types.is_empty(), "this test can see {known}");
    }
    let found: Vec<String> = roots.iter().flat_map(|root| names::twice(root, &read)).collect();
    assert!(found.is_empty(), "types of one crate with one name; give each its own:\n{}", found.join("\n"));
}

#[test]
fn no_file_of_product_code_is_too_long() {
    let mut found = vec![];
    for path in source::crates().iter().flat_map(|src| source::files(src)) {
        let lines = fs::read_to_string(&path).expect("a source file").lines().count();
        if lines > LONGEST {
            found.push(format!("{}: {lines}", path.display()));
        }
    }
    assert!(found.is_empty(), "more than {LONGEST} lines:\n{}", found.join("\n"));
}
