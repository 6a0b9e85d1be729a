//! AWS at the wire: SQS FIFO and Secrets Manager behind one listener, told apart by `x-amz-target` as the SDK sends
//! it, and of STS the one call whose query says who signed it. The event source mapping's pump and the tests use the same state through the methods of [`Aws`].

mod attributes;
mod batch;
mod fifo;
mod message;
mod refusal;
mod secrets;
mod shelf;
mod sqs;
mod sts;
#[cfg(test)]
mod tests;

pub use fifo::Sent;
pub use refusal::AwsRefusal;

use crate::server::{Request, Response, Simulator};
use jiff::Timestamp;
use refusal::Failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The region in every ARN.
pub const REGION: &str = "us-east-1";
/// The account in every ARN and queue URL.
pub const ACCOUNT: &str = "000000000000";

/// A message as a receive hands it out, with all its system attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    pub attributes: BTreeMap<String, String>,
}

/// SQS and Secrets Manager of one account. A queue is named by its name, URL or ARN, a secret by its name or ARN.
pub struct Aws {
    sqs: sqs::Sqs,
    secrets: secrets::Secrets,
}

impl Aws {
    /// `base_url` is what queue URLs begin with.
    pub fn new(base_url: &str) -> Self {
        Aws { sqs: sqs::Sqs::new(base_url), secrets: secrets::Secrets::default() }
    }

    /// Makes a FIFO queue with AWS's defaults (or leaves the same one as it is) and returns its URL. The dead-letter
    /// queue (its name and `maxReceiveCount`) must be there. For other attributes: [`Aws::create_queue`].
    pub fn create_fifo(
        &mut self,
        name: &str,
        dead_letter: Option<(&str, u32)>,
        visibility_seconds: u32,
    ) -> String {
        let mut attributes =
            BTreeMap::from([("VisibilityTimeout".to_owned(), visibility_seconds.to_string())]);
        if let Some((target, max_receive_count)) = dead_letter {
            let policy = json!({
                "deadLetterTargetArn": sqs::arn(sqs::last_part(target)), "maxReceiveCount": max_receive_count,
            });
            attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
        }
        self.create_queue(name, attributes).unwrap_or_else(|e| panic!("queue `{name}`: {e}"))
    }

    /// `CreateQueue` with these attributes; `FifoQueue` is added. Returns the URL.
    pub fn create_queue(
        &mut self,
        name: &str,
        attributes: BTreeMap<String, String>,
    ) -> Result<String, String> {
        let mut attributes = json!(attributes);
        attributes["FifoQueue"] = json!("true");
        let body = json!({ "QueueName": name, "Attributes": attributes });
        match self.sqs.call("CreateQueue", &body, Timestamp::now()) {
            Ok(answer) => Ok(answer["QueueUrl"].as_str().unwrap_or_default().to_owned()),
            Err(Failure::Refused(refusal)) => Err(refusal.message),
            Err(Failure::Unknown(why)) => Err(why),
        }
    }

    fn queue(&mut self, queue: &str) -> &mut fifo::Queue {
        let found = self.sqs.queues.get_mut(sqs::last_part(queue));
        found.unwrap_or_else(|| panic!("no queue `{queue}`"))
    }

    /// Everything in a queue, in order, whether in flight or not: `message_id`, `body`, `group`,
    /// `deduplication_id`, `sequence_number`, `sent_at`, `receive_count`, `visible_at`, `dead_letter_of`.
    pub fn messages(&self, queue: &str) -> Vec<Value> {
        let found = self.sqs.queues.get(sqs::last_part(queue));
        found.unwrap_or_else(|| panic!("no queue `{queue}`")).look()
    }

    /// How many messages a queue holds, and when the first hidden one comes back.
    pub fn waiting(&self, queue: &str, now: Timestamp) -> (usize, Option<Timestamp>) {
        let found = self.sqs.queues.get(sqs::last_part(queue));
        found.unwrap_or_else(|| panic!("no queue `{queue}`")).waiting(now)
    }

    pub fn queue_url(&self, queue: &str) -> String {
        self.sqs.url(sqs::last_part(queue))
    }

    pub fn queue_arn(&self, queue: &str) -> String {
        sqs::arn(sqs::last_part(queue))
    }

