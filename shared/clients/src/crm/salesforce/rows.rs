//! Which fields are asked for, and how rows become records: a related row's fields carry the relation's name. A
//! version is made of a row's stamps, and of a digest while these are so fresh that another change may have the same
//! ones.

use super::{features::Features, soql::is_name};
use crate::crm::solution_row::DETAIL;
use jiff::{SignedDuration, Timestamp};
use mapping::{Map, Record, RecordId, RecordKind, names};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use sync::{
    link::digest,
    ports::Seen,
    version::{BESIDES, Version},
};

/// Stamps are whole seconds (vendors/salesforce.md, *Stamps as versions*): until one is this old, a further change may
/// get the same stamp.
pub(super) const FRESH: SignedDuration = SignedDuration::from_secs(2);
/// Stands between the parts of a version's token.
const SEPARATOR: char = '|';

/// Our own objects and their fields: the child rows of an opportunity, and the catalogue to which they point.
pub(super) const SOLUTION: &str = "Microsoft_Solution__c";
pub(super) const SOLUTION_OPPORTUNITY: &str = "Opportunity__c";
pub(super) const SOLUTION_DETAIL: &str = "Microsoft_Solution_Detail__c";
pub(super) const SOLUTION_DETAIL_LOOKUP: &str = "Solution_Detail__c";
const SOLUTION_DETAIL_RELATION: &str = "Solution_Detail__r";
pub(super) const SOLUTION_KEY: &str = "Solution_Identifier__c";
/// Under this name a row of a list carries its own id.
const ROW: &str = "@id";

/// The text of an account's country, in the org's language, and its code, which exists where state and country
/// picklists are on (vendors/salesforce.md, *Opportunity*).
const COUNTRY: &str = "BillingCountry";
const COUNTRY_CODE: &str = "BillingCountryCode";

/// The object of a record.
pub(super) fn object_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Opportunity => "Opportunity",
        RecordKind::Lead => "Lead",
    }
}

/// The fields that a map reads.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    kind: RecordKind,
    own: BTreeSet<String>,
    account: BTreeSet<String>,
    owner: BTreeSet<String>,
    contact: BTreeSet<String>,
    solution: BTreeSet<String>,
    detail: BTreeSet<String>,
    pub(super) sales_team: bool,
}

impl Fields {
    pub(super) fn of(map: &Map, kind: RecordKind) -> Self {
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
            kind,
            own: plain(""),
            account: plain("account"),
            owner: plain("owner"),
            contact: plain("contact"),
            solution: rows.into_iter().filter(|name| is_name(name)).collect(),
            detail: details,
            sales_team: map.has_sales_team(),
        }
    }

    /// The record's own fields, and those that are always asked for.
    pub(super) fn own_select(&self) -> String {
        let always = ["Id", "LastModifiedDate", "SystemModstamp", "OwnerId"];
        let account = (self.kind == RecordKind::Opportunity).then_some("AccountId");
        select("", self.own.iter().map(String::as_str).chain(always).chain(account))
    }

    /// The record's own fields, and those of the rows to which it points.
    pub(super) fn record_select(&self, has: Features) -> String {
        let code = (has.codes && self.account.contains(COUNTRY)).then_some(COUNTRY_CODE);
        let account = self.account.iter().map(String::as_str).chain(code);
        let account = account.map(|name| format!("Account.{name}"));
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

    /// The record of a row; `related`: the row contains those to which it points. `None`: it lacks its id or its
    /// stamps, and a record needs both.
    pub(super) fn seen(&self, row: &Value, related: bool, date: Option<Timestamp>) -> Option<Seen> {
        let id = RecordId { kind: self.kind, id: row["Id"].as_str()?.to_owned() };
        let version = self.version(row, date)?;
        let mut columns = BTreeMap::new();
        shown(&self.own, row, "", &mut columns);
        for (relation, pointer) in [("account", "AccountId"), ("owner", "OwnerId")] {
            if let Some(id) = row.get(pointer).filter(|id| !id.is_null()) {
                columns.insert(relation.to_owned(), id.clone());
            }
        }
        if related && self.kind == RecordKind::Opportunity {
            shown_or_null(&self.account, &row["Account"], "account.", &mut columns);
            if let Some(code) = row["Account"].get(COUNTRY_CODE).filter(|code| !code.is_null()) {
                columns.insert(format!("account.{COUNTRY}"), code.clone());
            }
            shown_or_null(&self.owner, &row["Owner"], "owner.", &mut columns);
        }
        Some(Seen { record: Record { id, columns, lists: BTreeMap::new() }, version, lead: None })
    }

    /// A subquery, in a row of an opportunity, for its primary contact.
    pub(super) fn role_select(&self) -> &'static str {
        "(SELECT ContactId FROM OpportunityContactRoles WHERE IsPrimary = true)"
    }

    /// Adds the id of the primary contact, from that subquery, to the record's columns.
    pub(super) fn add_role(&self, record: &mut Record, row: &Value) {
        let id = &row["OpportunityContactRoles"]["records"][0]["ContactId"];
        if !id.is_null() {
            record.columns.insert("contact".to_owned(), id.clone());
        }
    }

    /// The version of a row: what a write is conditional on, what orders versions, and a digest of the row's own
    /// fields while its stamp is so fresh that another change may get the same one (vendors/salesforce.md, *Stamps as
    /// versions*).
    pub(super) fn version(&self, row: &Value, date: Option<Timestamp>) -> Option<Version> {
        let modified = instant(row["LastModifiedDate"].as_str()?)?;
        let stamp = instant(row["SystemModstamp"].as_str()?)?;
        let mut token = format!("{modified}{SEPARATOR}{stamp}");
        if date.is_none_or(|date| date.duration_since(modified.max(stamp)) < FRESH) {
            token += BESIDES;
            token += &self.digest(row);
        }
        Some(Version { token, order: Some(stamp.as_second()) })
    }

    /// The digest of the row's own fields.
    pub(super) fn digest(&self, row: &Value) -> String {
        let shown: BTreeMap<&String, &Value> =
            self.own.iter().map(|name| (name, &row[name.as_str()])).collect();
        digest(&serde_json::json!(shown).to_string())
    }

    /// Adds the contact of the primary contact role to the record's columns.
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

    /// The active users of the opportunity team, with the fields of an owner.
    pub(super) fn team(&self, rows: &[Value]) -> Vec<BTreeMap<String, Value>> {
        let read = |row: &Value| {
            let mut columns = BTreeMap::from([(ROW.to_owned(), row["Id"].clone())]);
            shown(&self.owner, &row["User"], "owner.", &mut columns);
            columns
        };
        rows.iter().filter(|row| row["User"]["IsActive"] != false).map(read).collect()
    }
}

