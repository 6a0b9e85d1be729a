//! `PATCH referrals/{id}`: the path list, the status machine, frozen fields, versions.

use super::{
    PartnerCenter,
    answer::{PartnerCenterRefusal, denied, invalid, not_found},
    create::{json_body, positive, upper},
    referral::{MICROSOFT, ORGANIZATION_ID, complete, etag, instant, state_of, text},
    schema::{self, MemberKind, check},
    switches::PatchRepresentation,
};
use crate::server::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) struct Operation {
    path: String,
    add: bool,
    value: Value,
}

impl PartnerCenter {
    pub(super) fn patch(
        &mut self,
        request: &Request,
        id: &str,
        now: Timestamp,
    ) -> Result<Response, PartnerCenterRefusal> {
        let body = json_body(request)?;
        let current = self.writable(request, id)?;
        let operations = self.operations(&body)?;
        let changed = self.changed(current, &operations, now)?;
        let before = state_of(current);
        self.commit(id, changed, &before, now);
        let wanted = request.header("prefer").is_some_and(|p| p.contains("return=representation"));
        if wanted && self.switches.patch_representation == PatchRepresentation::WithEtag {
            let entity = self.entity(&self.referrals[id]);
            return Ok(Response::json(200, &entity).with("etag", text(&entity, "eTag")));
        }
        Ok(Response::new(204))
    }

    /// The referral as it is, if it is the caller's and the version the caller read.
    pub(super) fn writable(&self, request: &Request, id: &str) -> Result<&Value, PartnerCenterRefusal> {
        let current = self.referrals.get(id).ok_or_else(not_found)?;
        if text(current, "organizationId") != ORGANIZATION_ID {
            return Err(denied("The referral belongs to another organization."));
        }
        if request.header("if-match").is_none_or(|tag| tag == text(current, "eTag")) {
            return Ok(current);
        }
        Err(match self.switches.conflict_status {
            409 => PartnerCenterRefusal::new(
                409,
                "resourceModified",
                "The referral changed since it was last read.",
            ),
            _ => PartnerCenterRefusal::new(
                412,
                "preconditionFailed",
                "The If-Match value does not equal the current eTag.",
            ),
        })
    }

    pub(super) fn operations(&self, body: &Value) -> Result<Vec<Operation>, PartnerCenterRefusal> {
        let items = body.as_array().filter(|a| !a.is_empty());
        let items =
            items.ok_or_else(|| invalid("patchNotAnArray", "the body must be an array of operations"))?;
        items.iter().map(|item| self.operation(item)).collect()
    }

    fn operation(&self, item: &Value) -> Result<Operation, PartnerCenterRefusal> {
        let members =
            item.as_object().ok_or_else(|| invalid("patchOperationInvalid", "an operation is an object"))?;
        if let Some(name) = members.keys().find(|k| !["op", "path", "value"].contains(&k.as_str())) {
            return Err(invalid("patchOperationInvalid", format!("unknown member `{name}`")));
        }
        let add = match item["op"].as_str() {
            Some("add") => true,
            Some("replace") => false,
            other => return Err(invalid("patchOpNotSupported", format!("op {other:?}"))),
        };
        let path = text(item, "path").to_owned();
        let value = members.get("value").ok_or_else(|| invalid("patchValueMissing", format!("`{path}`")))?;
        let listed = schema::PATCH.iter().find(|(p, _)| *p == path).map(|(_, kind)| *kind);
        let kind = match listed {
            Some(kind) => kind,
            None if path == "/name" && self.switches.patch_name => MemberKind::Text,
            None => return Err(invalid("patchPathNotSupported", format!("`{path}` cannot be changed"))),
        };
        check(value, kind, &path)?;
        if value.is_null() && matches!(kind, MemberKind::List(_) | MemberKind::Object(_) | MemberKind::Flag) {
            return Err(invalid("invalidValue", format!("`{path}`: null")));
        }
        if path.ends_with("/-") && !add {
            return Err(invalid("patchOpNotSupported", format!("`{path}` takes `add` only")));
        }
        let mut value = value.clone();
        if let (MemberKind::Number, Some(number)) = (kind, value.as_str()) {
            value = serde_json::from_str(number)
                .map_err(|_| invalid("invalidValue", format!("`{path}`: {number}")))?;
        }
        let holds = match path.as_str() {
            "/details/dealValue" => positive(&value),
            "/details/currency" => value.as_str().is_some_and(|c| upper(c, 3)),
            "/details/closingDateTime" => value.is_string(),
            "/details/requirements/solutions" => value != json!([]),
            "/name" => value.as_str().is_some_and(|n| !n.trim().is_empty()),
            _ => true,
        };
        if !holds {
            return Err(invalid("invalidValue", format!("`{path}`: {value}")));
        }
        Ok(Operation { path, add, value })
    }

