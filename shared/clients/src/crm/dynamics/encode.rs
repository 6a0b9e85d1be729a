//! Values for columns as Dataverse takes them: plain JSON, and references as binds by GUID.

use super::{
    Dynamics,
    odata::{is_name, set_of},
};
use mapping::CrmValue;
use serde_json::{Map as Object, Value, json};
use std::collections::BTreeMap;
use sync::failure::{Failure, Refused, Written};

/// Why a write was not begun.
pub(super) enum NotBegun {
    /// A read before it failed.
    Failed(Failure),
    /// It cannot be written as it stands.
    Refused(Refused),
}

impl NotBegun {
    pub(super) fn refused(field: &str, text: impl Into<String>) -> Self {
        NotBegun::Refused(Refused { field: Some(field.to_owned()), text: text.into() })
    }

    pub(super) fn written<T>(self) -> Written<T> {
        match self {
            NotBegun::Failed(failure) if failure.is_retryable() => Written::Later(failure),
            NotBegun::Failed(failure) => Written::Refused(Refused { field: None, text: failure.to_string() }),
            NotBegun::Refused(refused) => Written::Refused(refused),
        }
    }
}

impl From<Failure> for NotBegun {
    fn from(failure: Failure) -> Self {
        NotBegun::Failed(failure)
    }
}

impl Dynamics {
    /// A body with these columns.
    pub(super) async fn body(
        &self,
        columns: &BTreeMap<String, CrmValue>,
    ) -> Result<Object<String, Value>, NotBegun> {
        let mut body = Object::new();
        for (name, value) in columns {
            if !is_name(name) {
                return Err(NotBegun::refused(name, "a related row's column is not written with the record"));
            }
            match value {
                CrmValue::Plain(value) => {
                    body.insert(name.clone(), value.clone());
                }
                CrmValue::Lookup { value: None, .. } => {
                    body.insert(format!("{name}@odata.bind"), Value::Null);
                }
                CrmValue::Lookup { table, column, value: Some(text) } => {
                    let id = self.lookups.id(&self.wire, table, column, text).await?;
                    let id = id.ok_or_else(|| {
                        NotBegun::refused(
                            name,
                            format!("no `{table}` has `{column}` `{text}` in this environment"),
                        )
                    })?;
                    body.insert(format!("{name}@odata.bind"), json!(format!("/{}({id})", set_of(table))));
                }
            }
        }
        Ok(body)
    }
}
