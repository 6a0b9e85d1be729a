//! Every sample of the reference: a request is sent and must be taken, an answer must be what the simulator answers in
//! the same case, member by member. Ids, instants, versions and invented texts may differ in value, not in form.

mod answers;

use super::{super::samples::*, *};

const API: &str = "https://api.partner.microsoft.com";

/// Made by the service: same form only.
const FORMED: [&str; 18] = [
    "eTag",
    "uri",
    "microsoftMsxId",
    "createdDateTime",
    "updatedDateTime",
    "acceptedDateTime",
    "closedDateTime",
    "expirationDateTime",
    "registrationDateTime",
    "reviewPendingDateTime",
    "dateTimeUtc",
    "ResourceUri",
    "ResourceChangeUtcDate",
    "expires_in",
    "ext_expires_in",
    "expires_on",
    "not_before",
    "resource",
];
/// Placeholders and inventions of the samples; the rest of a next link is opaque.
const FREE: [&str; 5] =
    ["/innerError/code", "/access_token", "/refresh_token", "/id_token", "/@odata.nextLink"];

fn form(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { '#' } else { c }).collect()
}

/// What differs, as lines.
fn differences(sample: &Value, seen: &Value, at: &str, into: &mut Vec<String>) {
    crate::compare::differences(sample, seen, at, &alike, into);
}

fn alike(at: &str, sample: &Value, seen: &Value) -> bool {
    let (Value::String(a), Value::String(b)) = (sample, seen) else { return false };
    let guids = Uuid::parse_str(a).is_ok() && Uuid::parse_str(b).is_ok();
    let name = at.rsplit('/').next().unwrap_or_default();
    guids || (FORMED.contains(&name) && form(a) == form(b)) || FREE.iter().any(|f| at.ends_with(f))
}

/// The cases the samples are of.
impl Office {
    fn documented() -> Self {
        let mut office = Office::new();
        office.center.base = API.to_owned();
        office.center.switches.related_event_names = switches::RelatedEventNames::Sibling;
        office
    }

    fn inbound(&mut self) -> String {
        self.center.refer(&json!({}), self.now)
    }

    fn accepted(&mut self) -> String {
        let id = self.inbound();
        let member = json!({
            "firstName": "Lena", "lastName": "Brandt", "phoneNumber": "+41445550123",
            "email": "lena.brandt@juniperpeak.example",
        });
        let worked = json!([
            { "op": "replace", "path": "/externalReferenceId", "value": "OPP-2026-00417" },
            { "op": "replace", "path": "/salesStage", "value": "20" },
            { "op": "add", "path": "/team/-", "value": member },
        ]);
        assert_eq!(self.patch(&id, PATCH_ACCEPT).0, 204);
        assert_eq!(self.patch(&id, &worked.to_string()).0, 204);
        id
    }

    fn won(&mut self) -> String {
        let id = self.accepted();
        let tracked = json!({ "/trackingInfo/microsoftMsxId": "7-3K9QWT21XZ" });
        self.center.edit(&id, &tracked, self.now).expect("Microsoft tracks it");
        assert_eq!(self.patch(&id, PATCH_WON).0, 204);
        id
    }

    /// A co-sell engagement by the two documented POSTs, with what the samples of the answers show besides.
    fn outgoing(&mut self) -> String {
        let mut posted = |body: &str, own: &Value| {
            let mut body = sample(body);
            body["consent"]["consentToMicrosoftToContactSpecificPartners"] = Value::Null;
            body["customerProfile"]["team"][0]["contactPreference"] =
                json!({ "locale": "en-gb", "disableNotifications": true });
            referral::merge(&mut body, own);
            let (status, made) = self.referrals("POST ", &[], &body.to_string());
            assert_eq!(status, 201, "{made}");
            made
        };
        let own = posted(CREATE_OWN, &json!({ "campaignId": "SPRING26" }));
        posted(CREATE_MICROSOFT, &json!({ "engagementId": own["engagementId"] }));
        text(&own, "id").to_owned()
    }

    fn half(&mut self) -> String {
        let own = self.outgoing();
        self.center.microsoft_half(&own).expect("half")
    }

    fn event(&self, name: &str) -> Value {
        let event = self.center.outbox().iter().find(|e| e.name == name).expect("raised");
        sample(&event.body())
    }

    /// With another token; the body of the refusal.
    fn refused(&mut self, claims: &Claims, call: &str, status: u16) -> Value {
        let answer = self.call_with(claims, call, &[], "");
        assert_eq!(answer.status, status);
        serde_json::from_slice(&answer.body).expect("json")
    }

