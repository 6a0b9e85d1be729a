//! Which fields are asked for, and rows as records: related rows' fields carry the relation's name. A row without a
//! version of its own kind gets one: the stamps, and a digest while they are so fresh that another change may share them.

use super::soql::is_name;
use jiff::{SignedDuration, Timestamp};
use mapping::{Map, Record, RecordId, RecordKind, names};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use sync::{link::digest, ports::Seen, version::Version};

/// Stamps are whole seconds: one this young may be shared by a later change.
const FRESH: SignedDuration = SignedDuration::from_secs(2);
/// Between the parts of a version's token.
const SEPARATOR: char = '|';

/// The child rows of an opportunity and the catalogue they point to (design §6).
pub(super) const SOLUTION: &str = "Microsoft_Solution__c";
pub(super) const SOLUTION_OPPORTUNITY: &str = "Opportunity__c";
pub(super) const SOLUTION_DETAIL: &str = "Microsoft_Solution_Detail__c";
pub(super) const SOLUTION_DETAIL_LOOKUP: &str = "Solution_Detail__c";
const SOLUTION_DETAIL_RELATION: &str = "Solution_Detail__r";
pub(super) const SOLUTION_KEY: &str = "Solution_Identifier__c";
/// Before fields of the catalogue row in a list's row.
pub(super) const DETAIL: &str = "detail.";
/// A row's own id, in a list's row.
const ROW: &str = "@id";

/// The object of a record.
pub(super) fn object_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Opportunity => "Opportunity",
        RecordKind::Lead => "Lead",
    }
}

/// What the map wants to see.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    own: BTreeSet<String>,
    account: BTreeSet<String>,
    owner: BTreeSet<String>,
    contact: BTreeSet<String>,
    solution: BTreeSet<String>,
    detail: BTreeSet<String>,
    pub(super) sales_team: bool,
}

impl Fields {
    pub(super) fn of(map: &Map) -> Self {
        let names = |relation: &str| -> BTreeSet<String> {
            map.columns(relation).into_iter().map(|used| used.name).collect()
        };
        let plain = |relation: &str| -> BTreeSet<String> {
            names(relation).into_iter().filter(|name| is_name(name)).collect()
        };
        let rows = names(names::SOLUTIONS);
        let detail =
            |name: &String| name.strip_prefix(DETAIL).filter(|name| is_name(name)).map(str::to_owned);
        let mut details: BTreeSet<String> = rows.iter().filter_map(detail).collect();
        details.insert(SOLUTION_KEY.to_owned());
        Fields {
            own: plain(""),
            account: plain("account"),
            owner: plain("owner"),
            contact: plain("contact"),
            solution: rows.into_iter().filter(|name| is_name(name)).collect(),
            detail: details,
            sales_team: map.has_sales_team(),
        }
    }

    /// The fields of the record itself, and what every row is asked for.
    pub(super) fn own_select(&self) -> String {
        let always = ["Id", "LastModifiedDate", "SystemModstamp", "AccountId", "OwnerId"];
        select("", self.own.iter().map(String::as_str).chain(always))
    }

    /// ... and of the rows it points to.
    pub(super) fn record_select(&self) -> String {
        let account = self.account.iter().map(|name| format!("Account.{name}"));
        let owner = self.owner.iter().map(|name| format!("Owner.{name}"));
        account.chain(owner).fold(self.own_select(), |all, name| format!("{all}, {name}"))
    }

    pub(super) fn solution_select(&self) -> String {
        let detail = self.detail.iter().map(|name| format!("{SOLUTION_DETAIL_RELATION}.{name}"));
        let own = select("", self.solution.iter().map(String::as_str).chain(["Id"]));
        detail.fold(own, |all, name| format!("{all}, {name}"))
    }

    pub(super) fn contact_select(&self) -> String {
        select("Contact.", self.contact.iter().map(String::as_str).chain(["Id"]))
    }

    pub(super) fn member_select(&self) -> String {
        let user = select("User.", self.owner.iter().map(String::as_str).chain(["IsActive"]));
        format!("Id, UserId, {user}")
    }

    /// A record as a row shows it; `related`: with the rows it points to. `None`: without id or stamps a row cannot be
    /// worked with.
    pub(super) fn seen(
        &self,
        kind: RecordKind,
        row: &Value,
        related: bool,
        date: Option<Timestamp>,
    ) -> Option<Seen> {
        let id = RecordId { kind, id: row["Id"].as_str()?.to_owned() };
        let version = version_of(row, date)?;
        let mut columns = BTreeMap::new();
        shown(&self.own, row, "", &mut columns);
        for (relation, pointer) in [("account", "AccountId"), ("owner", "OwnerId")] {
            if let Some(id) = row.get(pointer).filter(|id| !id.is_null()) {
                columns.insert(relation.to_owned(), id.clone());
            }
        }
        if related {
            shown_or_null(&self.account, &row["Account"], "account.", &mut columns);
            shown_or_null(&self.owner, &row["Owner"], "owner.", &mut columns);
        }
        Some(Seen { record: Record { id, columns, lists: BTreeMap::new() }, version, lead: None })
    }

