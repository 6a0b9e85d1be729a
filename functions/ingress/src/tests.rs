//! Every answer of `handle`. Nothing listens at the port of the queue and of the certificates; a certificate that a
//! test needs is put where the first fetch would have left it.

use super::*;
use crate::fixtures::{self, Authority, FOLDER, GENUINE, Leaf, MICROSOFT, NOW, forge, headers, sign};
use clients::{
    aws,
    certificates::{Genuine, Trust},
    door::Segments,
    secrets::Stored,
};

const CLOSED: &str = "http://127.0.0.1:9";
const NAME: &str = "pcnotifications-dispatch.microsoft.com.cer";

fn app() -> App {
    let variables = |name: &str| match name {
        "QUEUE_URL" => Some(format!("{CLOSED}/000000000000/hints.fifo")),
        "WEBHOOK_TOKEN_ARN" => Some("arn:token".to_owned()),
        "CERTIFICATE_URL_PREFIXES" => Some(FOLDER.to_owned()),
        "CERTIFICATE_ROOTS_PEM" => Some(Authority::of(MICROSOFT).bundle().replace('\n', " ")),
        _ => None,
    };
    let config = config::Ingress::read(&variables).unwrap();
    let app = App::new(&config, &aws::at(CLOSED).unwrap(), Clock::of(|| NOW)).unwrap();
    // Nothing listens at the port of Secrets Manager either: the segments are kept as if they had been fetched.
    app.door.keep(
        Segments::read(&Stored::of(&[
            ("token", fixtures::SEGMENT),
            ("previous_until", "1970-01-01T00:00:00Z"),
        ]))
        .unwrap(),
    );
    app
}

/// An app that has seen Microsoft's certificate.
fn warm() -> App {
    warm_with(GENUINE)
}

fn warm_with(leaf: Leaf) -> App {
    let app = app();
    let address = app.certificates.on_list(&url(NAME)).unwrap();
    // It was proven genuine at an instant at which it was valid.
    let then: jiff::Timestamp = format!("{}-06-01T00:00:00Z", leaf.until - 1).parse().unwrap();
    let file = Authority::of(MICROSOFT).issue(leaf);
    app.certificates.keep(&address, genuine(file.der(), then.as_second() as u64));
    app
}

fn genuine(file: &[u8], now: u64) -> Genuine {
    Trust::from_pem(&Authority::of(MICROSOFT).bundle()).unwrap().genuine(file, now).unwrap()
}

fn url(name: &str) -> String {
    format!("{FOLDER}{name}")
}

fn event(name: &str, id: &str) -> Vec<u8> {
    event_at(name, id, "2026-03-19T09:14:22.0135527+00:00")
}

