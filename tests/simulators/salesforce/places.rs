//! State and country picklists: a few places, and how the code and the text of an address stay one.

use super::Salesforce;
use super::metadata::Feature;
use super::refusal::{SalesforceOutcome, SalesforceRefusal, bad};
use super::store::SalesforceRow;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A code and its label.
type Place = (&'static str, &'static str);

const COUNTRIES: [Place; 14] = [
    ("AR", "Argentina"),
    ("AT", "Austria"),
    ("BE", "Belgium"),
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
/// Country, code, label. The other countries have none; labels and codes are unique within their country only.
const STATES: [(&str, &str, &str); 10] = [
    ("US", "CA", "California"),
    ("US", "IL", "Illinois"),
    ("US", "NY", "New York"),
    ("US", "TX", "Texas"),
    ("US", "WA", "Washington"),
    ("AR", "X", "Córdoba"),
    ("BE", "VLI", "Limburg"),
    ("ES", "CO", "Córdoba"),
    ("IT", "CA", "Cagliari"),
    ("NL", "LI", "Limburg"),
];

fn owned((code, label): Place) -> (String, String) {
    (code.to_owned(), label.to_owned())
}

pub(super) fn countries() -> Vec<(String, String)> {
    COUNTRIES.map(owned).into()
}

/// Of all countries: a code may be there twice.
pub(super) fn states() -> Vec<(String, String)> {
    STATES.map(|(_, code, label)| owned((code, label))).into()
}

/// The describe call's `validFor` of one of [`states`]: bits, the highest of each byte first, one for each country.
pub(super) fn valid_for(state: usize) -> String {
    let mut bits = vec![0u8; COUNTRIES.len().div_ceil(8)];
    for (n, (country, _)) in COUNTRIES.iter().enumerate() {
        if STATES[state].0 == *country {
            bits[n / 8] |= 0x80 >> (n % 8);
        }
    }
    STANDARD.encode(bits)
}

/// The two fields of a country or state in an address.
struct Part {
    /// `country` or `state`, as a refusal words it.
    kind: &'static str,
    label: String,
    text: String,
    code: String,
}

impl Part {
    fn of(prefix: &str, kind: &'static str, name: &str) -> Part {
        let label = format!("{prefix} {name}").trim().to_owned();
        Part { kind, label, text: format!("{prefix}{name}"), code: format!("{prefix}{name}Code") }
    }

    fn changed(&self, changes: &SalesforceRow) -> bool {
        changes.contains_key(&self.text) || changes.contains_key(&self.code)
    }

    fn refused(&self) -> SalesforceRefusal {
        let (kind, label) = (self.kind, &self.label);
        let told = format!(
            "There's a problem with this {kind}, even though it may appear correct. Please select a {kind} from the list \
             of valid values.: {label}"
        );
        bad("FIELD_INTEGRITY_EXCEPTION", told, &[&self.text])
    }

    /// Code and text follow each other; what is none of these places is refused. Where both are written the code counts
    /// in a new row, and they must agree in one that is there.
    fn settle(
        &self,
        creating: bool,
        row: &mut SalesforceRow,
        changes: &SalesforceRow,
        places: &[Place],
    ) -> SalesforceOutcome<()> {
        let (by_code, by_text) = (changes.get(&self.code), changes.get(&self.text));
        let found = match (by_code, by_text) {
            (None, None) => return Ok(()),
            (Some(code), _) => places.iter().find(|(c, _)| code == c),
            (None, Some(text)) => places.iter().find(|(_, label)| text == label),
        };
        let label = json!(found.map(|(_, label)| label));
        let asked = by_code.or(by_text).is_some_and(|value| !value.is_null());
        let differs = !creating && by_code.is_some() && by_text.is_some_and(|text| *text != label);
        if asked && found.is_none() || differs {
            return Err(self.refused());
        }
        row.insert(self.text.clone(), label);
        row.insert(self.code.clone(), json!(found.map(|(code, _)| code)));
        Ok(())
    }
}

impl Salesforce {
    /// Codes and texts of an address agree, and its state is one of its country's.
    pub(super) fn settle_places(
        &self,
        object: &str,
        creating: bool,
        row: &mut SalesforceRow,
        changes: &SalesforceRow,
    ) -> SalesforceOutcome<()> {
        let prefix = match object {
            "Account" => "Billing",
            "Lead" => "",
            _ => return Ok(()),
        };
        let (country, state) = (Part::of(prefix, "country", "Country"), Part::of(prefix, "state", "State"));
        let touched = country.changed(changes) || state.changed(changes);
        if !self.has(Some(Feature::StateCountry)) || !touched {
            return Ok(());
        }
        country.settle(creating, row, changes, &COUNTRIES)?;
        let of = row[&country.code].clone();
        let named = |field: &String| changes.get(field).is_some_and(|value| !value.is_null());
        if of.is_null() && (named(&state.code) || named(&state.text)) {
            let told = "A country/territory must be specified before specifying a state value for field";
            return Err(bad("FIELD_INTEGRITY_EXCEPTION", format!("{told}: {}", state.label), &[&state.text]));
        }
        if of.is_null() {
            // A country that is taken away takes its state with it.
            row.insert(state.text, Value::Null);
            row.insert(state.code, Value::Null);
            return Ok(());
        }
        let own = STATES.iter().filter(|(country, ..)| of == *country);
        let own: Vec<Place> = own.map(|(_, code, label)| (*code, *label)).collect();
        state.settle(creating, row, changes, &own)?;
        let held = &row[&state.code];
        if held.is_null() || own.iter().any(|(code, _)| held == code) { Ok(()) } else { Err(state.refused()) }
    }
}
