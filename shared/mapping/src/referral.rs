//! A referral as Partner Center returns it, and its ids. The body is kept whole, with members that this code does not
//! know.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, sync::Arc};

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads a GUID in any case; `None`: the text is none.
            pub fn parse(text: &str) -> Option<Self> {
                let shaped = text.len() == 36 && text.as_bytes().iter().filter(|b| **b == b'-').count() == 4;
                let id = uuid::Uuid::try_parse(text).ok().filter(|_| shaped)?;
                Some($name(id.hyphenated().to_string()))
            }

            /// The id in lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $name::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a GUID")))
            }
        }
    };
}

guid_id! {
    /// A referral's id, lower case.
    ReferralId
}
guid_id! {
    /// An engagement's id, lower case.
    EngagementId
}

/// The `organizationId` of Microsoft's own half of an engagement.
pub(crate) const MICROSOFT: &str = "msft";

/// A referral body.
#[derive(Clone, Debug, PartialEq)]
pub struct Referral {
    body: Arc<serde_json::Value>,
    id: ReferralId,
    engagement: Option<EngagementId>,
    updated: Timestamp,
}

/// A body that is not a referral.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("referral body: `{path}`: {problem}")]
pub struct Malformed {
    /// The JSON path.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl Referral {
    /// Reads a body and keeps all of it. `id`, `updatedDateTime`, `status`, `substatus` and `organizationId` are
    /// required.
    pub fn parse(body: serde_json::Value) -> Result<Referral, Malformed> {
        if !body.is_object() {
            return Err(malformed("$", "expected an object"));
        }
        for name in ["status", "substatus", "organizationId"] {
            text(&body, name)?;
        }
        let id = ReferralId::parse(text(&body, "id")?).ok_or_else(|| malformed("$.id", "expected a GUID"))?;
        let updated = instant(&body, "updatedDateTime")?.ok_or_else(|| {
            malformed("$.updatedDateTime", "expected an instant such as `2026-03-02T09:14:21Z`")
        })?;
        let engagement = match member(&body, "engagementId") {
            "" => None,
            given => Some(
                EngagementId::parse(given).ok_or_else(|| malformed("$.engagementId", "expected a GUID"))?,
            ),
        };
        Ok(Referral { body: Arc::new(body), id, engagement, updated })
    }

    /// The body as it was read.
    pub fn body(&self) -> &serde_json::Value {
        &self.body
    }
    /// `id`.
    pub fn id(&self) -> &ReferralId {
        &self.id
    }
    /// `engagementId`.
    pub fn engagement(&self) -> Option<&EngagementId> {
        self.engagement.as_ref()
    }
    /// `organizationId`: the organisation that owns this referral.
    pub fn organization(&self) -> &str {
        member(&self.body, "organizationId")
    }
    /// `eTag`, with its inner quotes.
    pub fn etag(&self) -> Option<&str> {
        Some(member(&self.body, "eTag")).filter(|text| !text.is_empty())
    }
    /// `updatedDateTime`.
    pub fn updated(&self) -> Timestamp {
        self.updated
    }
    /// `createdDateTime`.
    pub fn created(&self) -> Option<Timestamp> {
        instant(&self.body, "createdDateTime").ok().flatten()
    }
    /// `expirationDateTime`: when a new referral that is not answered expires. Our own and accepted referrals have
    /// none.
    pub fn expires(&self) -> Option<Timestamp> {
        instant(&self.body, "expirationDateTime").ok().flatten()
    }
    /// `externalReferenceId`, the id of the record in the partner's CRM; `None` if it is empty.
    pub fn external_reference(&self) -> Option<&str> {
        Some(member(&self.body, "externalReferenceId").trim()).filter(|text| !text.is_empty())
    }
    /// The same referral, naming no record.
    #[must_use]
    pub fn without_external_reference(mut self) -> Self {
        if let Some(named) = Arc::make_mut(&mut self.body).get_mut("externalReferenceId") {
            *named = serde_json::Value::Null;
        }
        self
    }
    /// `status`.
    pub fn status(&self) -> &str {
        member(&self.body, "status")
    }
    /// `substatus`.
    pub fn substatus(&self) -> &str {
        member(&self.body, "substatus")
    }
    /// Whether it is not answered yet.
    pub fn is_new(&self) -> bool {
        self.status() == "New"
    }
    /// Whether it is accepted and open.
    pub fn is_active(&self) -> bool {
        self.status() == "Active"
    }
    /// Whether it is closed, which is final: it cannot be edited any more.
    pub fn is_terminal(&self) -> bool {
        self.status() == "Closed"
    }
    /// Whether this organisation owns it. GUIDs are compared without case.
    pub fn belongs_to(&self, organization: &str) -> bool {
        self.organization().eq_ignore_ascii_case(organization)
    }

    /// Whether it is Microsoft's own half of an engagement.
    pub fn is_microsoft(&self) -> bool {
        self.organization().eq_ignore_ascii_case(MICROSOFT)
    }
}

fn malformed(path: &str, problem: &str) -> Malformed {
    Malformed { path: path.to_owned(), problem: problem.to_owned() }
}

/// A text member at the top of a body; empty if it is missing, null or not a text.
fn member<'a>(body: &'a serde_json::Value, name: &str) -> &'a str {
    body.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

fn text<'a>(body: &'a serde_json::Value, name: &str) -> Result<&'a str, Malformed> {
    match member(body, name) {
        "" => Err(malformed(&format!("$.{name}"), "expected a text that is not empty")),
        text => Ok(text),
    }
}

fn instant(body: &serde_json::Value, name: &str) -> Result<Option<Timestamp>, Malformed> {
    match member(body, name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            malformed(&format!("$.{name}"), "expected an instant such as `2026-03-02T09:14:21Z`")
        }),
    }
}
