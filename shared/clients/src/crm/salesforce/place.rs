//! The position of a feed. Salesforce stamps a row before it commits it, so each round begins some minutes before the
//! end of the last one (vendors/salesforce.md, *Changes*) and lists again rows that were reported then. The position
//! remembers which child rows those are.

use super::{
    rows::{FRESH, instant},
    soql::{instant as literal, is_id, quoted},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};
use sync::ports::Position;

/// The longest that a transaction may run before it commits (vendors/salesforce.md, *Changes*).
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// The pause between two reads of a feed while calls are scarce.
pub(super) const THRIFT: SignedDuration = SignedDuration::from_mins(10);
/// The most rows that are remembered. Any other is reported again, which costs a read of its opportunity.
const REMEMBERED: usize = 200;

/// A position; its text is `FROM[ AT ID][;ID@SECOND]…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedPosition {
    /// Where the round began.
    pub from: Timestamp,
    /// The row behind which the next page begins; `None`: the round is at its first page.
    pub after: Option<(Timestamp, String)>,
    /// The rows that were reported, with the second of their stamp.
    told: BTreeMap<String, i64>,
}

impl FeedPosition {
    pub(super) fn at(from: Timestamp) -> Self {
        FeedPosition { from, after: None, told: BTreeMap::new() }
    }

    pub(super) fn read(position: &Position) -> Option<Self> {
        match position {
            Position::Start => Some(FeedPosition::at(Timestamp::UNIX_EPOCH)),
            // The caller's last round may have been skipped to save calls, and a commit may take longer than the
            // caller assumes.
            Position::Since(at) => Some(FeedPosition::at(*at - OVERLAP - THRIFT)),
            Position::At(text) => {
                let mut parts = text.split(';');
                let mut place = parts.next()?.split(' ');
                let from = place.next()?.parse().ok()?;
                let after = match (place.next(), place.next()) {
                    (Some(at), Some(id)) if is_id(id) => Some((at.parse().ok()?, id.to_owned())),
                    (None, None) => None,
                    _ => return None,
                };
                let row = |text: &str| {
                    let (id, second) = text.split_once('@')?;
                    Some((id.to_owned(), second.parse().ok()?))
                };
                Some(FeedPosition { from, after, told: parts.map(row).collect::<Option<_>>()? })
            }
        }
    }

    /// The condition for the rows of this page.
    pub(super) fn which(&self) -> String {
        match &self.after {
            None => format!("SystemModstamp >= {}", literal(self.from)),
            Some((at, id)) => {
                let (at, id) = (literal(*at), quoted(id));
                format!("(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {id}))")
            }
        }
    }

    /// The rows that were not reported yet; from now on they count as reported. A row that may still change within the
    /// second of its stamp does not, so that it is reported again.
    pub(super) fn tell(&mut self, rows: Vec<Value>, date: Option<Timestamp>) -> Vec<Value> {
        let mut is_new = |row: &Value| {
            let (Some(id), Some(stamp)) =
                (row["Id"].as_str(), row["SystemModstamp"].as_str().and_then(instant))
            else {
                return true;
            };
            if self.told.get(id) == Some(&stamp.as_second()) {
                return false;
            }
            let settled = date.is_some_and(|date| date.duration_since(stamp) >= FRESH);
            self.told.remove(id);
            if settled && self.told.len() < REMEMBERED {
                self.told.insert(id.to_owned(), stamp.as_second());
            }
            true
        };
        rows.into_iter().filter(|row| is_new(row)).collect()
    }

    /// The position of the next page of this round.
    pub(super) fn after(&self, at: Timestamp, id: String) -> Self {
        FeedPosition { after: Some((at, id)), ..self.clone() }
    }

    /// The position of the next round, which remembers only rows that will be listed again.
    pub(super) fn next_round(&self, from: Timestamp) -> Self {
        let told = self.told.iter().filter(|(_, second)| **second >= from.as_second());
        FeedPosition {
            told: told.map(|(id, second)| (id.clone(), *second)).collect(),
            ..FeedPosition::at(from)
        }
    }
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.from)?;
        if let Some((at, id)) = &self.after {
            write!(out, " {at} {id}")?;
        }
        self.told.iter().try_for_each(|(id, second)| write!(out, ";{id}@{second}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROLE: &str = "00K000000000001AAA";

    fn row(stamp: &str) -> Value {
        json!({ "Id": ROLE, "SystemModstamp": format!("2026-11-20T10:00:{stamp}.000+0000") })
    }

    fn noon(second: i64) -> Option<Timestamp> {
        Some("2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second))
    }

    #[test]
    fn a_row_is_told_once_and_again_when_its_stamp_moves() {
        let mut place = FeedPosition::at(noon(-60).unwrap());
        assert_eq!(place.tell(vec![row("00")], noon(5)).len(), 1);
        let mut place =
            FeedPosition::read(&Position::At(place.next_round(noon(-30).unwrap()).to_string())).unwrap();
        assert_eq!(place.tell(vec![row("00")], noon(30)), Vec::<Value>::new());
        assert_eq!(place.tell(vec![row("31")], noon(40)).len(), 1);
    }

    #[test]
    fn a_row_whose_second_may_not_be_over_is_told_again() {
        let mut place = FeedPosition::at(noon(-60).unwrap());
        assert_eq!(place.tell(vec![row("00")], noon(1)).len(), 1);
        assert_eq!(place.tell(vec![row("00")], None).len(), 1);
        assert_eq!(place.tell(vec![row("00")], noon(2)).len(), 1);
        assert_eq!(place.tell(vec![row("00")], noon(3)).len(), 0);
    }

    #[test]
    fn what_is_not_listed_again_is_forgotten_and_only_so_much_is_remembered() {
        let mut place = FeedPosition::at(noon(-60).unwrap());
        let rows = (0..300)
            .map(|n| json!({ "Id": format!("00K{n:015}"), "SystemModstamp": row("00")["SystemModstamp"] }));
        assert_eq!(place.tell(rows.collect(), noon(9)).len(), 300);
        assert_eq!(place.told.len(), REMEMBERED);
        assert_eq!(place.next_round(noon(1).unwrap()), FeedPosition::at(noon(1).unwrap()));
    }

    #[test]
    fn a_place_reads_as_it_was_written() {
        let mut place = FeedPosition::at(noon(-60).unwrap());
        place.tell(vec![row("00")], noon(9));
        let next = place.after(noon(0).unwrap(), ROLE.to_owned());
        assert_eq!(FeedPosition::read(&Position::At(next.to_string())), Some(next));
        // A position in the form that it had before rows were remembered.
        let old = Position::At("2026-11-20T10:00:00Z".to_owned());
        assert_eq!(FeedPosition::read(&old), noon(0).map(FeedPosition::at));
        for wrong in [
            "",
            "soon",
            "2026-11-20T10:00:00Z x",
            "2026-11-20T10:00:00Z;x",
            "2026-11-20T10:00:00Z 2026-11-20T10:00:00Z '",
        ] {
            assert_eq!(FeedPosition::read(&Position::At(wrong.to_owned())), None, "{wrong}");
        }
    }
}
