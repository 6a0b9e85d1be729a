//! A path into a referral: `details.dealValue`, or `….attributes[CustomerMarketplaceIntent]` for the `id` of the
//! element of that `type`; also `customerProfile.ids[Duns]`, whose elements have a `profileType` instead.

use serde_json::{Map as Object, Value as Json, json};

/// The paths that a JSON Patch may replace in an existing referral (vendors/partner-center.md, *Patch*); `/name` is
/// not among them, because a switch decides about it.
pub(crate) const PATCHABLE: [&str; 15] = [
    "campaignId",
    "consent.consentToShareReferralWithMicrosoftSellers",
    "customerProfile.team",
    "details.closingDateTime",
    "details.currency",
    "details.dealValue",
    "details.notes",
    "details.requirements.solutions",
    "externalReferenceId",
    "referralProgram",
    "salesStage",
    "status",
    "statusReason",
    "substatus",
    "team",
];

/// A path in the notation of maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    steps: Vec<String>,
    attribute: Option<String>,
}

impl Path {
    /// Reads the notation; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let (dotted, attribute) = match text.split_once('[') {
            None => (text, None),
            Some((dotted, rest)) => {
                let attribute = rest.strip_suffix(']').filter(|word| is_word(word));
                (dotted, Some(attribute.ok_or("expected one attribute type in brackets at the end, such as `attributes[CustomerMarketplaceIntent]`")?))
            }
        };
        if !dotted.split('.').all(is_word) {
            return Err("expected names separated by dots, such as `details.dealValue`".to_owned());
        }
        Ok(Path {
            text: text.to_owned(),
            steps: dotted.split('.').map(str::to_owned).collect(),
            attribute: attribute.map(str::to_owned),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path as a JSON pointer, such as `/details/dealValue`.
    pub(crate) fn pointer(&self) -> String {
        self.steps.iter().map(|step| format!("/{step}")).collect()
    }

    pub(crate) fn is_patchable(&self) -> bool {
        PATCHABLE.contains(&self.text.as_str())
    }

    /// The value in a body; `None`: the path does not exist. An attribute that is not in its list is null.
    pub(crate) fn read<'a>(&self, body: &'a Json) -> Option<&'a Json> {
        let mut at = body;
        for step in &self.steps {
            at = match at {
                // If an object is null, all its members are empty.
                Json::Null => return Some(&Json::Null),
                _ => at.get(step)?,
            };
        }
        match (&self.attribute, at) {
            (None, at) => Some(at),
            (Some(wanted), Json::Array(items)) => {
                let named =
                    |item: &&Json| item.get(self.tells_apart()).and_then(Json::as_str) == Some(wanted);
                let item = items.iter().find(named);
                Some(item.and_then(|item| item.get("id")).unwrap_or(&Json::Null))
            }
            (Some(_), _) => Some(&Json::Null),
        }
    }

    /// The member that says which attribute an element is.
    fn tells_apart(&self) -> &'static str {
        if self.steps.last().is_some_and(|step| step == "ids") { "profileType" } else { "type" }
    }

    /// Puts a value into a body that is being built.
    pub(crate) fn write(&self, body: &mut Json, value: Json) {
        let mut at = body;
        for (n, step) in self.steps.iter().enumerate() {
            if !at.is_object() {
                *at = Json::Object(Object::new());
            }
            let Json::Object(object) = at else { return };
            let last = n + 1 == self.steps.len();
            let empty = if last && self.attribute.is_some() { json!([]) } else { Json::Null };
            at = object.entry(step.clone()).or_insert(empty);
        }
        match (&self.attribute, at) {
            (None, at) => *at = value,
            (Some(name), Json::Array(items)) => items.push(json!({ self.tells_apart(): name, "id": value })),
            (Some(_), _) => {}
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