    /// The referral after all operations, or the first rule they break; nothing is stored yet.
    pub(super) fn changed(
        &self,
        current: &Value,
        operations: &[Operation],
        now: Timestamp,
    ) -> Result<Value, PartnerCenterRefusal> {
        let sent = |path: &str| operations.iter().any(|o| o.path == path);
        let registration = |o: &Operation| o.path.starts_with("/registrations/");
        if text(current, "status") == "Closed" && !operations.iter().all(registration) {
            return Err(invalid("terminalState", format!("{} is final", state_of(current))));
        }
        if sent("/status") != sent("/substatus") {
            return Err(invalid("statusPairIncomplete", "status and substatus change together"));
        }
        let mut changed = current.clone();
        for operation in operations {
            self.unfrozen(current, operation)?;
            apply(&mut changed, operation, now)?;
        }
        complete(&mut changed);
        if sent("/status") {
            let (from, to) = (state_of(current), state_of(&changed));
            self.transition(&from, &to)?;
            let reason = text(&changed, "statusReason").trim();
            if self.switches.require_status_reason
                && ["Closed/Declined", "Closed/Lost"].contains(&&*to)
                && reason.is_empty()
            {
                return Err(invalid("statusReasonRequired", format!("{to} needs a statusReason")));
            }
        }
        if operations.iter().any(registration) && state_of(&changed) != "Closed/Won" {
            return Err(invalid("registrationNotAllowed", "a deal is registered when it is won"));
        }
        let long = |at: &str| changed.pointer(at).and_then(Value::as_array).is_some_and(|a| a.len() > 50);
        if long("/team") || long("/details/requirements/solutions") {
            return Err(invalid("tooManyItems", "at most 50 members and 50 solutions"));
        }
        Ok(changed)
    }

    /// The documented pairs and moves.
    fn transition(&self, from: &str, to: &str) -> Result<(), PartnerCenterRefusal> {
        let pair = [
            "New/Pending",
            "New/Received",
            "Active/Accepted",
            "Closed/Won",
            "Closed/Lost",
            "Closed/Declined",
            "Closed/Expired",
            "Closed/Error",
        ];
        if !pair.contains(&to) {
            return Err(invalid("statusPairInvalid", format!("{to} is no pair")));
        }
        let allowed = match (from, to) {
            (from, to) if from == to => true,
            ("New/Pending", "New/Received") => true,
            ("New/Pending" | "New/Received", "Active/Accepted" | "Closed/Declined") => true,
            ("New/Pending" | "New/Received", "Closed/Won" | "Closed/Lost") => {
                self.switches.new_to_won_or_lost
            }
            ("Active/Accepted", "Closed/Won" | "Closed/Lost") => true,
            ("Active/Accepted", "Closed/Error") => self.switches.close_as_error,
            _ => false,
        };
        if allowed { Ok(()) } else { Err(invalid("transitionNotAllowed", format!("{from} -> {to}"))) }
    }

    /// Fields that freeze once they were shared.
    fn unfrozen(&self, current: &Value, operation: &Operation) -> Result<(), PartnerCenterRefusal> {
        let frozen = |text: &str| Err(invalid("fieldFrozen", format!("`{}`: {text}", operation.path)));
        let filled = |at: &str| {
            current.pointer(at).is_some_and(|v| *v != json!([]) && *v != json!("") && !v.is_null())
        };
        let with_microsoft = text(current, "type") == "Shared"
            && (current["inviteContext"]["invitedBy"]["organizationId"] == MICROSOFT
                || self.siblings(current).any(|r| text(r, "organizationId") == MICROSOFT));
        match operation.path.as_str() {
            "/consent/consentToShareReferralWithMicrosoftSellers"
                if operation.value == json!(false)
                    && current.pointer(&operation.path) == Some(&json!(true)) =>
            {
                frozen("sharing with Microsoft cannot be taken back")
            }
            "/customerProfile/team" | "/customerProfile/team/-"
                if self.switches.freeze_contact && with_microsoft && filled("/customerProfile/team") =>
            {
                frozen("the contact was shared with Microsoft")
            }
            "/details/notes" if self.switches.freeze_notes && with_microsoft && filled("/details/notes") => {
                frozen("the notes were shared with Microsoft")
            }
            _ => Ok(()),
        }
    }

