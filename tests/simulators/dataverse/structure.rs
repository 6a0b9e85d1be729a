//! New tables and new lookups: `POST EntityDefinitions`, `POST RelationshipDefinitions`; and who may change metadata,
//! into which solution. Written from Microsoft Learn, *Create and update table definitions using the Web API*,
//! *Create and update table relationships using the Web API*, *Create and manage publishers and solutions*.

use super::columns::{metadata_id, table as new_table, to};
use super::metadata::{Children, Column, ColumnKind};
use super::people::ADMINISTRATOR;
use super::refusal::{DataverseOutcome, bad_payload, bad_request, not_modelled, refuse};
use super::{Dataverse, DataverseCall};
use crate::server::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const TYPES: &str = "Microsoft.Dynamics.CRM.";

impl Dataverse {
    /// Whoever changes metadata may do so, and into a solution whose publisher has the name's prefix.
    pub(super) fn may_customize(&self, call: &DataverseCall, schema_name: &str) -> DataverseOutcome<()> {
        if self.switches.only_administrators_customize && call.user != ADMINISTRATOR {
            return Err(refuse(403, "0x80040220", "The user does not hold the necessary privileges."));
        }
        // Outside a solution it becomes part of the default one; what names that takes is not documented.
        let Some(named) = call.request.header("mscrm.solutionuniquename") else { return Ok(()) };
        let solution = self.rows("solutions").into_iter().find(|row| row["uniquename"] == *named);
        let solution = solution.ok_or_else(|| {
            refuse(404, "0x80040217", format!("Solution with unique name {named} does not exist."))
        })?;
        let publisher = solution
            .get("_publisherid_value")
            .and_then(Value::as_str)
            .and_then(|id| self.row("publishers", id));
        let prefix = publisher.and_then(|row| row["customizationprefix"].as_str()).unwrap_or_default();
        if schema_name.split('_').next() == Some(prefix) && schema_name.len() > prefix.len() + 1 {
            return Ok(());
        }
        Err(bad_request(format!(
            "The schema name {schema_name} does not have the publisher's prefix {prefix}."
        )))
    }

