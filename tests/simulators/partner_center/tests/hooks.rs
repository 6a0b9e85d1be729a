//! The registration, validation events, signed deliveries.

use super::{super::samples::*, *};

#[test]
fn the_registration_is_a_singleton_with_the_documented_bodies() {
    let mut office = Office::new();
    office.center.registration = None;
    let (status, body) = office.webhooks("GET ", "");
    assert_eq!((status, shape(&body)), (404, shape(&sample(ERROR_401_MFA))));
    assert_eq!(office.webhooks("PUT ", REGISTER).0, 404);
    let (status, body) = office.webhooks("POST ", REGISTER);
    assert_eq!((status, shape(&body)), (200, shape(&sample(REGISTERED))));
    assert_eq!(office.webhooks("GET ", ""), (200, sample(REGISTRATION_READ)));
    assert_eq!(office.webhooks("POST ", REGISTER).0, 409);
    assert_eq!(office.webhooks("PUT ", &with(REGISTER, "/Unknown", json!(1))).0, 400);
    let mut changed = sample(REGISTER);
    changed.as_object_mut().expect("object").remove("SignatureTokenToMsSignatureHeader");
    changed["signatureTokenToMsSignatureHeader"] = json!("true");
    let (status, again) = office.webhooks("PUT ", &changed.to_string());
    assert_eq!((status, &again["SubscriberId"]), (200, &body["SubscriberId"]));
    assert!(office.center.registration().expect("registered").ms_signature);
    office.center.switches.post_on_existing = switches::PostOnExisting::Overwrite;
    assert_eq!(office.webhooks("POST ", REGISTER).0, 200);
    office.center.switches.camel_registration = true;
    assert!(office.webhooks("GET ", "").1["webhookUrl"].is_string());
    assert_eq!(office.webhooks("GET /events", ""), (200, sample(EVENTS)));
    assert_eq!(office.webhooks("DELETE ", "").0, 501);
    for (pointer, value) in [
        ("/WebhookUrl", json!("http://hooks.example/x")),
        ("/WebhookEvents", json!([])),
        ("/WebhookEvents", json!(["referral-deleted"])),
    ] {
        assert_eq!(office.webhooks("PUT ", &with(REGISTER, pointer, value)).0, 400, "{pointer}");
    }
}

#[test]
fn validation_events_are_two_a_minute() {
    let mut office = Office::new();
    assert_eq!(office.webhooks("POST /validationEvents", "").0, 400, "not registered for test-created");
    assert_eq!(office.webhooks("PUT ", REGISTER).0, 200);
    let (status, first) = office.webhooks("POST /validationEvents", "");
    assert_eq!(status, 200);
    assert_eq!(office.webhooks("POST /validationEvents", "").0, 200);
    office.now += SignedDuration::from_secs(3);
    let (status, body) = office.webhooks("POST /validationEvents", "");
    assert_eq!((status, body), (429, sample(ERROR_429)));
    office.now += SignedDuration::from_secs(60);
    assert_eq!(office.webhooks("POST /validationEvents", "").0, 200);
    office.center.attempted(0, 500);
    office.center.attempted(0, 200);
    let (status, body) =
        office.webhooks(&format!("GET /validationEvents/{}", text(&first, "correlationId")), "");
    assert_eq!((status, shape(&body)), (200, shape(&sample(VALIDATION))));
    let codes: Vec<&str> =
        body["results"].as_array().expect("list").iter().map(|r| text(r, "responseCode")).collect();
    assert_eq!((text(&body, "status"), codes), ("completed", vec!["InternalServerError", "OK"]));
    assert_eq!(office.webhooks("GET /validationEvents/1", "").0, 404);
}

