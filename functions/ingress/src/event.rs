//! What a verified body says (vendors/partner-center.md, *Events*): which referral to look at, or why there is nothing
//! to do. `ResourceUri` is never called; only the id at its end counts.

use jiff::Timestamp;
use mapping::ReferralId;
use serde::Deserialize;
use serde_json::Value;
use sync::hint::{Hint, Subject};

/// How much of an unknown event's name is repeated in the log.
const NAME: usize = 64;

/// What an event with a valid signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A referral, or something in its engagement, changed.
    Changed {
        /// The referral the event names; for `related-*` events it may be a sibling.
        referral: ReferralId,
        /// What goes on the queue.
        hint: Hint,
    },
    /// `test-created`: a self-test of the registration.
    Test,
    /// An event we do not handle, by its name. It is accepted: refused, it would be delivered ten more times.
    Other(String),
}

/// Why a verified body is not an event of ours.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not JSON, or not the documented members.
    #[error("not an event: {0}")]
    Shape(#[from] serde_json::Error),
    /// `ResourceUri` does not end in a GUID.
    #[error("`ResourceUri` names no referral")]
    Resource,
    /// `ResourceChangeUtcDate` is no instant.
    #[error("`ResourceChangeUtcDate` is not an instant")]
    Instant,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    event_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    resource_uri: String,
    resource_change_utc_date: String,
}

impl Event {
    /// Reads a body whose signature was verified.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let body: Value = serde_json::from_slice(body)?;
        let name = Named::deserialize(&body)?.event_name;
        let subject: fn(ReferralId) -> Subject = match name.as_str() {
            "referral-created" | "referral-updated" => |referral| Subject::Referral { referral },
            "related-referral-created" | "related-referral-updated" => {
                |referral| Subject::Engagement { referral }
            }
            "test-created" => return Ok(Event::Test),
            _ => return Ok(Event::Other(name.chars().take(NAME).collect())),
        };
        let change = Change::deserialize(&body)?;
        let id = change.resource_uri.rsplit_once('/').map(|(_, id)| id);
        let referral = id.and_then(ReferralId::parse).ok_or(Malformed::Resource)?;
        let at: Timestamp = change.resource_change_utc_date.parse().map_err(|_| Malformed::Instant)?;
        Ok(Event::Changed { hint: Hint::new(subject(referral.clone()), &name, at), referral })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";

    fn body(name: &str, uri: &str, at: &str) -> Vec<u8> {
        serde_json::json!({
            "EventName": name, "ResourceUri": uri, "ResourceName": "referral", "AuditUri": null,
            "ResourceChangeUtcDate": at,
        })
        .to_string()
        .into_bytes()
    }

    fn changed(name: &str) -> Event {
        let uri =
            format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{}", ID.to_uppercase());
        Event::parse(&body(name, &uri, "2018-02-17T00:05:39.5485487+00:00")).unwrap()
    }

    #[test]
    fn each_event_becomes_a_hint_of_its_kind() {
        let referral = ReferralId::parse(ID).unwrap();
        let at: Timestamp = "2018-02-17T00:05:39.5485487Z".parse().unwrap();
        for name in ["referral-created", "referral-updated"] {
            let hint = Hint::new(Subject::Referral { referral: referral.clone() }, name, at);
            assert_eq!(changed(name), Event::Changed { referral: referral.clone(), hint });
        }
        for name in ["related-referral-created", "related-referral-updated"] {
            let hint = Hint::new(Subject::Engagement { referral: referral.clone() }, name, at);
            assert_eq!(changed(name), Event::Changed { referral: referral.clone(), hint });
        }
    }

    #[test]
    fn tests_and_unknown_events_need_no_referral() {
        assert_eq!(Event::parse(br#"{"EventName":"test-created"}"#).unwrap(), Event::Test);
        let unknown = body("subscription-updated", "urn:x", "yesterday");
        assert_eq!(Event::parse(&unknown).unwrap(), Event::Other("subscription-updated".into()));
    }

    #[test]
    fn what_names_no_referral_or_instant_is_malformed() {
        let (at, uri) = ("2018-02-17T00:05:39+00:00", format!("https://h/referrals/{ID}"));
        assert!(Event::parse(&body("referral-updated", &uri, at)).is_ok());
        for bad in [
            body("referral-updated", &format!("{uri}?x=1"), at),
            body("referral-updated", "https://h/referrals/42", at),
            body("referral-updated", ID, at),
            body("referral-updated", &uri, "2018-02-17T00:05:39"),
            body("referral-updated", &uri, ""),
            br#"{"EventName":"referral-updated"}"#.to_vec(),
            br#"{"EventName":7}"#.to_vec(),
            br#"["referral-updated"]"#.to_vec(),
            b"null".to_vec(),
            b"hello".to_vec(),
            b"".to_vec(),
        ] {
            assert!(Event::parse(&bad).is_err(), "{}", String::from_utf8_lossy(&bad));
        }
    }
}
