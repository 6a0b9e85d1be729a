//! The queue of hints (SQS FIFO). Sending a hint twice is harmless: every hint has its deduplication id.

use crate::aws::failure;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    error::BuildError,
    types::{QueueAttributeName, SendMessageBatchRequestEntry},
};
use jiff::SignedDuration;
use sync::{
    failure::{Class, Failure, System},
    hint::Hint,
    ports::Hints,
};

/// The most messages in one call (vendors/aws.md, *SQS*).
const BATCH: usize = 10;
/// Seconds that a receive waits for messages.
const WAIT: i32 = 2;
/// SQS hides a message for at most 12 hours after it was received. This is ten minutes less, because the time that has
/// passed since then counts towards the limit.
const LONGEST_VISIBILITY: i64 = 43_200 - 600;

/// A queue of SQS, by its URL.
#[derive(Clone, Debug)]
pub struct Queue {
    sqs: Client,
    url: String,
}

/// A message that was received: it returns unless it is deleted in time.
#[derive(Clone, Debug)]
pub struct Letter {
    /// SQS's id of it, the same at each delivery.
    pub id: String,
    /// The text, as it was sent.
    pub body: String,
    /// The receipt by which it is hidden or deleted.
    pub receipt: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(aws: &SdkConfig, url: &str) -> Self {
        Queue { sqs: Client::new(aws), url: url.to_owned() }
    }

    /// Opens the connection before the first message needs it; the answer does not matter.
    pub async fn open(&self) {
        let attributes = self.sqs.get_queue_attributes().queue_url(&self.url);
        let answer = attributes.attribute_names(QueueAttributeName::QueueArn).send().await;
        if let Err(error) = answer {
            tracing::info!(reason = %failure(System::Queue, "open", &error), "queue not opened early");
        }
    }

    /// Hides a received message for this time from now on.
    pub async fn change_visibility(&self, receipt: &str, hidden: SignedDuration) -> Result<(), Failure> {
        // In whole seconds, rounded up.
        let seconds = hidden.as_millis().max(0).div_euclid(1000) + i128::from(hidden.subsec_millis() > 0);
        let seconds = i32::try_from(seconds.min(i128::from(LONGEST_VISIBILITY))).unwrap_or(i32::MAX);
        let change = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let answer = change.visibility_timeout(seconds).send().await;
        answer.map(|_| ()).map_err(|e| failure(System::Queue, "change visibility", &e))
    }

    /// The approximate number of messages that wait or are being processed, by SQS's count.
    pub async fn depth(&self) -> Result<u64, Failure> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let ask = self.sqs.get_queue_attributes().queue_url(&self.url);
        let answer = ask.set_attribute_names(Some(names.to_vec())).send().await;
        let answer = answer.map_err(|e| failure(System::Queue, "count messages", &e))?;
        let number = |name| answer.attributes().and_then(|all| all.get(name)?.parse::<u64>().ok());
        Ok(names.iter().filter_map(number).sum())
    }

    /// Receives up to ten messages, and hides them for `hidden` seconds from other receivers. Without a wait SQS asks
    /// some of its servers only, and an empty answer would not mean that none is there.
    pub async fn receive(&self, hidden: i32) -> Result<Vec<Letter>, Failure> {
        let ask = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let answer = ask.wait_time_seconds(WAIT).visibility_timeout(hidden).send().await;
        let answer = answer.map_err(|e| failure(System::Queue, "receive", &e))?;
        let letter = |message: aws_sdk_sqs::types::Message| Letter {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        };
        Ok(answer.messages.into_iter().flatten().map(letter).collect())
    }

    /// Takes a received message out of the queue.
    pub async fn delete(&self, receipt: &str) -> Result<(), Failure> {
        let answer = self.sqs.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
        answer.map(|_| ()).map_err(|e| failure(System::Queue, "delete", &e))
    }

    /// Sends a hint that may have been sent within the last five minutes: `again` replaces its deduplication id.
    pub async fn resend(&self, hint: &Hint, again: &str) -> Result<(), Failure> {
        let send = self.sqs.send_message().queue_url(&self.url).message_body(hint.body());
        let send = send.message_group_id(hint.group()).message_deduplication_id(again);
        send.send().await.map(|_| ()).map_err(|e| failure(System::Queue, "send a hint again", &e))
    }

    async fn send_batch(&self, hints: &[Hint]) -> Result<(), Failure> {
        let entries = hints.iter().enumerate().map(|(n, hint)| entry(n, hint));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|e| refused(e.to_string()))?;
        let answer =
            self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|e| failure(System::Queue, "send hints", &e))?;
        match answer.failed().first() {
            None => Ok(()),
            Some(one) => {
                let words = one.message().unwrap_or("no message");
                let text = format!("{} of {}: {}: {words}", answer.failed().len(), hints.len(), one.code());
                Err(if one.sender_fault() {
                    refused(text)
                } else {
                    Failure::later(System::Queue, "send hints", text)
                })
            }
        }
    }
}

impl Hints for Queue {
    async fn send(&self, hints: &[Hint]) -> Result<(), Failure> {
        for batch in hints.chunks(BATCH) {
            self.send_batch(batch).await?;
        }
        Ok(())
    }
}

fn entry(n: usize, hint: &Hint) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(n.to_string())
        .message_body(hint.body())
        .message_group_id(hint.group())
        .message_deduplication_id(hint.deduplication())
        .build()
}

fn refused(text: String) -> Failure {
    Failure {
        system: System::Queue,
        operation: "send hints".to_owned(),
        class: Class::Permanent,
        wide: false,
        text,
    }
}
