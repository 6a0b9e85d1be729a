//! What an org has switched on, as far as it matters here, found by asking for it: what is off, or hidden from the
//! connector's user, is no object or no column. One call for all of it, kept for a while.

use super::{
    Salesforce,
    composite::{Composite, Part},
};
use jiff::{SignedDuration, Timestamp};
use mapping::CrmValue;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use sync::failure::Failure;

/// Admins switch things on; what they switch off is noticed by the first refusal.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// What is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    /// Opportunity teams.
    pub(super) teams: bool,
    /// State and country picklists: beside the text of a country there is its code.
    pub(super) codes: bool,
}

/// The states of a picklist: code and label.
type States = Arc<[(String, String)]>;

/// What was found, and when.
#[derive(Default)]
pub(super) struct Known {
    features: Mutex<Option<(Features, Instant)>>,
    /// By object.
    states: Mutex<BTreeMap<&'static str, States>>,
    /// Rows that duplicate rules say a new one would double, by object and our key.
    adopted: Mutex<BTreeMap<(String, String), String>>,
    /// When feeds were asked while calls are scarce.
    asked: Mutex<BTreeMap<&'static str, Timestamp>>,
}

impl Known {
    fn features(&self) -> Option<Features> {
        let known = *self.features.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(_, at)| at.elapsed() < FRESH).map(|(features, _)| features)
    }

    /// Something that was there is not there any more.
    pub(super) fn forget(&self) {
        *self.features.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.states.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a feed was last asked so long ago; if so it is asked now.
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
        ];
        let answer = self.wire.look(operation, &looks).await?;
        let features = Features {
            teams: self.is_there(operation, &answer, "teams")?,
            codes: self.is_there(operation, &answer, "codes")?,
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

    /// With state and country picklists codes go instead of texts: a text that is no label is refused. What is to be
    /// told if the state is none of theirs.
    pub(super) async fn coded(
        &self,
        object: &'static str,
        prefix: &str,
        columns: &mut BTreeMap<String, CrmValue>,
    ) -> Result<Option<String>, Failure> {
        if !self.features().await?.codes {
            return Ok(None);
        }
        if let Some(country) = columns.remove(&format!("{prefix}Country")) {
            columns.insert(format!("{prefix}CountryCode"), country);
        }
        let Some(CrmValue::Plain(Value::String(state))) = columns.remove(&format!("{prefix}State")) else {
            return Ok(None);
        };
        let field = format!("{prefix}StateCode");
        let states = self.states(object, &field).await?;
        let same = |known: &&(String, String)| {
            [&known.0, &known.1].iter().any(|text| text.to_lowercase() == state.trim().to_lowercase())
        };
        match states.iter().find(same) {
            Some((code, _)) => {
                columns.insert(field, CrmValue::Plain(json!(code)));
                Ok(None)
            }
            None if state.trim().is_empty() => Ok(None),
            None => Ok(Some(format!("state `{state}` is not in Salesforce's picklist: it was left out"))),
        }
    }

    async fn states(&self, object: &'static str, field: &str) -> Result<States, Failure> {
        let kept = || self.known.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(states) = kept().get(object).cloned() {
            return Ok(states);
        }
        let operation = format!("describe `{object}`");
        let shown = self.wire.get(&operation, &format!("sobjects/{object}/describe")).await?;
        let shown = shown.map_err(|said| self.wire.failed(&operation, &said))?;
        let mut fields = shown["fields"].as_array().into_iter().flatten();
        let values = fields.find(|known| known["name"] == field).map(|known| known["picklistValues"].clone());
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let values = values.as_ref().and_then(Value::as_array).into_iter().flatten();
        let states: States = values.map(|value| (text(value, "value"), text(value, "label"))).collect();
        kept().insert(object, states.clone());
        Ok(states)
    }
}
