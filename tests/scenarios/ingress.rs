//! The webhook's door: what gets in, and what every refusal looks like.

mod address;
mod corpus;
mod door;
mod flips;
mod flood;
mod issuers;
mod papers;
mod replay;

use crate::deal::Stage;
use door::{BODY, body_at};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use simulators::partner_center::{Forge, send};

type Headers = Vec<(&'static str, String)>;

async fn post(stage: &Stage, headers: &Headers, body: impl Into<bytes::Bytes>) -> (u16, String) {
    send(&stage.webhook_url, headers, body).await.expect("an answer")
}

fn signed(stage: &Stage, body: &[u8], forge: Forge) -> Headers {
    stage.partner_center.system().headers(body, forge)
}

fn certificate_fetches(stage: &Stage) -> usize {
    stage.partner_center.requests().iter().filter(|log| log.route.contains("cert/")).count()
}

#[tokio::test]
async fn t04_only_what_partner_center_signed_gets_in_and_all_refusals_look_the_same() {
    let stage = Stage::open().await;
    let mut refusals = vec![];
    for forge in Forge::ALL.into_iter().filter(|forge| !Forge::INCOMPLETE.contains(forge)) {
        // Ten unknown addresses are fetched in an hour.
        stage.advance(360);
        let headers = signed(&stage, BODY.as_bytes(), forge);
        let (status, answer) = post(&stage, &headers, BODY.as_str()).await;
        if Forge::GENUINE.contains(&forge) {
            assert_eq!(status, 200, "{forge:?}");
        } else {
            assert_eq!(status, 401, "{forge:?}: {answer}");
            refusals.push(answer);
        }
    }
    let genuine = signed(&stage, BODY.as_bytes(), Forge::Microsoft);
    let of_signature =
        |name: &str| name.to_lowercase().starts_with("x-ms-") || name.eq_ignore_ascii_case("authorization");
    for name in genuine.iter().map(|(name, _)| *name).filter(|name| of_signature(name)) {
        let without: Headers = genuine.iter().filter(|(n, _)| *n != name).cloned().collect();
        let (status, answer) = post(&stage, &without, BODY.as_str()).await;
        assert_eq!(status, 401, "without `{name}`");
        refusals.push(answer);
    }
    let (status, answer) = post(&stage, &genuine, BODY.replace("updated", "created")).await;
    assert_eq!(status, 401, "another body");
    refusals.push(answer);
    assert!(refusals.len() > 10);
    assert!(refusals.iter().all(|answer| *answer == refusals[0]), "one fixed body");
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn verified_but_unusable_is_400_and_verified_but_unknown_is_200() {
    let stage = Stage::open().await;
    for body in [
        "not json",
        "[]",
        "{}",
        &BODY.replace("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "42"),
        &BODY.replace("UtcDate\":\"", "UtcDate\":\"yesterday"),
    ] {
        let headers = signed(&stage, body.as_bytes(), Forge::Microsoft);
        assert_eq!(post(&stage, &headers, body.to_owned()).await.0, 400, "{body}");
    }
    let other = BODY.replace("referral-updated", "subscription-updated");
    let headers = signed(&stage, other.as_bytes(), Forge::Microsoft);
    assert_eq!(post(&stage, &headers, other).await.0, 200);
    assert_eq!(stage.messages(), 0, "logged, not enqueued");
    stage.end().await.unwrap();
}

#[tokio::test]
async fn what_a_stranger_adds_to_an_event_changes_nothing() {
    let stage = Stage::open().await;
    let mut headers = signed(&stage, BODY.as_bytes(), Forge::Microsoft);
    for (name, value) in [("x-forwarded-proto", "ht tp"), ("x-forwarded-host", "[::\""), ("cookie", "\"=;")] {
        headers.push((name, value.to_owned()));
    }
    let odd = format!("{}?a=%22&b=%", stage.webhook_url);
    assert_eq!(send(&odd, &headers, BODY.as_str()).await.expect("an answer").0, 200);
    headers.retain(|(name, _)| {
        !name.to_lowercase().ends_with("signature") && !name.eq_ignore_ascii_case("authorization")
    });
    assert_eq!(send(&odd, &headers, BODY.as_str()).await.expect("an answer").0, 401);
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn genuine_events_of_another_time_cost_nothing() {
    let stage = Stage::open().await;
    let at = |days: i64| stage.now() - SignedDuration::from_hours(24 * days);
    stage.forget_calls();
    for when in [at(8), at(2500), at(-1), Timestamp::MAX] {
        for name in
            ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"]
        {
            let body = body_at(name, when);
            let headers = signed(&stage, body.as_bytes(), Forge::Microsoft);
            assert_eq!(post(&stage, &headers, body).await.0, 200, "{name} of {when}");
        }
    }
    assert_eq!((stage.messages(), stage.calls()), (0, vec![]));
    let body = body_at("referral-updated", at(6));
    let headers = signed(&stage, body.as_bytes(), Forge::Microsoft);
    assert_eq!(post(&stage, &headers, body).await.0, 200);
    assert_eq!(stage.messages(), 1);
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn too_large_is_413_before_anything_else() {
    let stage = Stage::open().await;
    let body = "x".repeat(64 * 1024 + 1);
    assert_eq!(post(&stage, &vec![], body).await.0, 413);
    assert_eq!(certificate_fetches(&stage), 0);
    stage.end().await.unwrap();
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_503_so_that_microsoft_tries_again() {
    use simulators::server::{Fault, FaultKind};
    let stage = Stage::open().await;
    let referral = stage.refer(json!({}));
    let down = FaultKind::Answer { status: 500, headers: [].into(), body: String::new() };
    stage.aws.fault(Fault { route: "AmazonSQS.SendMessage".into(), skip: 0, times: 20, kind: down });
    stage.webhooks().await;
    let attempts: Vec<_> = {
        let system = stage.partner_center.system();
        system
            .outbox()
            .iter()
            .filter(|e| e.id == referral)
            .flat_map(|e| e.attempts.clone())
            .map(|a| a.status)
            .collect()
    };
    assert_eq!(attempts, [503]);
    stage.aws.clear_faults();
    stage.rest().await;
    assert_eq!(stage.opportunity()["cosell_referralid"], referral, "the next attempt gets through");
    stage.close().await;
}
