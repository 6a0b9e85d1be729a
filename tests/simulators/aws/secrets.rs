//! Secrets Manager in AWS JSON 1.1: values by version, versions by stage. No rotation, no deletion.

use super::{ACCOUNT, AwsRefusal, REGION, refusal::*};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const MAX_BYTES: usize = 65_536;

struct Version {
    /// `("SecretString" | "SecretBinary", value)`; binary stays in its base64 form.
    value: (&'static str, String),
    stages: BTreeSet<String>,
    created_at: Timestamp,
}

struct Secret {
    arn: String,
    name: String,
    created_at: Timestamp,
    changed_at: Timestamp,
    versions: BTreeMap<String, Version>,
}

/// All secrets by name.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    pub(super) fn call(&mut self, operation: &str, body: &Value, now: Timestamp) -> Answer {
        match operation {
            "CreateSecret" => self.create(body, now),
            "GetSecretValue" => self.value(body),
            "PutSecretValue" => self.put(body, now),
            "DescribeSecret" => {
                let input = Input::new(body, &["SecretId"], missing)?;
                let secret = self.find(input.required("SecretId")?)?;
                let mut stages: Map<String, Value> = Map::new();
                for (id, version) in secret.versions.iter().filter(|(_, v)| !v.stages.is_empty()) {
                    stages.insert(id.clone(), json!(version.stages));
                }
                Ok(json!({
                    "ARN": secret.arn,
                    "Name": secret.name,
                    "CreatedDate": epoch(secret.created_at),
                    "LastChangedDate": epoch(secret.changed_at),
                    "VersionIdsToStages": stages,
                }))
            }
            "UpdateSecretVersionStage" => self.move_stage(body, now),
            _ => Err(Failure::Unknown(format!("unknown operation `{operation}` of secretsmanager"))),
        }
    }

    /// By name, by ARN, or by an ARN without its six random characters.
    fn find(&mut self, id: &str) -> Result<&mut Secret, AwsRefusal> {
        let found = self.0.values_mut().find(|s| s.name == id || s.arn == id || partial(&s.arn) == id);
        found.ok_or_else(|| not_found("Secrets Manager can't find the specified secret."))
    }

    /// The name behind a name or an ARN, if there is such a secret.
    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        self.0
            .values()
            .find(|s| s.name == id || s.arn == id || partial(&s.arn) == id)
            .map(|s| s.name.as_str())
    }

    /// The current value, for a test to look at.
    pub(super) fn current(&self, id: &str) -> Option<&str> {
        let secret = self.0.get(self.name_of(id)?)?;
        secret.versions.values().find(|v| v.stages.contains(CURRENT)).map(|v| v.value.1.as_str())
    }

    pub(super) fn state(&self) -> Value {
        let version = |v: &Version| json!({ "value": v.value.1, "stages": v.stages });
        let versions = |s: &Secret| -> Map<String, Value> {
            s.versions.iter().map(|(id, v)| (id.clone(), version(v))).collect()
        };
        let all =
            self.0.iter().map(|(name, s)| (name.clone(), json!({ "arn": s.arn, "versions": versions(s) })));
        Value::Object(all.collect())
    }

    fn create(&mut self, body: &Value, now: Timestamp) -> Answer {
        let known = ["Name", "ClientRequestToken", "Description", "SecretString", "SecretBinary"];
        let input = Input::new(body, &known, missing)?;
        let name = input.required("Name")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if name.len() > 512 || !name.chars().all(plain) {
            let message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
                           following: -/_+=.@!";
            return Err(AwsRefusal::secrets("ValidationException", message).into());
        }
        let token = token(&input)?;
        let value = value(&input)?;
        if let Some(old) = self.0.get(name) {
            let repeated =
                value.as_ref().is_some_and(|v| old.versions.get(token).is_some_and(|o| o.value == *v));
            if !repeated {
                let message = format!("The operation failed because the secret {name} already exists.");
                return Err(AwsRefusal::secrets("ResourceExistsException", message).into());
            }
            return Ok(json!({ "ARN": old.arn, "Name": name, "VersionId": token }));
        }
        let mut secret = Secret {
            arn: format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-{}", six(name)),
            name: name.to_owned(),
            created_at: now,
            changed_at: now,
            versions: BTreeMap::new(),
        };
        let mut answer = json!({ "ARN": secret.arn, "Name": name });
        if let Some(value) = value {
            let stages = BTreeSet::from([CURRENT.to_owned()]);
            secret.versions.insert(token.to_owned(), Version { value, stages, created_at: now });
            answer["VersionId"] = json!(token);
        }
        self.0.insert(name.to_owned(), secret);
        Ok(answer)
    }

    fn value(&mut self, body: &Value) -> Answer {
        let input = Input::new(body, &["SecretId", "VersionId", "VersionStage"], missing)?;
        let secret = self.find(input.required("SecretId")?)?;
        let (id, stage) = (input.text("VersionId")?, input.text("VersionStage")?);
        let stage = stage.or(id.is_none().then_some(CURRENT));
        let wanted = |(key, version): &(&String, &Version)| {
            id.is_none_or(|id| id == *key) && stage.is_none_or(|s| version.stages.contains(s))
        };
        let Some((id, version)) = secret.versions.iter().find(wanted) else {
            let asked = match (id, stage) {
                (Some(id), _) => format!("VersionId: {id}"),
                (None, stage) => format!("staging label: {}", stage.unwrap_or_default()),
            };
            let message = format!("Secrets Manager can't find the specified secret value for {asked}");
            return Err(not_found(&message).into());
        };
        let (kind, value) = &version.value;
        Ok(json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": id,
            *kind: value,
            "VersionStages": version.stages,
            "CreatedDate": epoch(version.created_at),
        }))
    }

    fn put(&mut self, body: &Value, now: Timestamp) -> Answer {
        let known = ["SecretId", "ClientRequestToken", "SecretString", "SecretBinary", "VersionStages"];
        let input = Input::new(body, &known, missing)?;
        let secret = self.find(input.required("SecretId")?)?;
        let token = token(&input)?;
        let value = value(&input)?;
        let value = value.ok_or_else(|| invalid("You must provide either SecretString or SecretBinary."))?;
        let stages = input.texts("VersionStages")?.unwrap_or_else(|| vec![CURRENT]);
        match secret.versions.get(token) {
            // A repeat of the same call: answered, not done again, so it cannot take a stage back.
            Some(old) if old.value == value => {}
            Some(_) => {
                let message = "A resource with the ID you requested already exists.";
                return Err(AwsRefusal::secrets("ResourceExistsException", message).into());
            }
            None => {
                let version = Version { value, stages: BTreeSet::new(), created_at: now };
                secret.versions.insert(token.to_owned(), version);
                secret.changed_at = now;
                stages.iter().for_each(|stage| secret.attach(stage, token));
            }
        }
        let stages = &secret.versions[token].stages;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages }))
    }

    fn move_stage(&mut self, body: &Value, now: Timestamp) -> Answer {
        let known = ["SecretId", "VersionStage", "RemoveFromVersionId", "MoveToVersionId"];
        let input = Input::new(body, &known, missing)?;
        let secret = self.find(input.required("SecretId")?)?;
        let stage = input.required("VersionStage")?;
        let (from, to) = (input.text("RemoveFromVersionId")?, input.text("MoveToVersionId")?);
        if let Some(unknown) = [from, to].into_iter().flatten().find(|id| !secret.versions.contains_key(*id))
        {
            let message = format!("Secrets Manager can't find the specified secret version: {unknown}.");
            return Err(not_found(&message).into());
        }
        let holder = secret.holder(stage);
        match to {
            None if stage == CURRENT => {
                return Err(invalid(
                    "You can only move staging label AWSCURRENT to a different secret version. It \
                                    can't be completely removed.",
                )
                .into());
            }
            _ if from.is_some() && from != holder.as_deref() => {
                let message =
                    format!("The staging label {stage} is not attached to version {}.", from.unwrap_or(""));
                return Err(invalid(&message).into());
            }
            Some(to) if holder.as_deref().is_some_and(|h| h != to) && from.is_none() => {
                let message = format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached \
                     to version {}, so you must explicitly reference that version in RemoveFromVersionId.",
                    holder.unwrap_or_default()
                );
                return Err(invalid(&message).into());
            }
            Some(to) => secret.attach(stage, to),
            None => secret.detach(stage),
        }
        secret.changed_at = now;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}

