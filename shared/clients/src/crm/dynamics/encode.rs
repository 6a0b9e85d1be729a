//! Turns values into what Dataverse accepts for columns: plain JSON, and for references a bind by GUID.

use super::{
    Dynamics,
    odata::{is_name, set_of},
};
use crate::crm::{not_begun::NotBegun, stored};
use mapping::CrmValue;
use serde_json::{Map as Object, Value, json};
use std::collections::BTreeMap;

impl Dynamics {
    /// The body of a write to these columns.
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
                    body.insert(name.clone(), stored(value));
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
