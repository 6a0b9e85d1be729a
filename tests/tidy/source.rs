//! Product code as text: its files, what of them is no test, and which parts of a crate they name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The sources of every crate that is delivered: `functions/*/src` and `shared/*/src`.
pub(crate) fn crates() -> Vec<PathBuf> {
    let mut crates = vec![];
    for group in ["functions", "shared"] {
        for entry in fs::read_dir(crate::root().join(group)).expect("a folder") {
            let src = entry.expect("an entry").path().join("src");
            if src.is_dir() {
                crates.push(src);
            }
        }
    }
    crates.sort();
    crates
}

/// The Rust files below a folder, without what was built or fetched.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let fetched = path.ends_with("target") || path.ends_with("node_modules");
            if path.is_dir() && !fetched {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Every Rust file of the house: product code, tests and fuzz targets.
pub(crate) fn all() -> Vec<PathBuf> {
    ["functions", "shared", "tests"].iter().flat_map(|folder| files(&crate::root().join(folder))).collect()
}

/// `///` or `//!` where a line of a doc comment begins with it.
fn mark(line: &str) -> Option<&str> {
    let mark = line.get(..3)?;
    (mark == "//!" || mark == "///" && !line.starts_with("////")).then_some(mark)
}

/// Line and text of each doc comment of `most` words or fewer. Whatever stands between blanks is a word, code in
/// backticks too: an address alone does not say whether it is called or answered.
pub(crate) fn short_docs(text: &str, most: usize) -> Vec<(usize, String)> {
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines().map(str::trim_start)).collect();
    let blocks = lines.chunk_by(|(_, one), (_, next)| mark(one) == mark(next));
    let docs = blocks.filter(|block| mark(block[0].1).is_some()).map(|block| {
        let words: Vec<&str> = block.iter().flat_map(|(_, line)| line[3..].split_whitespace()).collect();
        (block[0].0, words)
    });
    docs.filter(|(_, words)| words.len() <= most).map(|(at, words)| (at, words.join(" "))).collect()
}

/// A source without comments and without what is compiled for tests only; its lines keep their numbers.
pub(crate) fn shipped(text: &str) -> String {
    let mut shipped = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let indent = &line[..line.len() - line.trim_start().len()];
            let (end, mut block) = (format!("{indent}}}"), false);
            let mut next = lines.find(|line| {
                shipped.push('\n');
                !line.trim_start().starts_with("#[")
            });
            while let Some(line) = next {
                block |= line.ends_with('{');
                if line.starts_with(&end) || !block && line.ends_with([';', '}']) {
                    break;
                }
                shipped.push('\n');
                next = lines.next();
            }
            shipped.push('\n');
            continue;
        }
        shipped += line.split("//").next().unwrap_or_default();
        shipped.push('\n');
    }
    shipped
}

/// The first names of the paths that begin with `crate::`, in `use` lines and inline.
fn named(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for path in text.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            Some(group) => named.extend(heads(group)),
            None => named.extend(head(path)),
        }
    }
    named
}

/// The name a path begins with.
fn head(path: &str) -> Option<String> {
    let name: String = path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The name each member of a group begins with.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (1, 0, vec![]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && c == ',' {
            heads.extend(head(&group[start..at]));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Which parts of a crate, by the first segment of their path below `src`, name which others.
pub(crate) fn uses(src: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let part = |path: &Path| {
        let first = path.strip_prefix(src).ok()?.components().next()?.as_os_str().to_str()?;
        Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
    };
    let files = files(src);
    let mut uses: BTreeMap<String, BTreeSet<String>> =
        files.iter().filter_map(|path| Some((part(path)?, BTreeSet::new()))).collect();
    for path in files.iter().filter(|path| !path.ends_with("tests.rs")) {
        let Some(own) = part(path).filter(|own| own != "lib" && own != "main") else { continue };
        let named = named(&shipped(&fs::read_to_string(path).expect("a source file")));
        let others = named.into_iter().filter(|name| *name != own && uses.contains_key(name));
        let others: BTreeSet<String> = others.collect();
        uses.entry(own).or_default().extend(others);
    }
    uses
}

/// Parts that lead back to themselves, each with one way round.
pub(crate) fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut circles = vec![];
    for start in uses.keys() {
        let (mut seen, mut ways) = (BTreeSet::new(), vec![vec![start]]);
        while let Some(way) = ways.pop() {
            for next in way.last().and_then(|last| uses.get(*last)).into_iter().flatten() {
                if next == start {
                    let way: Vec<&str> = way.iter().map(|part| part.as_str()).collect();
                    circles.push(format!("{} -> {start}", way.join(" -> ")));
                    ways.clear();
                    break;
                }
                if seen.insert(next) {
                    ways.push(way.iter().copied().chain([next]).collect());
                }
            }
        }
    }
    circles
}

#[test]
fn what_is_compiled_for_tests_only_is_left_out_whole() {
    let text = "use a;\n#[cfg(test)]\nuse {\n    b,\n};\n#[cfg(test)]\n#[path = \"c.rs\"]\nmod c;\nuse d; // e\n\
                mod f {\n    #[cfg(test)]\n    fn g() {\n        h;\n        i;\n    }\n    use j;\n}\n\
                #[cfg(test)]\nmod tests {\n    use k::*;\n\n    use l;\n}\nuse m;\n";
    let shipped = shipped(text);
    assert_eq!(shipped.lines().count(), text.lines().count(), "lines keep their numbers");
    let words: Vec<&str> = shipped.split_whitespace().collect();
    assert_eq!(words.join(" "), "use a; use d; mod f { use j; } use m;");
}

#[test]
fn a_circle_is_found_by_use_lines_and_inline_paths() {
    let one = "use crate::{\n    two::{Deep, More},\n    three,\n};\n// crate::comment\n#[cfg(test)]\nmod tests {\n    use crate::five;\n}\nfn f(x: crate::four::X) {}\n";
    assert_eq!(named(&shipped(one)).into_iter().collect::<Vec<_>>(), ["four", "three", "two"]);
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let uses = [("a", set(&["b"])), ("b", set(&["c"])), ("c", set(&["b"])), ("d", set(&[]))];
    let uses = uses.map(|(part, others)| (part.to_owned(), others)).into();
    assert_eq!(circles(&uses), ["b -> c -> b", "c -> b -> c"]);
}

#[test]
fn a_short_doc_comment_is_found_wherever_it_stands() {
    let text = [
        "//! What it is for.\n/// The org.\nstruct Org {",
        "    /// One that is\n    /// long enough.\n    a: u8,\n    /// `GET /sobjects`\n    b: u8,\n}",
        "//// No doc.\n// No doc.\n/// At last.",
    ];
    let found = [(2, "The org.".to_owned()), (7, "`GET /sobjects`".to_owned()), (12, "At last.".to_owned())];
    assert_eq!(short_docs(&text.join("\n"), 3), found);
}
