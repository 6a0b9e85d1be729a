//! An answer as text for people: tables where there are rows, else the report's own lines.

use crate::command::Color;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde_json::Value;

/// How the text is to look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal; `None`: no text is broken or cut.
    pub width: Option<u16>,
    /// Whether levels have colours besides their words.
    pub colour: bool,
}

/// The answer of a command.
pub fn text(command: &str, report: &Value, look: Look) -> String {
    let data = &report["data"];
    match command {
        "deals" if data["deals"].is_array() => deals(data, look),
        "explain" if data["sides"]["fields"].is_array() => {
            let lines = lines(report, look, |level, text| level != "ok" || !is_of_timeline(text, data));
            format!("{lines}\n{}\n{}", sides(data, look), timeline(data, look))
        }
        _ => lines(report, look, |_, _| true),
    }
}

fn deals(data: &Value, look: Look) -> String {
    let head = ["name", "customer", "value", "closes", "Partner Center", "CRM", "state", "referral"];
    let rows = data["deals"].as_array().into_iter().flatten().map(|deal| {
        let marks: Vec<String> = deal["marks"].as_array().into_iter().flatten().map(shown).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        [
            shown(&deal["name"]),
            shown(&deal["customer"]),
            [shown(&deal["value"]), shown(&deal["currency"])].join(" "),
            shown(&deal["closing_date"]),
            shown(&deal["partner_center"]),
            shown(&deal["crm"]),
            format!("{}{marks}", shown(&deal["state"])),
            shown(&deal["referral"]),
        ]
    });
    let mut text = table(&head, rows, look);
    if let Some(next) = data["next"].as_str() {
        text.push_str(&format!("\nthere are more: --cursor '{}'\n", harmless(next)));
    }
    text
}

/// Field by field: what both sides show, and what was agreed.
fn sides(data: &Value, look: Look) -> String {
    let head = ["field", "Partner Center", "CRM", "", "agreed", "who wins"];
    let rows = data["sides"]["fields"].as_array().into_iter().flatten().filter_map(|field| {
        let now = &field["now"];
        let nothing = |value: &Value| value.is_null();
        if nothing(&now["partner_center"]) && nothing(&now["crm"]) && nothing(&field["agreed"]["crm"]) {
            return None;
        }
        let word = match (&field["parked"], field["waits"].as_bool(), field["same"].as_bool()) {
            (Value::String(_), ..) => "parked",
            (_, Some(true), _) => "waits",
            (_, _, Some(true)) => "same",
            (_, _, Some(false)) => "differs",
            _ => "",
        };
        Some([
            shown(&field["label"]),
            shown(&now["partner_center"]),
            shown(&now["crm"]),
            word.to_owned(),
            shown(&field["agreed"]["crm"]),
            shown(&field["owner"]).replace("partner_center", "Partner Center").replace("crm", "CRM"),
        ])
    });
    table(&head, rows, look)
}

fn timeline(data: &Value, look: Look) -> String {
    let lines = data["timeline"].as_array().into_iter().flatten().rev();
    let second = |at: &Value| shown(at).chars().take("2026-11-30T21:48:58".len()).collect::<String>() + "Z";
    let rows = lines.map(|line| [second(&line["at"]), shown(&line["decision"]), shown(&line["text"])]);
    table(&["when", "decision", "reason"], rows, look)
}

/// Whether a line of the report is one of the timeline, which is shown as a table of its own.
fn is_of_timeline(text: &str, data: &Value) -> bool {
    let lines = data["timeline"].as_array().into_iter().flatten();
    let told = |line: &Value| {
        format!("{}: {}", line["decision"].as_str().unwrap_or("?"), line["text"].as_str().unwrap_or("?"))
    };
    lines.map(told).any(|told| text.ends_with(&told))
}

/// The report's lines, each with its level's word, and its cure below it.
fn lines(report: &Value, look: Look, such: impl Fn(&str, &str) -> bool) -> String {
    let mut text = String::new();
    for line in report["lines"].as_array().into_iter().flatten() {
        let (level, said) =
            (line["level"].as_str().unwrap_or("?"), line["text"].as_str().unwrap_or_default());
        if !such(level, said) {
            continue;
        }
        text.push_str(&format!("{} {}\n", painted(level, look), harmless(said)));
        if let Some(cure) = line["cure"].as_str().filter(|cure| !cure.is_empty()) {
            text.push_str(&format!("        -> {}\n", harmless(cure)));
        }
    }
    text
}

fn painted(level: &str, look: Look) -> String {
    let padded = format!("{:<7}", harmless(level));
    let code = match level {
        "fault" => "31",
        "warning" => "33",
        _ => "32",
    };
    if look.colour { format!("\u{1b}[{code}m{padded}\u{1b}[0m") } else { padded }
}