fn event_at(name: &str, id: &str, at: &str) -> Vec<u8> {
    let uri = format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{id}");
    format!(r#"{{"EventName":"{name}","ResourceUri":"{uri}","ResourceName":"referral","AuditUri":null,"ResourceChangeUtcDate":"{at}"}}"#)
        .into_bytes()
}

const ID: &str = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";

async fn answer(app: &App, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let answer = handle(app, &fixtures::event(headers, body)).await;
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
    (status, answer["body"].as_str().unwrap().to_owned())
}

/// Signed as it should be.
async fn signed(app: &App, body: &[u8]) -> u16 {
    answer(app, &headers(&format!("Signature {}", sign(body)), &url(NAME)), body).await.0
}

#[tokio::test]
async fn a_verified_event_we_do_not_handle_is_answered_200() {
    let app = warm();
    assert_eq!(signed(&app, &event("subscription-updated", "x")).await, 200);
    assert_eq!(signed(&app, &event("test-created", "x")).await, 200);
}

#[tokio::test]
async fn a_verified_body_that_says_nothing_is_answered_400() {
    let app = warm();
    for body in [b"hello".to_vec(), b"{}".to_vec(), event("referral-updated", "42"), vec![0xff, 0xfe]] {
        assert_eq!(signed(&app, &body).await, 400, "{}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn every_verification_failure_is_answered_401_in_the_same_words() {
    let (warm, expired) = (warm(), warm_with(Leaf { until: 2025, ..GENUINE }));
    let body = event("referral-updated", ID);
    let (good, bad) = (format!("Signature {}", sign(&body)), format!("Signature {}", forge(&body)));
    let (here, listed) = (url(NAME), headers(&good, FOLDER));
    let without = |name: &str| -> Vec<(&str, &str)> {
        headers(&good, &here).into_iter().filter(|(n, _)| *n != name).collect()
    };
    let forged = headers(&bad, &here);
    // The certificate is asked for again as often as is allowed before a forged signature is a plain refusal.
    for _ in 0..4 {
        assert_eq!(answer(&warm, &forged, &body).await.0, 503);
        assert_eq!(answer(&expired, &headers(&good, &here), &body).await.0, 503);
    }
    let foreign = headers(&good, "https://evil.example/cert/x.cer");
    let mut told = vec![
        answer(&warm, &without("authorization"), &body).await,
        answer(&warm, &without("x-ms-certificate-url"), &body).await,
        answer(&warm, &without("x-ms-signature-algorithm"), &body).await,
        answer(&warm, &forged, &body).await,
        answer(&warm, &foreign, &body).await,
        answer(&warm, &listed, &body).await,
        answer(&expired, &headers(&good, &here), &body).await,
        answer(&warm, &headers("Signature ?", &here), b"hello").await,
    ];
    told.dedup();
    assert_eq!(told, [(401, r#"{"status":"not verified"}"#.to_owned())]);
}

#[tokio::test]
async fn with_a_replaced_certificate_the_former_ones_verdict_is_gone() {
    let (app, body) = (warm(), event("test-created", "x"));
    let (former, renewed) = (format!("Signature {}", sign(&body)), format!("Signature {}", forge(&body)));
    let here = url(NAME);
    assert_eq!(answer(&app, &headers(&former, &here), &body).await.0, 200);
    assert_eq!(answer(&app, &headers(&renewed, &here), &body).await.0, 503, "asks in vain for a renewed one");
    let address = app.certificates.on_list(&here).unwrap();
    let file = Authority::of(MICROSOFT).renew();
    app.certificates.keep(&address, genuine(file.der(), app.now()));
    assert_eq!(answer(&app, &headers(&renewed, &here), &body).await.0, 200);
    assert_eq!(answer(&app, &headers(&former, &here), &body).await.0, 503);
}

#[tokio::test]
async fn a_large_body_is_answered_413_before_anything_else() {
    let largest = vec![b' '; BODY_LIMIT];
    assert_eq!(answer(&app(), &[], &largest).await.0, 401);
    assert_eq!(answer(&app(), &[], &[largest, vec![b' ']].concat()).await.0, 413);
}

#[tokio::test]
async fn another_path_is_answered_401_and_a_silent_vault_503() {
    let (app, body) = (warm(), event("test-created", "x"));
    let signature = format!("Signature {}", sign(&body));
    let here = url(NAME);
    let genuine = String::from_utf8(fixtures::event(&headers(&signature, &here), &body)).unwrap();
    let status = |answer: Value| answer["statusCode"].as_u64();
    assert_eq!(status(handle(&app, genuine.as_bytes()).await), Some(200));
    for path in ["/webhook", "/webhook/", "/", "/webhook/other", &format!("/webhook/{}/x", fixtures::SEGMENT)]
    {
        let other = genuine.replace(&format!("/webhook/{}", fixtures::SEGMENT), path);
        assert_eq!(status(handle(&app, other.as_bytes()).await), Some(401), "{path}");
    }
    let variables = |name: &str| match name {
        "QUEUE_URL" => Some(format!("{CLOSED}/000000000000/hints.fifo")),
        "WEBHOOK_TOKEN_ARN" => Some("arn:token".to_owned()),
        _ => None,
    };
    let config = config::Ingress::read(&variables).unwrap();
    let fresh = App::new(&config, &aws::at(CLOSED).unwrap(), Clock::of(|| NOW)).unwrap();
    assert_eq!(status(handle(&fresh, genuine.as_bytes()).await), Some(503));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_answered_401_too() {
    for event in ["7", "{", r#"{"body":"QQ","isBase64Encoded":true}"#, r#"{"headers":{"authorization":7}}"#] {
        let answer = handle(&warm(), event.as_bytes()).await;
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&401.into(), &r#"{"status":"not verified"}"#.into())
        );
    }
}

#[tokio::test]
async fn a_silent_queue_is_answered_503() {
    let app = warm();
    for name in ["referral-created", "related-referral-updated"] {
        assert_eq!(signed(&app, &event(name, ID)).await, 503);
    }
}

#[tokio::test]
async fn an_event_of_another_time_is_answered_200_and_never_reaches_the_queue() {
    let app = warm();
    for (at, answer) in [
        ("2019-02-17T00:05:39.5485487+00:00", 200),
        ("2026-03-13T09:00:00Z", 200),
        ("2026-03-13T10:00:00Z", 503),
        ("2026-03-20T09:56:00Z", 503),
        ("2026-03-20T10:04:00Z", 200),
        ("9999-12-30T00:00:00Z", 200),
    ] {
        for name in ["referral-updated", "related-referral-updated"] {
            assert_eq!(signed(&app, &event_at(name, ID, at)).await, answer, "{name} at {at}");
        }
    }
}

#[tokio::test]
async fn a_silent_certificate_host_is_answered_503_and_bounded() {
    let app = app();
    let body = event("referral-updated", ID);
    let authorization = format!("Signature {}", sign(&body));
    // The fetches that made-up names may cause are used up. The answer is still 503, which has the sender try again,
    // and the known name is still fetched.
    for n in 0..12 {
        let made_up = url(&format!("{n}.cer"));
        assert_eq!(answer(&app, &headers(&authorization, &made_up), &body).await.0, 503);
    }
    let address = app.certificates.on_list(&url("99.cer")).unwrap();
    assert_eq!(app.certificates.fetch(&address).await, Err(NoCertificate::TooOften));
    let known = app.certificates.on_list(&url(NAME)).unwrap();
    assert!(matches!(app.certificates.fetch(&known).await, Err(NoCertificate::NotNow(_))));
}
