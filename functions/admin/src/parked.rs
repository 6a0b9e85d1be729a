//! What is parked, grouped by what would heal it: one missing field in forty deals is one thing to do.

use crate::{App, report::Report};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::{failure::Failure, parked::Parked, ports::Links, table::Item};

/// Ids that the answer names of each group; the count includes the others.
const NAMED: usize = 50;

/// What is parked for one cause.
#[derive(Default)]
struct Group {
    ids: Vec<String>,
    /// When the first of them is tried again by the clock.
    next: Option<jiff::Timestamp>,
    attempts: u32,
    message: bool,
}

/// Everything that is parked, the largest group first.
pub(crate) async fn parked(app: &App) -> Result<Report, Failure> {
    let worker = app.live.app().await?;
    let mut groups = BTreeMap::<String, Group>::new();
    for row in worker.outside.links.parked().await? {
        let Item::Parked(parked) = row.item else { continue };
        let group = groups.entry(cause(&parked)).or_default();
        group.next = Some(group.next.map_or(parked.next_try, |known| known.min(parked.next_try)));
        group.attempts = group.attempts.max(parked.attempts);
        group.message |= parked.body.is_some();
        group.ids.push(row.key.sk);
    }
    let mut groups: Vec<(String, Group)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.ids.len()));
    let mut report = Report::default();
    for (cause, group) in &groups {
        report.warn(format!("{} × {cause}", group.ids.len()), cure(group));
    }
    if groups.is_empty() {
        report.good("nothing is parked");
    }
    report.data =
        json!({ "groups": groups.iter().map(|(cause, group)| told(cause, group)).collect::<Vec<_>>() });
    Ok(report)
}

fn told(cause: &str, group: &Group) -> Value {
    json!({
        "cause": cause, "cure": cure(group), "count": group.ids.len(), "attempts": group.attempts,
        "next_try": group.next, "messages": group.message, "ids": group.ids.iter().take(NAMED).collect::<Vec<_>>(),
    })
}

/// The reason without what belongs to one deal only: ids, long numbers and texts in quotes.
pub(crate) fn cause(parked: &Parked) -> String {
    let mut cause = String::new();
    let mut quoted = false;
    for word in parked.reason.split_inclusive(' ') {
        let quotes = word.matches('"').count();
        let own = quoted || quotes > 0 || word.chars().filter(char::is_ascii_digit).count() >= 6;
        match (own, cause.ends_with("… ")) {
            (true, false) => cause.push_str("… "),
            (true, true) => {}
            (false, _) => cause.push_str(word),
        }
        quoted ^= quotes % 2 == 1;
    }
    cause.trim_end().to_owned()
}

fn cure(group: &Group) -> &'static str {
    match group.message {
        true => "`redrive` once its sender or a newer version can be read",
        false => {
            "fill in what is named at the record, or mend what refuses it; it is tried by the clock, now with `retry`"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reason: &str) -> String {
        let at = jiff::Timestamp::UNIX_EPOCH;
        cause(&Parked::again(reason.to_owned(), None, String::new(), at, None))
    }

    #[test]
    fn what_belongs_to_one_deal_only_is_left_out() {
        assert_eq!(of("Country: a country is needed"), "Country: a country is needed");
        let one = of("refused: \"Kestrel Foods Ltd\" is too long (request 7d1c52f0-3a6e-4b0b)");
        assert_eq!(one, "refused: … is too long (request …");
        assert_eq!(of("refused: \"Harbor\" is too long (request 8e2d63a1-4b7f)"), one);
    }
}