    /// Stores a change: new version, instants of the status, the event. `before` is the state it had.
    pub(super) fn commit(&mut self, id: &str, mut changed: Value, before: &str, now: Timestamp) {
        let at = self.tick(now);
        self.changes += 1;
        changed["updatedDateTime"] = json!(instant(at));
        changed["eTag"] = json!(etag(self.changes, at));
        if state_of(&changed) != before {
            match text(&changed, "status") {
                "Active" => {
                    changed["acceptedDateTime"] = json!(instant(at));
                    changed["expirationDateTime"] = Value::Null;
                }
                "Closed" => {
                    changed["closedDateTime"] = json!(instant(at));
                    if text(&changed, "substatus") != "Expired" {
                        changed["expirationDateTime"] = Value::Null;
                    }
                    if let ("Won", Some(stage)) =
                        (text(&changed, "substatus"), &self.switches.won_sales_stage)
                        && text(&changed, "organizationId") == ORGANIZATION_ID
                    {
                        changed["salesStage"] = json!(stage);
                    }
                }
                _ => {}
            }
        }
        self.expires(&changed);
        if let Some(previous) = self.keep(changed) {
            self.stale.insert(id.to_owned(), (previous, self.switches.stale_reads));
        }
        self.raise(id, "updated", at);
    }

    /// The other referrals of an engagement.
    pub(super) fn siblings<'a>(&'a self, of: &'a Value) -> impl Iterator<Item = &'a Value> {
        self.engagement(text(of, "engagementId")).into_iter().filter(|r| r["id"] != of["id"])
    }
}

fn apply(referral: &mut Value, operation: &Operation, now: Timestamp) -> Result<(), PartnerCenterRefusal> {
    let missing = || invalid("patchTargetMissing", format!("`{}` does not exist", operation.path));
    if operation.path == "/registrations/-" {
        return register(referral, &operation.value, now);
    }
    if let Some(list) = operation.path.strip_suffix("/-") {
        let list = referral.pointer_mut(list).and_then(Value::as_array_mut).ok_or_else(missing)?;
        list.push(operation.value.clone());
        return Ok(());
    }
    let (parent, name) = operation.path.rsplit_once('/').ok_or_else(missing)?;
    let parent = referral.pointer_mut(parent).and_then(Value::as_object_mut).ok_or_else(missing)?;
    if !operation.add && !parent.contains_key(name) {
        return Err(missing());
    }
    parent.insert(name.to_owned(), operation.value.clone());
    Ok(())
}

/// Deal registration: the shape and the money rules; the calendar rules are not simulated.
fn register(referral: &mut Value, sent: &Value, now: Timestamp) -> Result<(), PartnerCenterRefusal> {
    let contract = sent["contract"]["value"].as_f64().unwrap_or_default();
    let solutions: f64 = sent["solutionDetails"]
        .as_array()
        .filter(|s| !s.is_empty())
        .ok_or_else(|| invalid("registrationInvalid", "solutionDetails is required"))?
        .iter()
        .map(|s| s["value"].as_f64().unwrap_or_default())
        .sum();
    if contract < 25_000.0 || solutions > contract {
        return Err(invalid("registrationInvalid", "contract below 25000, or solutions above the contract"));
    }
    let mut registration = sent.clone();
    let names = referral["details"]["requirements"]["solutions"].clone();
    for detail in registration["solutionDetails"].as_array_mut().into_iter().flatten() {
        let named = names.as_array().into_iter().flatten().find(|s| s["id"] == detail["id"]);
        detail["name"] = named.map_or(Value::Null, |s| s["name"].clone());
    }
    registration["id"] = json!(Uuid::new_v4().to_string());
    registration["registrationDateTime"] = json!(instant(now));
    registration["status"] = json!("ReviewPending");
    registration["statusReason"] = Value::Null;
    registration["statusHistory"] = json!({
        "reviewPendingDateTime": instant(now), "actionRequiredDateTime": null, "passedDateTime": null,
        "failedDateTime": null, "approvedDateTime": null,
    });
    referral["registrationStatus"] = json!("ReviewPending");
    referral["registrations"].as_array_mut().expect("a list").push(registration);
    Ok(())
}
