//! One meaning per name: which types a crate declares, and which names it gives to two of them. A crate is what is
//! compiled as one: a library, a program, a test, an example or a bench. What is compiled for unit tests only, an
//! associated type and a variant do not count.

use crate::source::{files, shipped};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Where a type is declared: file and line.
type Place = (PathBuf, usize);

/// The root file of every crate of this house: those that the manifests name, and those that Cargo finds by their place.
pub(crate) fn roots() -> BTreeSet<PathBuf> {
    let mut roots = BTreeSet::new();
    for manifest in manifests(crate::root()) {
        let folder = manifest.parent().expect("a manifest lies in a folder");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        roots.extend(named_roots(&text).map(|path| folder.join(path)));
        roots.extend(["src/lib.rs", "src/main.rs"].map(|path| folder.join(path)));
        for place in ["src/bin", "tests", "examples", "benches"].map(|place| folder.join(place)) {
            let directly = |path: &PathBuf| path.parent() == Some(&place);
            let found = if place.is_dir() { files(&place) } else { vec![] };
            roots.extend(found.into_iter().filter(directly));
        }
    }
    roots.retain(|root| root.is_file());
    roots
}

/// The manifests of the workspace, and of the fuzz targets beside it.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.join("tests")];
    for group in ["functions", "shared", "tests"] {
        let entries = fs::read_dir(root.join(group)).expect("a folder");
        folders.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    folders.into_iter().map(|folder| folder.join("Cargo.toml")).filter(|path| path.is_file()).collect()
}

/// The root files that a manifest names: `path` in a section of its own, which in a dependency is a folder.
fn named_roots(manifest: &str) -> impl Iterator<Item = &str> {
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    paths.filter(|path| path.ends_with(".rs"))
}

/// The names that one crate gives to more than one type, with their places. `read` returns a file's text, if it is there.
pub(crate) fn twice(root: &Path, read: &impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let shown = |(path, line): &Place| {
        let path = path.strip_prefix(crate::root()).unwrap_or(path);
        format!("{}:{line}", path.display())
    };
    let mut twice = vec![];
    for (name, mut places) in declared(root, read) {
        places.sort();
        if places.len() > 1 {
            twice.push(format!("{name}: {}", places.iter().map(shown).collect::<Vec<_>>().join(", ")));
        }
    }
    twice
}

/// The types of a crate by name.
pub(crate) fn declared(root: &Path, read: &impl Fn(&Path) -> Option<String>) -> BTreeMap<String, Vec<Place>> {
    let mut declared: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    let parent = |path: &Path| path.parent().expect("a file lies in a folder").to_owned();
    // Each file with the folder in which those of its modules lie.
    let mut open = vec![(root.to_owned(), parent(root))];
    while let Some((path, below)) = open.pop() {
        let text = read(&path).unwrap_or_else(|| panic!("no file {}", path.display()));
        let text = shipped(&text);
        for (name, line) in types(&text) {
            declared.entry(name).or_default().push((path.clone(), line));
        }
        for module in modules(&text) {
            open.push(match module {
                Module::At(place) => (parent(&path).join(&place), parent(&parent(&path).join(&place))),
                Module::Named(name) => {
                    let (file, folder) = (below.join(format!("{name}.rs")), below.join(&name));
                    if read(&file).is_some() { (file, folder) } else { (folder.join("mod.rs"), folder) }
                }
            });
        }
    }
    declared
}

/// A module that is a file.
#[derive(Debug, PartialEq)]
enum Module {
    Named(String),
    /// Where `#[path = "…"]` leads.
    At(String),
}

/// The modules of a text that are files.
fn modules(text: &str) -> Vec<Module> {
    let (mut modules, mut place) = (vec![], None);
    for line in text.lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            place = Some(path.to_owned());
        } else if !line.starts_with("#[") {
            let name = after_visibility(line).strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            let module = |name: &str| place.take().map_or_else(|| Module::Named(name.to_owned()), Module::At);
            modules.extend(name.map(module));
            place = None;
        }
    }
    modules
}

