//! One FIFO queue: order and lock per group, deduplication, receipt handles, receive counts and the dead-letter
//! rule. It knows no wire and no other queue; all times are passed in.

use super::{AwsRefusal, Received, attributes::redrive, message::*, shelf::Shelf};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Twelve hours, counted from the receive and for the whole time in flight.
pub(super) const MAX_VISIBILITY_SECONDS: u32 = 43_200;
const DEDUPLICATION_WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Sequence numbers are "large" and no `u64`: a reader that parses one shall notice.
const FIRST_SEQUENCE: u128 = 18_849_496_460_467_696_128;

/// What a send answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub message_id: String,
    pub sequence_number: String,
    pub md5_of_body: String,
    /// Not stored: the original of this deduplication id was sent less than five minutes ago.
    pub duplicate: bool,
}

struct Seen {
    at: Timestamp,
    message_id: String,
    sequence: u128,
}

struct Receipt {
    message_id: String,
    /// The message was deleted by this handle, or purged under it.
    settled: bool,
}

pub(super) struct Queue {
    pub(super) arn: String,
    /// All attributes as `GetQueueAttributes` shows them, the counts aside.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) purged_at: Option<Timestamp>,
    messages: Shelf,
    seen: HashMap<(Option<String>, String), Seen>,
    /// When the outdated were last taken out of `seen`.
    swept_at: Timestamp,
    receipts: HashMap<String, Receipt>,
    next_sequence: u128,
}

impl Queue {
    pub(super) fn new(arn: String, attributes: BTreeMap<String, String>) -> Self {
        Queue {
            arn,
            attributes,
            purged_at: None,
            messages: Shelf::default(),
            seen: HashMap::new(),
            swept_at: Timestamp::UNIX_EPOCH,
            receipts: HashMap::new(),
            next_sequence: FIRST_SEQUENCE,
        }
    }

    fn number(&self, attribute: &str) -> u32 {
        self.attributes.get(attribute).and_then(|v| v.parse().ok()).expect("checked when the queue was made")
    }

