//! What a body says, checked field by field: names, rights, types, lengths, picklists, and what a lookup points to.

use super::Salesforce;
use super::elsewhere::FIELDS_ELSEWHERE;
use super::ids;
use super::metadata::{Feature, Field, FieldKind, Object};
use super::refusal::{SalesforceOutcome, bad, no_such_column, not_modelled, wrong_type};
use super::store::{SalesforceRow, SalesforceWriter};
use super::times;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

impl Salesforce {
    /// The changes that a body asks for.
    pub(super) fn changes(
        &self,
        object: &Object,
        body: &Map<String, Value>,
        creating: bool,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<SalesforceRow> {
        let mut changes = SalesforceRow::new();
        let mut refused = vec![];
        for (name, value) in body {
            if name == "attributes" {
                continue;
            }
            if name == "Id" || name == "id" {
                let text = "The Id field should not be specified in the sobject data.";
                return Err(super::refusal::refuse(400, "INVALID_FIELD", text));
            }
            let (field, value) = match value {
                Value::Object(keys) => self.by_external_id(object, name, keys, by)?,
                _ => (self.column(object, name, by)?, value.clone()),
            };
            let may = if creating { field.createable } else { field.updateable };
            if !may || (by.api && !self.access(object, field, &by.user).1) {
                refused.push(field.name.as_str());
                continue;
            }
            changes.insert(field.name.clone(), self.value(field, &value, object)?);
        }
        if refused.is_empty() {
            return Ok(changes);
        }
        let text = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
             read/write for your profile or permission set.",
            refused.join(", ")
        );
        Err(bad("INVALID_FIELD_FOR_INSERT_UPDATE", text, &refused))
    }