/// The types that a text declares, each with its line.
fn types(text: &str) -> Vec<(String, usize)> {
    let (mut types, mut blocks) = (vec![], vec![]);
    for (number, line) in text.lines().enumerate() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if words.starts_with('}') && blocks.last() == Some(&indent) {
            blocks.pop();
        }
        let words = after_visibility(words);
        let (kind, rest) = words.split_once([' ', '<']).unwrap_or((words, ""));
        let counts = match kind {
            "struct" | "enum" | "union" | "trait" => true,
            // One level within an `impl` or a `trait` it is an associated one.
            "type" => blocks.last().is_none_or(|block| indent != block + 4),
            _ => false,
        };
        if matches!(kind, "impl" | "trait") && !words.trim_end().ends_with('}') {
            blocks.push(indent);
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if counts && !name.is_empty() {
            types.push((name, number + 1));
        }
    }
    types
}

/// A declaration without `pub`, `pub(crate)` and the like.
fn after_visibility(line: &str) -> &str {
    match line.strip_prefix("pub(").and_then(|rest| rest.split_once(") ")) {
        Some((_, rest)) => rest,
        None => line.strip_prefix("pub ").unwrap_or(line),
    }
}

/// The crate of these files that has its root in the first one.
fn twice_in(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let root = files.keys().find(|path| path.ends_with("lib.rs")).expect("a root");
    twice(root, &|path| files.get(path).cloned())
}

#[test]
fn a_name_of_two_types_is_found_wherever_they_are_declared() {
    let found = twice_in(&[
        ("a/lib.rs", "mod one;\npub(crate) mod two;\n#[path = \"far/away.rs\"]\nmod three;\n\nstruct Own;\n"),
        ("a/one.rs", "//! One.\nmod deep;\n\npub(super) struct Row {\n    own: Own,\n}\n"),
        ("a/one/deep.rs", "pub type Rows<T> = Vec<T>;\n"),
        ("a/two/mod.rs", "mod deep;\n\npub enum Row {\n    Own,\n}\n\nfn f() {\n    struct Rows;\n}\n"),
        ("a/two/deep.rs", "trait Other<T> {}\n"),
        ("a/far/away.rs", "mod near;\nunion Other {\n    a: u8,\n}\n"),
        ("a/far/near.rs", "pub struct Alone(u8);\n"),
    ]);
    assert_eq!(
        found,
        [
            "Other: a/far/away.rs:2, a/two/deep.rs:1",
            "Row: a/one.rs:4, a/two/mod.rs:3",
            "Rows: a/one/deep.rs:1, a/two/mod.rs:8",
        ]
    );
}

#[test]
fn what_is_no_second_type_may_have_the_name_of_one() {
    let found = twice_in(&[
        ("a/lib.rs", "mod one;\nmod rows;\n#[cfg(test)]\nmod tests;\n\npub struct Row;\n\n// struct Row;\n"),
        (
            "a/rows.rs",
            "trait Table {\n    type Row;\n}\n\nimpl Table for () {\n    type Row = super::Row;\n}\n",
        ),
        (
            "a/one.rs",
            "enum Kind {\n    Row,\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    struct Row;\n}\n",
        ),
        ("a/tests.rs", "struct Row;\nenum Kind {}\n"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn roots_are_read_from_a_manifest() {
    let manifest = "[dependencies]\nsync = { path = \"../sync\" }\n\n[lib]\npath = \"lib.rs\"\n\n[[test]]\nname = \"maps\"\n\
                    path = \"maps.rs\"\n\n[dependencies.mapping]\npath = \"../mapping\"\n";
    assert_eq!(named_roots(manifest).collect::<Vec<_>>(), ["lib.rs", "maps.rs"]);
}