#[test]
fn an_event_is_compact_and_in_the_documented_order() {
    let mut office = Office::new();
    let id = office.center.refer(&json!({}), office.now);
    office.center.edit(&id, &json!({ "/name": "x" }), office.now).expect("edits");
    let event = &office.center.outbox()[1];
    let expected = EVENT
        .trim()
        .replace(": ", ":")
        .replace(",\n  ", ",")
        .replace(", ", ",")
        .replace("{\n  ", "{")
        .replace("\n}", "}")
        .replace("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", &id)
        .replace("2026-03-04T13:40:02.6612090", "2026-04-10T12:00:05.2201132");
    assert_eq!(event.body(), expected);
}

#[test]
fn only_subscribed_events_wait_and_they_can_be_lost() {
    let mut office = Office::new();
    office.center.register_webhook("https://hooks.example", &["referral-updated"], false, office.now);
    let id = office.center.refer(&json!({}), office.now);
    office.center.edit(&id, &json!({ "/name": "x" }), office.now).expect("edits");
    let states: Vec<DeliveryState> = office.center.outbox().iter().map(|e| e.state).collect();
    assert_eq!(states, [DeliveryState::Unsubscribed, DeliveryState::Pending]);
    assert_eq!((office.center.lose(), office.center.pending()), (1, 0));
}

/// A webhook that answers what it is told and keeps what it got.
struct Receiver {
    status: u16,
    got: Vec<Request>,
}

impl Simulator for Receiver {
    fn route(&self, request: &Request) -> String {
        request.path.clone()
    }

    fn handle(&mut self, request: &Request, _: Timestamp) -> Response {
        self.got.push(request.clone());
        Response::new(self.status)
    }

    fn state(&self) -> Value {
        Value::Null
    }

    fn control(&mut self, _: &str, _: &Value, _: Timestamp) -> Option<Result<Value, String>> {
        None
    }
}

async fn pair(ms_signature: bool) -> (Server<PartnerCenter>, Server<Receiver>, Clock) {
    let clock = Clock::default();
    let receiver =
        Server::start(0, clock.clone(), |_| Receiver { status: 200, got: vec![] }).await.expect("listens");
    let center = Server::start(0, clock.clone(), PartnerCenter::new).await.expect("listens");
    let url = format!("{}/webhook", receiver.url());
    center.system().register_webhook(
        &url,
        &["referral-created", "referral-updated"],
        ms_signature,
        clock.now(),
    );
    (center, receiver, clock)
}

#[tokio::test]
async fn deliveries_carry_a_signature_the_certificate_verifies() {
    for ms_signature in [false, true] {
        let (center, receiver, clock) = pair(ms_signature).await;
        let id = center.system().refer(&json!({}), clock.now());
        let delivered = deliver(&center).await;
        assert_eq!(
            delivered.iter().map(|d| (&*d.event, &*d.id, d.status)).collect::<Vec<_>>(),
            [("referral-created", &*id, 200)]
        );
        assert!(deliver(&center).await.is_empty());
        let got = receiver.system().got.remove(0);
        let header = if ms_signature { "x-ms-signature" } else { "authorization" };
        let signature =
            got.header(header).and_then(|h| h.strip_prefix("Signature ")).expect("signature").to_owned();
        assert_eq!(got.header("authorization").is_none(), ms_signature);
        assert_eq!(got.header("x-ms-signature-algorithm"), Some("rsa-sha256"));
        assert_eq!(signature.len(), 344);
        assert!(certificates::verifies(&got.body, &signature, Forge::Microsoft));
        assert!(!certificates::verifies(b"{}", &signature, Forge::Microsoft));
        let url = got.header("x-ms-certificate-url").expect("url");
        assert_eq!(url, center.system().certificate_url(Forge::Microsoft));
    }
}

#[tokio::test]
async fn a_refusing_webhook_is_tried_ten_times() {
    let (center, receiver, clock) = pair(false).await;
    receiver.system().status = 503;
    center.system().refer(&json!({}), clock.now());
    for _ in 0..10 {
        assert_eq!(deliver(&center).await[0].status, 503);
    }
    assert!(deliver(&center).await.is_empty());
    assert_eq!(center.system().outbox()[0].state, DeliveryState::Dead);
    assert_eq!(receiver.system().got.len(), 10);
}