fn table<const N: usize>(head: &[&str; N], rows: impl Iterator<Item = [String; N]>, look: Look) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(head);
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.add_rows(rows);
    let text = table.trim_fmt();
    if table.is_empty() { String::new() } else { text + "\n" }
}

/// How an image of a long text begins: a digest, which can be compared but not shown.
const DIGEST: &str = "digest:";

/// A value as a person reads it: a group's members and a list's elements one after the other.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.values().filter(|value| !value.is_null());
            members.map(shown).collect::<Vec<_>>().join(" ")
        }
    };
    if text.starts_with(DIGEST) { "(long text)".to_owned() } else { harmless(&text) }
}

/// The text without control characters and without those that change the direction of writing: a stranger wrote it, and
/// it goes to a terminal.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if disturbs(c) { ' ' } else { c }).collect()
}

/// The same JSON with nothing in it that disturbs a terminal, written as escapes.
pub fn harmless_json(value: &Value, pretty: bool) -> String {
    let text = if pretty { format!("{value:#}") } else { value.to_string() };
    // Line breaks between members are the only control characters outside of texts.
    let escaped =
        |c: char| if disturbs(c) && c != '\n' { format!("\\u{:04x}", c as u32) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn disturbs(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether to colour, by the flag and by what the user's other programs go by: <https://no-color.org>,
/// <https://bixense.com/clicolors>. `terminal`: the answer goes to one.
pub fn coloured(color: Color, terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name: &str, wanted: &str| variable(name).is_some_and(|value| value == wanted);
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
        Color::Auto => terminal && !is("TERM", "dumb") && !is("CLICOLOR", "0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLAIN: Look = Look { width: None, colour: false };

    #[test]
    fn lines_say_their_level_in_words_and_their_cure_below() {
        let report = json!({ "ok": false, "lines": [
            { "level": "ok", "text": "3 deals" }, { "level": "fault", "text": "no webhook", "cure": "register" },
        ], "data": null });
        assert_eq!(
            text("doctor", &report, PLAIN),
            "ok      3 deals\nfault   no webhook\n        -> register\n"
        );
    }

    #[test]
    fn a_deal_is_shown_with_both_sides_and_its_decisions() {
        let report = json!({ "ok": true, "lines": [
            { "level": "ok", "text": "kept in step" }, { "level": "ok", "text": "2026-11-30 10:00Z updated: sent" },
        ], "data": {
            "timeline": [{ "at": "2026-11-30T10:00:00Z", "decision": "updated", "text": "sent" }],
            "sides": { "fields": [
                { "label": "Topic", "now": { "partner_center": "A", "crm": "B" }, "agreed": { "crm": "A" },
                  "same": false, "owner": "crm", "parked": null, "waits": false },
                { "label": "Empty", "now": { "partner_center": null, "crm": null }, "agreed": { "crm": null } },
            ] },
        } });
        let shown = text("explain", &report, PLAIN);
        assert!(
            shown.contains("differs") && shown.contains("updated") && !shown.contains("Empty"),
            "{shown}"
        );
        assert_eq!(shown.matches("sent").count(), 1, "{shown}");
    }

    #[test]
    fn strangers_texts_do_not_reach_the_terminals_controls() {
        assert_eq!(shown(&json!("Harbor\u{1b}[2J\nLine")), "Harbor [2J Line");
        assert_eq!(harmless("a\u{202e}b\u{9b}c\u{7f}"), "a b c ");
        let value = json!({ "name": "a\u{202e}b\u{9b}\u{1b}\n\"", "\u{7f}": [1, "x"] });
        for pretty in [true, false] {
            let text = harmless_json(&value, pretty);
            assert!(!text.contains(|c: char| disturbs(c) && c != '\n'), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "the same");
        }
    }

    #[test]
    fn colours_are_for_terminals_of_people_who_want_them() {
        let of = |color: Color, terminal: bool, set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            coloured(color, terminal, find)
        };
        assert!(of(Color::Auto, true, &[]) && !of(Color::Auto, false, &[]));
        assert!(of(Color::Auto, true, &[("NO_COLOR", ""), ("CLICOLOR", "1"), ("TERM", "xterm")]));
        for variable in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            assert!(!of(Color::Auto, true, &[variable]), "{variable:?}");
            assert!(of(Color::Always, false, &[variable]), "the flag is nearer: {variable:?}");
        }
        assert!(of(Color::Auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!of(Color::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!of(Color::Auto, true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!of(Color::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }
}
