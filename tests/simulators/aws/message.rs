//! One message of a queue, what SQS allows in it, and how it looks to a receiver.

use super::{AwsRefusal, Received};
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// 1 MiB since 2025; it was 256 KiB before.
pub(super) const MAX_BYTES: usize = 1_048_576;

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) group: String,
    pub(super) deduplication: String,
    pub(super) sequence: u128,
    pub(super) sent_at: Timestamp,
    pub(super) first_received_at: Option<Timestamp>,
    pub(super) received_at: Timestamp,
    pub(super) receive_count: u32,
    pub(super) visible_at: Timestamp,
    /// The handle of the last receive; only this one counts.
    pub(super) receipt: Option<String>,
    /// ARN of the queue it was a dead letter of.
    pub(super) source: Option<String>,
}

impl Message {
    pub(super) fn in_flight(&self, now: Timestamp) -> bool {
        self.receipt.is_some() && self.visible_at > now
    }

    /// For a person or a test to look at.
    pub(super) fn look(&self) -> Value {
        json!({
            "message_id": self.id,
            "body": self.body,
            "group": self.group,
            "deduplication_id": self.deduplication,
            "sequence_number": self.sequence.to_string(),
            "sent_at": self.sent_at.to_string(),
            "receive_count": self.receive_count,
            "visible_at": self.visible_at.to_string(),
            "dead_letter_of": self.source,
        })
    }

    /// What a receive under this handle hands out.
    pub(super) fn to_received(&self, handle: &str) -> Received {
        let millis = |at: Timestamp| at.as_millisecond().to_string();
        let mut attributes = BTreeMap::from(
            [
                ("ApproximateFirstReceiveTimestamp", self.first_received_at.map(millis).unwrap_or_default()),
                ("ApproximateReceiveCount", self.receive_count.to_string()),
                ("MessageDeduplicationId", self.deduplication.clone()),
                ("MessageGroupId", self.group.clone()),
                ("SenderId", "AIDASIMULATEDSENDERID".to_owned()),
                ("SentTimestamp", millis(self.sent_at)),
                ("SequenceNumber", self.sequence.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(source) = &self.source {
            attributes.insert("DeadLetterQueueSourceArn".to_owned(), source.clone());
        }
        Received {
            message_id: self.id.clone(),
            receipt_handle: handle.to_owned(),
            body: self.body.clone(),
            attributes,
        }
    }
}

/// The characters XML 1.0 allows, which is what SQS allows.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The service would put U+FFFD for some characters of this body, which is not simulated.
pub(super) fn is_replaced(body: &str) -> bool {
    body.chars().any(allowed) && !body.chars().all(allowed)
}

pub(super) fn check_body(body: &str, limit: usize) -> Result<(), AwsRefusal> {
    if body.is_empty() {
        return Err(AwsRefusal::missing("MessageBody"));
    }
    if !body.chars().any(allowed) {
        let message = "The message contains no character of the allowed set.";
        return Err(AwsRefusal::sqs(
            "com.amazonaws.sqs#InvalidMessageContents",
            "InvalidMessageContents",
            message,
        ));
    }
    if body.len() > limit {
        let message = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        );
        return Err(AwsRefusal::invalid(message));
    }
    Ok(())
}

/// Up to 128 letters, digits and ASCII punctuation, for group and deduplication ids alike.
pub(super) fn check_id(id: &str, parameter: &str) -> Result<(), AwsRefusal> {
    if (1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    let reason =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(AwsRefusal::invalid_value(id, parameter, &reason))
}

/// Ids made from names, so that two runs of a scenario print the same.
pub(super) fn name_uuid(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}
