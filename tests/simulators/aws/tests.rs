//! The rules of the AWS simulator, asked for with raw requests as the SDK writes them.

mod queue;
mod rules;
mod secrets;

use super::*;
use bytes::Bytes;
use jiff::SignedDuration;

/// One simulator and a time that tests move.
struct World {
    aws: Aws,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        World { aws: Aws::new("http://127.0.0.1:1"), now: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    /// `work.fifo` (30 s) with `dead.fifo` behind it after two receives.
    fn with_queues() -> Self {
        let mut world = World::new();
        world.aws.create_fifo("dead.fifo", None, 30);
        world.aws.create_fifo("work.fifo", Some(("dead.fifo", 2)), 30);
        world
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn raw(&mut self, target: &str, body: Value) -> Response {
        let kind = if target.starts_with("AmazonSQS") { "1.0" } else { "1.1" };
        let headers = BTreeMap::from([
            ("x-amz-target".to_owned(), target.to_owned()),
            ("content-type".to_owned(), format!("application/x-amz-json-{kind}")),
        ]);
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Bytes::from(body.to_string()),
        };
        self.aws.handle(&request, self.now)
    }

    fn call(&mut self, target: &str, body: Value) -> Value {
        let response = self.raw(target, body);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, 200, "{target}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The code of a refusal, as the SDK reads it, and its words.
    fn refused(&mut self, target: &str, body: Value) -> (String, String) {
        let response = self.raw(target, body);
        let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        assert!((400..500).contains(&response.status), "{target}: {} {json}", response.status);
        let header = response.headers.iter().find(|(name, _)| name == "x-amzn-query-error");
        let code = match header {
            Some((_, value)) => value.strip_suffix(";Sender").unwrap().to_owned(),
            None => json["__type"].as_str().unwrap().to_owned(),
        };
        let message = json["message"].as_str().or(json["Message"].as_str()).unwrap_or_default();
        (code, message.to_owned())
    }

    /// An SQS call on a queue.
    fn sqs(&mut self, operation: &str, queue: &str, mut body: Value) -> Value {
        body["QueueUrl"] = json!(self.aws.queue_url(queue));
        self.call(&format!("AmazonSQS.{operation}"), body)
    }

    fn sqs_refused(&mut self, operation: &str, queue: &str, mut body: Value) -> (String, String) {
        body["QueueUrl"] = json!(self.aws.queue_url(queue));
        self.refused(&format!("AmazonSQS.{operation}"), body)
    }

    fn send(&mut self, group: &str, body: &str) -> Value {
        let message = json!({ "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body });
        self.sqs("SendMessage", "work.fifo", message)
    }

    /// (body, handle) of what a receive gives.
    fn receive(&mut self, queue: &str, max: u32) -> Vec<(String, String)> {
        let answer = self.sqs("ReceiveMessage", queue, json!({ "MaxNumberOfMessages": max }));
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|m| (text(&m["Body"]), text(&m["ReceiptHandle"]))).collect()
    }

    fn bodies(&mut self, max: u32) -> Vec<String> {
        self.receive("work.fifo", max).into_iter().map(|(body, _)| body).collect()
    }

    fn delete(&mut self, handle: &str) {
        self.sqs("DeleteMessage", "work.fifo", json!({ "ReceiptHandle": handle }));
    }
}

#[test]
fn what_is_not_simulated_is_loud() {
    let mut world = World::with_queues();
    let url = world.aws.queue_url("work.fifo");
    for (target, body) in [
        ("AmazonSQS.ListQueues", json!({})),
        ("DynamoDB_20120810.GetItem", json!({})),
        ("secretsmanager.RotateSecret", json!({ "SecretId": "a" })),
        ("AmazonSQS.CreateQueue", json!({ "QueueName": "standard" })),
        ("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": "b", "MessageAttributes": {} })),
        ("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": "a\u{1}", "MessageGroupId": "g" })),
        ("AmazonSQS.ReceiveMessage", json!({ "QueueUrl": url, "ReceiveRequestAttemptId": "x" })),
    ] {
        assert_eq!(world.raw(target, body).status, 501, "{target}");
    }
}

#[test]
fn routes_name_the_operation_and_the_resource() {
    let mut world = World::with_queues();
    let arn = world.aws.put_secret("team/crm", "s");
    let url = world.aws.queue_url("work.fifo");
    let route = |target: &str, body: Value| {
        world.aws.route(&Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: BTreeMap::from([("x-amz-target".to_owned(), target.to_owned())]),
            body: Bytes::from(body.to_string()),
        })
    };
    assert_eq!(route("AmazonSQS.SendMessage", json!({ "QueueUrl": url })), "AmazonSQS.SendMessage work.fifo");
    let get = "secretsmanager.GetSecretValue";
    assert_eq!(route(get, json!({ "SecretId": arn })), format!("{get} team/crm"));
}

#[test]
fn state_shows_queues_with_messages_and_secrets_with_versions() {
    let mut world = World::with_queues();
    world.aws.put_secret("crm", "one");
    world.send("g", "hello");
    world.bodies(1);
    let state = world.aws.state();
    let message = &state["queues"]["work.fifo"]["messages"][0];
    assert_eq!((&message["body"], &message["group"]), (&json!("hello"), &json!("g")));
    assert_eq!(message["receive_count"], 1);
    assert_eq!(message["visible_at"], "2026-01-01T00:00:30Z");
    let versions = state["secrets"]["crm"]["versions"].as_object().unwrap();
    let version = versions.values().next().unwrap();
    assert_eq!(version, &json!({ "value": "one", "stages": ["AWSCURRENT"] }));
}

#[test]
fn control_makes_queues_and_secrets() {
    let mut world = World::new();
    let now = world.now;
    let mut control = |verb: &str, body: Value| world.aws.control(verb, &body, now);
    let made =
        control("create_fifo", json!({ "name": "a.fifo", "visibility_seconds": 360 })).unwrap().unwrap();
    assert_eq!(made["arn"], "arn:aws:sqs:us-east-1:000000000000:a.fifo");
    let behind = json!({ "name": "b.fifo", "dead_letter": "a.fifo", "max_receive_count": 3 });
    control("create_fifo", behind).unwrap().unwrap();
    control("create_fifo", json!({ "name": "no-suffix" })).unwrap().unwrap_err();
    let arn = control("put_secret", json!({ "name": "s", "value": "v" })).unwrap().unwrap();
    assert!(control("fly", json!({})).is_none());
    assert_eq!(world.aws.secret(arn["arn"].as_str().unwrap()).as_deref(), Some("v"));
    let attributes = &world.aws.state()["queues"]["b.fifo"]["attributes"];
    assert!(attributes["RedrivePolicy"].as_str().unwrap().contains("\"maxReceiveCount\":3"));
}
