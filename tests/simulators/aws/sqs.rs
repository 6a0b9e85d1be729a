//! SQS's operations in AWS JSON 1.0 over FIFO queues. Standard queues, message attributes and delays are not
//! simulated and say so.

use super::{
    ACCOUNT, AwsRefusal, REGION, Received, attributes::*, batch::*, fifo::*, message::*, refusal::*,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All queues by name.
pub(super) struct Sqs {
    base_url: String,
    pub(super) queues: BTreeMap<String, Queue>,
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

impl Sqs {
    pub(super) fn new(base_url: &str) -> Self {
        Sqs { base_url: base_url.trim_end_matches('/').to_owned(), queues: BTreeMap::new() }
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.base_url)
    }

    pub(super) fn call(&mut self, operation: &str, body: &Value, now: Timestamp) -> Answer {
        match operation {
            "CreateQueue" => self.create_queue(&input(body, &["QueueName", "Attributes"])?, now),
            "GetQueueUrl" => {
                let input = input(body, &["QueueName", "QueueOwnerAWSAccountId"])?;
                let name = input.required("QueueName")?;
                let foreign = input.text("QueueOwnerAWSAccountId")?.is_some_and(|account| account != ACCOUNT);
                let known = self.queues.contains_key(name) && !foreign;
                if known { Ok(json!({ "QueueUrl": self.url(name) })) } else { Err(no_queue().into()) }
            }
            "GetQueueAttributes" => self.attributes(&input(body, &["QueueUrl", "AttributeNames"])?, now),
            "SendMessage" => {
                let mut fields = vec!["QueueUrl"];
                fields.extend(MESSAGE_FIELDS);
                let input = input(body, &fields)?;
                let sent = send(self.by_url(&input)?, &input, now)?;
                Ok(sent_json(&sent))
            }
            "SendMessageBatch" => {
                let input = input(body, &["QueueUrl", "Entries"])?;
                let queue = self.by_url(&input)?;
                let entries = entries(&input)?;
                let total: usize =
                    entries.iter().filter_map(|(_, e)| e["MessageBody"].as_str()).map(str::len).sum();
                if total > MAX_BYTES {
                    let message = format!(
                        "Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {total} bytes."
                    );
                    return Err(batch_refusal("BatchRequestTooLong", &message).into());
                }
                each(&entries, &MESSAGE_FIELDS, |input| Ok(sent_json(&send(queue, input, now)?)))
            }
            "ReceiveMessage" => self.receive_message(body, now),
            "DeleteMessage" => {
                let input = input(body, &["QueueUrl", "ReceiptHandle"])?;
                delete(self.by_url(&input)?, &input, now)
            }
            "DeleteMessageBatch" => {
                let input = input(body, &["QueueUrl", "Entries"])?;
                let queue = self.by_url(&input)?;
                each(&entries(&input)?, &["ReceiptHandle"], |input| delete(queue, input, now))
            }
            "ChangeMessageVisibility" => {
                let input = input(body, &["QueueUrl", "ReceiptHandle", "VisibilityTimeout"])?;
                change_visibility(self.by_url(&input)?, &input, now)
            }
            "ChangeMessageVisibilityBatch" => {
                let input = input(body, &["QueueUrl", "Entries"])?;
                let queue = self.by_url(&input)?;
                each(&entries(&input)?, &["ReceiptHandle", "VisibilityTimeout"], |input| {
                    change_visibility(queue, input, now)
                })
            }
            "PurgeQueue" => {
                let queue = self.by_url(&input(body, &["QueueUrl"])?)?;
                if queue.purged_at.is_some_and(|at| now < at + SignedDuration::from_secs(60)) {
                    let message = "Only one PurgeQueue operation on a queue is allowed every 60 seconds.";
                    return Err(
                        AwsRefusal { status: 403, ..batch_refusal("PurgeQueueInProgress", message) }.into()
                    );
                }
                queue.purged_at = Some(now);
                queue.purge();
                Ok(json!({}))
            }
            _ => Err(Failure::Unknown(format!("unknown operation `{operation}` of sqs"))),
        }
    }

    fn by_url(&mut self, input: &Input) -> Result<&mut Queue, Failure> {
        let url = input.required("QueueUrl")?;
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if account != ACCOUNT {
            return Err(no_queue().into());
        }
        Ok(self.queues.get_mut(name).ok_or_else(no_queue)?)
    }

    fn create_queue(&mut self, input: &Input, now: Timestamp) -> Answer {
        let name = input.required("QueueName")?;
        let stem = name.strip_suffix(".fifo");
        let asked = input.map("Attributes")?.cloned().unwrap_or_default();
        if stem.is_none() && asked.get("FifoQueue").is_none_or(|v| v == "false") {
            return Err(Failure::Unknown("standard queues are not simulated".to_owned()));
        }
        if !stem.is_some_and(is_plain)
            || name.len() > 80
            || asked.get("FifoQueue").is_none_or(|v| v != "true")
        {
            return Err(AwsRefusal::invalid(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must \
                 end with .fifo suffix and be 1 to 80 in length.",
            )
            .into());
        }
        let attributes = queue_attributes(&asked, &self.queues, now)?;
        match self.queues.get(name) {
            // The service compares what is asked for; what is not named does not matter.
            Some(old) if asked.keys().all(|k| old.attributes.get(k) == attributes.get(k)) => {}
            Some(_) => {
                let message =
                    "A queue already exists with the same name and a different value for an attribute.";
                return Err(AwsRefusal::sqs(
                    "com.amazonaws.sqs#QueueNameExists",
                    "QueueAlreadyExists",
                    message,
                )
                .into());
            }
            None => {
                self.queues.insert(name.to_owned(), Queue::new(arn(name), attributes));
            }
        }
        Ok(json!({ "QueueUrl": self.url(name) }))
    }

    fn attributes(&mut self, input: &Input, now: Timestamp) -> Answer {
        let queue = self.by_url(input)?;
        let names = input.texts("AttributeNames")?.unwrap_or_default();
        let (visible, in_flight) = queue.counts(now);
        let mut all = queue.attributes.clone();
        all.insert("QueueArn".to_owned(), queue.arn.clone());
        all.insert("ApproximateNumberOfMessages".to_owned(), visible.to_string());
        all.insert("ApproximateNumberOfMessagesNotVisible".to_owned(), in_flight.to_string());
        all.insert("ApproximateNumberOfMessagesDelayed".to_owned(), "0".to_owned());
        let known = |name: &str| all.contains_key(name) || UNSET_ATTRIBUTES.contains(&name);
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(unknown_attribute(name).into());
        }
        all.retain(|name, _| names.contains(&"All") || names.contains(&name.as_str()));
        Ok(if all.is_empty() { json!({}) } else { json!({ "Attributes": all }) })
    }

    fn receive_message(&mut self, body: &Value, now: Timestamp) -> Answer {
        let known = [
            "QueueUrl",
            "AttributeNames",
            "MessageSystemAttributeNames",
            "MessageAttributeNames",
            "MaxNumberOfMessages",
            "VisibilityTimeout",
            "WaitTimeSeconds",
        ];
        let input = input(body, &known)?;
        self.by_url(&input)?;
        let max = ranged(&input, "MaxNumberOfMessages", 1, 10)?.unwrap_or(1);
        let visibility = ranged(&input, "VisibilityTimeout", 0, MAX_VISIBILITY_SECONDS)?;
        ranged(&input, "WaitTimeSeconds", 0, 20)?;
        let mut names = input.texts("AttributeNames")?.unwrap_or_default();
        names.extend(input.texts("MessageSystemAttributeNames")?.unwrap_or_default());
        if let Some(name) = names.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(name)) {
            return Err(unknown_attribute(name).into());
        }
        let queue = last_part(input.required("QueueUrl")?).to_owned();
        let messages: Vec<Value> = self
            .receive(&queue, max as usize, visibility, now)?
            .into_iter()
            .map(|mut m| {
                m.attributes.retain(|name, _| names.contains(&"All") || names.contains(&name.as_str()));
                let md5 = md5_hex(&m.body);
                let mut message = json!({
                    "MessageId": m.message_id, "ReceiptHandle": m.receipt_handle, "Body": m.body, "MD5OfBody": md5,
                });
                if !m.attributes.is_empty() {
                    message["Attributes"] = json!(m.attributes);
                }
                message
            })
            .collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    /// A receive with its dead letters moved.
    pub(super) fn receive(
        &mut self,
        name: &str,
        max: usize,
        visibility: Option<u32>,
        now: Timestamp,
    ) -> Result<Vec<Received>, AwsRefusal> {
        let queue = self.queues.get_mut(name).ok_or_else(no_queue)?;
        let (received, dead) = queue.receive(max, visibility, now);
        let source = queue.arn.clone();
        if let Some((target, _)) = queue.redrive() {
            let target = self.queues.get_mut(last_part(&target)).expect("checked when the queue was made");
            dead.into_iter().for_each(|message| target.bury(message, &source, now));
        }
        Ok(received)
    }
}