    /// A write by somebody who read an older version.
    fn outdated(&mut self, status: u16) -> Value {
        let id = self.accepted();
        self.center.switches.conflict_status = status;
        let (seen, body) = self.referrals(&format!("PATCH /{id}"), &[("if-match", "\"old\"")], PATCH_FIELDS);
        assert_eq!(seen, status);
        body
    }

    /// A documented PATCH: taken, and there afterwards.
    fn patched(&mut self, id: &str, body: &str) {
        assert_eq!(self.patch(id, body), (204, Value::Null));
        let after = self.get(id);
        for operation in sample(body).as_array().expect("operations") {
            let path = text(operation, "path");
            match path.strip_suffix("/-") {
                None => assert_eq!(after.pointer(path), Some(&operation["value"]), "{path}"),
                Some(list) => {
                    let last =
                        after.pointer(list).and_then(Value::as_array).and_then(|l| l.last()).expect("added");
                    for (name, value) in operation["value"].as_object().expect("an object") {
                        assert!(name == "solutionDetails" || last[name] == *value, "{path}: {name}");
                    }
                }
            }
        }
    }
}

/// Sends a sample that is a request; `None`: it is an answer.
fn send(office: &mut Office, name: &str, body: &str) -> Option<()> {
    match name {
        "create-request-cosell-step2-microsoft" => {
            let (_, own) = office.referrals("POST ", &[], CREATE_OWN);
            let body = with(body, "/engagementId", own["engagementId"].clone());
            assert_eq!(office.referrals("POST ", &[], &body).0, 201);
        }
        _ if name.starts_with("create-request-") => {
            let (status, made) = office.referrals("POST ", &[], body);
            assert_eq!((status, state_of(&made).as_str()), (201, "Active/Accepted"), "{made}");
        }
        "patch-request-accept" | "patch-request-decline" => {
            let id = office.inbound();
            office.patched(&id, body);
        }
        "patch-request-add-registration" => {
            let id = office.won();
            office.patched(&id, body);
        }
        _ if name.starts_with("patch-request-") => {
            let id = office.accepted();
            office.patched(&id, body);
        }
        "put-request-update-deprecated" => {
            let id = office.accepted();
            let (read, mut body) = (office.get(&id), sample(body));
            for own in
                ["id", "engagementId", "createdDateTime", "updatedDateTime", "acceptedDateTime", "eTag"]
            {
                body[own] = read[own].clone();
            }
            let call = format!("PUT /{id}");
            assert_eq!(rule(&office.referrals(&call, &[], &body.to_string())), "ifMatchRequired");
            let (status, answer) =
                office.referrals(&call, &[("if-match", text(&read, "eTag"))], &body.to_string());
            assert_eq!((status, &answer["details"]["dealValue"]), (200, &json!(92500)), "{answer}");
            assert_eq!(office.center.count("deprecated PUT"), 2);
        }
        "webhook-registration-request" => {
            office.center.registration = None;
            assert_eq!(office.webhooks("POST ", body).0, 200);
            assert_eq!(office.center.registration().expect("registered").events.len(), 5);
        }
        _ => return None,
    }
    Some(())
}

#[test]
fn every_sample_is_sent_or_answered() {
    let mut wrong = vec![];
    for (name, body) in ALL {
        let mut office = Office::documented();
        if send(&mut office, name, body).is_none() {
            let mut found = vec![];
            differences(&sample(body), &answers::answer(&mut office, name), "", &mut found);
            wrong.extend(found.into_iter().map(|f| format!("{name}: {f}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_sample_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/partner_center/samples");
    let listed: BTreeSet<String> = ALL.iter().map(|(name, _)| format!("{name}.json")).collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|f| f.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, listed);
    assert_eq!(listed.len(), 48);
}

#[test]
fn differences_are_found() {
    let body = sample(ERROR_404);
    for (pointer, value, expected) in [
        ("/error/code", json!("other"), "/error/code: \"itemNotFound\" became \"other\""),
        ("/error/message", Value::Null, "/error/message: \"The referral could not be found.\" became null"),
        ("/error/new", json!(1), "/error/new invented"),
    ] {
        let mut found = vec![];
        differences(&body, &sample(&with(ERROR_404, pointer, value)), "", &mut found);
        assert_eq!(found, [expected]);
    }
    let mut found = vec![];
    differences(&body, &json!({ "error": {} }), "", &mut found);
    assert_eq!(found, ["/error/code missing", "/error/message missing", "/error/target missing"]);
}
