//! The registration: T-01 to T-03, T-60, and CloudFormation's custom resource.

use super::{command, told, words};
use crate::deal::Stage;
use jiff::Timestamp;
use local::world::{EVENTS, Options, SEGMENT, SEGMENT_SECRET, World};
use serde_json::{Value, json};
use simulators::partner_center::Forge;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const FOREIGN: &str = "https://flows.example/webhook";

async fn without_registration() -> World {
    let world = World::start(Options::default()).await.unwrap();
    world.partner_center.system().unregister_webhook();
    world
}

fn registered(world: &World) -> (String, Vec<String>) {
    let system = world.partner_center.system();
    let registration = system.registration().expect("a registration");
    let mut events = registration.events.clone();
    events.sort();
    (registration.url.clone(), events)
}

fn ours(world: &World) -> (String, Vec<String>) {
    let mut events = EVENTS.map(str::to_owned).to_vec();
    events.sort();
    (world.webhook_url.clone(), events)
}

#[tokio::test]
async fn t01_without_a_registration_four_events_are_registered() {
    let world = without_registration().await;
    let answer = world.call(json!({ "command": "register" })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(registered(&world), ours(&world));
    let sent = |method: &str| world.partner_center.count(|log| log.method == method);
    assert_eq!((sent("POST"), sent("PUT")), (1, 0));
    // Once more changes nothing.
    world.call(json!({ "command": "register" })).await;
    assert_eq!((sent("POST"), sent("PUT")), (1, 0));
    world.end().await.unwrap();
}

#[tokio::test]
async fn t02_a_foreign_registration_is_left_alone_and_told_loudly() {
    let stage = Stage::open().await;
    let now = stage.now();
    stage.partner_center.system().register_webhook(FOREIGN, &EVENTS, false, now);
    let (ok, told) = told(&stage, json!({ "command": "register" })).await;
    assert!(ok && told.contains("warning") && told.contains(FOREIGN), "{told}");
    assert_eq!(registered(&stage).0, FOREIGN);
}

#[tokio::test]
async fn t03_a_foreign_registration_is_taken_over_if_that_is_asked() {
    let stage = Stage::open().await;
    let now = stage.now();
    stage.partner_center.system().register_webhook(FOREIGN, &EVENTS[..1], false, now);
    let answer = command(&stage, json!({ "command": "register", "overwrite": "yes" })).await;
    assert!(words(&answer).contains(FOREIGN));
    assert_eq!(registered(&stage), ours(&stage));
    assert_eq!(stage.partner_center.count(|log| log.method == "PUT"), 1);
    stage.close().await;
}

#[tokio::test]
async fn t60_a_stolen_registration_is_seen_by_the_next_watch_and_the_sweep_bridges_it() {
    let stage = Stage::open().await;
    assert!(told(&stage, json!({ "command": "watch" })).await.1.contains("0 deals are parked"));
    let now = stage.now();
    stage.partner_center.system().register_webhook(FOREIGN, &EVENTS, false, now);
    let (_, told) = told(&stage, json!({ "command": "watch" })).await;
    assert!(told.contains("warning") && told.contains(FOREIGN), "{told}");
    stage.partner_center.system().unregister_webhook();
    stage.refer(json!({}));
    stage.partner_center.system().lose();
    stage.poll().await;
    assert_eq!(stage.opportunities().len(), 1);
}

#[tokio::test]
async fn what_is_ours_but_incomplete_is_completed() {
    let stage = Stage::open().await;
    let (now, url) = (stage.now(), stage.webhook_url.clone());
    stage.partner_center.system().register_webhook(&url, &EVENTS[..2], false, now);
    command(&stage, json!({ "command": "register" })).await;
    assert_eq!(registered(&stage), ours(&stage));
    stage.close().await;
}

#[tokio::test]
async fn a_self_test_goes_all_the_way_and_leaves_the_registration_as_it_was() {
    let stage = Stage::open().await;
    // Partner Center delivers by itself.
    let answer = tokio::select! {
        answer = stage.call(json!({ "command": "selftest" })) => answer,
        _ = async {
            loop {
                stage.webhooks().await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        } => unreachable!(),
    };
    assert!(answer["ok"] == true && words(&answer).contains("`OK`"), "{answer:#}");
    assert_eq!(registered(&stage), ours(&stage));
    stage.close().await;
}

#[tokio::test]
async fn set_up_and_self_test_name_the_issuer_that_is_missing_and_fail_for_nothing_else() {
    const ISSUER: &str = "`Simulated Microsoft Azure RSA TLS Issuing CA` is missing";
    let world = without_registration().await;
    world.partner_center.system().serve_certificate(Forge::NoAddress);
    let (_, heard) = cloud_formation(&world, "Create").await;
    assert_eq!(heard["Status"], "SUCCESS", "{heard}");
    let outcome = heard["Data"]["Outcome"].as_str().unwrap_or_default();
    assert!(outcome.contains(ISSUER) && outcome.contains("CertificateRootsPem"), "{outcome}");
    assert_eq!(registered(&world), ours(&world));
    let answer = tokio::select! {
        answer = world.call(json!({ "command": "selftest" })) => answer,
        _ = async {
            loop {
                world.webhooks().await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        } => unreachable!(),
    };
    // The event itself is refused, and the line before it says why.
    assert!(answer["ok"] == false && words(&answer).contains(ISSUER), "{answer:#}");
    let (_, heard) = cloud_formation(&world, "Delete").await;
    assert!(heard["Status"] == "SUCCESS" && !heard.to_string().contains(ISSUER), "{heard}");
}

async fn cloud_formation(world: &World, kind: &str) -> (Value, Value) {
    cloud_formation_for(world, kind, 300).await
}

/// CloudFormation's side: an address that takes one answer. The function's run is killed after so many seconds.
async fn cloud_formation_for(world: &World, kind: &str, seconds: i64) -> (Value, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/answer?signed=yes", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(String::new()));
    let heard = told.clone();
    let taken = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut bytes = [0; 4096];
            let n = socket.read(&mut bytes).await.unwrap();
            text += &String::from_utf8_lossy(&bytes[..n]);
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        *heard.lock().unwrap() = text;
    });
    let event = json!({
        "RequestType": kind, "ResponseURL": url, "StackId": local::world::STACK_ID, "RequestId": "r-1",
        "LogicalResourceId": "Setup", "PhysicalResourceId": "setup", "ResourceType": "Custom::Setup",
        "ResourceProperties": { "ServiceToken": "arn:function" },
    });
    let answer = world.call_for(event, seconds).await;
    taken.await.unwrap();
    let text = told.lock().unwrap().clone();
    assert!(
        text.starts_with("PUT /answer?signed=yes") && !text.to_lowercase().contains("content-type"),
        "{text}"
    );
    let heard = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    (answer, heard)
}

#[tokio::test]
async fn a_deployment_registers_and_a_removal_gives_the_registration_back() {
    for empty in [false, true] {
        let world = without_registration().await;
        world.partner_center.system().switches.empty_event_list = empty;
        let (answer, heard) = cloud_formation(&world, "Create").await;
        assert_eq!(answer, heard);
        assert_eq!(heard["Status"], "SUCCESS", "{heard}");
        for (member, value) in
            [("StackId", local::world::STACK_ID), ("RequestId", "r-1"), ("LogicalResourceId", "Setup")]
        {
            assert_eq!(heard[member], value);
        }
        assert_eq!(registered(&world), ours(&world));
        assert_eq!(cloud_formation(&world, "Update").await.1["Status"], "SUCCESS");
        assert_eq!(cloud_formation(&world, "Delete").await.1["Status"], "SUCCESS");
        // Anybody who may invoke the function could have sent them.
        let acts = world.call(json!({ "command": "acts" })).await;
        let kept = acts["data"]["acts"].as_array().unwrap();
        assert!(kept.iter().all(|act| act["who"] == "not proven: a stack's request"), "{acts:#}");
        assert!(kept.iter().all(|act| act["on"] == "r-1" && act["outcome"].is_string()), "{acts:#}");
        let commands: Vec<&str> = kept.iter().filter_map(|act| act["command"].as_str()).collect();
        assert_eq!(commands, ["stack Delete", "stack Update", "stack Create"]);
        let left: &[&str] = if empty { &[] } else { &["test-created"] };
        assert_eq!(registered(&world).1, left);
    }
}

#[tokio::test]
async fn a_deployment_that_leaves_the_webhook_alone_names_the_parameter_that_decided() {
    let world = World::start(Options { staging: true, ..Options::default() }).await.unwrap();
    let (_, heard) = cloud_formation(&world, "Create").await;
    assert_eq!(heard["Status"], "SUCCESS", "{heard}");
    assert_eq!(heard["Data"]["Outcome"], "PartnerCenterWrites=none: the webhook is left alone", "{heard}");
}

#[tokio::test]
async fn what_is_not_this_stacks_cloudformations_changes_nothing_and_nobody_is_told() {
    let world = World::start(Options::default()).await.unwrap();
    let told = world.aws.requests().len();
    for (url, stack) in [
        ("https://evil.example/answer", local::world::STACK_ID),
        ("http://169.254.169.254/answer", local::world::STACK_ID),
        ("http://127.0.0.1:9/answer", "arn:another-stack"),
    ] {
        let event = json!({
            "RequestType": "Delete", "ResponseURL": url, "StackId": stack, "RequestId": "r-1",
            "LogicalResourceId": "Setup", "PhysicalResourceId": "setup",
        });
        let answer = world.call(event).await;
        assert!(answer["ok"] == false && answer.get("Status").is_none(), "{answer}");
    }
    assert_eq!(registered(&world), ours(&world));
    assert_eq!(world.aws.requests().len(), told, "nothing was even looked up");
}

#[tokio::test]
async fn a_foreign_registration_does_not_fail_a_deployment_and_stays_after_a_removal() {
    let world = without_registration().await;
    let now = world.now();
    world.partner_center.system().register_webhook(FOREIGN, &EVENTS, false, now);
    let (_, heard) = cloud_formation(&world, "Create").await;
    assert_eq!(heard["Status"], "SUCCESS");
    assert!(heard["Data"]["Outcome"].as_str().unwrap().contains(FOREIGN), "{heard}");
    assert_eq!(cloud_formation(&world, "Delete").await.1["Status"], "SUCCESS");
    assert_eq!(registered(&world).0, FOREIGN);
}

#[tokio::test]
async fn what_is_not_registered_ends_the_address_without_a_secret_all_the_same() {
    for (staging, kind, hours) in
        [(true, "Create", 0), (true, "Update", 24), (false, "Create", 0), (false, "Update", 24)]
    {
        let world = World::start(Options { staging, ..Options::default() }).await.unwrap();
        let now = world.now();
        world.partner_center.system().register_webhook(FOREIGN, &EVENTS, false, now);
        world.aws.system().put_secret(SEGMENT_SECRET, &json!({ "token": SEGMENT }).to_string());
        let (_, heard) = cloud_formation(&world, kind).await;
        assert_eq!(heard["Status"], "SUCCESS", "{heard}");
        assert_eq!(registered(&world).0, FOREIGN);
        let stored: Value =
            serde_json::from_str(&world.aws.system().secret(SEGMENT_SECRET).unwrap()).unwrap();
        let until: Timestamp = stored["previous_until"].as_str().unwrap().parse().unwrap();
        assert_eq!(until.duration_since(now).as_hours(), hours, "{kind}: {stored}");
    }
}

#[tokio::test]
async fn a_failing_set_up_says_in_one_sentence_why_and_a_removal_never_fails() {
    let world = without_registration().await;
    world.login.system().revoke();
    let (_, heard) = cloud_formation(&world, "Create").await;
    assert_eq!(heard["Status"], "FAILED");
    let reason = heard["Reason"].as_str().unwrap();
    assert!(reason.contains("invalid_grant") && !reason.contains('\n') && reason.len() < 1001, "{reason}");
    assert_eq!(cloud_formation(&world, "Delete").await.1["Status"], "SUCCESS");
}

#[tokio::test]
async fn an_update_does_not_fail_by_a_vendors_trouble_and_the_watch_finishes_the_work() {
    let world = without_registration().await;
    world.login.system().revoke();
    let (_, heard) = cloud_formation(&world, "Update").await;
    assert_eq!(heard["Status"], "SUCCESS");
    assert!(heard["Data"]["Outcome"].as_str().unwrap().contains("invalid_grant"), "{heard}");
    assert!(world.partner_center.system().registration().is_none());
    let now = world.now();
    let token = world.login.system().consent(now);
    let secret = json!({ "client_secret": simulators::login::PARTNER_SECRET, "refresh_token": token });
    world.aws.system().put_secret("partner-center", &secret.to_string());
    let answer = world.call(json!({ "command": "watch" })).await;
    assert!(words(&answer).contains("registered: "), "{answer:#}");
    assert_eq!(registered(&world), ours(&world));
}

#[tokio::test]
async fn a_set_up_without_the_time_for_all_columns_says_so_and_what_makes_the_rest() {
    let world = without_registration().await;
    world.dataverse.system().unprovision();
    let (_, heard) = cloud_formation_for(&world, "Create", 45).await;
    let outcome = heard["Data"]["Outcome"].as_str().unwrap_or_default();
    assert!(heard["Status"] == "SUCCESS" && outcome.contains("no time left"), "{heard}");
    let rest = world.call(json!({ "command": "provision" })).await;
    assert!(rest["ok"] == true && words(&rest).contains("made column"), "{rest:#}");
}

#[tokio::test]
async fn a_registration_that_was_given_back_is_not_taken_again_by_the_watch() {
    let world = World::start(Options::default()).await.unwrap();
    assert_eq!(world.call(json!({ "command": "unregister" })).await["ok"], true);
    let answer = world.call(json!({ "command": "watch" })).await;
    assert!(words(&answer).contains("given back"), "{answer:#}");
    assert_eq!(registered(&world).1, ["test-created"]);
}
