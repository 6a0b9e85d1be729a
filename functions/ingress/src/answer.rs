//! What is answered to the sender, and what the log says. The sender never learns why a verification failed.

use crate::{event::Malformed, signature::NotVerified};
use mapping::ReferralId;
use serde_json::{Value, json};

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Verified, and safe in the queue.
    Enqueued { referral: ReferralId, event: String },
    /// Verified, nothing to do.
    Ignored(String),
    /// Verified, but it does not say which referral changed, and when.
    Malformed(Malformed),
    /// Not proven to be Partner Center's.
    NotVerified(NotVerified),
    /// The body exceeds the limit; its signature was not looked at.
    TooLarge,
    /// It could not be verified or queued now: the sender is asked to try again. `too_often`: because certificates were
    /// fetched as often as is allowed for now.
    Unavailable { reason: String, too_often: bool },
}

impl Answer {
    fn status(&self) -> u16 {
        match self {
            Answer::Enqueued { .. } | Answer::Ignored(_) => 200,
            Answer::Malformed(_) => 400,
            Answer::NotVerified(_) => 401,
            Answer::TooLarge => 413,
            Answer::Unavailable { .. } => 503,
        }
    }

    /// For the gateway: one fixed body for each status.
    pub(crate) fn response(&self) -> Value {
        let body = match self {
            Answer::Enqueued { .. } | Answer::Ignored(_) => r#"{"status":"ok"}"#,
            Answer::Malformed(_) => r#"{"status":"malformed"}"#,
            Answer::NotVerified(_) => r#"{"status":"not verified"}"#,
            Answer::TooLarge => r#"{"status":"too large"}"#,
            Answer::Unavailable { .. } => r#"{"status":"try again"}"#,
        };
        json!({
            "statusCode": self.status(),
            "headers": { "content-type": "application/json" },
            "body": body,
            "isBase64Encoded": false,
        })
    }

    /// Writes the one log line of the call.
    pub(crate) fn log(&self, duration_ms: i128) {
        let (duration_ms, status) = (duration_ms as i64, self.status());
        match self {
            Answer::Enqueued { referral, event } => {
                tracing::info!(decision = "enqueued", reason = event, referral.id = %referral, status, duration_ms, "event enqueued");
            }
            Answer::Ignored(event) => {
                tracing::info!(
                    decision = "ignored",
                    reason = event,
                    status,
                    duration_ms,
                    "event not handled"
                );
            }
            Answer::Malformed(reason) => {
                tracing::warn!(decision = "refused", %reason, error.class = "poison", status, duration_ms, "malformed event");
            }
            Answer::NotVerified(reason) => {
                tracing::warn!(decision = "refused", %reason, error.class = "permanent", status, duration_ms, "not verified");
            }
            Answer::TooLarge => {
                tracing::warn!(
                    decision = "refused",
                    error.class = "permanent",
                    status,
                    duration_ms,
                    "body too large"
                );
            }
            Answer::Unavailable { reason, .. } => {
                tracing::error!(
                    decision = "retry",
                    reason,
                    error.class = "retryable",
                    status,
                    duration_ms,
                    "sender shall retry"
                );
            }
        }
    }
}
