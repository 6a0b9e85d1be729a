//! The cases of the samples that are answers, and what the simulator answers in them.

use super::*;
use crate::login::{Login, PARTNER_CLIENT, PARTNER_SECRET};

/// What the simulator answers in the case of a sample.
pub(super) fn answer(office: &mut Office, name: &str) -> Value {
    let claims = office.claims(REFERRALS_AUDIENCE);
    let hooks = Claims { aud: WEBHOOKS_AUDIENCE.into(), ..claims.clone() };
    let (list, hook) = (format!("GET {REFERRALS}"), format!("GET {REGISTRATION}"));
    match name {
        "error-400-invalid-request" => {
            let body = with(CREATE_OWN, "/details/requirements/solutions", json!([]));
            let (status, body) = office.referrals("POST ", &[], &body);
            assert_eq!(status, 400);
            body
        }
        "error-401-unauthenticated" => {
            office.refused(&Claims { exp: office.now.as_second(), ..claims }, &list, 401)
        }
        "error-401-mfa-required-partner-center" => {
            office.refused(&Claims { amr: vec!["pwd".into()], ..hooks }, &hook, 401)
        }
        "error-partner-center-webhooks-host" => office.refused(&claims, &hook, 401),
        "error-403-access-denied" => {
            office.center.switches.referrals_role = false;
            office.refused(&claims, &list, 403)
        }
        "error-404-item-not-found" => office.refused(&claims, &format!("{list}/{}", Uuid::nil()), 404),
        "error-409-conflict" => office.outdated(409),
        "error-412-precondition-failed" => office.outdated(412),
        "error-429-throttled" => {
            office.center.switches.calls_per_minute = Some(1);
            office.referrals("GET ", &[], "");
            office.now += SignedDuration::from_secs(3);
            office.refused(&claims, &list, 429)
        }
        "error-503-unavailable" => match fault("unavailable") {
            Some(FaultKind::Answer { status: 503, body, .. }) => sample(&body),
            other => panic!("{other:?}"),
        },
        "token-response-v1-refresh" => token(office.now),
        _ if name.starts_with("webhook-") => webhook(office, name),
        _ if name.starts_with("referral-list-") => listed(office, name),
        _ => {
            let id = referral(office, name);
            office.get(&id)
        }
    }
}

fn referral(office: &mut Office, name: &str) -> String {
    match name {
        "referral-incoming-cosell-new-pending" => office.inbound(),
        "referral-active-accepted" => office.accepted(),
        "referral-closed-declined" => {
            let id = office.inbound();
            assert_eq!(office.patch(&id, PATCH_DECLINE).0, 204);
            id
        }
        "referral-closed-expired" => {
            let id = office.inbound();
            office.now += SignedDuration::from_hours(14 * 24);
            id
        }
        "referral-closed-lost" => {
            let id = office.accepted();
            assert_eq!(office.patch(&id, PATCH_LOST).0, 204);
            id
        }
        "referral-closed-won" => office.won(),
        "referral-closed-won-with-registration" => {
            let id = office.won();
            assert_eq!(office.patch(&id, PATCH_REGISTRATION).0, 204);
            id
        }
        "referral-outgoing-cosell-active" => office.outgoing(),
        "referral-related-microsoft-pending" => office.half(),
        "referral-related-microsoft-accepted" => {
            let half = office.half();
            office.center.microsoft(&half, "accept", None, office.now).expect("accepts")
        }
        other => panic!("nobody uses `{other}`"),
    }
}

