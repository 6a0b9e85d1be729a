//! What an org says about itself: versions, objects, fields with their picklists, limits.

use super::Salesforce;
use super::call::{Reply, SalesforceCall, Step};
use super::metadata::{Field, FieldKind, Object};
use super::refusal::{SalesforceOutcome, SalesforceRefusal, not_modelled};
use super::standard::SET_UP;
use super::times::{from_http_date, http_date};
use serde_json::{Value, json};

/// The versions that are served; older ones are retired.
pub(super) const OLDEST: u32 = 31;
pub(super) const NEWEST: u32 = 68;

pub(super) fn versions() -> Value {
    let version = |n: u32| {
        let season = ["Spring", "Summer", "Winter"][(n % 3) as usize];
        let year = 4 + n / 3 + u32::from(n % 3 == 2);
        json!({ "label": format!("{season} '{year}"), "url": format!("/services/data/v{n}.0"), "version": format!("{n}.0") })
    };
    (OLDEST..=NEWEST).map(version).collect()
}

impl Salesforce {
    /// Answers `GET /sobjects`: the objects that the caller may read.
    pub(super) fn describe_all(&self, call: &SalesforceCall) -> Reply {
        let all = self.objects.values().filter(|o| self.has(o.feature) && self.may(o, &call.user, "read"));
        let all: Vec<Value> = all.map(|o| self.about(call, o)).collect();
        Reply::new(200, json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all }))
    }

    /// Answers `GET /sobjects/{object}`, without the rows seen last.
    pub(super) fn describe_basic(&self, call: &SalesforceCall, object: &Object) -> Reply {
        Reply::new(200, json!({ "objectDescribe": self.about(call, object), "recentItems": [] }))
    }

    /// Answers `GET /sobjects/{object}/describe`, with the fields that the caller may see.
    pub(super) fn describe(
        &self,
        call: &SalesforceCall,
        step: &Step,
        object: &Object,
    ) -> SalesforceOutcome<Reply> {
        let mut shown = self.about(call, object);
        let fields =
            object.fields.iter().filter(|f| self.visible(object, &f.name, Some(&call.user)).is_some());
        shown["fields"] = fields.map(|f| self.field_shown(call, object, f)).collect();
        shown["childRelationships"] = self.child_relationships(call, object);
        shown["recordTypeInfos"] = json!([]);
        shown["supportedScopes"] =
            json!([{ "label": format!("All {}", object.plural), "name": "everything" }]);
        let tag = {
            let digest = ring::digest::digest(&ring::digest::SHA256, shown.to_string().as_bytes());
            let hex: String = digest.as_ref()[..4].iter().map(|b| format!("{b:02x}")).collect();
            format!("\"{hex}\"")
        };
        let known = step.header("if-none-match").is_some_and(|t| t.split(',').any(|t| t.trim() == tag));
        let since = step.header("if-modified-since").map(|text| {
            from_http_date(text).ok_or_else(|| not_modelled(format!("`If-Modified-Since: {text}`")))
        });
        let changed = object.changed.max(SET_UP.parse().expect("a time"));
        if known || since.transpose()?.is_some_and(|since| changed <= since) {
            return Err(SalesforceRefusal::Bare(304));
        }
        let headers = vec![("ETag".into(), tag), ("Last-Modified".into(), http_date(changed))];
        Ok(Reply { status: 200, headers, body: shown })
    }

    fn about(&self, call: &SalesforceCall, object: &Object) -> Value {
        let root = format!("/services/data/v{}.0/sobjects/{}", call.version, object.name);
        let mergeable = object.field("MasterRecordId").is_some();
        let may = |flag: bool, right: &str| flag && self.may(object, &call.user, right);
        json!({
            "activateable": false, "createable": may(object.createable, "create"), "custom": object.custom(),
            "customSetting": false, "deletable": may(object.deletable, "delete"), "deprecatedAndHidden": false,
            "feedEnabled": false, "hasSubtypes": false, "isSubtype": false, "keyPrefix": object.prefix,
            "label": object.label, "labelPlural": object.plural, "layoutable": true,
            "mergeable": mergeable, "mruEnabled": true,
            "name": object.name, "queryable": true, "replicateable": object.replicateable, "retrieveable": true,
            "searchable": true, "triggerable": true, "undeletable": object.replicateable && object.deletable,
            "updateable": may(object.updateable, "edit"),
            "urls": { "describe": format!("{root}/describe"), "rowTemplate": format!("{root}/{{ID}}"), "sobject": root },
        })
    }

    fn field_shown(&self, call: &SalesforceCall, object: &Object, field: &Field) -> Value {
        let edit = self.access(object, field, &call.user).1;
        let (reference, relationship) = match &field.kind {
            FieldKind::Reference { to, relationship, .. } => (json!(to), json!(relationship)),
            _ => (json!([]), Value::Null),
        };
        let (precision, scale, digits) = match field.kind {
            FieldKind::Number(_, digits, scale) => (digits, scale, 0),
            FieldKind::Integer => (0, 0, 8),
            _ => (0, 0, 0),
        };
        let restricted = match field.name.as_str() {
            "StageName" => self.switches.restricted_stages,
            _ => field.restricted || (self.switches.restricted_picklists && !field.custom()),
        };
        let picklist = matches!(field.kind, FieldKind::Picklist(_));
        let controller = controller(field);
        let always =
            field.kind == FieldKind::Boolean || field.kind == FieldKind::Id || field.default.is_some();
        let text =
            matches!(field.type_name(), "string" | "textarea" | "email" | "phone" | "url" | "picklist");
        let bytes = if text { field.length * 3 } else { field.length };
        let numbered = matches!(field.kind, FieldKind::AutoNumber(_));
        json!({
            "autoNumber": numbered, "byteLength": bytes,
            "calculated": false, "caseSensitive": field.case_sensitive, "controllerName": controller,
            "createable": field.createable && edit,
            "custom": field.custom(), "defaultValue": (field.kind == FieldKind::Boolean).then_some(false),
            "defaultedOnCreate": always || ["OwnerId", "CurrencyIsoCode"].contains(&&*field.name) || !field.createable,
            "dependentPicklist": controller.is_some(), "deprecatedAndHidden": false, "digits": digits,
            "externalId": field.external_id, "filterable": field.filterable(), "groupable": field.filterable(),
            "htmlFormatted": false, "idLookup": field.external_id || field.kind == FieldKind::Id,
            "label": field.label, "length": field.length, "name": field.name, "nameField": field.name == "Name",
            "nillable": field.nillable(), "permissionable": field.custom() && !field.required,
            "picklistValues": self.values_shown(field), "precision": precision,
            "referenceTo": reference, "relationshipName": relationship, "restrictedPicklist": picklist && restricted,
            "scale": scale, "soapType": format!("xsd:{}", field.parsed_as()), "sortable": field.filterable(),
            "type": field.type_name(), "unique": field.unique, "updateable": field.updateable && edit,
        })
    }

    /// The values of a picklist; those of a dependent one say for which values of its controller they are valid.
    fn values_shown(&self, field: &Field) -> Vec<Value> {
        let dependent = controller(field).is_some();
        let shown = self.choices(field).into_iter().enumerate().map(|(n, (value, label))| {
            let default = field.default.as_deref() == Some(value.as_str());
            let valid = dependent.then(|| super::places::valid_for(n));
            json!({ "active": true, "defaultValue": default, "label": label, "validFor": valid, "value": value })
        });
        shown.collect()
    }

    fn child_relationships(&self, call: &SalesforceCall, object: &Object) -> Value {
        let mut shown = vec![];
        for (child, name, on_delete) in self.children(&object.name) {
            let Some(field) = self.visible(&child, &name, Some(&call.user)) else { continue };
            let FieldKind::Reference { children, .. } = &field.kind else { continue };
            if !self.has(child.feature) || !self.may(&child, &call.user, "read") {
                continue;
            }
            let cascade = on_delete == super::metadata::OnDelete::Cascade;
            let name = Some(children).filter(|c| !c.is_empty());
            shown.push(
                json!({ "cascadeDelete": cascade, "childSObject": child.name, "deprecatedAndHidden": false,
                "field": field.name, "relationshipName": name, "restrictedDelete": false }),
            );
        }
        json!(shown)
    }

    /// API requests of the last 24 hours.
    pub fn requests_today(&self) -> usize {
        self.served.len()
    }

    /// `/limits`: the one that counts here.
    pub(super) fn limits(&self) -> Reply {
        let max = self.switches.daily_api_requests;
        let left = max.saturating_sub(self.served.len());
        Reply::new(200, json!({ "DailyApiRequests": { "Max": max, "Remaining": left } }))
    }

    /// The definition changed: clients that ask since then get it anew.
    pub(super) fn define(&mut self, object: &str, now: jiff::Timestamp) {
        if let Some(object) = self.objects.get_mut(object) {
            std::sync::Arc::make_mut(object).changed = now;
        }
    }
}

/// The picklist that decides which values of this one are valid: a state's country.
fn controller(field: &Field) -> Option<String> {
    let of_states =
        matches!(&field.kind, FieldKind::Picklist(values) if values.first().is_some_and(|v| v == "@State"));
    of_states.then(|| field.name.replace("State", "Country"))
}