    /// A field by its exact name, if it is there for this user.
    pub(super) fn column<'a>(
        &self,
        object: &'a Object,
        name: &str,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<&'a Field> {
        match self.visible(object, name, by.api.then_some(by.user.as_str())) {
            Some(field) => Ok(field),
            None if FIELDS_ELSEWHERE.contains(&name) => Err(not_modelled(format!("the field `{name}`"))),
            None if object.fields.iter().any(|f| f.name != name && f.name.eq_ignore_ascii_case(name)) => {
                Err(not_modelled(format!("`{name}` in another case than the field's own")))
            }
            None => Err(no_such_column(name, &object.name)),
        }
    }

    /// `"Account": {"Key__c": "A-1"}` in place of `AccountId`.
    fn by_external_id<'a>(
        &self,
        object: &'a Object,
        name: &str,
        keys: &Map<String, Value>,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<(&'a Field, Value)> {
        let field = object.relationship(name).ok_or_else(|| no_such_column(name, &object.name))?;
        let field = self.column(object, &field.name, by)?;
        let FieldKind::Reference { to, .. } = &field.kind else {
            return Err(no_such_column(name, &object.name));
        };
        let named = keys.iter().filter(|(n, _)| *n != "attributes").collect::<Vec<_>>();
        let ([parent], [(key, value)]) = (&to[..], &named[..]) else {
            return Err(not_modelled("a parent by other than one external id"));
        };
        let parent = self.object(parent).ok_or_else(|| not_modelled("a parent of a hidden object"))?;
        let column = self.column(&parent, key, by)?;
        let Some(text) = value.as_str().filter(|_| column.external_id) else {
            return Err(not_modelled("a parent by a field that is no external id, or by no text"));
        };
        match &self.matching(&parent, column, text)[..] {
            [id] => Ok((field, json!(id))),
            [] => {
                let shown = if self.switches.missing_parent_lower_case {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                };
                let text = format!(
                    "Foreign key external ID: {shown} not found for field {key} in entity {}",
                    parent.name
                );
                Err(bad("INVALID_FIELD", text, &[]))
            }
            _ => Err(not_modelled("a parent by an external id that several rows have")),
        }
    }

    /// One value as it is stored.
    fn value(&self, field: &Field, value: &Value, object: &Object) -> SalesforceOutcome<Value> {
        if value.is_null() {
            if field.name == "CurrencyIsoCode" {
                return Err(no_choice(field, "null"));
            }
            return Ok(if field.kind == FieldKind::Boolean { json!(false) } else { Value::Null });
        }
        let wrong = || wrong_type(field.parsed_as(), value);
        let text = || value.as_str().ok_or_else(wrong);
        match &field.kind {
            FieldKind::Boolean => value.as_bool().map(Value::Bool).ok_or_else(wrong),
            FieldKind::Integer => {
                let number = value.as_i64().ok_or_else(wrong)?;
                i32::try_from(number).map(|n| json!(n)).map_err(|_| wrong())
            }
            FieldKind::Number(_, digits, scale) => {
                let number = value.as_f64().ok_or_else(wrong)?;
                if number.abs() >= 10f64.powi((digits - if *digits > *scale { *scale } else { 0 }) as i32) {
                    let text =
                        format!("{}: value outside of valid range on numeric field: {value}", field.label);
                    return Err(bad("NUMBER_OUTSIDE_VALID_RANGE", text, &[&field.name]));
                }
                let unit = 10f64.powi(*scale as i32);
                let kept = self.switches.keeps_extra_decimals;
                Ok(json!(if kept { number } else { (number * unit).round() / unit }))
            }
            FieldKind::Date => times::date(text()?).map(|d| json!(d.to_string())).ok_or_else(wrong),
            FieldKind::DateTime => {
                times::date_time(text()?).map(|t| json!(times::stamp(t))).ok_or_else(wrong)
            }
            FieldKind::Base64 => {
                STANDARD.decode(text()?).map_err(|_| wrong())?;
                Ok(value.clone())
            }
            FieldKind::Reference { to, .. } => self.reference(field, to, text()?),
            FieldKind::Picklist(_) => self.choice(field, object, text()?),
            FieldKind::Id | FieldKind::AutoNumber(_) => Err(wrong()),
            _ => self.text(field, text()?),
        }
    }

    fn text(&self, field: &Field, text: &str) -> SalesforceOutcome<Value> {
        let text = if self.switches.trims_text { text.trim() } else { text };
        if text.is_empty() && self.switches.empty_text_is_null {
            return Ok(Value::Null);
        }
        let long = matches!(field.kind, FieldKind::LongText | FieldKind::TextArea);
        let text = if long && self.switches.newlines_as_crlf {
            text.replace("\r\n", "\n").replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        if text.encode_utf16().count() > field.length {
            let told = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
            return Err(bad("STRING_TOO_LONG", told, &[&field.name]));
        }
        if field.kind == FieldKind::Email {
            if !super::mail::is_address(&text) {
                let told = format!("{}: invalid email address: {text}", field.label);
                return Err(bad("INVALID_EMAIL_ADDRESS", told, &[&field.name]));
            }
            if self.switches.emails_in_lower_case {
                return Ok(json!(text.to_lowercase()));
            }
        }
        Ok(json!(text))
    }

    fn choice(&self, field: &Field, object: &Object, text: &str) -> SalesforceOutcome<Value> {
        if text.is_empty() {
            return self.value(field, &Value::Null, object);
        }
        let restricted = match field.name.as_str() {
            "StageName" => self.switches.restricted_stages,
            _ => field.restricted || (self.switches.restricted_picklists && !field.custom()),
        };
        let read_only = object.name == "OpportunityTeamMember" && text == "All";
        if (restricted && !self.choices(field).iter().any(|(value, _)| value == text)) || read_only {
            return Err(no_choice(field, text));
        }
        Ok(json!(text))
    }

    /// The id of a row that is there and of one of these objects.
    fn reference(&self, field: &Field, to: &[String], text: &str) -> SalesforceOutcome<Value> {
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let id = ids::parsed(text);
        let of = |name: &String| {
            self.objects.get(name).filter(|o| id.as_deref().is_some_and(|i| i.starts_with(&o.prefix)))
        };
        let (Some(id), Some(object)) = (&id, to.iter().find_map(of)) else {
            let shown = id.as_deref().map_or(text, |id| &id[..15]);
            let told = format!("{}: id value of incorrect type: {shown}", field.label);
            return Err(bad("MALFORMED_ID", told, &[&field.name]));
        };
        if self.out_of_reach.contains(id) {
            let told = format!("insufficient access rights on cross-reference id: {id}");
            return Err(bad("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", told, &[]));
        }
        match self.row(&object.name, id) {
            None => Err(bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])),
            Some(row) if row["IsDeleted"] == json!(true) => {
                Err(bad("ENTITY_IS_DELETED", "entity is deleted", &[]))
            }
            Some(row) if field.name == "OwnerId" && row["IsActive"] == json!(false) => {
                let told = format!("operation performed with inactive user [{}] as owner", &id[..15]);
                Err(bad("INACTIVE_OWNER_OR_USER", told, &[]))
            }
            Some(_) => Ok(json!(id)),
        }
    }

    /// The active values of a picklist with their labels.
    pub(super) fn choices(&self, field: &Field) -> Vec<(String, String)> {
        let FieldKind::Picklist(values) = &field.kind else { return vec![] };
        let listed = |object: &str, value: &str, active: bool| {
            let mut rows = self.rows(object);
            rows.retain(|row| !active || row["IsActive"] == json!(true));
            rows.sort_by_key(|row| row.get("SortOrder").and_then(Value::as_i64));
            let text = |row: &SalesforceRow, name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let label = if object == "CurrencyType" { value } else { "MasterLabel" };
            rows.into_iter().map(|row| (text(row, value), text(row, label))).collect()
        };
        match values.first().map(String::as_str) {
            Some("@OpportunityStage") => listed("OpportunityStage", "ApiName", true),
            Some("@LeadStatus") => listed("LeadStatus", "ApiName", false),
            Some("@CurrencyType") => listed("CurrencyType", "IsoCode", true),
            Some("@Country") => super::places::countries(),
            Some("@State") => super::places::states(),
            _ => values.iter().map(|value| (value.clone(), value.clone())).collect(),
        }
    }

    pub(super) fn has(&self, feature: Option<Feature>) -> bool {
        match feature {
            None => true,
            Some(Feature::MultiCurrency) => self.switches.multi_currency,
            Some(Feature::OrganizationCurrency) => self.switches.organization_currency,
            Some(Feature::StateCountry) => self.switches.state_country_picklists,
            Some(Feature::PersonAccounts) => self.switches.person_accounts,
            Some(Feature::TeamSelling) => self.switches.team_selling,
            Some(Feature::Notes) => self.switches.notes,
        }
    }
}

fn no_choice(field: &Field, text: &str) -> super::refusal::SalesforceRefusal {
    let told = format!("{}: bad value for restricted picklist field: {text}", field.label);
    bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", told, &[&field.name])
}