fn listed(office: &mut Office, name: &str) -> Value {
    let query = match name {
        "referral-list-page" => {
            office.accepted();
            office.outgoing();
            office.inbound();
            let switches = &mut office.center.switches;
            (switches.page_size, switches.list_siblings, switches.odd_next_link) = (2, false, false);
            "?$orderby=updatedDateTime%20asc".to_owned()
        }
        "referral-list-last-page" => {
            office.inbound();
            String::new()
        }
        "referral-list-related-by-engagement" => {
            let own = office.outgoing();
            let engagement = text(&office.center.referrals()[&own], "engagementId").to_owned();
            format!("?$filter=engagementId%20eq%20'{engagement}'")
        }
        other => panic!("nobody uses `{other}`"),
    };
    let (status, mut page) = office.referrals(&format!("GET {query}"), &[], "");
    assert_eq!(status, 200, "{page}");
    if let Some(next) = page["@odata.nextLink"].as_str() {
        let start = format!("{API}{REFERRALS}?$orderby=updatedDateTime%20asc&$skiptoken=");
        assert!(next.starts_with(&start) && next.ends_with("%3D"), "{next}");
        let query = next.split_once('?').expect("a query").1.to_owned();
        let rest = office.referrals(&format!("GET ?{query}"), &[], "");
        assert_eq!((rest.0, rest.1["value"].as_array().map(Vec::len)), (200, Some(1)));
    }
    // Rows of one instant are in no order the document tells.
    if let Some(rows) = page["value"].as_array_mut() {
        rows.sort_by_key(|r| text(r, "organizationId") == MICROSOFT);
    }
    page
}

fn webhook(office: &mut Office, name: &str) -> Value {
    let ok = |answer: (u16, Value)| {
        assert_eq!(answer.0, 200, "{}", answer.1);
        answer.1
    };
    assert_eq!(office.webhooks("PUT ", REGISTER).0, 200);
    match name {
        "webhook-registration-response" => ok(office.webhooks("PUT ", REGISTER)),
        "webhook-registration-get-response" => ok(office.webhooks("GET ", "")),
        "webhook-events-list-response" => ok(office.webhooks("GET /events", "")),
        "webhook-validation-event-post-response" => ok(office.webhooks("POST /validationEvents", "")),
        "webhook-validation-event-get-response" => {
            let id = ok(office.webhooks("POST /validationEvents", ""))["correlationId"].clone();
            office.center.attempted(0, 500);
            office.center.attempted(0, 200);
            ok(office.webhooks(&format!("GET /validationEvents/{}", id.as_str().expect("id")), ""))
        }
        "webhook-event-test-created" => {
            office.webhooks("POST /validationEvents", "");
            office.event("test-created")
        }
        "webhook-callback-headers" => headers(office),
        _ => {
            let id = office.accepted();
            let half = office.half();
            office.center.microsoft(&half, "accept", None, office.now).expect("accepts");
            office.center.edit(&id, &json!({ "/name": "x" }), office.now).expect("edits");
            office.event(name.strip_prefix("webhook-event-").unwrap_or(name))
        }
    }
}

/// The headers of a delivery in the document's words; the signature is described there, not shown.
fn headers(office: &mut Office) -> Value {
    office.inbound();
    let body = office.center.outbox()[0].body();
    office.center.switches.certificate_url =
        Some(format!("https://3psostorageacct.blob.core.windows.net/cert/{}", Forge::Microsoft.file()));
    let mut seen = json!({ "Content-Length": body.len().to_string() });
    for (name, value) in office.center.headers(body.as_bytes(), Forge::Microsoft) {
        let words = name.split('-').map(|w| match w {
            "x" | "ms" => w.to_uppercase(),
            w => w[..1].to_uppercase() + &w[1..],
        });
        let name = words.collect::<Vec<_>>().join("-");
        seen[&name] = match value.strip_prefix("Signature ") {
            Some(signature) if signature.len() == 344 => {
                json!("Signature <base64 of the RSA signature bytes; 344 characters for RSA-2048>")
            }
            _ => json!(value),
        };
    }
    seen
}

fn token(now: Timestamp) -> Value {
    let mut login = Login::new(vec![]);
    let refresh = login.consent(now);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", PARTNER_CLIENT),
        ("client_secret", PARTNER_SECRET),
        ("refresh_token", &refresh),
        ("resource", REFERRALS_AUDIENCE),
        ("scope", "openid"),
    ];
    let form: Vec<String> = form.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let answer = login.handle(
        &Request {
            method: "POST".into(),
            path: format!("/{PARTNER_TENANT}/oauth2/token"),
            query: String::new(),
            headers: BTreeMap::from([("content-type".into(), "application/x-www-form-urlencoded".into())]),
            body: form.join("&").into(),
        },
        now,
    );
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    serde_json::from_slice(&answer.body).expect("json")
}