const MESSAGE_FIELDS: [&str; 4] = ["MessageBody", "MessageGroupId", "MessageDeduplicationId", "DelaySeconds"];

const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// The name in a queue's URL or ARN.
pub(super) fn last_part(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}

pub(super) fn no_queue() -> AwsRefusal {
    let (shape, code) = ("com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue");
    AwsRefusal::sqs(shape, code, "The specified queue does not exist.")
}

fn ranged(input: &Input, name: &str, low: u32, high: u32) -> Result<Option<u32>, Failure> {
    let Some(number) = input.number(name)? else { return Ok(None) };
    match u32::try_from(number) {
        Ok(n) if (low..=high).contains(&n) => Ok(Some(n)),
        _ => {
            let reason = format!("Must be between {low} and {high}, if provided.");
            Err(AwsRefusal::invalid_value(number, name, &reason).into())
        }
    }
}

fn send(queue: &mut Queue, input: &Input, now: Timestamp) -> Result<Sent, Failure> {
    if let Some(delay) = input.number("DelaySeconds")?.filter(|n| *n != 0) {
        let reason = "The request include parameter that is not valid for this queue type";
        return Err(AwsRefusal::invalid_value(delay, "DelaySeconds", reason).into());
    }
    let (group, deduplication) = (input.text("MessageGroupId")?, input.text("MessageDeduplicationId")?);
    let body = input.required("MessageBody")?;
    if is_replaced(body) {
        return Err(Failure::Unknown("characters SQS replaces are not simulated".to_owned()));
    }
    Ok(queue.send(group, deduplication, body, now)?)
}

fn sent_json(sent: &Sent) -> Value {
    json!({
        "MessageId": sent.message_id, "MD5OfMessageBody": sent.md5_of_body, "SequenceNumber": sent.sequence_number,
    })
}

fn delete(queue: &mut Queue, input: &Input, now: Timestamp) -> Answer {
    queue.delete(input.required("ReceiptHandle")?, now)?;
    Ok(json!({}))
}

fn change_visibility(queue: &mut Queue, input: &Input, now: Timestamp) -> Answer {
    let handle = input.required("ReceiptHandle")?;
    let timeout = ranged(input, "VisibilityTimeout", 0, MAX_VISIBILITY_SECONDS)?;
    queue.change_visibility(handle, timeout.ok_or_else(|| AwsRefusal::missing("VisibilityTimeout"))?, now)?;
    Ok(json!({}))
}
