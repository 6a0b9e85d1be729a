//! What an org says of an object: its fields as this user sees them. What is not there and what field-level security
//! hides look the same.

use super::{Salesforce, errors::Meaning, soql::is_name};
use serde_json::Value;
use std::collections::BTreeMap;
use sync::failure::Failure;

/// An object as this user sees it.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// The user may make rows of it.
    pub createable: bool,
    /// The user may change rows of it.
    pub updateable: bool,
    /// The fields the user may read, by API name.
    pub fields: BTreeMap<String, DescribedField>,
}

/// A field as this user sees it.
#[derive(Clone, Debug, Default)]
pub struct DescribedField {
    /// What people call it.
    pub label: String,
    /// The vendor's word, such as `string`, `picklist`, `currency`.
    pub kind: String,
    /// Characters it takes; 0 where that means nothing.
    pub length: u64,
    /// An external id.
    pub external_id: bool,
    /// No two rows show the same.
    pub unique: bool,
    /// The user may give it to a new row.
    pub createable: bool,
    /// The user may change it.
    pub updateable: bool,
    /// Rights on it are given one by one; a required field is everybody's.
    pub permissionable: bool,
    /// A picklist that refuses other values.
    pub restricted: bool,
    /// A picklist's active values.
    pub values: Vec<String>,
}

impl Salesforce {
    /// An object's fields; `None`: there is no such object, or this user may not see it.
    pub async fn describe(&self, object: &str) -> Result<Option<Described>, Failure> {
        let operation = format!("describe `{object}`");
        if !is_name(object) {
            return Err(self.wire.unusable(&operation, "it is no name of an object"));
        }
        match self.wire.get(&operation, &format!("sobjects/{object}/describe")).await? {
            Ok(body) => Ok(Some(read(&body))),
            Err(said) if said.meaning() == Meaning::Gone => Ok(None),
            Err(said) => Err(self.wire.failed(&operation, &said)),
        }
    }
}

fn read(body: &Value) -> Described {
    let fields = body["fields"].as_array().into_iter().flatten();
    let named = |field: &Value| Some((field["name"].as_str()?.to_owned(), read_field(field)));
    Described {
        createable: body["createable"] == true,
        updateable: body["updateable"] == true,
        fields: fields.filter_map(named).collect(),
    }
}

fn read_field(field: &Value) -> DescribedField {
    let text = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
    let values = field["picklistValues"].as_array().into_iter().flatten();
    let values = values.filter(|value| value["active"] != false);
    DescribedField {
        label: text("label"),
        kind: text("type"),
        length: field["length"].as_u64().unwrap_or_default(),
        external_id: field["externalId"] == true,
        unique: field["unique"] == true,
        createable: field["createable"] == true,
        updateable: field["updateable"] == true,
        permissionable: field["permissionable"] != false,
        restricted: field["restrictedPicklist"] == true,
        values: values.filter_map(|value| value["value"].as_str().map(str::to_owned)).collect(),
    }
}