/// The solution of a child row, and the row's id.
pub(super) fn solution_of(row: &Value) -> Option<(&str, &str)> {
    Some((row[SOLUTION_DETAIL_RELATION][SOLUTION_KEY].as_str()?, row["Id"].as_str()?))
}

/// What a write may be conditional on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// That the row was last modified at this instant.
    Modified(Timestamp),
    /// The stamp was too fresh when the row was read; the row's fields had this digest.
    Fresh(String),
    /// The token is not one of ours.
    None,
}

impl Precondition {
    pub(super) fn of(version: &Version) -> Self {
        let (stamps, digest) = match version.token.split_once(BESIDES) {
            Some((stamps, digest)) => (stamps, Some(digest)),
            None => (version.token.as_str(), None),
        };
        let modified = stamps.split_once(SEPARATOR).and_then(|(modified, _)| modified.parse().ok());
        match (modified, digest) {
            (Some(modified), None) => Precondition::Modified(modified),
            (Some(_), Some(digest)) => Precondition::Fresh(digest.to_owned()),
            (None, _) => Precondition::None,
        }
    }
}

/// Reads `2026-11-20T10:00:00.000+0000`, whose offset has no colon and is therefore refused by strict parsers.
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

/// Like `shown`, but if a relation leads to no row, each of its fields is null.
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
    fn a_colleague_who_left_is_in_no_team() {
        let fields = Fields::of(Map::standard(mapping::CrmKind::Salesforce), RecordKind::Opportunity);
        let member = |id: &str, active: bool| json!({ "Id": id, "User": { "Email": "a@b.example", "IsActive": active } });
        let team = fields.team(&[member("1", true), member("2", false)]);
        assert_eq!(team.iter().map(|row| row[ROW].clone()).collect::<Vec<_>>(), [json!("1")]);
    }

    #[test]
    fn a_fresh_stamp_is_no_condition_and_two_changes_of_one_second_differ() {
        let fields = Fields::of(Map::standard(mapping::CrmKind::Salesforce), RecordKind::Opportunity);
        let stamp = "2026-11-20T10:00:00.000+0000";
        let noon = instant(stamp).unwrap();
        let version = |stamp: &str, name: &str, later: i64| {
            fields.version(&row(stamp, name), Some(noon + SignedDuration::from_secs(later))).unwrap()
        };
        let (one, other) = (version(stamp, "a", 1), version(stamp, "b", 1));
        assert_eq!(one.against(&other), Age::Unknown);
        assert_eq!(Precondition::of(&one), Precondition::Fresh(fields.digest(&row(stamp, "a"))));
        let settled = version(stamp, "a", 2);
        assert_eq!(Precondition::of(&settled), Precondition::Modified(noon));
        assert_eq!(settled.against(&one), Age::Unknown, "seen again: looked at again");
        assert_eq!(settled.against(&version(stamp, "a", 60)), Age::Same);
        assert_eq!(version("2026-11-20T10:00:01.000+0000", "a", 60).against(&settled), Age::Newer);
        let unknown = fields.version(&row(stamp, "a"), None).unwrap();
        assert!(matches!(Precondition::of(&unknown), Precondition::Fresh(_)), "without the server's time");
    }
}
