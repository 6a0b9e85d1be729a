//! The queue of hints (SQS FIFO). Sending again is harmless: every hint carries its deduplication id.

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

/// SQS takes at most so many messages in one call.
const BATCH: usize = 10;
/// SQS hides a message for at most 12 hours, counted from when it was received: a little less can still be asked later.
const LONGEST_VISIBILITY: i64 = 43_200 - 600;

/// One queue.
#[derive(Clone, Debug)]
pub struct Queue {
    sqs: Client,
    url: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(aws: &SdkConfig, url: &str) -> Self {
        Queue { sqs: Client::new(aws), url: url.to_owned() }
    }

    /// Opens the connection before the first message needs it; the answer is of no interest.
    pub async fn open(&self) {
        let attributes = self.sqs.get_queue_attributes().queue_url(&self.url);
        let answer = attributes.attribute_names(QueueAttributeName::QueueArn).send().await;
        if let Err(error) = answer {
            tracing::info!(reason = %failure(System::Queue, "open", &error), "queue not opened early");
        }
    }

    /// Hides a received message from now on for so long.
    pub async fn change_visibility(&self, receipt: &str, hidden: SignedDuration) -> Result<(), Failure> {
        // Whole seconds, never sooner than asked.
        let seconds = hidden.as_millis().max(0).div_euclid(1000) + i128::from(hidden.subsec_millis() > 0);
        let seconds = i32::try_from(seconds.min(i128::from(LONGEST_VISIBILITY))).unwrap_or(i32::MAX);
        let change = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let answer = change.visibility_timeout(seconds).send().await;
        answer.map(|_| ()).map_err(|e| failure(System::Queue, "change visibility", &e))
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
