//! State and country picklists: a few places, and how the code and the text of an address stay one.

use super::Salesforce;
use super::metadata::Feature;
use super::refusal::{Outcome, bad};
use super::store::Row;
use serde_json::{Value, json};

const COUNTRIES: [(&str, &str); 12] = [
    ("AT", "Austria"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("DE", "Germany"),
    ("ES", "Spain"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("NL", "Netherlands"),
    ("US", "United States"),
];
/// Of the United States; other countries here have none.
const STATES: [(&str, &str); 5] =
    [("CA", "California"), ("IL", "Illinois"), ("NY", "New York"), ("TX", "Texas"), ("WA", "Washington")];

fn owned(places: &[(&str, &str)]) -> Vec<(String, String)> {
    places.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect()
}

pub(super) fn countries() -> Vec<(String, String)> {
    owned(&COUNTRIES)
}

pub(super) fn states() -> Vec<(String, String)> {
    owned(&STATES)
}

impl Salesforce {
    /// Code and text follow each other; a text that is no label is refused.
    pub(super) fn settle_places(&self, object: &str, row: &mut Row, changes: &Row) -> Outcome<()> {
        let prefix = match object {
            "Account" => "Billing",
            "Lead" => "",
            _ => return Ok(()),
        };
        if !self.has(Some(Feature::StateCountry)) {
            return Ok(());
        }
        for (part, places, kind) in [("Country", &COUNTRIES[..], "country"), ("State", &STATES[..], "state")]
        {
            let (text, code) = (format!("{prefix}{part}"), format!("{prefix}{part}Code"));
            if let Some(changed) = changes.get(&code) {
                let label = places.iter().find(|(c, _)| changed == *c).map(|(_, label)| *label);
                row.insert(text, json!(label));
            } else if let Some(changed) = changes.get(&text) {
                let found = places.iter().find(|(_, label)| changed.as_str().is_some_and(|c| c == *label));
                if found.is_none() && !changed.is_null() {
                    let label = format!("{} {part}", prefix).trim().to_owned();
                    let told = format!(
                        "There's a problem with this {kind}, even though it may appear correct. Please select a \
                         {kind} from the list of valid values.: {label}"
                    );
                    return Err(bad("FIELD_INTEGRITY_EXCEPTION", told, &[&text]));
                }
                row.insert(code, found.map_or(Value::Null, |(c, _)| json!(c)));
            }
        }
        let (state, country) = (&row[&format!("{prefix}StateCode")], &row[&format!("{prefix}CountryCode")]);
        if !state.is_null() && country != "US" {
            let told = "A country/territory must be specified before specifying a state value for field";
            let field = format!("{prefix}State");
            return Err(bad("FIELD_INTEGRITY_EXCEPTION", format!("{told}: {prefix} State"), &[&field]));
        }
        Ok(())
    }
}
