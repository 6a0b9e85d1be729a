//! What each vendor shows of a deal, in the same words: the mapped fields of a referral and of an opportunity.

use serde_json::Value;
use simulators::dataverse::{CHF, DataverseRow, EUR, GBP, USD};
use std::collections::BTreeMap;

/// Unit -> what is shown.
pub(crate) type Shown = BTreeMap<&'static str, String>;

pub(crate) const CURRENCIES: [(&str, &str); 4] = [("EUR", EUR), ("USD", USD), ("CHF", CHF), ("GBP", GBP)];

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An amount with its currency.
pub(crate) fn money(amount: f64, currency: &str) -> String {
    format!("{amount:.2} {currency}")
}

pub(crate) fn of_referral(referral: &Value) -> Shown {
    let details = &referral["details"];
    let amount = details["dealValue"].as_f64().unwrap_or_default();
    let status = (referral["status"].as_str(), referral["substatus"].as_str());
    let status = match (status.0.unwrap_or_default(), status.1.unwrap_or_default()) {
        ("New", _) => "open, on hold",
        ("Active", _) => "open, in progress",
        ("Closed", "Won") => "won",
        ("Closed", "Lost") => "lost",
        ("Closed", _) => "cancelled",
        _ => "unknown",
    };
    Shown::from([
        ("name", text(&referral["name"])),
        ("value", money(amount, &text(&details["currency"]))),
        ("closing date", text(&details["closingDateTime"]).chars().take(10).collect()),
        ("notes", text(&details["notes"])),
        ("status", status.to_owned()),
    ])
}

pub(crate) fn of_opportunity(row: &DataverseRow) -> Shown {
    let column = |name: &str| row.get(name).map(text).unwrap_or_default();
    let number = |name: &str| row.get(name).and_then(Value::as_i64);
    let amount = row.get("estimatedvalue").and_then(Value::as_f64).unwrap_or_default();
    let currency = column("_transactioncurrencyid_value");
    let currency = CURRENCIES.iter().find(|(_, id)| *id == currency).map_or("none", |(code, _)| code);
    let name = column("name");
    let status = match (number("statecode"), number("statuscode")) {
        (Some(0), Some(2)) => "open, on hold",
        (Some(0), Some(1)) => "open, in progress",
        (Some(1), _) => "won",
        (Some(2), Some(5)) => "lost",
        (Some(2), _) => "cancelled",
        _ => "unknown",
    };
    Shown::from([
        ("name", name.trim_start_matches("✔ ").to_owned()),
        ("value", money(amount, currency)),
        ("closing date", column("estimatedclosedate").chars().take(10).collect()),
        ("notes", column("description")),
        ("status", status.to_owned()),
    ])
}
