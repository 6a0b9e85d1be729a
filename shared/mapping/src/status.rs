//! The two state machines and the table between them: Partner Center's status and substatus, and the CRM's state and
//! status reason (Dynamics) or stage (Salesforce).

use crate::{
    CrmKind, Record, RecordKind, Value,
    reader::{Place, Reader, bare, join},
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Partner Center's pairs of status and substatus (vendors/partner-center.md, *Status pairs*).
pub(crate) const PAIRS: [&str; 8] = [
    "New/Pending",
    "New/Received",
    "Active/Accepted",
    "Closed/Won",
    "Closed/Lost",
    "Closed/Declined",
    "Closed/Expired",
    "Closed/Error",
];

/// The meaning of a status, the same for both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// `New`: it is not accepted yet.
    Waiting,
    /// `Active`: it is accepted and open.
    Active,
    Won,
    /// Lost, declined, expired, or closed as error.
    Lost,
}

impl Phase {
    pub(crate) fn is_closed(self) -> bool {
        self >= Phase::Won
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct StatusTable {
    /// For a lead, being qualified means accepted, and no open status means it.
    of_leads: bool,
    /// The columns of the CRM's status, by member (`state`, `status`, `stage`, `closed`, `won`).
    pub(crate) columns: Vec<(&'static str, String)>,
    pub(crate) on_hold: Vec<String>,
    on_hold_line: usize,
    /// The statuses of a disqualified lead (Salesforce).
    disqualified: Vec<String>,
    pub(crate) error: Vec<String>,
    pub(crate) reason: Option<String>,
    pub(crate) reasons: Vec<(String, String)>,
    /// The members' values, by Partner Center's pair.
    pub(crate) crm: Vec<(String, BTreeMap<String, String>)>,
}

/// The members of the CRM's status: those that are written, and those that are only read.
fn members(crm: CrmKind) -> (&'static [&'static str], &'static [&'static str]) {
    match crm {
        CrmKind::Dynamics365 => (&["state", "status"], &[]),
        CrmKind::Salesforce => (&["stage"], &["closed", "won"]),
    }
}

impl StatusTable {
    pub(crate) fn read(reader: &mut Reader, place: Place<'_>, crm: CrmKind, kind: RecordKind) -> StatusTable {
        let (written, shown) = members(crm);
        let mut keys: Vec<&str> = written.iter().chain(shown).copied().collect();
        keys.extend(["on_hold", "error", "reason", "reasons", "crm"]);
        let by_status = kind == RecordKind::Lead && crm == CrmKind::Salesforce;
        keys.extend(by_status.then_some("disqualified"));
        if !reader.known(place, &keys) {
            return StatusTable::default();
        }
        let mut table = StatusTable {
            of_leads: kind == RecordKind::Lead,
            on_hold: reader.texts(place, "on_hold"),
            on_hold_line: place.node.get("on_hold").map_or(0, |node| node.line),
            disqualified: if by_status { reader.texts(place, "disqualified") } else { vec![] },
            error: reader.texts(place, "error"),
            reason: reader.text(place, "reason"),
            reasons: reader
                .pairs(place, "reasons")
                .into_iter()
                .map(|(key, text)| (key, bare(&text).into_owned()))
                .collect(),
            ..StatusTable::default()
        };
        for member in written.iter().chain(shown) {
            match reader.text(place, member) {
                Some(column) => table.columns.push((member, column)),
                None => reader.fault(
                    place.node.line,
                    join(place.key, member),
                    "missing: expected the name of a column",
                ),
            }
        }
        let key = join(place.key, "crm");
        if let Some(node) = place.node.get("crm") {
            let pairs = Place { node, key: &key };
            if reader.known(pairs, &PAIRS) {
                for pair in PAIRS {
                    table.read_pair(reader, pairs, pair, written, crm);
                }
            }
        }
        if table.on_hold.is_empty() {
            let line = place.node.get("on_hold").map_or(0, |node| node.line);
            reader.fault(
                line,
                join(place.key, "on_hold"),
                "expected at least one: else nothing could wait for acceptance",
            );
        }
        table
    }

    fn read_pair(
        &mut self,
        reader: &mut Reader,
        pairs: Place<'_>,
        pair: &str,
        written: &[&str],
        crm: CrmKind,
    ) {
        let Some(node) = pairs.node.get(pair) else {
            reader.fault(pairs.node.line, pairs.key, format!("`{pair}` is missing"));
            return;
        };
        let key = join(pairs.key, &format!("{pair:?}"));
        let place = Place { node, key: &key };
        if !reader.known(place, written) {
            return;
        }
        let mut shown = BTreeMap::new();
        for member in written {
            let given = match crm {
                CrmKind::Dynamics365 => reader.number(place, member, 0).map(|n| n.to_string()),
                CrmKind::Salesforce => reader.text(place, member),
            };
            match given {
                Some(value) => _ = shown.insert((*member).to_owned(), value),
                None if node.get(member).is_none() => {
                    reader.fault(node.line, &key, format!("`{member}` is missing"))
                }
                None => {}
            }
        }
        let phase = phase_of_pair(pair);
        let wanted = match phase {
            Some(Phase::Won) => "1",
            Some(Phase::Active) if self.of_leads => "1",
            Some(Phase::Lost) => "2",
            _ => "0",
        };
        if crm == CrmKind::Dynamics365 && shown.get("state").is_some_and(|state| state != wanted) {
            let states =
                if self.of_leads { "0 open, 1 qualified, 2 disqualified" } else { "0 open, 1 won, 2 lost" };
            reader.fault(node.line, &key, format!("expected `state = {wanted}` ({states})"));
        }
        if let Some(stage) = shown.get("stage").filter(|_| self.of_leads) {
            let ends = self.disqualified.contains(stage);
            if ends != (phase == Some(Phase::Lost)) {
                let word = if ends { "is" } else { "is not" };
                let text =
                    format!("`{stage}` {word} in `disqualified`, so it would be read back as another status");
                reader.fault(node.line, &key, text);
            }
        }
        let reason = shown.get("status").or_else(|| shown.get("stage"));
        let tells = matches!(phase, Some(Phase::Waiting | Phase::Active)) && !self.of_leads;
        if let Some(reason) = reason.filter(|_| tells) {
            let waits = self.on_hold.contains(reason);
            if waits != (phase == Some(Phase::Waiting)) {
                let word = if waits { "is" } else { "is not" };
                let line = if node.line > 0 { node.line } else { self.on_hold_line };
                reader.fault(
                    line,
                    &key,
                    format!("`{reason}` {word} in `on_hold`, so it would be read back as another status"),
                );
            }
        }
        self.crm.push((pair.to_owned(), shown));
    }

