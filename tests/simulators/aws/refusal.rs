//! How AWS says no: one typed refusal for both services, and the reading of a request's fields.

use crate::server::Response;
use serde_json::{Map, Value, json};

/// A refusal as the SDK sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsRefusal {
    pub status: u16,
    /// The shape in `__type`.
    pub shape: String,
    /// SQS only: the older code that travels in `x-amzn-query-error` and that the SDK matches on.
    pub query: Option<&'static str>,
    pub message: String,
}

impl AwsRefusal {
    pub(super) fn sqs(shape: &str, query: &'static str, message: impl Into<String>) -> Self {
        AwsRefusal { status: 400, shape: shape.into(), query: Some(query), message: message.into() }
    }

    pub(super) fn secrets(shape: &str, message: impl Into<String>) -> Self {
        AwsRefusal { status: 400, shape: shape.into(), query: None, message: message.into() }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        AwsRefusal::sqs(
            "com.amazon.coral.service#MissingRequiredParameterException",
            "MissingParameter",
            message,
        )
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        AwsRefusal::sqs(
            "com.amazon.coral.service#InvalidParameterValueException",
            "InvalidParameterValue",
            message,
        )
    }

    /// `InvalidParameterValue` in the words SQS uses for one parameter.
    pub(super) fn invalid_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Self {
        AwsRefusal::invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    fn serialization(message: String) -> Self {
        AwsRefusal::secrets("com.amazon.coral.service#SerializationException", message)
    }

    /// The code a caller branches on.
    pub fn code(&self) -> &str {
        self.query.unwrap_or_else(|| self.shape.rsplit('#').next().unwrap_or(&self.shape))
    }

    pub(super) fn response(&self) -> Response {
        // The two services really differ in the case of this key.
        let key = if self.query.is_some() { "message" } else { "Message" };
        let response = Response::json(self.status, &json!({ "__type": self.shape, key: self.message }));
        match self.query {
            Some(code) => response.with("x-amzn-query-error", format!("{code};Sender")),
            None => response,
        }
    }
}

/// Why an operation has no result.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Refused(AwsRefusal),
    /// Nothing AWS would say: the simulator does not know this.
    Unknown(String),
}

/// What an operation comes to.
pub(super) type Answer = Result<Value, Failure>;

impl From<AwsRefusal> for Failure {
    fn from(refusal: AwsRefusal) -> Self {
        Failure::Refused(refusal)
    }
}

/// The fields of one request or of one batch entry.
pub(super) struct Input<'a> {
    fields: &'a Map<String, Value>,
    missing: fn(&str) -> AwsRefusal,
}

impl<'a> Input<'a> {
    /// Only `known` fields pass; a field AWS has but we do not is loud.
    pub(super) fn new(
        value: &'a Value,
        known: &[&str],
        missing: fn(&str) -> AwsRefusal,
    ) -> Result<Self, Failure> {
        let Some(fields) = value.as_object() else {
            return Err(AwsRefusal::serialization(
                "Start of structure or map found where not expected.".into(),
            )
            .into());
        };
        match fields.iter().find(|(name, value)| !value.is_null() && !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Failure::Unknown(format!("unknown field `{name}`"))),
            None => Ok(Input { fields, missing }),
        }
    }

    fn typed<T>(&self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, Failure> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(AwsRefusal::serialization(format!("`{name}` has the wrong type")).into()),
            },
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.typed(name, Value::as_str)
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, Failure> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| (self.missing)(name).into())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.typed(name, Value::as_i64)
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a Vec<Value>>, Failure> {
        self.typed(name, Value::as_array)
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Failure> {
        self.typed(name, |v| v.as_array()?.iter().map(Value::as_str).collect())
    }

    pub(super) fn map(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Failure> {
        self.typed(name, Value::as_object)
    }
}
