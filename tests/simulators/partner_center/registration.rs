//! The webhooks host: the one registration, the list of events, validation events.

use super::{
    PartnerCenter,
    answer::{throttled, webhook_error},
    outbox::DeliveryState,
    switches::PostOnExisting,
};
use crate::server::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Union of the documented event names.
pub const EVENTS: [&str; 27] = [
    "azure-fraud-event-detected",
    "dap-admin-relationship-approved",
    "dap-admin-relationship-terminated",
    "dap-admin-relationship-terminated-by-microsoft",
    "granular-admin-access-assignment-activated",
    "granular-admin-access-assignment-created",
    "granular-admin-access-assignment-deleted",
    "granular-admin-access-assignment-updated",
    "granular-admin-relationship-activated",
    "granular-admin-relationship-approved",
    "granular-admin-relationship-expired",
    "granular-admin-relationship-terminated",
    "indirect-reseller-relationship-accepted-by-customer",
    "invoice-ready",
    "new-commerce-migration-completed",
    "new-commerce-migration-created",
    "new-commerce-migration-failed",
    "new-commerce-migration-schedule-failed",
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "reseller-relationship-accepted-by-customer",
    "subscription-active",
    "subscription-updated",
    "test-created",
    "usagerecords-thresholdExceeded",
];

const VALIDATIONS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Who gets which events.
#[derive(Clone, Debug, Serialize)]
pub struct Registration {
    pub subscriber_id: String,
    pub url: String,
    pub events: Vec<String>,
    /// The signature travels in `x-ms-signature` instead of `Authorization`.
    pub ms_signature: bool,
    pub modified: Timestamp,
}

impl Registration {
    fn read(body: &Value, empty: bool, now: Timestamp) -> Result<Self, String> {
        let body = body.as_object().ok_or("expected an object")?;
        let mut read = Registration {
            subscriber_id: Uuid::new_v4().to_string(),
            url: String::new(),
            events: vec![],
            ms_signature: false,
            modified: now,
        };
        for (name, value) in body {
            match name.to_ascii_lowercase().as_str() {
                "webhookurl" => read.url = value.as_str().ok_or("WebhookUrl: expected a string")?.to_owned(),
                "webhookevents" => {
                    read.events =
                        serde_json::from_value(value.clone()).map_err(|e| format!("WebhookEvents: {e}"))?;
                }
                "signaturetokentomssignatureheader" => {
                    read.ms_signature = match value {
                        Value::Null => false,
                        Value::Bool(b) => *b,
                        Value::String(s) if s.eq_ignore_ascii_case("true") => true,
                        Value::String(s) if s.eq_ignore_ascii_case("false") => false,
                        other => return Err(format!("SignatureTokenToMsSignatureHeader: {other}")),
                    }
                }
                _ => return Err(format!("unknown member {name}")),
            }
        }
        // Plain http reaches nothing but this machine.
        let https = read.url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
        if !https && !["http://127.0.0.1", "http://localhost"].iter().any(|p| read.url.starts_with(p)) {
            return Err("WebhookUrl must be a public https URL".into());
        }
        if read.events.is_empty() && !empty {
            return Err("WebhookEvents is required".into());
        }
        match read.events.iter().find(|e| !EVENTS.contains(&e.as_str())) {
            Some(event) => Err(format!("unknown event {event}")),
            None => Ok(read),
        }
    }
}

/// A test event and its place in the outbox.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Validation {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) event: usize,
}

