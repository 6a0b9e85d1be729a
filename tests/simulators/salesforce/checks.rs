//! What stands against a write once its values are known: required fields, the customer's rules and triggers, locks,
//! unique fields, duplicate rules.

use super::Salesforce;
use super::metadata::Object;
use super::refusal::{ErrorEntry, SalesforceOutcome, SalesforceRefusal, bad};
use super::store::{SalesforceRow, SalesforceWriter};
use serde_json::{Value, json};

/// A validation rule of the customer's.
#[derive(Clone, Debug)]
pub(super) struct ValidationRule {
    pub object: String,
    /// It looks at writes of this field only; `None`: at all.
    pub field: Option<String>,
    pub message: String,
    /// The fields its message names.
    pub shown: Vec<String>,
}

/// A duplicate rule: rows are alike when they agree in all these fields.
#[derive(Clone, Debug)]
pub(super) struct DuplicateRule {
    pub object: String,
    pub fields: Vec<String>,
    /// It refuses; else it only alerts.
    pub block: bool,
}

/// A trigger of the customer's that throws so many times.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub object: String,
    pub message: String,
    pub left: u32,
}

impl Salesforce {
    pub(super) fn check(
        &mut self,
        object: &Object,
        old: Option<(&str, &SalesforceRow)>,
        row: &SalesforceRow,
        changes: &SalesforceRow,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        if object.name == "Lead" && old.is_some_and(|(_, old)| old["IsConverted"] == json!(true)) {
            return Err(bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]));
        }
        self.check_persons(object, old.map(|(_, old)| old), row, changes)?;
        let missing: Vec<&str> =
            object.fields.iter().filter(|f| f.required && row[&f.name].is_null()).map(|f| &*f.name).collect();
        if !missing.is_empty() {
            let text = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(bad("REQUIRED_FIELD_MISSING", text, &missing));
        }
        self.check_rights_row(object, old, row)?;
        let hit = self.rules.iter().find(|rule| {
            rule.object == object.name && rule.field.as_ref().is_none_or(|field| changes.contains_key(field))
        });
        if let Some(rule) = hit {
            let shown: Vec<&str> = rule.shown.iter().map(String::as_str).collect();
            return Err(bad("FIELD_CUSTOM_VALIDATION_EXCEPTION", &rule.message, &shown));
        }
        self.check_locks(old.map(|(id, _)| id), row)?;
        self.check_unique(object, old.map(|(id, _)| id), row)?;
        self.check_duplicates(object, old.map(|(id, _)| id), row, by)?;
        if let Some(trigger) = self.triggers.iter_mut().find(|t| t.object == object.name && t.left > 0) {
            trigger.left -= 1;
            return Err(bad("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", &trigger.message, &[]));
        }
        Ok(())
    }

    /// Row locks of other transactions and approval processes.
    pub(super) fn check_locks(&mut self, id: Option<&str>, row: &SalesforceRow) -> SalesforceOutcome<()> {
        if id.is_some_and(|id| self.in_approval.contains(id)) {
            return Err(bad("ENTITY_IS_LOCKED", "entity is locked for editing", &[]));
        }
        let parents =
            ["AccountId", "OpportunityId", "ParentId"].map(|name| row.get(name).and_then(Value::as_str));
        let wanted = parents.into_iter().flatten().chain(id);
        let mut blocked = None;
        for wanted in wanted {
            if let Some(left) = self.locks.get_mut(wanted).filter(|left| **left > 0) {
                *left -= 1;
                blocked = Some(wanted.to_owned());
                break;
            }
        }
        blocked.map_or(Ok(()), |id| {
            let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
            let fault =
                ErrorEntry { code: "UNABLE_TO_LOCK_ROW".into(), message, fields: Some(vec![]), extra: None };
            Err(SalesforceRefusal::Vendor(self.switches.lock_status, Box::new(fault)))
        })
    }

    pub(super) fn check_unique(
        &self,
        object: &Object,
        id: Option<&str>,
        row: &SalesforceRow,
    ) -> SalesforceOutcome<()> {
        for field in object.fields.iter().filter(|f| f.unique) {
            let Some(text) = row[&field.name].as_str() else { continue };
            if let Some(other) =
                self.matching(object, field, text).into_iter().find(|o| Some(o.as_str()) != id)
            {
                let name = &field.name;
                let text =
                    format!("duplicate value found: {name} duplicates value on record with id: {other}");
                return Err(bad("DUPLICATE_VALUE", text, &[]));
            }
        }
        Ok(())
    }

    /// Alert rules count on create, and not with `allowSave=true`; block rules always.
    fn check_duplicates(
        &self,
        object: &Object,
        id: Option<&str>,
        row: &SalesforceRow,
        by: &SalesforceWriter,
    ) -> SalesforceOutcome<()> {
        if !by.api {
            return Ok(());
        }
        let mut rules = self.duplicate_rules.clone();
        if self.switches.standard_duplicate_rules {
            for (name, fields) in [
                ("Account", &["Name", "BillingPostalCode"][..]),
                ("Contact", &["Email"]),
                ("Contact", &["FirstName", "LastName", "AccountId"]),
                ("Lead", &["Email"]),
                ("Lead", &["FirstName", "LastName", "Company"]),
            ] {
                let fields = fields.iter().map(|f| (*f).to_owned()).collect();
                rules.push(DuplicateRule { object: name.to_owned(), fields, block: false });
            }
        }
        let like = |other: &SalesforceRow, rule: &DuplicateRule| {
            rule.fields.iter().all(|field| match (&row[field], &other[field]) {
                (Value::String(a), Value::String(b)) => a.to_lowercase() == b.to_lowercase(),
                (a, b) => !a.is_null() && a == b,
            })
        };
        for rule in rules.iter().filter(|rule| rule.object == object.name) {
            if !rule.block && (by.allow_save || id.is_some()) {
                continue;
            }
            let rows = self.rows.get(&object.name).into_iter().flatten();
            let found: Vec<&str> = rows
                .filter(|(other, held)| {
                    Some(other.as_str()) != id && held["IsDeleted"] != json!(true) && like(held, rule)
                })
                .map(|(other, _)| other.as_str())
                .collect();
            if !found.is_empty() {
                return Err(self.duplicates(&object.name, &found, rule.block));
            }
        }
        Ok(())
    }

    fn duplicates(&self, object: &str, found: &[&str], block: bool) -> SalesforceRefusal {
        let records: Vec<Value> = found
            .iter()
            .map(|id| {
                let url = format!("/services/data/v{}.0/sobjects/{object}/{id}", self.version);
                json!({ "additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
                        "record": { "attributes": { "type": object, "url": url }, "Id": id } })
            })
            .collect();
        let message = "Use one of these records?";
        let of_rule = if object == "Contact" { "v1_1" } else { "v1_0" };
        let result = json!({
            "allowSave": !block,
            "duplicateRule": format!("Standard_{object}_Duplicate_Rule"),
            "duplicateRuleEntityType": object,
            "errorMessage": message,
            "matchResults": [{
                "entityType": object, "errors": [], "matchEngine": "FuzzyMatchEngine", "matchRecords": records,
                "rule": format!("Standard_{object}_Match_Rule_{of_rule}"), "size": found.len(), "success": true,
            }],
        });
        let extra = Some((self.switches.duplicate_member.clone(), result));
        let fault =
            ErrorEntry { code: "DUPLICATES_DETECTED".into(), message: message.into(), fields: None, extra };
        SalesforceRefusal::Vendor(400, Box::new(fault))
    }
}
