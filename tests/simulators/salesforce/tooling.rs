//! `/tooling/sobjects/CustomField`: a new field, that nobody sees until a permission set grants it.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::metadata::{Field, FieldKind, OnDelete};
use super::refusal::{SalesforceOutcome, bad, not_json, not_modelled};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

impl Salesforce {
    pub(super) fn tooling(
        &mut self,
        call: &SalesforceCall,
        step: &Step,
        rest: &[&str],
    ) -> SalesforceOutcome<Reply> {
        self.demand_customize(call)?;
        match (step.method.as_str(), rest) {
            ("POST", ["sobjects", "CustomField"]) => {}
            ("GET", ["query"]) => return self.tooling_query(call, step),
            (_, ["sobjects", "CustomField", id]) => return self.definition(call, step, id),
            _ => return Err(not_modelled("this part of the Tooling API")),
        }
        let body = step.object()?;
        if let Some(other) = body.keys().find(|name| !["FullName", "Metadata"].contains(&name.as_str())) {
            return Err(not_json(format!("Unrecognized field \"{other}\"")));
        }
        let full = body.get("FullName").and_then(Value::as_str).unwrap_or_default();
        let metadata = body.get("Metadata").and_then(Value::as_object);
        let metadata = metadata.ok_or_else(|| {
            bad("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", &["Metadata"])
        })?;
        self.define_field(full, metadata, false, call.now)?;
        let id = self.new_id("00N");
        let body = json!({ "id": id, "success": true, "errors": [], "warnings": [], "infos": [] });
        Ok(Reply::new(201, body))
    }

    /// An admin makes a custom field, `Object.Name__c`, as in the metadata of a field; `granted`: for the integration
    /// user too. A required one is open to everybody at once.
    pub fn add_custom_field(
        &mut self,
        full_name: &str,
        metadata: &Value,
        granted: bool,
        now: Timestamp,
    ) -> Result<(), String> {
        let metadata = metadata.as_object().cloned().unwrap_or_default();
        self.define_field(full_name, &metadata, granted, now).map_err(|refusal| format!("{refusal:?}"))
    }

    pub(super) fn define_field(
        &mut self,
        full_name: &str,
        metadata: &Map<String, Value>,
        granted: bool,
        now: Timestamp,
    ) -> SalesforceOutcome<()> {
        let (object, name) = full_name.split_once('.').unwrap_or((full_name, ""));
        let held =
            self.object(object).ok_or_else(|| not_modelled(format!("a custom field of `{object}`")))?;
        let plain = name.strip_suffix("__c").filter(|n| {
            n.starts_with(|c: char| c.is_ascii_alphabetic())
                && !n.ends_with('_')
                && n.len() <= 40
                && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && (!n.contains("__") || n.split("__").count() == 2)
        });
        if plain.is_none() {
            let text = format!("{name} is no name of a custom field");
            return Err(bad("FIELD_INTEGRITY_EXCEPTION", text, &["FullName"]));
        }
        if held.fields.iter().any(|f| f.name.eq_ignore_ascii_case(name)) {
            let text = format!("There is already a field named {} on {object}.", plain.unwrap_or_default());
            return Err(bad("DUPLICATE_DEVELOPER_NAME", text, &["FullName"]));
        }
        if held.fields.iter().filter(|f| f.custom()).count() >= self.switches.most_custom_fields {
            let text = format!("The maximum number of custom fields is reached on {object}");
            return Err(bad("LIMIT_EXCEEDED", text, &["FullName"]));
        }
        let field = field(name, metadata)?;
        self.add_fields(object, vec![field], granted);
        self.definitions.insert(full_name.to_owned(), metadata.clone());
        self.define(object, now);
        Ok(())
    }
}

/// The attributes of a field's metadata that are modelled.
const KNOWN: [&str; 23] = [
    "type",
    "label",
    "length",
    "externalId",
    "unique",
    "caseSensitive",
    "required",
    "description",
    "inlineHelpText",
    "trackTrending",
    "trackHistory",
    "trackFeedHistory",
    "defaultValue",
    "visibleLines",
    "precision",
    "scale",
    "valueSet",
    "referenceTo",
    "relationshipName",
    "deleteConstraint",
    "relationshipOrder",
    "reparentableMasterDetail",
    "writeRequiresMasterRead",
];

