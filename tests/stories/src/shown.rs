//! What each side shows of a deal, in the same words: what a person would read there. Written from the vendors' documents
//! and the default map's manual, not from our code.

use crate::stage::Stage;
use jiff::{SignedDuration, Timestamp, civil::Date};
use local::people::text;
use mapping::CrmKind;
use serde_json::Value;
use simulators::dataverse::{CHF, EUR, GBP, USD};
use simulators::server::{BAD_BYTE, LONE_SURROGATE};
use std::collections::BTreeMap;

/// Field -> what is shown.
pub type Shown = BTreeMap<&'static str, String>;

/// The Referral Identifier, on opportunities and leads.
pub fn referral_column(crm: CrmKind) -> &'static str {
    match crm {
        CrmKind::Dynamics365 => "cosell_referralid",
        CrmKind::Salesforce => "Referral_Identifier__c",
    }
}

pub fn id(row: &Value, set: &str, crm: CrmKind) -> String {
    match (crm, set) {
        (CrmKind::Salesforce, _) => text(row, "Id"),
        (_, "leads") => text(row, "leadid"),
        _ => text(row, "opportunityid"),
    }
}

/// A text as a person reads it: without what cannot be seen, entities read, lines as lines.
pub fn read(words: &str) -> String {
    let mut read = words.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}'], "\n");
    for (entity, meant) in [
        ("&#252;", "ü"),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        read = read.replace(entity, meant);
    }
    let read: String = read
        .chars()
        .map(|c| if c == LONE_SURROGATE || c == BAD_BYTE { '\u{fffd}' } else { c })
        .filter(|c| !c.is_control() || *c == '\n' || *c == '\t')
        .collect();
    let read = read.trim();
    let read = read.trim_start_matches(['✔', '✖']).trim();
    composed(read)
}

/// The two combining marks that stories use, composed.
fn composed(words: &str) -> String {
    words.replace("u\u{308}", "ü").replace("e\u{301}", "é")
}

/// Whether a person would call two texts equal; a shortened one says so by its end.
pub fn alike(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let shortened = |short: &str, long: &str| {
        let stem = short.strip_suffix('…');
        stem.is_some_and(|stem| !stem.is_empty() && long.starts_with(stem.trim_end()))
    };
    shortened(one, other) || shortened(other, one)
}

pub fn money(amount: Option<f64>, currency: &str) -> String {
    match amount {
        None => String::new(),
        Some(amount) if amount.abs() < 0.005 => String::new(),
        Some(amount) => format!("{amount:.2} {currency}"),
    }
}

/// The calendar day that somebody meant.
pub fn day(instant: &str) -> String {
    if instant.starts_with("0001-") || instant.starts_with("9999-") || instant.is_empty() {
        return String::new();
    }
    let own = instant.get(..10).and_then(|day| day.parse::<Date>().ok());
    let offset = instant.rfind(['+', '-']).filter(|at| *at > 10);
    if offset.is_some() {
        return own.map(|day| day.to_string()).unwrap_or_default();
    }
    let Ok(at) = instant.parse::<Timestamp>() else { return instant.to_owned() };
    // Noon is the day it is noon of.
    let nearest = at + SignedDuration::from_hours(12) - SignedDuration::from_secs(1);
    nearest.strftime("%Y-%m-%d").to_string()
}

pub fn of_referral(referral: &Value) -> Shown {
    let details = &referral["details"];
    let status = match (text(referral, "status").as_str(), text(referral, "substatus").as_str()) {
        ("New", _) => "on hold",
        ("Active", _) => "active",
        ("Closed", "Won") => "won",
        ("Closed", _) => "lost",
        _ => "unknown",
    };
    let solutions = details["requirements"]["solutions"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = solutions.iter().map(|solution| text(solution, "id")).collect();
    ids.sort();
    ids.dedup();
    Shown::from([
        ("name", read(&text(referral, "name"))),
        ("value", money(details["dealValue"].as_f64(), &text(details, "currency"))),
        ("closing_date", day(&text(details, "closingDateTime"))),
        ("notes", read(&text(details, "notes"))),
        ("status", status.to_owned()),
        ("solutions", ids.join(" ")),
    ])
}

pub fn of_record(row: &Value, set: &str, stage: &Stage) -> Shown {
    match set {
        "leads" => of_lead(row, stage.crm),
        _ => of_opportunity(row, stage),
    }
}

fn of_opportunity(row: &Value, stage: &Stage) -> Shown {
    let dynamics = stage.crm == CrmKind::Dynamics365;
    let currency = if dynamics {
        code_of(&text(row, "_transactioncurrencyid_value")).to_owned()
    } else {
        text(row, "CurrencyIsoCode")
    };
    let status = match text(row, "state").as_str() {
        "" => "active".to_owned(),
        "canceled" => "lost".to_owned(),
        other => other.to_owned(),
    };
    Shown::from([
        ("name", read(&text(row, "name"))),
        ("value", money(row["deal_value"].as_f64(), &currency)),
        ("closing_date", text(row, "closing_date").chars().take(10).collect()),
        ("notes", read(&text(row, "notes"))),
        ("status", status),
        ("solutions", solutions(&text(row, "id"), stage).join(" ")),
    ])
}

fn of_lead(row: &Value, crm: CrmKind) -> Shown {
    if crm == CrmKind::Salesforce {
        return Shown::from([("notes", read(&text(row, "Description")))]);
    }
    let currency = code_of(&text(row, "_transactioncurrencyid_value"));
    Shown::from([
        ("name", read(&text(row, "subject"))),
        ("value", money(row["estimatedamount"].as_f64(), currency)),
        ("closing_date", text(row, "estimatedclosedate").chars().take(10).collect()),
        ("notes", read(&text(row, "description"))),
    ])
}

fn code_of(currency: &str) -> &'static str {
    let known = [("EUR", EUR), ("USD", USD), ("CHF", CHF), ("GBP", GBP)];
    known.iter().find(|(_, id)| *id == currency).map_or("", |(code, _)| code)
}

/// The solutions of an opportunity, by the identifiers of its rows' catalogue entries.
pub fn solutions(opportunity: &str, stage: &Stage) -> Vec<String> {
    let dynamics = stage.crm == CrmKind::Dynamics365;
    let (parent, detail) = if dynamics {
        ("_cosell_opportunityid_value", "_cosell_solutiondetailid_value")
    } else {
        ("Opportunity__c", "Solution_Detail__c")
    };
    let details = stage.world.rows("solution_details");
    let known: BTreeMap<String, String> =
        details.iter().map(|row| (text(row, "id"), text(row, "solution_id"))).collect();
    let rows = stage.world.rows("solutions");
    let own = rows.iter().filter(|row| text(row, parent) == opportunity);
    let mut ids: Vec<String> =
        own.filter_map(|row| known.get(&text(row, detail)).cloned()).filter(|id| !id.is_empty()).collect();
    ids.sort();
    ids.dedup();
    ids
}
