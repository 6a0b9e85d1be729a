//! Describes an object: its fields, as far as this user may see them. A field that does not exist and one that
//! field-level security hides look the same.

use super::{Salesforce, errors::SalesforceMeaning, soql::is_name};
use serde_json::Value;
use std::collections::BTreeMap;
use sync::failure::Failure;

/// An object as this user sees it.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// Whether the user may create rows.
    pub createable: bool,
    /// Whether the user may change rows.
    pub updateable: bool,
    /// The fields the user may read, by API name.
    pub fields: BTreeMap<String, DescribedField>,
}

/// A field as this user sees it.
#[derive(Clone, Debug, Default)]
pub struct DescribedField {
    /// Its label, for people.
    pub label: String,
    /// Salesforce's name for its type, such as `string`, `picklist`, `currency`.
    pub kind: String,
    /// The most characters it can hold; 0 if it is not text.
    pub length: u64,
    /// Whether it is an external id.
    pub external_id: bool,
    /// Whether no two rows may have the same value.
    pub unique: bool,
    /// Whether the user may set it in a new row.
    pub createable: bool,
    /// Whether the user may change it.
    pub updateable: bool,
    /// Whether rights to it are granted separately; a required field is open to every user.
    pub permissionable: bool,
    /// Whether it is a picklist that refuses other values than its own.
    pub restricted: bool,
    /// The active values of a picklist.
    pub values: Vec<String>,
}

impl Salesforce {
    /// Describes an object; `None`: it does not exist, or this user may not see it.
    pub async fn describe(&self, object: &str) -> Result<Option<Described>, Failure> {
        let operation = format!("describe `{object}`");
        if !is_name(object) {
            return Err(self.wire.unusable(&operation, "it is no name of an object"));
        }
        match self.wire.get(&operation, &format!("sobjects/{object}/describe")).await? {
            Ok(body) => Ok(Some(read(&body))),
            Err(said) if said.meaning() == SalesforceMeaning::Gone => Ok(None),
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