pub(super) fn field(name: &str, metadata: &Map<String, Value>) -> SalesforceOutcome<Field> {
    if let Some(other) = metadata.keys().find(|n| !KNOWN.contains(&n.as_str()) && *n != "relationshipLabel") {
        return Err(not_json(format!("Unrecognized field \"{other}\"")));
    }
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |key: &str| metadata.get(key) == Some(&json!(true));
    let missing = |key: &str| {
        bad("FIELD_INTEGRITY_EXCEPTION", format!("You must specify {key} for a field of this type"), &[])
    };
    let number = |key: &str| metadata.get(key).and_then(Value::as_u64).ok_or_else(|| missing(key));
    let kind = text("type");
    let notation = match kind.as_str() {
        "Text" => format!("text {}", number("length")?),
        "TextArea" => "textarea 255".to_owned(),
        "LongTextArea" => {
            number("visibleLines")?;
            format!("long {}", number("length")?)
        }
        "Email" => "email".to_owned(),
        "Phone" => "phone".to_owned(),
        "Url" => "url".to_owned(),
        "Checkbox" => {
            metadata.get("defaultValue").ok_or_else(|| missing("defaultValue"))?;
            "bool".to_owned()
        }
        "Date" => "date".to_owned(),
        "DateTime" => "datetime".to_owned(),
        "Number" => format!("double {} {}", number("precision")?, number("scale")?),
        "Currency" => format!("money {} {}", number("precision")?, number("scale")?),
        "Percent" => format!("percent {} {}", number("precision")?, number("scale")?),
        "Picklist" => "picklist".to_owned(),
        "Lookup" | "MasterDetail" => {
            let way = text("relationshipName");
            if text("referenceTo").is_empty() || way.is_empty() {
                return Err(missing("referenceTo and relationshipName"));
            }
            let up = name.trim_end_matches("__c");
            format!("ref {} {up}__r {way}__r", text("referenceTo"))
        }
        other => return Err(not_modelled(format!("a custom field of type `{other}`"))),
    };
    let label = text("label");
    if label.is_empty() {
        return Err(missing("label"));
    }
    let mut field = Field::noted(&format!("{name} | {} | {notation}", label.replace('|', "/")));
    let most = if kind == "LongTextArea" { 131_072 } else { 255 };
    if field.length > most || (field.length == 0 && kind.contains("Text")) {
        return Err(bad("FIELD_INTEGRITY_EXCEPTION", format!("length must be 1 to {most}"), &[]));
    }
    if (flag("externalId") || flag("unique")) && !["Text", "Email", "Number"].contains(&kind.as_str()) {
        return Err(bad("FIELD_INTEGRITY_EXCEPTION", "this type cannot be unique or an external id", &[]));
    }
    (field.required, field.unique) = (flag("required"), flag("unique"));
    (field.external_id, field.case_sensitive) = (flag("externalId"), flag("caseSensitive"));
    // A restricted deletion is not played: who points to the row goes on pointing.
    let restricted = metadata.get("deleteConstraint") == Some(&json!("Restrict"));
    field.on_delete = if restricted { OnDelete::Keep } else { OnDelete::Clear };
    if kind == "MasterDetail" {
        (field.required, field.updateable) = (true, flag("reparentableMasterDetail"));
        field.on_delete = OnDelete::Cascade;
    }
    if kind == "Checkbox" {
        field.default = Some(text("defaultValue")).filter(|d| !d.is_empty());
        field.default = field.default.or_else(|| Some(flag("defaultValue").to_string()));
    }
    if kind == "Picklist" {
        let set = &metadata.get("valueSet").cloned().unwrap_or_default();
        let values = set["valueSetDefinition"]["value"].as_array().cloned().unwrap_or_default();
        let names = values.iter().filter_map(|v| v["fullName"].as_str().or(v["valueName"].as_str()));
        field.kind = FieldKind::Picklist(names.map(str::to_owned).collect());
        field.restricted = set["restricted"] == json!(true);
    }
    Ok(field)
}