    /// Which contact is primary, in a row of the opportunity.
    pub(super) fn role_select(&self) -> &'static str {
        "(SELECT ContactId FROM OpportunityContactRoles WHERE IsPrimary = true)"
    }

    /// ... into the record's columns.
    pub(super) fn add_role(&self, record: &mut Record, row: &Value) {
        let id = &row["OpportunityContactRoles"]["records"][0]["ContactId"];
        if !id.is_null() {
            record.columns.insert("contact".to_owned(), id.clone());
        }
    }

    /// The contact of the primary contact role, into the record's columns.
    pub(super) fn add_contact(&self, record: &mut Record, roles: &[Value]) {
        let contact = roles.first().map_or(Value::Null, |role| role["Contact"].clone());
        if let Some(id) = contact.get("Id").filter(|id| !id.is_null()) {
            record.columns.insert("contact".to_owned(), id.clone());
        }
        shown_or_null(&self.contact, &contact, "contact.", &mut record.columns);
    }

    pub(super) fn solutions(&self, rows: &[Value]) -> Vec<BTreeMap<String, Value>> {
        let read = |row: &Value| {
            let mut columns = BTreeMap::from([(ROW.to_owned(), row["Id"].clone())]);
            shown(&self.solution, row, "", &mut columns);
            shown_or_null(&self.detail, &row[SOLUTION_DETAIL_RELATION], DETAIL, &mut columns);
            columns
        };
        rows.iter().map(read).collect()
    }

    /// The colleagues of the opportunity team, their fields named as the owner's.
    pub(super) fn team(&self, rows: &[Value]) -> Vec<BTreeMap<String, Value>> {
        let read = |row: &Value| {
            let mut columns = BTreeMap::from([(ROW.to_owned(), row["Id"].clone())]);
            shown(&self.owner, &row["User"], "owner.", &mut columns);
            columns
        };
        rows.iter().filter(|row| row["User"]["IsActive"] != false).map(read).collect()
    }
}

/// The solution a child row stands for, and the row's id.
pub(super) fn solution_of(row: &Value) -> Option<(&str, &str)> {
    Some((row[SOLUTION_DETAIL_RELATION][SOLUTION_KEY].as_str()?, row["Id"].as_str()?))
}

/// The version of a row: what a write is conditional on, what orders it, and a digest of the row while its stamp is so
/// fresh that a change in the same second could share it (design §5).
pub(super) fn version_of(row: &Value, date: Option<Timestamp>) -> Option<Version> {
    let modified = instant(row["LastModifiedDate"].as_str()?)?;
    let stamp = instant(row["SystemModstamp"].as_str()?)?;
    let mut token = format!("{modified}{SEPARATOR}{stamp}");
    let settled = date.is_some_and(|date| date.duration_since(modified.max(stamp)) >= FRESH);
    if !settled {
        token.push(SEPARATOR);
        token += &digest(&row.to_string());
    }
    Some(Version { token, order: Some(stamp.as_second()) })
}

/// What a write may be conditional on. `Err`: the stamp is too fresh, or it is no version of ours.
pub(super) fn condition(version: &Version) -> Result<Timestamp, Fresh> {
    let mut parts = version.token.split(SEPARATOR);
    match (parts.next().and_then(|text| text.parse().ok()), parts.next(), parts.next()) {
        (Some(modified), Some(_), None) => Ok(modified),
        (Some(_), Some(_), Some(_)) => Err(Fresh::Yes),
        _ => Err(Fresh::NoVersion),
    }
}

/// Why a version is no condition.
pub(super) enum Fresh {
    /// In a moment it is.
    Yes,
    /// Never.
    NoVersion,
}

/// `2026-11-20T10:00:00.000+0000`: no colon, which strict parsers refuse.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix("+0000").map_or_else(|| text.to_owned(), |plain| format!("{plain}Z"));
    text.parse().ok()
}

fn select<'a>(prefix: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    names.into_iter().map(|name| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
}

fn shown(fields: &BTreeSet<String>, row: &Value, prefix: &str, columns: &mut BTreeMap<String, Value>) {
    for name in fields {
        if let Some(value) = row.get(name) {
            columns.insert(format!("{prefix}{name}"), value.clone());
        }
    }
}

/// A relation that leads nowhere shows null in all of its fields.
fn shown_or_null(
    fields: &BTreeSet<String>,
    row: &Value,
    prefix: &str,
    columns: &mut BTreeMap<String, Value>,
) {
    if row.is_object() {
        return shown(fields, row, prefix, columns);
    }
    columns.extend(fields.iter().map(|name| (format!("{prefix}{name}"), Value::Null)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sync::version::Age;

    fn row(stamp: &str, name: &str) -> Value {
        json!({ "Id": "006000000000001AAA", "Name": name, "LastModifiedDate": stamp, "SystemModstamp": stamp })
    }

    #[test]
    fn a_fresh_stamp_is_no_condition_and_two_changes_of_one_second_differ() {
        let stamp = "2026-11-20T10:00:00.000+0000";
        let at =
            |seconds: i64| Some(Timestamp::constant(1_795_168_800, 0) + SignedDuration::from_secs(seconds));
        assert_eq!(instant(stamp), at(0));
        let (one, other) =
            (version_of(&row(stamp, "a"), at(1)).unwrap(), version_of(&row(stamp, "b"), at(1)).unwrap());
        assert_eq!(one.against(&other), Age::Unknown);
        assert!(matches!(condition(&one), Err(Fresh::Yes)));
        let settled = version_of(&row(stamp, "a"), at(2)).unwrap();
        assert_eq!(condition(&settled).ok(), at(0));
        assert_eq!(settled.against(&one), Age::Unknown, "seen again: looked at again");
        assert_eq!(settled.against(&version_of(&row(stamp, "a"), at(60)).unwrap()), Age::Same);
        let later = version_of(&row("2026-11-20T10:00:01.000+0000", "a"), at(60)).unwrap();
        assert_eq!(later.against(&settled), Age::Newer);
        assert!(version_of(&row(stamp, "a"), None).unwrap().token.matches(SEPARATOR).count() == 2);
    }
}