impl Secret {
    fn holder(&self, stage: &str) -> Option<String> {
        self.versions.iter().find(|(_, v)| v.stages.contains(stage)).map(|(id, _)| id.clone())
    }

    fn detach(&mut self, stage: &str) {
        self.versions.values_mut().for_each(|v| {
            v.stages.remove(stage);
        });
    }

    /// A stage is on one version at a time; who loses AWSCURRENT becomes AWSPREVIOUS.
    fn attach(&mut self, stage: &str, to: &str) {
        let before = self.holder(stage);
        self.detach(stage);
        self.versions.get_mut(to).expect("a known version").stages.insert(stage.to_owned());
        if let Some(before) = before.filter(|before| stage == CURRENT && before != to) {
            self.attach(PREVIOUS, &before);
        }
    }
}

fn partial(arn: &str) -> &str {
    arn.rsplit_once('-').map_or(arn, |(head, _)| head)
}

fn six(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).simple().to_string()[..6].to_owned()
}

/// Seconds with a fraction, as AWS JSON writes times.
fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn not_found(message: &str) -> AwsRefusal {
    AwsRefusal::secrets("ResourceNotFoundException", message)
}

fn invalid(message: &str) -> AwsRefusal {
    AwsRefusal::secrets("InvalidParameterException", message)
}

fn missing(parameter: &str) -> AwsRefusal {
    invalid(&format!("You must provide a value for the {parameter} parameter."))
}

/// The SDK fills it in; a raw call has to bring its own.
fn token<'a>(input: &Input<'a>) -> Result<&'a str, Failure> {
    let token = input.required("ClientRequestToken")?;
    if !(32..=64).contains(&token.len()) {
        return Err(invalid("The ClientRequestToken must be 32-64 characters long.").into());
    }
    Ok(token)
}

fn value(input: &Input) -> Result<Option<(&'static str, String)>, Failure> {
    let value = match (input.text("SecretString")?, input.text("SecretBinary")?) {
        (Some(_), Some(_)) => {
            return Err(
                invalid("You can't specify both a binary secret value and a string secret value.").into()
            );
        }
        (Some(text), None) => Some(("SecretString", text.to_owned())),
        (None, Some(binary)) => Some(("SecretBinary", binary.to_owned())),
        (None, None) => None,
    };
    if value.as_ref().is_some_and(|(_, v)| v.len() > MAX_BYTES) {
        return Err(invalid("The secret value is longer than 65536 bytes.").into());
    }
    Ok(value)
}
