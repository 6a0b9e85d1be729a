//! How Dataverse says no: status, code and message; and how the simulator says that it does not know.

use super::metadata::{COLUMNS_ELSEWHERE, Table};
use crate::server::Response;
use serde_json::{Map, Value, json};

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(super) enum DataverseRefusal {
    /// The vendor's own answer.
    Vendor { status: u16, code: String, message: String, details: Map<String, Value> },
    /// Nothing in the vendor's documents says what the vendor would answer.
    NotModelled(String),
}

pub(super) type DataverseOutcome<T> = Result<T, DataverseRefusal>;

const DETAILS: &str = "@Microsoft.PowerApps.CDS.ErrorDetails";

pub(super) fn refuse(status: u16, code: &str, message: impl Into<String>) -> DataverseRefusal {
    DataverseRefusal::Vendor { status, code: code.to_owned(), message: message.into(), details: Map::new() }
}

pub(super) fn not_modelled(why: impl Into<String>) -> DataverseRefusal {
    DataverseRefusal::NotModelled(why.into())
}

/// 400 `0x80060888`: query options, key names, column names in a query.
pub(super) fn bad_request(message: impl Into<String>) -> DataverseRefusal {
    refuse(400, "0x80060888", message)
}

/// 400 `0x80048d19`: what was sent in the body does not fit the table.
pub(super) fn bad_payload(set: &str, inner: impl std::fmt::Display) -> DataverseRefusal {
    let message = format!(
        "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error \
         please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
         Microsoft.OData.ODataException: {inner}"
    );
    refuse(400, "0x80048d19", message)
}

pub(super) fn no_such_property(table: &Table, name: &str) -> DataverseRefusal {
    let column = name.strip_prefix('_').and_then(|n| n.strip_suffix("_value")).unwrap_or(name);
    if name == "*" || COLUMNS_ELSEWHERE.contains(&column) {
        return not_modelled(format!("the column `{name}`"));
    }
    let table = &table.name;
    bad_request(format!("Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."))
}

pub(super) fn no_such_row(table: &Table, id: &str) -> DataverseRefusal {
    refuse(404, "0x80040217", format!("{} With Id = {id} Does Not Exist", table.name))
}

pub(super) fn no_such_key(table: &Table) -> DataverseRefusal {
    let message = format!("A record with the specified key values does not exist in {} entity", table.name);
    refuse(404, "0x80060891", message)
}

pub(super) fn bad_key(table: &Table) -> DataverseRefusal {
    let of = format!("resource 'Microsoft.Dynamics.CRM.{}'", table.name);
    bad_request(format!(
        "The key in the request URI is not valid for {of}. Ensure that the names and number of key properties match \
         the declared or alternate key properties for the {of}."
    ))
}

pub(super) fn key_violated(key: &str, label: &str, column: &str, value: &str) -> DataverseRefusal {
    let message = format!(
        "Entity Key {key} violated. A record with the same value for {label} already exists. A duplicate record \
         cannot be created. Select one or more unique values and try again."
    );
    let attributes = format!("<DuplicateAttributes><{column}>{value}</{column}></DuplicateAttributes>");
    let details = [
        (format!("{DETAILS}.0"), json!(key)),
        (format!("{DETAILS}.1"), json!(label)),
        (format!("{DETAILS}.DuplicateEntity"), json!("<Entity ...>...</Entity>")),
        (format!("{DETAILS}.DuplicateAttributes"), json!(attributes)),
    ];
    DataverseRefusal::Vendor {
        status: 412,
        code: "0x80060892".to_owned(),
        message,
        details: details.into_iter().collect(),
    }
}

pub(super) fn already_there() -> DataverseRefusal {
    refuse(412, "0x80040237", "A record with matching key values already exists.")
}

pub(super) fn wrong_version() -> DataverseRefusal {
    refuse(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
}

pub(super) fn no_resource() -> DataverseRefusal {
    refuse(404, "", "No HTTP resource was found that matches the request URI")
}

/// The error body; the extra members only when all annotations were asked for.
pub(super) fn to_response(
    status: u16,
    code: &str,
    message: &str,
    details: &Map<String, Value>,
    annotated: bool,
) -> Response {
    let mut error = Map::new();
    error.insert("code".into(), json!(code));
    error.insert("message".into(), json!(message));
    if annotated {
        error.insert(format!("{DETAILS}.OperationStatus"), json!("0"));
        error.insert(format!("{DETAILS}.SubErrorCode"), json!("-2146233088"));
        error.extend(details.clone());
    }
    Response::new(status)
        .with("Content-Type", "application/json; odata.metadata=minimal")
        .with("OData-Version", "4.0")
        .body(json!({ "error": error }).to_string())
}
