//! The message on the queue: a hint where to look. It is versioned and holds ids, never data: duplicates, disorder and
//! replays are harmless, because the run that receives it reads the present state.

use jiff::Timestamp;
use mapping::{RecordId, ReferralId};
use serde::{Deserialize, Serialize};

/// The version this code writes and the only one it reads.
pub const VERSION: u8 = 1;

/// Where to look, and an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    v: u8,
    /// What the hint is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// The webhook's event name, or which of our own parts sent it (`sweep`, `poll`, `retry`, ...).
    pub from: String,
    /// For webhooks and the sweep the instant of the change, otherwise when the sender's run began.
    pub at: Timestamp,
}

/// What a hint is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A referral changed, or is to be looked at again.
    Referral {
        /// The id of that referral.
        referral: ReferralId,
    },
    /// Something in a referral's engagement changed; the id may be the sibling's (vendors/partner-center.md, *Events*).
    Engagement {
        /// The id that the event carried.
        referral: ReferralId,
    },
    /// A CRM record changed.
    Record {
        /// The record's table and id.
        record: RecordId,
        /// Its referral, where the sender knew the link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        referral: Option<ReferralId>,
        /// The order of the version that the sender saw: a read with a lower one is late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<i64>,
    },
}

impl Subject {
    /// The subject of a parked row's id, which is a referral's or a record's; `None` for a parked message.
    pub fn parked(what: &str) -> Option<Subject> {
        let record =
            RecordId::parse(what).map(|record| Subject::Record { record, referral: None, seen: None });
        record.or_else(|| ReferralId::parse(what).map(|referral| Subject::Referral { referral }))
    }

    /// The referral that the hint names, if any.
    pub fn referral(&self) -> Option<&ReferralId> {
        match self {
            Subject::Referral { referral } | Subject::Engagement { referral } => Some(referral),
            Subject::Record { referral, .. } => referral.as_ref(),
        }
    }

    /// The record that the hint names, if any.
    pub fn record(&self) -> Option<&RecordId> {
        match self {
            Subject::Record { record, .. } => Some(record),
            _ => None,
        }
    }
}

/// Why a queue message is not a hint of ours.
#[derive(Debug, thiserror::Error)]
pub enum NotAHint {
    /// The message is not JSON, or has not the members of a hint.
    #[error("not a hint: {0}")]
    Shape(#[from] serde_json::Error),
    /// The hint's version is one that this code does not read.
    #[error("hint version `{0}` is not known here, expected `{VERSION}`")]
    Version(u64),
}

impl Hint {
    /// A hint of this code's version.
    pub fn new(subject: Subject, from: &str, at: Timestamp) -> Self {
        Hint { v: VERSION, subject, from: from.to_owned(), at }
    }

    /// Reads a queue message's body.
    pub fn parse(body: &str) -> Result<Self, NotAHint> {
        let raw: serde_json::Value = serde_json::from_str(body)?;
        match raw.get("v").and_then(serde_json::Value::as_u64) {
            Some(v) if v != u64::from(VERSION) => Err(NotAHint::Version(v)),
            _ => Ok(serde_json::from_value(raw)?),
        }
    }

    /// The queue message's body.
    pub fn body(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The FIFO group: the queue delivers the hints of one group one after the other.
    pub fn group(&self) -> String {
        match &self.subject {
            Subject::Referral { referral } | Subject::Engagement { referral } => referral.to_string(),
            Subject::Record { referral: Some(referral), .. } => referral.to_string(),
            Subject::Record { record, .. } => record.to_string(),
        }
    }

    /// The id it is about: the referral's or the record's.
    pub fn about(&self) -> String {
        match &self.subject {
            Subject::Referral { referral } | Subject::Engagement { referral } => referral.to_string(),
            Subject::Record { record, .. } => record.to_string(),
        }
    }

    /// The FIFO deduplication id: a change reported twice within five minutes is one message, a second change is
    /// another.
    pub fn deduplication(&self) -> String {
        format!("{}:{}:{}", self.from, self.about(), self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint() -> Hint {
        let referral = ReferralId::parse("0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01").unwrap();
        Hint::new(
            Subject::Referral { referral },
            "referral-updated",
            "2026-03-02T09:14:22.0135527Z".parse().unwrap(),
        )
    }

    #[test]
    fn survives_the_queue() {
        assert_eq!(Hint::parse(&hint().body()).unwrap(), hint());
    }

    #[test]
    fn a_second_change_within_five_minutes_is_another_message() {
        let mut later = hint();
        later.at += jiff::SignedDuration::from_millis(1);
        assert_ne!(hint().deduplication(), later.deduplication());
        assert_eq!(hint().group(), later.group());
    }

    #[test]
    fn other_versions_and_shapes_are_refused_with_the_reason() {
        let told = |body: &str| Hint::parse(body).unwrap_err().to_string();
        assert!(told(&hint().body().replace("\"v\":1", "\"v\":2")).contains("version `2`"));
        assert!(told("{}").contains("not a hint"));
        assert!(told("hello").contains("not a hint"));
    }
}
