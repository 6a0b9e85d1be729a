//! How Salesforce says no: an array of errors with codes; and how the simulator says that it does not know.

use serde_json::{Map, Value, json};

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(super) enum SalesforceRefusal {
    /// The vendor's own answer.
    Vendor(u16, Box<ErrorEntry>),
    /// A status without a body: 304, 412.
    Bare(u16),
    /// Nothing in the reference says what the vendor would answer.
    NotModelled(String),
}

/// One entry of an error array.
#[derive(Clone, Debug)]
pub(super) struct ErrorEntry {
    pub code: String,
    pub message: String,
    pub fields: Option<Vec<String>>,
    /// A member of its own, as duplicate rules have it.
    pub extra: Option<(String, Value)>,
}

pub(super) type SalesforceOutcome<T> = Result<T, SalesforceRefusal>;

impl ErrorEntry {
    /// As the row calls write it.
    pub(super) fn to_json(&self) -> Value {
        self.with_code("errorCode")
    }

    /// As the collection calls write it: another name for the code, and always `fields`.
    pub(super) fn to_item(&self) -> Value {
        let mut item = self.with_code("statusCode");
        if item.get("fields").is_none() {
            item["fields"] = json!([]);
        }
        item
    }

    fn with_code(&self, name: &str) -> Value {
        let mut entry = Map::new();
        entry.insert("message".into(), json!(self.message));
        entry.insert(name.into(), json!(self.code));
        if let Some(fields) = &self.fields {
            entry.insert("fields".into(), json!(fields));
        }
        entry.extend(self.extra.clone());
        Value::Object(entry)
    }
}

fn fault(
    status: u16,
    code: &str,
    message: impl Into<String>,
    fields: Option<Vec<String>>,
) -> SalesforceRefusal {
    let (code, message) = (code.to_owned(), message.into());
    SalesforceRefusal::Vendor(status, Box::new(ErrorEntry { code, message, fields, extra: None }))
}

/// An error without the member `fields`.
pub(super) fn refuse(status: u16, code: &str, message: impl Into<String>) -> SalesforceRefusal {
    fault(status, code, message, None)
}

/// A 400 about these fields (or about none: then `fields` is empty).
pub(super) fn bad(code: &str, message: impl Into<String>, fields: &[&str]) -> SalesforceRefusal {
    fault(400, code, message, Some(fields.iter().map(|f| (*f).to_owned()).collect()))
}

pub(super) fn not_modelled(why: impl Into<String>) -> SalesforceRefusal {
    SalesforceRefusal::NotModelled(why.into())
}

pub(super) fn no_resource() -> SalesforceRefusal {
    refuse(404, "NOT_FOUND", "The requested resource does not exist")
}

pub(super) fn no_external_id(name: &str) -> SalesforceRefusal {
    let text = format!("Provided external ID field does not exist or is not accessible: {name}");
    refuse(404, "NOT_FOUND", text)
}

pub(super) fn no_such_row() -> SalesforceRefusal {
    fault(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", Some(vec![]))
}

pub(super) fn in_the_bin() -> SalesforceRefusal {
    fault(404, "ENTITY_IS_DELETED", "entity is deleted", Some(vec![]))
}

pub(super) fn no_such_column(field: &str, object: &str) -> SalesforceRefusal {
    bad("INVALID_FIELD", format!("No such column '{field}' on sobject of type {object}"), &[])
}

pub(super) fn no_such_object(name: &str) -> SalesforceRefusal {
    refuse(400, "INVALID_TYPE", format!("sObject type '{name}' is not supported."))
}

pub(super) fn not_json(what: impl std::fmt::Display) -> SalesforceRefusal {
    refuse(400, "JSON_PARSER_ERROR", format!("{what} at [line:1, column:1]"))
}

/// What a body holds in place of a value of this type.
pub(super) fn wrong_type(kind: &str, value: &Value) -> SalesforceRefusal {
    let (token, shown) = match value {
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Number(n) if n.is_f64() => ("VALUE_NUMBER_FLOAT", n.to_string()),
        Value::Number(n) => ("VALUE_NUMBER_INT", n.to_string()),
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        _ => ("START_OBJECT", "{".to_owned()),
    };
    not_json(format!(
        "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field"
    ))
}

pub(super) fn too_many(code: &str, message: impl Into<String>) -> SalesforceRefusal {
    refuse(400, code, message)
}

pub(super) fn method_not_allowed(method: &str, allowed: &str) -> SalesforceRefusal {
    let text = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
    refuse(405, "METHOD_NOT_ALLOWED", text)
}
