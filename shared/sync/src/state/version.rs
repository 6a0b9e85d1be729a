//! The version of one side, as that side reports it, and which of two versions is older. An older version decides
//! nothing by itself: it is only a reason to read again.

use jiff::Timestamp;
use mapping::Referral;
use serde::{Deserialize, Serialize};

/// A version: identifies one state of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What a conditional write sends: Partner Center's eTag, Dataverse's `W/"n"`, Salesforce's `LastModifiedDate`.
    pub token: String,
    /// What orders versions of one row: `updatedDateTime` in nanoseconds, `versionnumber`, `SystemModstamp` in seconds.
    pub order: Option<i64>,
}

/// Separates a token's stamp from a digest of the row. The digest distinguishes two versions with one stamp. No write
/// of ours shares its stamp with the version it is conditional on: it waits until that stamp is old.
pub const BESIDES: &str = "|#";

/// How a version relates to another one of the same row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Both name the same state.
    Same,
    /// This one is the later state.
    Newer,
    /// This one is the earlier state.
    Older,
    /// The order cannot be decided: read the row again by id.
    Unknown,
}

impl Version {
    /// A referral's version: its eTag and `updatedDateTime`.
    pub fn of_referral(referral: &Referral) -> Self {
        let token = referral.etag().unwrap_or_default().to_owned();
        Version { token, order: nanoseconds(referral.updated()) }
    }

    /// Whether this referral's version is at or after `instant`.
    pub fn covers(&self, instant: Timestamp) -> bool {
        self.order.is_some_and(|own| nanoseconds(instant).is_some_and(|other| other <= own))
    }

    /// Whether a write of ours that was conditional on `self` had not happened when `other` was read: their stamps are
    /// equal.
    pub fn was_not_written_over(&self, other: &Version) -> bool {
        self.stamp() == other.stamp()
    }

    /// The token without what tells versions apart that share a stamp: the same however fresh the row was when it was
    /// read.
    pub fn stamp(&self) -> &str {
        self.token.split(BESIDES).next().unwrap_or_default()
    }

    /// How `self` relates to `other`.
    pub fn against(&self, other: &Version) -> Age {
        if self.token == other.token {
            return Age::Same;
        }
        match (self.order, other.order) {
            (Some(a), Some(b)) if a > b => Age::Newer,
            (Some(a), Some(b)) if a < b => Age::Older,
            _ => Age::Unknown,
        }
    }
}

/// `None` after the year 2262: an `i64` holds no later instant.
fn nanoseconds(instant: Timestamp) -> Option<i64> {
    i64::try_from(instant.as_nanosecond()).ok()
}
