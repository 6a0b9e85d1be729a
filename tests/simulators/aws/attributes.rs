//! The attributes of a FIFO queue: defaults, allowed values, and what is not simulated.

use super::{fifo::*, message::*, refusal::*};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Names `GetQueueAttributes` accepts beside those every queue has.
pub(super) const UNSET_ATTRIBUTES: [&str; 6] = [
    "All",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
];

/// Defaults with what is asked for on top.
pub(super) fn queue_attributes(
    asked: &Map<String, Value>,
    queues: &BTreeMap<String, Queue>,
    now: Timestamp,
) -> Result<BTreeMap<String, String>, Failure> {
    let created = now.as_second().to_string();
    let mut attributes = BTreeMap::from(
        [
            ("ContentBasedDeduplication", "false"),
            ("CreatedTimestamp", &created),
            ("DeduplicationScope", "queue"),
            ("DelaySeconds", "0"),
            ("FifoQueue", "true"),
            ("FifoThroughputLimit", "perQueue"),
            ("LastModifiedTimestamp", &created),
            ("MaximumMessageSize", "1048576"),
            ("MessageRetentionPeriod", "345600"),
            ("ReceiveMessageWaitTimeSeconds", "0"),
            ("SqsManagedSseEnabled", "true"),
            ("VisibilityTimeout", "30"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    for (name, value) in asked {
        let value = value.as_str().unwrap_or_default();
        let within = |low: u32, high: u32| value.parse().is_ok_and(|n: u32| (low..=high).contains(&n));
        let valid = match name.as_str() {
            "ContentBasedDeduplication" | "SqsManagedSseEnabled" => ["true", "false"].contains(&value),
            "FifoQueue" => value == "true",
            "DeduplicationScope" => ["queue", "messageGroup"].contains(&value),
            "FifoThroughputLimit" => ["perQueue", "perMessageGroupId"].contains(&value),
            "MaximumMessageSize" => within(1024, MAX_BYTES as u32),
            "MessageRetentionPeriod" => within(60, 1_209_600),
            "ReceiveMessageWaitTimeSeconds" => within(0, 20),
            "VisibilityTimeout" => within(0, MAX_VISIBILITY_SECONDS),
            "RedrivePolicy" => redrive(value).is_some_and(|(target, count)| {
                queues.values().any(|q| q.arn == target) && (1..=1000).contains(&count)
            }),
            "DelaySeconds" if value == "0" => true,
            "DelaySeconds"
            | "Policy"
            | "RedriveAllowPolicy"
            | "KmsMasterKeyId"
            | "KmsDataKeyReusePeriodSeconds" => {
                return Err(Failure::Unknown(format!("queue attribute `{name}` is not simulated")));
            }
            _ => return Err(unknown_attribute(name).into()),
        };
        if !valid {
            return Err(invalid_attribute(name).into());
        }
        // Shown and compared in one form, however it was written.
        let shown = match redrive(value).filter(|_| name == "RedrivePolicy") {
            Some((target, count)) => {
                json!({ "deadLetterTargetArn": target, "maxReceiveCount": count }).to_string()
            }
            None => value.to_owned(),
        };
        attributes.insert(name.clone(), shown);
    }
    // High throughput needs both halves.
    if attributes["FifoThroughputLimit"] == "perMessageGroupId" && attributes["DeduplicationScope"] == "queue"
    {
        return Err(invalid_attribute("FifoThroughputLimit").into());
    }
    Ok(attributes)
}

fn invalid_attribute(name: &str) -> AwsRefusal {
    let message = format!("Invalid value for the parameter {name}.");
    AwsRefusal::sqs("com.amazonaws.sqs#InvalidAttributeValue", "InvalidAttributeValue", message)
}

/// The dead-letter queue's ARN and `maxReceiveCount`, which AWS takes as a number or as a text.
pub(super) fn redrive(policy: &str) -> Option<(String, u32)> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let count = &policy["maxReceiveCount"];
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    Some((policy["deadLetterTargetArn"].as_str()?.to_owned(), count.try_into().ok()?))
}

pub(super) fn unknown_attribute(name: &str) -> AwsRefusal {
    let message = format!("Unknown Attribute {name}.");
    AwsRefusal::sqs("com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", message)
}
