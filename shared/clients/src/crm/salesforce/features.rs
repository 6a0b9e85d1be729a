//! Which features an org has switched on. Each is found by a query: if it is off, or hidden from the connector's user,
//! its object or field does not exist. One call asks for all of them, and the answer is kept.

use super::{
    Salesforce,
    composite::{Composite, Part},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use mapping::{CrmValue, reads_alike};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use sync::failure::Failure;

/// How long the answer is kept. Administrators switch features on; that one was switched off shows at the first
/// refusal.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// Which features are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    /// Opportunity teams: a deal has further colleagues beside its owner.
    pub(super) teams: bool,
    /// State and country picklists: an address has codes of country and state beside their texts.
    pub(super) codes: bool,
    /// Person accounts: an account may be a person.
    pub(super) persons: bool,
}

/// A state of a picklist, which is valid for some countries only: `Limburg` is in Belgium and in the Netherlands.
struct State {
    code: String,
    label: String,
    countries: Vec<String>,
}

/// The picklists of an address: the codes of the countries, and the states.
#[derive(Default)]
struct Places {
    countries: Vec<String>,
    states: Vec<State>,
}

type KnownPlaces = Arc<Places>;

/// What this process has learnt about the org.
#[derive(Default)]
pub(super) struct OrgCache {
    features: Mutex<Option<(Features, Instant)>>,
    /// The picklists of addresses, by object.
    places: Mutex<BTreeMap<&'static str, KnownPlaces>>,
    /// The existing rows that a duplicate rule named for a new one, by object and our key.
    adopted: Mutex<BTreeMap<(String, String), String>>,
    /// When each feed was last asked while calls are scarce.
    asked: Mutex<BTreeMap<&'static str, Timestamp>>,
}

impl OrgCache {
    fn features(&self) -> Option<Features> {
        let known = *self.features.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(_, at)| at.elapsed() < FRESH).map(|(features, _)| features)
    }

    /// Forgets features and picklists, because something that existed does not exist any more.
    pub(super) fn forget(&self) {
        *self.features.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a feed was last asked at least `pause` ago. If so, it counts as asked now.
    pub(super) fn asked_again(&self, feed: &'static str, now: Timestamp, pause: SignedDuration) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.get(feed).is_none_or(|at| now.duration_since(*at) >= pause);
        if due {
            asked.insert(feed, now);
        }
        due
    }

    pub(super) fn adopt(&self, object: &str, key: &str, id: &str) {
        let mut adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        adopted.insert((object.to_owned(), key.to_owned()), id.to_owned());
    }

    pub(super) fn adopted(&self, object: &str, key: &str) -> Option<String> {
        let adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        adopted.get(&(object.to_owned(), key.to_owned())).cloned()
    }
}

impl Salesforce {
    pub(super) async fn features(&self) -> Result<Features, Failure> {
        if let Some(features) = self.known.features() {
            return Ok(features);
        }
        let operation = "read what the org has switched on";
        let looks = [
            Part::query("teams", "SELECT Id FROM OpportunityTeamMember LIMIT 1"),
            Part::query("codes", "SELECT BillingCountryCode, BillingStateCode FROM Account LIMIT 1"),
            Part::query("persons", "SELECT IsPersonAccount FROM Account LIMIT 1"),
        ];
        let answer = self.wire.look(operation, &looks).await?;
        let features = Features {
            teams: self.is_there(operation, &answer, "teams")?,
            codes: self.is_there(operation, &answer, "codes")?,
            persons: self.is_there(operation, &answer, "persons")?,
        };
        *self.known.features.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((features, Instant::now()));
        Ok(features)
    }

    fn is_there(&self, operation: &str, answer: &Composite, reference: &str) -> Result<bool, Failure> {
        match answer.rows(reference) {
            Ok(_) => Ok(true),
            Err(said) if ["INVALID_TYPE", "INVALID_FIELD"].contains(&said.code.as_str()) => Ok(false),
            Err(said) => Err(self.wire.failed(operation, &said)),
        }
    }