#[tokio::test]
async fn with_a_clock_refused_deliveries_wait_longer_each_time() {
    let (_, receiver, clock) = pair(false).await;
    let timed = |url: &str| PartnerCenter::new(url).with_clock(clock.clone());
    let center = Server::start(0, clock.clone(), timed).await.expect("listens");
    let url = receiver.url();
    center.system().register_webhook(&url, &["referral-created"], false, clock.now());
    receiver.system().status = 500;
    center.system().refer(&json!({}), clock.now());
    assert_eq!(deliver(&center).await.len(), 1);
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        clock.advance(SignedDuration::from_secs(minutes * 60 - 30));
        assert!(deliver(&center).await.is_empty(), "{minutes}");
        clock.advance(SignedDuration::from_secs(30));
        assert_eq!(deliver(&center).await.len(), 1, "{minutes}");
    }
    assert_eq!(center.system().outbox()[0].state, DeliveryState::Dead);
    center.system().switches.redelivery_seconds = 0;
    center.system().refer(&json!({}), clock.now());
    assert_eq!((deliver(&center).await.len(), deliver(&center).await.len()), (1, 1));
}

#[test]
fn validations_are_forgotten_after_a_week() {
    let mut office = Office::new();
    assert_eq!(office.webhooks("PUT ", REGISTER).0, 200);
    let id = office.webhooks("POST /validationEvents", "").1["correlationId"].clone();
    let call = format!("GET /validationEvents/{}", id.as_str().expect("id"));
    office.now += SignedDuration::from_hours(7 * 24 - 1);
    assert_eq!(office.webhooks(&call, "").0, 200);
    office.now += SignedDuration::from_hours(1);
    assert_eq!(office.webhooks(&call, "").0, 404);
}

#[test]
fn both_hosts_can_be_throttled_in_both_bodies() {
    let mut office = Office::new();
    office.center.switches.calls_per_minute = Some(2);
    let plain = shape(&sample(ERROR_429));
    assert_eq!((office.referrals("GET ", &[], "").0, office.webhooks("GET ", "").0), (200, 200));
    for as_error in [false, true] {
        office.center.switches.throttle_as_error = as_error;
        for (status, body) in [office.referrals("GET ", &[], ""), office.webhooks("GET ", "")] {
            assert_eq!(
                (status, shape(&body) == plain, body["error"].is_object()),
                (429, !as_error, as_error)
            );
        }
    }
    let user = office.claims(REFERRALS_AUDIENCE);
    let refused = office.call_with(&user, &format!("GET {REFERRALS}"), &[], "");
    assert!(refused.headers.contains(&("retry-after".to_owned(), "60".to_owned())), "{:?}", refused.headers);
    office.now += SignedDuration::from_secs(60);
    assert_eq!(office.referrals("GET ", &[], "").0, 200);
}

