//! The public address: unguessable, renewed by a command, and an upgrade loses nothing.

use super::{door::BODY, signed};
use crate::deal::Stage;
use jiff::Timestamp;
use local::world::{EVENTS, Options, SEGMENT, SEGMENT_SECRET};
use serde_json::{Value, json};
use simulators::{
    partner_center::{Forge, send},
    server::{Fault, FaultKind},
};

const DAY: i64 = 24 * 3600;

fn base(stage: &Stage) -> String {
    stage.webhook_url.trim_end_matches(SEGMENT).trim_end_matches('/').to_owned()
}

/// What a genuine event is answered at this address.
async fn knock(stage: &Stage, url: &str) -> u16 {
    send(url, &signed(stage, BODY.as_bytes(), Forge::Microsoft), BODY.as_str()).await.expect("an answer").0
}

fn registered(stage: &Stage) -> String {
    stage.partner_center.system().registration().expect("a registration").url.clone()
}

fn store(stage: &Stage, secret: &Value) {
    stage.aws.system().put_secret(SEGMENT_SECRET, &secret.to_string());
}

fn looks(stage: &Stage) -> usize {
    stage.aws.count(|log| log.route.contains("GetSecretValue") && log.body.contains(SEGMENT_SECRET))
}

#[tokio::test]
async fn a_genuine_event_at_another_path_is_refused_before_anything_is_spent_on_it() {
    let stage = Stage::open().await;
    let base = base(&stage);
    for path in ["", "/", "/other", &format!("/{}", &SEGMENT[1..]), &format!("/{SEGMENT}x")] {
        let (status, body) =
            send(&format!("{base}{path}"), &signed(&stage, BODY.as_bytes(), Forge::Microsoft), BODY.as_str())
                .await
                .expect("an answer");
        assert_eq!((status, body.as_str()), (401, r#"{"status":"not verified"}"#), "{path}");
    }
    assert_eq!(super::certificate_fetches(&stage), 0);
    assert_eq!(looks(&stage), 1, "a stranger makes us look once a minute at most");
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn a_stack_from_before_is_told_of_at_both_addresses_until_the_new_one_has_been_registered_for_a_day() {
    let stage = Stage::open().await;
    store(&stage, &json!({ "token": SEGMENT }));
    let (base, now) = (base(&stage), stage.now());
    stage.partner_center.system().register_webhook(&base, &EVENTS, false, now);
    assert_eq!(knock(&stage, &base).await, 200, "not registered anew yet");
    let answer = stage.call(json!({ "command": "watch" })).await;
    assert!(
        !answer.to_string().contains(SEGMENT) && answer.to_string().contains("/webhook/***"),
        "{answer:#}"
    );
    assert_eq!(registered(&stage), stage.webhook_url);
    stage.advance(DAY - 60);
    assert_eq!(knock(&stage, &base).await, 200);
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    stage.advance(120);
    assert_eq!(knock(&stage, &base).await, 401);
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn rotate_makes_an_address_that_a_genuine_sender_never_notices() {
    let stage = Stage::open().await;
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    stage.advance(61);
    let answer = stage.call(json!({ "command": "rotate" })).await;
    assert_eq!(answer["ok"], true, "{answer:#}");
    let new = registered(&stage);
    let segment = new.rsplit('/').next().unwrap_or_default().to_owned();
    assert!(new != stage.webhook_url && segment.len() == 43, "{new}");
    assert!(!answer.to_string().contains(&segment) && !answer.to_string().contains(SEGMENT), "{answer:#}");
    let both = [new, stage.webhook_url.clone()];
    for url in &both {
        assert_eq!(knock(&stage, url).await, 200);
    }
    stage.advance(DAY + 60);
    assert_eq!(knock(&stage, &both[0]).await, 200);
    assert_eq!(knock(&stage, &both[1]).await, 401);
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn what_partner_center_would_not_register_stays_good_where_it_was() {
    let stage = Stage::open().await;
    let down = FaultKind::Answer { status: 500, headers: [].into(), body: String::new() };
    stage.partner_center.fault(Fault { route: "registration".into(), skip: 0, times: 20, kind: down });
    assert_eq!(stage.call(json!({ "command": "rotate" })).await["ok"], false);
    stage.partner_center.clear_faults();
    assert_eq!(registered(&stage), stage.webhook_url);
    stage.advance(3 * DAY);
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200, "nobody knows another one yet");
    stage.call(json!({ "command": "watch" })).await;
    assert_ne!(registered(&stage), stage.webhook_url);
    stage.rest().await;
}

#[tokio::test]
async fn a_second_rotate_never_shuts_out_the_address_that_partner_center_calls() {
    for staging in [false, true] {
        let stage = Stage::with(Options { twice: true, staging, ..Options::default() }).await;
        if !staging {
            let down = FaultKind::Answer { status: 500, headers: [].into(), body: String::new() };
            stage.partner_center.fault(Fault {
                route: "registration".into(),
                skip: 0,
                times: 99,
                kind: down,
            });
        }
        let first = stage.call(json!({ "command": "rotate" })).await;
        assert!(first["ok"] == staging && first.to_string().contains("register\\\""), "{first:#}");
        let second = stage.call(json!({ "command": "rotate" })).await;
        assert!(second["ok"] == staging && second.to_string().contains("no other one is made"), "{second:#}");
        stage.partner_center.clear_faults();
        stage.advance(301);
        assert_eq!(knock(&stage, &stage.webhook_url).await, 200, "Partner Center knows no other one");
        let done = stage.call(json!({ "command": "register" })).await;
        let new = registered(&stage);
        assert!(done["ok"] == true && new != stage.webhook_url, "{done:#}");
        for url in [&new, &stage.webhook_url] {
            assert_eq!(knock(&stage, url).await, 200);
        }
        stage.advance(DAY + 60);
        assert_eq!(knock(&stage, &stage.webhook_url).await, 401);
        stage.rest().await;
    }
}

#[tokio::test]
async fn a_silent_vault_is_503_and_never_200_and_what_was_good_stays_good() {
    let stage = Stage::open().await;
    let silent = || FaultKind::Answer { status: 500, headers: [].into(), body: String::new() };
    let fault = || Fault { route: "GetSecretValue".into(), skip: 0, times: 99, kind: silent() };
    stage.aws.fault(fault());
    assert_eq!(knock(&stage, &stage.webhook_url).await, 503);
    stage.aws.clear_faults();
    stage.advance(61);
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    stage.aws.fault(fault());
    stage.advance(3600);
    assert_eq!(knock(&stage, &stage.webhook_url).await, 200);
    assert_eq!(knock(&stage, &format!("{}/other", base(&stage))).await, 503, "it may be a new one");
    stage.aws.clear_faults();
    stage.rest().await;
    stage.end().await.unwrap();
}

#[tokio::test]
async fn whatever_partner_center_says_of_the_address_nobody_is_shown_it() {
    let stage = Stage::open().await;
    stage.partner_center.system().unregister_webhook();
    let body =
        json!({ "code": "400", "description": format!("{} is refused", stage.webhook_url) }).to_string();
    let kind = FaultKind::Answer { status: 400, headers: [].into(), body };
    stage.partner_center.fault(Fault { route: "POST".into(), skip: 0, times: 1, kind });
    let answer = stage.call(json!({ "command": "register" })).await;
    assert!(answer["ok"] == false && !answer.to_string().contains(SEGMENT), "{answer:#}");
    stage.partner_center.clear_faults();
    let says = |route: &str| {
        let body =
            json!({ "code": "400", "description": format!("{} is odd", stage.webhook_url) }).to_string();
        let kind = FaultKind::Answer { status: 400, headers: [].into(), body };
        stage.partner_center.fault(Fault { route: route.into(), skip: 0, times: 1, kind });
    };
    for command in ["register", "selftest", "doctor", "watch", "unregister"] {
        says("GET registration");
        let answer = stage.call(json!({ "command": command })).await.to_string();
        assert!(answer.contains("/webhook/*** is odd") && !answer.contains(SEGMENT), "{command}: {answer}");
        stage.partner_center.clear_faults();
    }
    stage.call(json!({ "command": "register" })).await;
    says("validationEvents");
    let answer = stage.call(json!({ "command": "selftest" })).await.to_string();
    assert!(answer.contains("/webhook/*** is odd") && !answer.contains(SEGMENT), "{answer}");
    stage.partner_center.clear_faults();
    // Another stack of this company: its address is as secret as ours.
    let (other, now): (_, Timestamp) =
        (format!("https://other.example/webhook/{}", "a".repeat(44)), stage.now());
    stage.partner_center.system().register_webhook(&other, &EVENTS, false, now);
    let answer = stage.call(json!({ "command": "register" })).await.to_string();
    assert!(answer.contains("https://other.example/webhook/***") && !answer.contains("aaaa"), "{answer}");
}