    /// Where state and country picklists are on, puts codes in the place of the address's texts, because Salesforce
    /// refuses a text that is no label and a state of another country. Returns a text for sellers about what was left
    /// out.
    pub(super) async fn coded(
        &self,
        object: &'static str,
        prefix: &str,
        columns: &mut BTreeMap<String, CrmValue>,
    ) -> Result<Option<String>, Failure> {
        if !self.features().await?.codes {
            return Ok(None);
        }
        let mut taken = |name: &str| match columns.remove(&format!("{prefix}{name}")) {
            Some(CrmValue::Plain(Value::String(text))) => text.trim().to_owned(),
            _ => String::new(),
        };
        let (country, state) = (taken("Country"), taken("State"));
        if country.is_empty() && state.is_empty() {
            return Ok(None);
        }
        let (of_country, of_state) = (format!("{prefix}CountryCode"), format!("{prefix}StateCode"));
        let places = self.known_places(object, &of_country, &of_state).await?;
        let mut left_out = vec![];
        if places.countries.contains(&country) {
            columns.insert(of_country, CrmValue::Plain(json!(country)));
        } else if !country.is_empty() {
            left_out.push(format!("country `{country}`"));
        }
        match places.state(&country, &state) {
            Some(code) => _ = columns.insert(of_state, CrmValue::Plain(json!(code))),
            None if state.is_empty() => {}
            None => left_out.push(format!("state `{state}`")),
        }
        let told = |what: String| format!("{what} is not in Salesforce's picklist: it was left out");
        Ok((!left_out.is_empty()).then(|| told(left_out.join(", "))))
    }

    async fn known_places(
        &self,
        object: &'static str,
        countries: &str,
        states: &str,
    ) -> Result<KnownPlaces, Failure> {
        let kept = || self.known.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = kept().get(object).cloned() {
            return Ok(places);
        }
        let operation = format!("describe `{object}`");
        let shown = self.wire.get(&operation, &format!("sobjects/{object}/describe")).await?;
        let shown = shown.map_err(|said| self.wire.failed(&operation, &said))?;
        let places = Arc::new(Places::of(&shown, countries, states));
        kept().insert(object, places.clone());
        Ok(places)
    }
}

impl Places {
    /// Reads the answer to a describe call.
    fn of(described: &Value, countries: &str, states: &str) -> Places {
        let values = |name: &str| {
            let fields = described["fields"].as_array().into_iter().flatten();
            let field = fields.into_iter().find(|field| field["name"] == name);
            field.and_then(|field| field["picklistValues"].as_array()).into_iter().flatten()
        };
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let countries: Vec<String> = values(countries).map(|value| text(value, "value")).collect();
        let state = |value: &Value| State {
            code: text(value, "value"),
            label: text(value, "label"),
            countries: valid_for(&text(value, "validFor"), &countries),
        };
        Places { states: values(states).map(state).collect(), countries }
    }

    /// The code of a state of this country, which may be given by its code or its label.
    fn state(&self, country: &str, given: &str) -> Option<&str> {
        let of_country = |state: &&State| state.countries.iter().any(|other| other == country);
        let mut states = self.states.iter().filter(of_country);
        let is_it = |state: &&State| [&state.code, &state.label].iter().any(|text| reads_alike(text, given));
        states.find(is_it).filter(|_| !given.is_empty()).map(|state| state.code.as_str())
    }
}

/// The values of the controlling field for which a value is valid. `bits` has one bit for each, the highest bit of a
/// byte first (SOAP API Developer Guide, DescribeSObjectResult, *Dependent Picklists*).
fn valid_for(bits: &str, countries: &[String]) -> Vec<String> {
    let bytes = STANDARD.decode(bits).unwrap_or_default();
    let is_set = |n: usize| bytes.get(n / 8).is_some_and(|byte| byte & (0x80 >> (n % 8)) != 0);
    countries.iter().enumerate().filter(|(n, _)| is_set(*n)).map(|(_, country)| country.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_one_of_its_country() {
        let value = |code: &str, label: &str, bits: &[u8]| json!({ "value": code, "label": label, "validFor": STANDARD.encode(bits) });
        let countries = ["AR", "BE", "CA", "CH", "DE", "ES", "FR", "GB", "NL"];
        let countries: Vec<Value> = countries.iter().map(|code| json!({ "value": code })).collect();
        let states = [
            value("VLI", "Limburg", &[0x40]),
            value("LI", "Limburg", &[0, 0x80]),
            value("X", "Córdoba", &[0x80]),
            value("CO", "Córdoba", &[0x04, 0]),
            json!({ "value": "??", "label": "Nowhere", "validFor": null }),
        ];
        let places = Places::of(
            &json!({ "fields": [
                { "name": "BillingCountryCode", "picklistValues": countries },
                { "name": "BillingStateCode", "picklistValues": states },
            ] }),
            "BillingCountryCode",
            "BillingStateCode",
        );
        for (country, given, code) in [
            ("NL", "limburg", Some("LI")),
            ("BE", "Limburg", Some("VLI")),
            ("BE", "vli", Some("VLI")),
            ("ES", "Co\u{301}rdoba", Some("CO")),
            ("AR", "Córdoba", Some("X")),
            ("DE", "Limburg", None),
            ("NL", "VLI", None),
            ("", "Limburg", None),
            ("NL", "", None),
            ("NL", "Nowhere", None),
        ] {
            assert_eq!(places.state(country, given), code, "{given} in {country}");
        }
    }
}
