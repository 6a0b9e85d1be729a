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
    ///
    /// ```
    /// use mapping::ReferralId;
    ///
    /// let id = ReferralId::parse("0F9D2C4B-1E55-4A61-9A3D-5D0B1F7E2C01").unwrap();
    /// assert_eq!(id.as_str(), "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01");
    /// assert_eq!(ReferralId::parse("0f9d2c4b"), None);
    /// ```
    ReferralId
}
guid_id! {
    /// An engagement's id, lower case.
    EngagementId
}

/// The `organizationId` of Microsoft's own half of an engagement.
pub(crate) const MICROSOFT: &str = "msft";

/// A referral, whose body is kept whole; clones share it.
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
    /// The JSON path, such as `$.updatedDateTime`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl Referral {
    /// Reads a body and keeps all of it. `id`, `updatedDateTime`, `status`, `substatus` and `organizationId` are
    /// required.
    ///
    /// ```
    /// use mapping::Referral;
    /// use serde_json::json;
    ///
    /// let mut body = json!({
    ///     "id": "0F9D2C4B-1E55-4A61-9A3D-5D0B1F7E2C01", "updatedDateTime": "2026-03-02T09:14:21Z",
    ///     "status": "New", "substatus": "Pending", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    /// });
    /// assert_eq!(Referral::parse(body.clone())?.id().as_str(), "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01");
    /// body["updatedDateTime"] = json!("yesterday");
    /// assert_eq!(Referral::parse(body).unwrap_err().path, "$.updatedDateTime");
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
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
    /// `id`, a GUID that Partner Center gave it.
    pub fn id(&self) -> &ReferralId {
        &self.id
    }
    /// `engagementId`; `None` if it is empty.
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
    /// `updatedDateTime`, by which its versions are ordered.
    pub fn updated(&self) -> Timestamp {
        self.updated
    }
    /// `createdDateTime`; `None` if it is missing or no instant.
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
    ///
    /// ```
    /// use mapping::Referral;
    ///
    /// let referral = Referral::parse(serde_json::json!({
    ///     # "id": "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "updatedDateTime": "2026-03-02T09:14:21Z",
    ///     # "status": "New", "substatus": "Pending", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
    ///     "externalReferenceId": "0065i00000QkT3aAAF",
    /// }))?;
    /// assert_eq!(referral.external_reference(), Some("0065i00000QkT3aAAF"));
    /// assert_eq!(referral.without_external_reference().external_reference(), None);
    /// # Ok::<(), mapping::Malformed>(())
    /// ```
    #[must_use]
    pub fn without_external_reference(mut self) -> Self {
        if let Some(named) = Arc::make_mut(&mut self.body).get_mut("externalReferenceId") {
            *named = serde_json::Value::Null;
        }
        self
    }
    /// `status`: `New`, `Active` or `Closed`.
    pub fn status(&self) -> &str {
        member(&self.body, "status")
    }
    /// `substatus`, such as `Pending`, `Accepted` or `Won`.
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
