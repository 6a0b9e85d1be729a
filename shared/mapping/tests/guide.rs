//! Compares the mapping guide in this crate's README with the map, line by line. `UPDATE_CASES=1` rewrites it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::disallowed_methods, reason = "the crate is pure; its guide is a file")]

use mapping::{CrmKind, Direction, Map, On, Side};
use std::{fs, path::Path};
use toml::{Table, Value};

const MAP: &str = include_str!("../maps/dynamics365.toml");
const HEAD: &str =
    "| field | Partner Center | Dynamics 365 | way | when | who wins |\n|---|---|---|---|---|---|\n";

#[test]
fn the_readme_tells_what_the_map_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let begin = text.find(HEAD).unwrap();
    let end = text[begin..].find("\n\n").map_or(text.len(), |end| begin + end + 1);
    let wanted = guide();
    if std::env::var("UPDATE_CASES").is_ok() {
        fs::write(&readme, [&text[..begin], &wanted, &text[end..]].concat()).unwrap();
    } else {
        assert_eq!(&text[begin..end], wanted, "run with UPDATE_CASES=1 and review the difference");
    }
}

fn guide() -> String {
    let map = Map::standard(CrmKind::Dynamics365);
    let table: Table = MAP.parse().unwrap();
    let names = MAP.lines().filter_map(|line| line.strip_prefix("[fields.")?.strip_suffix(']'));
    let rows =
        names.filter(|name| !name.contains('.')).filter_map(|name| row(map, name, &table["fields"][name]));
    [HEAD.to_owned(), rows.collect()].concat()
}

/// A group has no line of its own, because each of its members has one.
fn row(map: &Map, name: &str, rule: &Value) -> Option<String> {
    let text = |key: &str| rule.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("kind") == Some("group") {
        return None;
    }
    let off = rule.get("off").is_some();
    let unit = map.unit(text("group").unwrap_or(name));
    let way = match unit.map(|unit| unit.direction) {
        Some(Direction::Both) => "both",
        Some(Direction::ToCrm) => "to the CRM",
        Some(Direction::ToPartnerCenter) => "to Partner Center",
        None => {
            if text("direction") == Some("to_crm") {
                "to the CRM"
            } else {
                "to Partner Center"
            }
        }
    };
    let when = match unit.map(|unit| unit.on) {
        Some(On::Create) => "create",
        Some(On::Update) => "update",
        Some(On::Both) => "always",
        None => text("on").unwrap_or("always"),
    };
    let wins = match unit {
        Some(unit) if unit.rise_only => "once on, it stays",
        Some(unit) if unit.direction != Direction::Both || unit.on == On::Create => "",
        Some(unit) if unit.owner == Side::PartnerCenter => "Partner Center",
        Some(_) if name == "status" => "the CRM; Partner Center once it is closed there",
        Some(_) => "the CRM",
        None => "",
    };
    let made = || text("template").or_else(|| rule.get("constant").map(|_| "a constant"));
    let code = |text: &str| format!("`{text}`");
    let partner_center = match name {
        "status" => "`status`, `substatus`, `statusReason`".to_owned(),
        _ => text("referral").map(code).or_else(|| made().map(str::to_owned))?,
    };
    let crm = match (name, text("crm")) {
        ("status", _) => "`statecode`, `statuscode`".to_owned(),
        (_, Some(crm)) => {
            [Some(crm), text("further")].into_iter().flatten().map(code).collect::<Vec<_>>().join(", ")
        }
        // A template of several lines is one cell of the table.
        (_, None) => made()?.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let label = text("label").unwrap_or_default();
    let field = if label.is_empty() { code(name) } else { format!("{label} (`{name}`)") };
    let off = if off { ", off" } else { "" };
    Some(format!("| {field} | {partner_center} | {crm} | {way} | {when}{off} | {wins} |\n"))
}