impl PartnerCenter {
    /// `rest`: the path below `/webhooks/v1/registration`.
    pub(super) fn webhooks(&mut self, request: &Request, rest: &str, now: Timestamp) -> Response {
        if let Some(refused) = self.throttle(now) {
            return refused;
        }
        if let Err(refused) = self.admit_webhooks(request, now) {
            return refused;
        }
        let response = match (request.method.as_str(), rest) {
            ("GET", "/events") => Response::json(200, &json!(EVENTS)),
            ("GET", "") => self.registered(),
            ("POST", "")
                if self.registration.is_some()
                    && self.switches.post_on_existing == PostOnExisting::Conflict =>
            {
                webhook_error(409, "409", "A registration exists")
            }
            ("PUT", "") if self.registration.is_none() && !self.switches.put_creates => {
                webhook_error(404, "404", "No registration")
            }
            ("POST" | "PUT", "") => self.register(request, now),
            ("POST", "/validationEvents") => self.validate(now),
            ("GET", rest) => match rest.strip_prefix("/validationEvents/") {
                Some(id) => self.validation(id, now),
                None => return Response::unknown(request, "not a route of the webhooks host"),
            },
            _ => return Response::unknown(request, "not a route of the webhooks host"),
        };
        let request_id =
            request.header("ms-requestid").map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let correlation =
            request.header("ms-correlationid").map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        response
            .with("ms-requestid", request_id)
            .with("ms-correlationid", correlation)
            .with("x-locale", "en-US")
    }

    fn registered(&self) -> Response {
        match &self.registration {
            None => webhook_error(404, "404", "No registration"),
            Some(r) if self.switches.camel_registration => Response::json(
                200,
                &json!({
                    "webhookUrl": r.url, "webhookEvents": r.events, "lastModifiedTimestamp": r.modified.to_string(),
                }),
            ),
            Some(r) => Response::json(200, &json!({ "WebhookUrl": r.url, "WebhookEvents": r.events })),
        }
    }

    fn register(&mut self, request: &Request, now: Timestamp) -> Response {
        let empty = self.switches.empty_event_list;
        match Registration::read(&request.json().unwrap_or_default(), empty, now) {
            Err(text) => webhook_error(400, "400", &text),
            Ok(mut new) => {
                if let Some(old) = &self.registration {
                    new.subscriber_id.clone_from(&old.subscriber_id);
                }
                let body = json!({
                    "SubscriberId": new.subscriber_id, "WebhookUrl": new.url, "WebhookEvents": new.events,
                });
                self.registration = Some(new);
                Response::json(200, &body)
            }
        }
    }

    /// At most two a minute, and only to who listens to `test-created`.
    fn validate(&mut self, now: Timestamp) -> Response {
        if !self.registration.as_ref().is_some_and(|r| r.events.iter().any(|e| e == "test-created")) {
            return webhook_error(400, "400", "Not registered for test-created");
        }
        let minute = SignedDuration::from_secs(60);
        let recent: Vec<Timestamp> =
            self.validations.iter().map(|v| v.at).filter(|at| now.duration_since(*at) < minute).collect();
        if let [first, _, ..] = recent[..] {
            return throttled((minute - now.duration_since(first)).as_secs().max(1));
        }
        let id = Uuid::new_v4().to_string();
        let at = self.tick(now);
        let uri =
            format!("http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/{id}");
        self.enqueue("test-created", &id, uri, "test", at);
        self.validations.push(Validation { id: id.clone(), at: now, event: self.outbox.len() - 1 });
        Response::json(200, &json!({ "correlationId": id }))
    }

    fn validation(&self, id: &str, now: Timestamp) -> Response {
        let kept = |v: &&Validation| v.id == id && now.duration_since(v.at) < VALIDATIONS_KEPT;
        let Some(validation) = self.validations.iter().find(kept) else {
            return webhook_error(404, "404", "No such validation event");
        };
        let event = &self.outbox[validation.event];
        let results: Vec<Value> = event
            .attempts
            .iter()
            .map(|a| {
                json!({
                    "responseCode": status_name(a.status), "responseMessage": "", "systemError": a.status == 0,
                    "dateTimeUtc": a.at.trim_end_matches('Z'),
                })
            })
            .collect();
        let body = json!({
            "correlationId": id,
            "partnerId": super::ORGANIZATION_ID,
            "status": if event.state == DeliveryState::Pending { "running" } else { "completed" },
            "callbackUrl": self.registration.as_ref().map(|r| r.url.clone()),
            "results": results,
        });
        Response::json(200, &body)
    }
}

/// The .NET name of a status.
fn status_name(status: u16) -> String {
    let name = match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "NoContent",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        408 => "RequestTimeout",
        413 => "RequestEntityTooLarge",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        0 => "0",
        other => return other.to_string(),
    };
    name.to_owned()
}