    /// Every label is there in the org's base language.
    pub(super) fn check_labels(&self, body: &Value) -> DataverseOutcome<()> {
        match body {
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                let list = member.as_array().filter(|_| name == "LocalizedLabels");
                let base = |label: &Value| label["LanguageCode"].as_i64() == Some(self.language());
                match list {
                    Some(list) if !list.iter().any(base) => Err(bad_request(format!(
                        "A label for the base language {} is required.",
                        self.language()
                    ))),
                    _ => self.check_labels(member),
                }
            }),
            Value::Array(list) => list.iter().try_for_each(|one| self.check_labels(one)),
            _ => Ok(()),
        }
    }

    pub(super) fn add_table(&mut self, call: &DataverseCall) -> DataverseOutcome<Response> {
        let body = self.object("EntityMetadata", &call.request.body)?;
        self.check_labels(&json!(body))?;
        let wrong = |text: &str| bad_payload("EntityMetadata", text);
        let schema = text(&body, "SchemaName").ok_or_else(|| wrong("SchemaName"))?.to_owned();
        self.may_customize(call, &schema)?;
        if text(&body, "@odata.type") != Some(&format!("{TYPES}EntityMetadata")) {
            return Err(wrong("@odata.type"));
        }
        for name in ["DisplayName", "DisplayCollectionName"] {
            label(&body, name).ok_or_else(|| wrong(name))?;
        }
        for name in ["IsActivity", "HasActivities", "HasNotes"] {
            match body.get(name) {
                Some(Value::Bool(false)) => {}
                Some(Value::Bool(true)) => return Err(not_modelled(format!("a table with {name}"))),
                _ => return Err(wrong(name)),
            }
        }
        if text(&body, "OwnershipType") != Some("UserOwned") {
            return Err(not_modelled("a table that users do not own"));
        }
        let attributes = body.get("Attributes").and_then(Value::as_array);
        let [title] = attributes.map(Vec::as_slice).unwrap_or_default() else {
            return Err(wrong("Attributes: the primary name column and no other"));
        };
        let primary = title["IsPrimaryName"] == true
            && title["@odata.type"] == format!("{TYPES}StringAttributeMetadata")
            && title["DisplayName"]["LocalizedLabels"].is_array();
        let (true, Some(title_name), Some(max)) =
            (primary, title["SchemaName"].as_str(), title["MaxLength"].as_u64().filter(|n| *n <= 4000))
        else {
            return Err(wrong("Attributes: the primary name column"));
        };
        let name = schema.to_lowercase();
        let set = format!("{name}s");
        if self.tables.contains_key(&set) {
            return Err(bad_request(format!("An entity with the name {name} already exists.")));
        }
        let title = title_name.to_lowercase();
        let mut made = new_table(&name, &set, &format!("{name}id"), &title)
            .texts(&[(&title, max as usize)])
            .owned()
            .simple_states();
        made.tracked = body.get("ChangeTrackingEnabled") == Some(&json!(true));
        let id = made.metadata_id.clone();
        self.tables.insert(set.clone(), Arc::new(made));
        self.rows.entry(set).or_default();
        self.default_forms(&name, &[], false);
        Ok(made_at(&format!("{}/EntityDefinitions({id})", self.root())))
    }

    /// A one-to-many relationship with its lookup column.
    pub(super) fn add_relationship(&mut self, call: &DataverseCall) -> DataverseOutcome<Response> {
        let body = self.object("RelationshipMetadataBase", &call.request.body)?;
        self.check_labels(&json!(body))?;
        let wrong = |text: &str| bad_payload("OneToManyRelationshipMetadata", text);
        if text(&body, "@odata.type") != Some(&format!("{TYPES}OneToManyRelationshipMetadata")) {
            return Err(not_modelled("a relationship that is not one to many"));
        }
        let schema = text(&body, "SchemaName").ok_or_else(|| wrong("SchemaName"))?.to_owned();
        self.may_customize(call, &schema)?;
        let cascades = body.get("CascadeConfiguration").and_then(Value::as_object);
        let cascades = cascades.ok_or_else(|| wrong("CascadeConfiguration"))?;
        for (name, value) in cascades {
            let known =
                ["Assign", "Delete", "Merge", "Reparent", "Share", "Unshare"].contains(&name.as_str());
            let word = value.as_str().is_some_and(|word| {
                ["NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"].contains(&word)
            });
            if !known || !word {
                return Err(wrong(&format!("CascadeConfiguration.{name}")));
            }
        }
        let table = |name: &str| {
            let named = text(&body, name).and_then(|of| self.table_named(of));
            named.ok_or_else(|| refuse(404, "0x80060888", format!("Could not find the entity of {name}.")))
        };
        let (parent, child) = (table("ReferencedEntity")?, table("ReferencingEntity")?);
        if text(&body, "ReferencedAttribute") != Some(&parent.id) {
            return Err(wrong("ReferencedAttribute"));
        }
        let lookup = body.get("Lookup").and_then(Value::as_object).ok_or_else(|| wrong("Lookup"))?;
        let right = text(lookup, "@odata.type") == Some(&format!("{TYPES}LookupAttributeMetadata"))
            && text(lookup, "AttributeType") == Some("Lookup")
            && label(lookup, "DisplayName").is_some();
        let navigation =
            text(lookup, "SchemaName").filter(|_| right).ok_or_else(|| wrong("Lookup"))?.to_owned();
        self.may_customize(call, &navigation)?;
        let column = navigation.to_lowercase();
        if child.columns.contains_key(&column) {
            return Err(bad_request(format!("An attribute with the name {column} already exists.")));
        }
        for row in self.rows.get_mut(&child.set).into_iter().flat_map(|rows| rows.values_mut()) {
            row.insert(column.clone(), Value::Null);
        }
        let made =
            Column { name: column.clone(), kind: to(&[(&navigation, &parent.name)]), read_only: false };
        debug_assert!(matches!(made.kind, ColumnKind::Lookup { .. }));
        Arc::make_mut(self.tables.get_mut(&child.set).expect("a table")).columns.insert(column.clone(), made);
        let children = Children { navigation: schema.clone(), table: child.name.clone(), lookup: column };
        Arc::make_mut(self.tables.get_mut(&parent.set).expect("a table")).children.push(children);
        self.expire_tokens_of(&child.set);
        Ok(made_at(&format!("{}/RelationshipDefinitions({})", self.root(), metadata_id(&schema))))
    }
}

fn made_at(uri: &str) -> Response {
    Response::new(204).with("OData-Version", "4.0").with("OData-EntityId", uri)
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

fn label<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name)?["LocalizedLabels"][0]["Label"].as_str()
}
