//! Secrets Manager. Values are kept in types that print `***`. A rotated value is stored only over the version from
//! which it came.

use crate::aws::{failure, once};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use sync::failure::{Class, Failure, System};

/// The stage of a version that is about to become the current one (vendors/aws.md, *Secrets Manager*).
const PENDING: &str = "AWSPENDING";
const CURRENT: &str = "AWSCURRENT";

/// The byte order mark, which Windows editors put at the beginning of a file.
const MARK: char = '\u{feff}';

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A text that is printed as `***` from now on.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the code that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The current version of a secret, which is a JSON object of texts.
#[derive(Clone)]
pub struct Stored {
    version: String,
    created: Option<Timestamp>,
    members: Map<String, Value>,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.members.keys().collect();
        f.debug_struct("Stored").field("version", &self.version).field("members", &members).finish()
    }
}

impl Stored {
    /// An object of these members, as if it had been fetched.
    pub fn of(members: &[(&str, &str)]) -> Self {
        let member = |(name, text): &(&str, &str)| ((*name).to_owned(), Value::from(*text));
        Stored { version: String::new(), created: None, members: members.iter().map(member).collect() }
    }

    /// The id of this version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// When this version was stored.
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// A member that is a text and not empty, without blanks around it: a pasted text often ends with a line break.
    pub fn member(&self, name: &str) -> Option<Secret> {
        let text = self.members.get(name)?.as_str()?.trim_matches(|c: char| c.is_whitespace() || c == MARK);
        Some(text).filter(|text| !text.is_empty()).map(Secret::new)
    }

    /// The same members without one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.members.remove(name);
        self
    }

    /// The same members with one replaced; all others are kept, even those that this code does not know.
    #[must_use]
    pub fn with(&self, name: &str, secret: &Secret) -> Self {
        let mut changed = self.clone();
        changed.members.insert(name.to_owned(), Value::String(secret.expose().to_owned()));
        changed
    }
}

/// Reads secrets by their ARN; stores one only over the version that was read.
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Client,
    writes: Client,
}

impl Secrets {
    /// A client for reads, and one for writes, which are sent once.
    pub fn new(aws: &SdkConfig) -> Self {
        let writes = aws_sdk_secretsmanager::config::Builder::from(aws).retry_config(once()).build();
        Secrets { client: Client::new(aws), writes: Client::from_conf(writes) }
    }

    /// The current version. All calls that need the secret meet the same failure, so it is wide.
    pub async fn fetch(&self, of: System, arn: &str) -> Result<Stored, Failure> {
        let answer = self.client.get_secret_value().secret_id(arn).send().await;
        let operation = format!("fetch secret `{arn}`");
        let answer = answer.map_err(|e| Failure { wide: true, ..failure(of, &operation, &e) })?;
        let members = match answer.secret_string().map_or_else(|| Err(NO_TEXT.to_owned()), members) {
            Ok(members) => members,
            Err(text) => {
                // An administrator's typing error is retryable: after its correction the next attempt succeeds, and
                // until then calls are held.
                let class = Class::Retryable { after: None };
                return Err(Failure { system: of, operation, class, wide: true, text });
            }
        };
        let created = answer.created_date().and_then(|at| Timestamp::from_second(at.secs()).ok());
        Ok(Stored { version: answer.version_id().unwrap_or_default().to_owned(), created, members })
    }

    /// Makes `changed` the current version if the version from which it came is still current. `false`: it is not.
    pub async fn replace(&self, of: System, arn: &str, changed: &Stored) -> Result<bool, Failure> {
        let operation = format!("store secret `{arn}`");
        let text = Value::Object(changed.members.clone()).to_string();
        let put = self.writes.put_secret_value().secret_id(arn).secret_string(text).version_stages(PENDING);
        let put = put.send().await.map_err(|e| failure(of, &operation, &e))?;
        // Only this call is conditional: the stage moves only if it is at the version that was read.
        let stage = self.writes.update_secret_version_stage().secret_id(arn).version_stage(CURRENT);
        let stage = stage.remove_from_version_id(changed.version()).set_move_to_version_id(put.version_id);
        match stage.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.code() == Some("InvalidParameterException") => Ok(false),
            Err(e) => Err(failure(of, &operation, &e)),
        }
    }
}

const NO_TEXT: &str = "it is stored as bytes: store it as a text (`SecretString`) with a JSON object";

/// The JSON object in a text. An error says where to look and never what is there: the parser's message would repeat
/// values.
fn members(text: &str) -> Result<Map<String, Value>, String> {
    let what = match serde_json::from_str(text.trim_start_matches(MARK)) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(Value::Array(_)) => "it is a list".to_owned(),
        Ok(_) => "it is a single value".to_owned(),
        Err(error) => format!("it breaks at line {} column {}", error.line(), error.column()),
    };
    Err(format!("not a JSON object: {what}; correct the secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_printed() {
        let members = serde_json::from_str(r#"{"client_secret":"hush","other":"quiet"}"#).unwrap();
        let stored = Stored { version: "v1".into(), created: None, members };
        let secret = stored.member("client_secret").unwrap();
        let changed = stored.with("client_secret", &Secret::new("louder"));
        let printed = format!("{secret} {secret:?} {stored:?} {changed:?}");
        for hidden in ["hush", "quiet", "louder"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
        assert_eq!(changed.member("other"), stored.member("other"));
        assert_eq!(changed.member("client_secret").unwrap().expose(), "louder");
    }

    #[test]
    fn what_a_paste_brings_along_is_no_part_of_a_secret() {
        let text = "\u{feff}{\"a\":\"hush\\r\\n\",\"b\":\"\\u00a0 two words\\t\",\"c\":\" \\n\",\"d\":\"\\ufeffquiet\"}\n";
        let stored = Stored { version: String::new(), created: None, members: members(text).unwrap() };
        let shown = |name: &str| stored.member(name).map(|secret| secret.expose().to_owned());
        assert_eq!(shown("a").as_deref(), Some("hush"));
        assert_eq!(shown("b").as_deref(), Some("two words"));
        assert_eq!(shown("c"), None, "nothing but blanks");
        assert_eq!(shown("d").as_deref(), Some("quiet"));
    }

    #[test]
    fn a_broken_secret_is_told_by_its_place_alone() {
        for (text, place) in [
            ("{\n  \"client_secret\": \"hush\"\n  \"other\": 1\n}", "breaks at line 3 column 3"),
            ("{\"client_secret\": \"hush\nhush\"}", "breaks at line 2 column 0"),
            ("hush", "breaks at line 1 column 1"),
            ("", "breaks at line 1 column 0"),
            ("\"hush\"", "single value"),
            ("[\"hush\"]", "a list"),
        ] {
            let told = members(text).unwrap_err();
            assert!(told.contains(place) && !told.contains("hush"), "{told}");
        }
    }
}