#[test]
fn documented_faults_can_be_scripted_as_they_are() {
    let mut office = Office::new();
    let listed =
        office.center.control("documented_faults", &json!({}), office.now).expect("a verb").expect("done");
    assert_eq!(listed.as_object().expect("by name").len(), FAULTS.len());
    for name in FAULTS {
        let kind: FaultKind = serde_json::from_value(listed[name].clone()).expect(name);
        match kind {
            FaultKind::Answer { status, body, .. } => {
                assert!(status >= 400 && serde_json::from_str::<Value>(&body).is_ok(), "{name}: {body}");
            }
            FaultKind::Delay { ms, .. } => assert!(ms > 0),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(fault("no such").is_none());
}

#[tokio::test]
async fn deliveries_can_be_doubled_reversed_and_unanswered() {
    let (center, receiver, clock) = pair(false).await;
    let (first, second) = {
        let mut system = center.system();
        (system.refer(&json!({}), clock.now()), system.refer(&json!({}), clock.now()))
    };
    center.system().switches.duplicate_deliveries = true;
    center.system().switches.reverse_deliveries = true;
    let ids: Vec<String> = deliver(&center).await.into_iter().map(|d| d.id).collect();
    assert_eq!(ids, [second.clone(), second, first.clone(), first]);
    assert_eq!(center.system().pending(), 0);
    drop(receiver);
    center.system().switches = PartnerCenterSwitches::default();
    center.system().register_webhook("http://127.0.0.1:9/x", &["referral-created"], false, clock.now());
    center.system().refer(&json!({}), clock.now());
    assert_eq!(deliver(&center).await[0].status, 0);
    assert_eq!(center.system().pending(), 1);
}

#[test]
fn certificates_are_served_by_name_and_renewed() {
    let mut office = Office::new();
    let user = office.claims(REFERRALS_AUDIENCE);
    let fetch = |office: &mut Office, forge: Forge| {
        office.call_with(&user, &format!("GET /cert/{}", forge.file()), &[], "").body
    };
    let before = fetch(&mut office, Forge::Microsoft);
    assert_eq!(before[0], 0x30, "DER");
    assert!(fetch(&mut office, Forge::Pem).starts_with(b"-----BEGIN CERTIFICATE-----"));
    let body = b"{}";
    assert!(fetch(&mut office, Forge::Chained).starts_with(b"-----BEGIN CERTIFICATE-----"));
    for forge in Forge::ALL {
        assert!(!fetch(&mut office, forge).is_empty(), "{forge:?}");
        let signature = office.center.sign(body, forge);
        assert_eq!(
            certificates::verifies(body, &signature, Forge::Microsoft),
            ![Forge::WrongKey, Forge::Renewed].contains(&forge),
            "{forge:?}"
        );
    }
    office.center.renew_certificate();
    let after = fetch(&mut office, Forge::Microsoft);
    assert_ne!(before, after);
    assert_eq!(after, fetch(&mut office, Forge::Renewed));
    assert!(certificates::verifies(body, &office.center.sign(body, Forge::Microsoft), Forge::Renewed));
    assert_eq!(office.call_with(&user, "GET /cert/none.cer", &[], "").status, 404);
    assert_eq!(office.center.roots_pem().matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(bundle_pem().matches("BEGIN CERTIFICATE").count(), 3);
}

#[test]
fn a_certificate_is_served_alone_and_names_the_address_of_its_issuers() {
    let mut office = Office::new();
    let user = office.claims(REFERRALS_AUDIENCE);
    let mut fetch = |path: &str| office.call_with(&user, &format!("GET {path}"), &[], "");
    // In DER an address stands as it is.
    let named = |file: &[u8]| {
        let text = String::from_utf8_lossy(file).into_owned();
        let (_, rest) = text.split_once("/issuers/")?;
        let (name, _) = rest.split_once(".crt")?;
        Some(format!("/issuers/{name}.crt"))
    };
    let mut steps = |forge: Forge| {
        let mut file = fetch(&format!("/cert/{}", forge.file())).body.to_vec();
        let mut steps = vec![];
        while let Some(path) = named(&file).filter(|path| !steps.contains(path)) {
            let answer = fetch(&path);
            assert_eq!((answer.status, answer.body[0]), (200, 0x30), "{path}");
            file = answer.body.to_vec();
            steps.push(path);
        }
        steps.len()
    };
    // The root's address is named by the last of them.
    assert_eq!(steps(Forge::Microsoft), 2);
    assert_eq!(steps(Forge::TwoSteps), 3);
    assert_eq!(steps(Forge::ThreeSteps), 4);
    assert_eq!(steps(Forge::Circle), 2);
    assert_eq!(steps(Forge::Foreign), 2);
    assert_eq!(steps(Forge::NoAddress), 0);
    assert_eq!(fetch("/issuers/none.crt").status, 404);
}