    /// `SendMessage` without the wire, for a test that plants a message.
    pub fn send(
        &mut self,
        queue: &str,
        group: &str,
        deduplication_id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Sent, AwsRefusal> {
        self.queue(queue).send(Some(group), Some(deduplication_id), body, now)
    }

    /// `ReceiveMessage` without the wire: up to `max`, hidden for `visibility` seconds (none: the queue's own).
    /// Like every method that names a queue it panics if there is no such queue.
    pub fn receive_batch(
        &mut self,
        queue: &str,
        max: usize,
        visibility: Option<u32>,
        now: Timestamp,
    ) -> Vec<Received> {
        let received = self.sqs.receive(sqs::last_part(queue), max, visibility, now);
        received.unwrap_or_else(|_| panic!("no queue `{queue}`"))
    }

    /// `DeleteMessage` without the wire.
    pub fn delete(&mut self, queue: &str, receipt_handle: &str, now: Timestamp) -> Result<(), AwsRefusal> {
        self.queue(queue).delete(receipt_handle, now)
    }

    /// `ChangeMessageVisibility` without the wire.
    pub fn change_visibility(
        &mut self,
        queue: &str,
        receipt_handle: &str,
        seconds: u32,
        now: Timestamp,
    ) -> Result<(), AwsRefusal> {
        self.queue(queue).change_visibility(receipt_handle, seconds, now)
    }

    /// Makes the secret, or gives it a new current version; returns its ARN.
    pub fn put_secret(&mut self, name: &str, value: &str) -> String {
        let token = Uuid::new_v4().to_string();
        let (operation, id) = if self.secrets.name_of(name).is_some() {
            ("PutSecretValue", "SecretId")
        } else {
            ("CreateSecret", "Name")
        };
        let body = json!({ id: name, "ClientRequestToken": token, "SecretString": value });
        match self.secrets.call(operation, &body, Timestamp::now()) {
            Ok(answer) => answer["ARN"].as_str().unwrap_or_default().to_owned(),
            Err(failure) => panic!("secret `{name}`: {failure:?}"),
        }
    }

    /// The current value of a secret.
    pub fn secret(&self, arn_or_name: &str) -> Option<String> {
        self.secrets.current(arn_or_name).map(str::to_owned)
    }
}

/// The event an event source mapping gives to a function for these messages.
pub fn lambda_event(queue_arn: &str, messages: &[Received]) -> Value {
    let region = queue_arn.split(':').nth(3).unwrap_or(REGION);
    let record = |m: &Received| {
        json!({
            "messageId": m.message_id,
            "receiptHandle": m.receipt_handle,
            "body": m.body,
            "attributes": m.attributes,
            "messageAttributes": {},
            "md5OfBody": message::md5_hex(&m.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

impl Simulator for Aws {
    /// `AmazonSQS.SendMessage <queue>`, `secretsmanager.GetSecretValue <secret's name>`.
    fn route(&self, request: &Request) -> String {
        let target = request.header("x-amz-target").unwrap_or("no target");
        let body = request.json().unwrap_or(Value::Null);
        let text = |field: &str| body[field].as_str();
        let queue = text("QueueUrl").map(sqs::last_part).or(text("QueueName"));
        let secret = text("SecretId").map(|id| self.secrets.name_of(id).unwrap_or(id)).or(text("Name"));
        match queue.or(secret) {
            Some(name) => format!("{target} {name}"),
            None => target.to_owned(),
        }
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        let target = request.header("x-amz-target").unwrap_or_default();
        if target.is_empty() && request.query.contains("Action=") {
            return sts::call(request, now);
        }
        let Some((service, operation)) = target.split_once('.') else {
            return Response::unknown(request, "no `x-amz-target`");
        };
        let version = match service {
            "AmazonSQS" => "application/x-amz-json-1.0",
            "secretsmanager" => "application/x-amz-json-1.1",
            _ => return Response::unknown(request, "unknown service"),
        };
        let path_style = service == "AmazonSQS" && request.path.starts_with(&format!("/{ACCOUNT}/"));
        if request.method != "POST" || !(request.path == "/" || path_style) {
            return Response::unknown(request, "expected a POST to `/`");
        }
        if request.header("content-type") != Some(version) {
            return Response::unknown(request, &format!("expected content type `{version}`"));
        }
        let Some(body) = request.json() else {
            return Response::unknown(request, "the body is not JSON");
        };
        let answer = match service {
            "AmazonSQS" => self.sqs.call(operation, &body, now),
            _ => self.secrets.call(operation, &body, now),
        };
        let mut response = match answer {
            Ok(value) => Response::json(200, &value),
            Err(Failure::Refused(refusal)) => refusal.response(),
            Err(Failure::Unknown(why)) => return Response::unknown(request, &why),
        };
        response.headers.retain(|(name, _)| name != "content-type");
        response.with("content-type", version).with("x-amzn-requestid", Uuid::new_v4().to_string())
    }

    fn state(&self) -> Value {
        let queue =
            |q: &fifo::Queue| json!({ "arn": q.arn, "attributes": q.attributes, "messages": q.look() });
        let queues: BTreeMap<_, _> = self.sqs.queues.iter().map(|(name, q)| (name, queue(q))).collect();
        json!({ "queues": queues, "secrets": self.secrets.state() })
    }

    /// `create_fifo` (`name`, optional `dead_letter` and `max_receive_count`, `visibility_seconds`) answers `url` and
    /// `arn`; `put_secret` (`name`, `value`) answers `arn`.
    fn control(&mut self, verb: &str, body: &Value, _now: Timestamp) -> Option<Result<Value, String>> {
        let text = |field: &str| body[field].as_str().ok_or_else(|| format!("`{field}`: expected a text"));
        let number = |field: &str, default: u32| match &body[field] {
            Value::Null => Ok(default),
            value => {
                value.as_u64().and_then(|n| n.try_into().ok()).ok_or_else(|| format!("`{field}`: a number"))
            }
        };
        match verb {
            "create_fifo" => Some((|| {
                let name = text("name")?;
                let visibility = number("visibility_seconds", 30)?.to_string();
                let mut attributes = BTreeMap::from([("VisibilityTimeout".to_owned(), visibility)]);
                if let Some(target) = body["dead_letter"].as_str() {
                    let max = number("max_receive_count", 10)?;
                    let policy = json!({ "deadLetterTargetArn": sqs::arn(target), "maxReceiveCount": max });
                    attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
                }
                let url = self.create_queue(name, attributes)?;
                Ok(json!({ "url": url, "arn": sqs::arn(name) }))
            })()),
            "put_secret" => Some((|| {
                let (name, value) = (text("name")?, text("value")?);
                Ok(json!({ "arn": self.put_secret(name, value) }))
            })()),
            _ => None,
        }
    }
}