    fn is(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|v| v == value)
    }

    /// The dead-letter queue's ARN and `maxReceiveCount`.
    pub(super) fn redrive(&self) -> Option<(String, u32)> {
        self.attributes.get("RedrivePolicy").and_then(|policy| redrive(policy))
    }

    /// (to be received, in flight)
    pub(super) fn counts(&mut self, now: Timestamp) -> (usize, usize) {
        self.expire(now);
        let in_flight = self.messages.locked().filter(|m| m.in_flight(now)).count();
        (self.messages.len() - in_flight, in_flight)
    }

    fn expire(&mut self, now: Timestamp) {
        let retention = SignedDuration::from_secs(self.number("MessageRetentionPeriod").into());
        self.messages.drop_before(now - retention);
        if now >= self.swept_at + DEDUPLICATION_WINDOW {
            self.swept_at = now;
            self.seen.retain(|_, seen| now < seen.at + DEDUPLICATION_WINDOW);
        }
    }

    fn sequence(&mut self) -> u128 {
        self.next_sequence += 1;
        self.next_sequence
    }

    pub(super) fn send(
        &mut self,
        group: Option<&str>,
        deduplication: Option<&str>,
        body: &str,
        now: Timestamp,
    ) -> Result<Sent, AwsRefusal> {
        self.expire(now);
        check_body(body, self.number("MaximumMessageSize") as usize)?;
        let group = group.ok_or_else(|| AwsRefusal::missing("MessageGroupId"))?;
        check_id(group, "MessageGroupId")?;
        let deduplication = match deduplication {
            Some(id) => id.to_owned(),
            None if self.is("ContentBasedDeduplication", "true") => {
                hex(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()).as_ref())
            }
            None => {
                return Err(AwsRefusal::invalid(
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                     provided explicitly",
                ));
            }
        };
        check_id(&deduplication, "MessageDeduplicationId")?;
        let scope = self.is("DeduplicationScope", "messageGroup").then(|| group.to_owned());
        let md5_of_body = md5_hex(body);
        let key = (scope, deduplication);
        if let Some(seen) = self.seen.get(&key).filter(|seen| now < seen.at + DEDUPLICATION_WINDOW) {
            return Ok(Sent {
                message_id: seen.message_id.clone(),
                sequence_number: seen.sequence.to_string(),
                md5_of_body,
                duplicate: true,
            });
        }
        let sequence = self.sequence();
        let id = name_uuid(&format!("{}/{sequence}", self.arn));
        self.messages.push(Message {
            id: id.clone(),
            body: body.to_owned(),
            group: group.to_owned(),
            deduplication: key.1.clone(),
            sequence,
            sent_at: now,
            first_received_at: None,
            received_at: now,
            receive_count: 0,
            visible_at: now,
            receipt: None,
            source: None,
        });
        self.seen.insert(key, Seen { at: now, message_id: id.clone(), sequence });
        Ok(Sent { message_id: id, sequence_number: sequence.to_string(), md5_of_body, duplicate: false })
    }

    /// What a receive hands out, and what it found to be dead letters instead. As AWS does, one receive takes as
    /// much of one group as it can before it turns to the next; a group with a message in flight gives nothing.
    pub(super) fn receive(
        &mut self,
        max: usize,
        visibility: Option<u32>,
        now: Timestamp,
    ) -> (Vec<Received>, Vec<Message>) {
        self.expire(now);
        let limit = self.redrive().map_or(u32::MAX, |(_, count)| count);
        let visible_at = now + seconds(visibility.unwrap_or_else(|| self.number("VisibilityTimeout")));
        let (mut taken, mut dead) = (vec![], vec![]);
        for message in self.messages.open(now) {
            if taken.len() == max {
                break;
            }
            let pile = if message.receive_count < limit { &mut taken } else { &mut dead };
            pile.push(message.id.clone());
        }
        let mut received = vec![];
        for id in taken {
            let handed = self.messages.change(&id, |message| {
                message.receive_count += 1;
                message.received_at = now;
                message.first_received_at.get_or_insert(now);
                message.visible_at = visible_at;
                let handle =
                    format!("AQEB{}", name_uuid(&format!("{}/{}", message.id, message.receive_count)));
                message.receipt = Some(handle.clone());
                (message.to_received(&handle), handle)
            });
            let Some((message, handle)) = handed else { continue };
            received.push(message);
            self.receipts.insert(handle, Receipt { message_id: id, settled: false });
        }
        (received, dead.iter().filter_map(|id| self.messages.remove(id)).collect())
    }

    /// Takes over a dead letter: same id, group, body and receive count. As the developer guide says of FIFO queues,
    /// the time sent starts anew, and its own id becomes its deduplication id.
    pub(super) fn bury(&mut self, mut message: Message, source: &str, now: Timestamp) {
        message.deduplication.clone_from(&message.id);
        message.sequence = self.sequence();
        message.sent_at = now;
        message.visible_at = now;
        message.receipt = None;
        message.source = Some(source.to_owned());
        self.messages.push(message);
    }

    pub(super) fn delete(&mut self, handle: &str, now: Timestamp) -> Result<(), AwsRefusal> {
        self.expire(now);
        let receipt = self.receipts.get_mut(handle).ok_or_else(|| bad_handle(handle))?;
        if receipt.settled {
            return Ok(());
        }
        let current = |m: &&Message| m.receipt.as_deref() == Some(handle) && m.in_flight(now);
        if self.messages.by_id(&receipt.message_id).filter(current).is_none() {
            return Err(AwsRefusal::invalid_value(
                handle,
                "ReceiptHandle",
                "The receipt handle has expired.",
            ));
        }
        receipt.settled = true;
        self.messages.remove(&receipt.message_id);
        Ok(())
    }

    pub(super) fn change_visibility(
        &mut self,
        handle: &str,
        timeout: u32,
        now: Timestamp,
    ) -> Result<(), AwsRefusal> {
        self.expire(now);
        if timeout > MAX_VISIBILITY_SECONDS {
            let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
            return Err(AwsRefusal::invalid_value(timeout, "VisibilityTimeout", reason));
        }
        let receipt = self.receipts.get(handle).ok_or_else(|| bad_handle(handle))?;
        let Some(message) = self.messages.by_id(&receipt.message_id) else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(AwsRefusal::invalid_value(handle, "ReceiptHandle", reason));
        };
        if message.receipt.as_deref() != Some(handle) {
            return Err(AwsRefusal::invalid_value(
                handle,
                "ReceiptHandle",
                "The receipt handle has expired.",
            ));
        }
        if !message.in_flight(now) {
            let (shape, code) = ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight");
            return Err(AwsRefusal::sqs(
                &format!("com.amazonaws.sqs#{shape}"),
                code,
                "The message is not in flight.",
            ));
        }
        let visible_at = now + seconds(timeout);
        if visible_at > message.received_at + seconds(MAX_VISIBILITY_SECONDS) {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(AwsRefusal::invalid_value(timeout, "VisibilityTimeout", reason));
        }
        self.messages.change(&receipt.message_id, |message| message.visible_at = visible_at);
        Ok(())
    }

    pub(super) fn purge(&mut self) {
        self.messages.clear();
        self.receipts.values_mut().for_each(|r| r.settled = true);
    }

    /// How many messages there are, and when the first that is not to be received now can be.
    pub(super) fn waiting(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
        let next = self.messages.locked().map(|m| m.visible_at).filter(|at| *at > now).min();
        (self.messages.len(), next)
    }

    /// The messages for a person or a test to look at.
    pub(super) fn look(&self) -> Vec<Value> {
        self.messages.iter().map(Message::look).collect()
    }
}

fn bad_handle(handle: &str) -> AwsRefusal {
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    let refusal =
        AwsRefusal::sqs("com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message);
    AwsRefusal { status: 404, ..refusal }
}

fn seconds(n: u32) -> SignedDuration {
    SignedDuration::from_secs(n.into())
}