    /// The status of a record; `None`: one of its columns was not read.
    pub(crate) fn of_record(&self, record: &Record) -> Option<Value> {
        let mut members = BTreeMap::new();
        for (member, column) in &self.columns {
            let shown = match record.columns.get(column)? {
                Json::Null => Value::Null,
                Json::Bool(yes) => Value::Bool(*yes),
                plain => Value::Text(bare(plain).into_owned()),
            };
            members.insert((*member).to_owned(), shown);
        }
        if let Some(shown) = self.reason.as_ref().and_then(|column| record.columns.get(column)) {
            members.insert("reason".to_owned(), shown.as_str().map_or(Value::Null, Value::of_text));
        }
        Some(Value::Map(members))
    }

    /// The meaning of the CRM's status; `None`: the values are no status.
    pub(crate) fn phase_of_crm(&self, crm: &Value) -> Option<Phase> {
        let reason = crm.member("status").text().or_else(|| crm.member("stage").text());
        let open = || match reason {
            Some(reason) if self.on_hold.iter().any(|held| held == reason) => Some(Phase::Waiting),
            Some(_) => Some(Phase::Active),
            None => None,
        };
        if self.of_leads {
            let ended = || reason.is_some_and(|reason| self.disqualified.iter().any(|known| known == reason));
            return match (crm.member("state").text(), crm.member("won")) {
                (Some("0"), _) => Some(Phase::Waiting),
                (Some("1"), _) | (None, Value::Bool(true)) => Some(Phase::Active),
                (Some("2"), _) => Some(Phase::Lost),
                (None, Value::Bool(false)) => Some(if ended() { Phase::Lost } else { Phase::Waiting }),
                _ => None,
            };
        }
        match (crm.member("state").text(), crm.member("closed"), crm.member("won")) {
            (Some("0"), ..) | (None, Value::Bool(false), _) => open(),
            (Some("1"), ..) | (None, Value::Bool(true), Value::Bool(true)) => Some(Phase::Won),
            (Some("2"), ..) | (None, Value::Bool(true), Value::Bool(false)) => Some(Phase::Lost),
            _ => None,
        }
    }

    /// The reason of a loss as text: the record's own, else that of the map for this status.
    pub(crate) fn reason_of(&self, crm: &Value) -> Value {
        if let Value::Text(reason) = crm.member("reason") {
            return Value::Text(reason.clone());
        }
        let status = crm.member("status").text().or_else(|| crm.member("stage").text());
        let line = self.reasons.iter().find(|(key, _)| Some(key.as_str()) == status);
        line.map_or(Value::Null, |(_, text)| Value::of_text(text))
    }

    /// The CRM's status for a pair of Partner Center.
    pub(crate) fn crm_form(&self, pair: &str) -> Option<Value> {
        let (_, shown) = self.crm.iter().find(|(name, _)| name == pair)?;
        let phase = phase_of_pair(pair)?;
        let mut members: BTreeMap<String, Value> =
            shown.iter().map(|(name, value)| (name.clone(), Value::Text(value.clone()))).collect();
        if members.contains_key("stage") {
            // For a lead, closed and won are both the same: converted.
            let converted = phase == Phase::Active || phase == Phase::Won;
            let (closed, won) =
                if self.of_leads { (converted, converted) } else { (phase.is_closed(), phase == Phase::Won) };
            members.insert("closed".to_owned(), Value::Bool(closed));
            members.insert("won".to_owned(), Value::Bool(won));
        }
        Some(Value::Map(members))
    }
}

/// The meaning of a pair of Partner Center.
pub(crate) fn phase_of_pair(pair: &str) -> Option<Phase> {
    match pair.split_once('/')? {
        ("New", _) => Some(Phase::Waiting),
        ("Active", _) => Some(Phase::Active),
        ("Closed", "Won") => Some(Phase::Won),
        ("Closed", _) => Some(Phase::Lost),
        _ => None,
    }
}

/// `status/substatus`, from Partner Center's value.
pub(crate) fn pair_of(partner_center: &Value) -> String {
    let text = |name| partner_center.member(name).text().unwrap_or_default().to_owned();
    format!("{}/{}", text("status"), text("substatus"))
}

/// Partner Center's value for a pair.
pub(crate) fn value_of(pair: &str, reason: Value) -> Value {
    let (status, substatus) = pair.split_once('/').unwrap_or((pair, ""));
    shown_status(status, substatus, reason)
}

/// Partner Center's value for a status and a substatus.
pub(crate) fn shown_status(status: &str, substatus: &str, reason: Value) -> Value {
    Value::Map(BTreeMap::from([
        ("status".to_owned(), Value::of_text(status)),
        ("substatus".to_owned(), Value::of_text(substatus)),
        ("reason".to_owned(), reason),
    ]))
}
