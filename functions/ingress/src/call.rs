//! One call as the gateway hands it on (HTTP API, payload version 2.0), read from the raw event: its path, the four
//! headers that count, and its body. The query and everything else is never looked at, so that nothing a stranger
//! sends reaches a library that would give up on it.

use crate::BODY_LIMIT;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// The headers that count.
const NAMES: [&str; 4] =
    ["authorization", "x-ms-certificate-url", "x-ms-signature", "x-ms-signature-algorithm"];
/// What the largest body is in base64, line breaks apart.
const ENCODED_LIMIT: usize = BODY_LIMIT.div_ceil(3) * 4;

/// A call of the webhook, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Without the query. Holds a secret: never logged.
    pub path: String,
    /// The four that verification needs; no other is kept.
    pub headers: Headers,
    /// As it was sent; `None`: larger than what is looked at, and not even decoded.
    pub body: Option<Vec<u8>>,
}

/// Not an event of the gateway, or its body is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    raw_path: Option<Cow<'a, str>>,
    headers: Option<Headers>,
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: Option<bool>,
}

impl Call {
    /// Reads the gateway's event.
    pub fn read(event: &[u8]) -> Result<Self, Unreadable> {
        let raw: Raw<'_> = serde_json::from_slice(event).map_err(|_| Unreadable)?;
        let text = raw.body.unwrap_or_default();
        let encoded = raw.is_base64_encoded == Some(true);
        let limit = if encoded { ENCODED_LIMIT } else { BODY_LIMIT };
        let body = match encoded {
            _ if text.len() > limit => None,
            true => Some(STANDARD.decode(text.as_bytes()).map_err(|_| Unreadable)?),
            false => Some(text.into_owned().into_bytes()),
        };
        let body = body.filter(|body| body.len() <= BODY_LIMIT);
        let path = raw.raw_path.unwrap_or_default().into_owned();
        Ok(Call { path, headers: raw.headers.unwrap_or_default(), body })
    }
}

/// The headers that count, whatever the case of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers([Found; NAMES.len()]);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Found {
    #[default]
    Absent,
    One(String),
    /// Repeated, or no text.
    Unusable,
}

impl Headers {
    /// From names and values.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Headers::default();
        for (name, value) in headers {
            all.add(name, Some(value.to_owned()));
        }
        all
    }

    fn add(&mut self, name: &str, value: Option<String>) {
        let Some(found) = place(name).and_then(|at| self.0.get_mut(at)) else { return };
        *found = match (&found, value) {
            (Found::Absent, Some(value)) => Found::One(value),
            _ => Found::Unusable,
        };
    }

    /// Whether there is such a header, usable or not.
    pub fn has(&self, name: &str) -> bool {
        self.found(name).is_some_and(|found| *found != Found::Absent)
    }

    /// The only value of a header, in visible ASCII.
    pub fn one(&self, name: &str) -> Option<&str> {
        let Found::One(value) = self.found(name)? else { return None };
        let visible = |byte: u8| byte == b'\t' || (b' '..0x7f).contains(&byte);
        Some(value.trim()).filter(|value| !value.is_empty() && value.bytes().all(visible))
    }

    fn found(&self, name: &str) -> Option<&Found> {
        self.0.get(place(name)?)
    }
}

fn place(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| name.eq_ignore_ascii_case(known))
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            // Not by a map: that would keep the last of two headers of one name.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut all = Headers::default();
                while let Some(name) = map.next_key::<String>()? {
                    if place(&name).is_none() {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let value: Value = map.next_value()?;
                    all.add(&name, value.as_str().map(str::to_owned));
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: &Value) -> Result<Call, Unreadable> {
        Call::read(event.to_string().as_bytes())
    }

    #[test]
    fn what_a_stranger_adds_is_never_looked_at() {
        let plain = json!({ "rawPath": "/webhook/x", "headers": { "Authorization": "Signature AAAA" }, "body": "{}" });
        let call = read(&plain).unwrap();
        assert_eq!((call.path.as_str(), call.body.as_deref()), ("/webhook/x", Some(b"{}".as_slice())));
        assert_eq!(call.headers.one("authorization"), Some("Signature AAAA"));
        let mut odd = plain.clone();
        odd["rawQueryString"] = json!("?a=\"&b=%");
        odd["cookies"] = json!(["\u{0}"]);
        odd["requestContext"] = json!({ "http": 7, "domainName": "[::\"" });
        odd["headers"]["x-forwarded-proto"] = json!("ht tp");
        odd["headers"]["host"] = json!(["[::\"", 1]);
        odd["headers"]["x-\u{1}"] = json!("\u{80}");
        assert_eq!(read(&odd), Ok(call));
    }

    #[test]
    fn what_cannot_be_read_is_no_call() {
        for event in [
            json!(null),
            json!([]),
            json!({ "body": 7 }),
            json!({ "headers": [] }),
            json!({ "rawPath": {} }),
            json!({ "body": "QQ", "isBase64Encoded": true }),
            json!({ "body": "Q Q=", "isBase64Encoded": true }),
        ] {
            assert_eq!(read(&event), Err(Unreadable), "{event}");
        }
        for event in [b"".as_slice(), b"{", b"\xff", br#"{"rawPath":"a","rawPath":"b"}"#] {
            assert_eq!(Call::read(event), Err(Unreadable), "{}", String::from_utf8_lossy(event));
        }
        assert!(read(&json!({})).is_ok_and(|call| call.body.as_deref() == Some(b"") && call.path.is_empty()));
    }

    #[test]
    fn a_large_body_is_not_decoded() {
        let largest = "x".repeat(BODY_LIMIT);
        let body = |event: &Value| read(event).unwrap().body.map(|body| body.len());
        assert_eq!(body(&json!({ "body": largest })), Some(BODY_LIMIT));
        assert_eq!(body(&json!({ "body": format!("{largest}x") })), None);
        let encoded = |n: usize| json!({ "body": STANDARD.encode(vec![0; n]), "isBase64Encoded": true });
        assert_eq!(body(&encoded(BODY_LIMIT)), Some(BODY_LIMIT));
        assert_eq!(body(&encoded(BODY_LIMIT + 1)), None);
        let junk = json!({ "body": "?".repeat(ENCODED_LIMIT + 1), "isBase64Encoded": true });
        assert_eq!(body(&junk), None, "before anybody decodes it");
    }

    #[test]
    fn a_header_counts_if_there_is_one_of_it_and_it_can_be_read() {
        let one = |event: &[u8]| Call::read(event).unwrap().headers.one("x-ms-signature").map(str::to_owned);
        assert_eq!(one(br#"{"headers":{"X-MS-Signature":" AAAA "}}"#).as_deref(), Some("AAAA"));
        for unusable in [
            br#"{"headers":{"x-ms-signature":"AAAA","X-Ms-Signature":"AAAA"}}"#.as_slice(),
            br#"{"headers":{"x-ms-signature":["AAAA"]}}"#,
            br#"{"headers":{"x-ms-signature":null}}"#,
            br#"{"headers":{"x-ms-signature":"A\u0000"}}"#,
            br#"{"headers":{"x-ms-signature":"A\u00e9"}}"#,
            br#"{"headers":{"x-ms-signature":""}}"#,
        ] {
            assert_eq!(one(unusable), None, "{}", String::from_utf8_lossy(unusable));
            assert!(Call::read(unusable).unwrap().headers.has("x-ms-signature"));
        }
    }
}
