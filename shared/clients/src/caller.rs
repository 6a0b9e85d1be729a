//! Finds out who invokes the admin function, because Lambda passes no caller. `cosell` signs a request to
//! `sts:GetCallerIdentity`, does not send it, and puts its query into the event; the function sends it to STS, which
//! answers with the signer's ARN. The request is valid for a minute and for one stack, whose ARN is a signed header.

use crate::http::{BuildError, Http};
use aws_types::SdkConfig;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::{Method, Url};
use std::{collections::BTreeMap, time::Duration};

/// The header that binds a request to a stack.
pub const STACK_HEADER: &str = "x-cosell-stack";
/// How long a request may be valid.
pub const VALID_SECONDS: i64 = 60;
/// By how much the caller's clock may be ahead.
const AHEAD_SECONDS: i64 = 60;
/// The longest query, in bytes; the token of a temporary key has about 1,500 characters.
const LONGEST: usize = 8_192;
const ANSWER: Duration = Duration::from_secs(5);
/// All parts of the query, and the values that are fixed.
const PARTS: [(&str, Option<&str>); 9] = [
    ("Action", Some("GetCallerIdentity")),
    ("Version", Some("2011-06-15")),
    ("X-Amz-Algorithm", Some("AWS4-HMAC-SHA256")),
    ("X-Amz-SignedHeaders", Some("host;x-cosell-stack")),
    ("X-Amz-Credential", None),
    ("X-Amz-Date", None),
    ("X-Amz-Expires", None),
    ("X-Amz-Signature", None),
    ("X-Amz-Security-Token", None),
];

/// Redeems the proofs of callers at the STS of the stack's region; no other host is called.
#[derive(Clone, Debug)]
pub struct Callers {
    http: Http,
    url: String,
    region: String,
    stack: String,
}

impl Callers {
    /// `stack`: the ARN of the stack.
    pub fn new(aws: &SdkConfig, stack: &str) -> Result<Self, BuildError> {
        let region = aws.region().map_or("", |region| region.as_ref()).to_owned();
        let url = aws.endpoint_url().map_or_else(|| host(&region), str::to_owned);
        Ok(Callers { http: Http::new(ANSWER)?, url, region, stack: stack.to_owned() })
    }

    /// The ARN of the caller who signed the query. The error says why nothing is proven.
    pub async fn redeem(&self, query: &str, now: Timestamp) -> Result<String, String> {
        check(query, &self.region, now)?;
        let url = format!("{}/?{query}", self.url.trim_end_matches('/'));
        let request = self.http.request(Method::GET, &url).header(STACK_HEADER, &self.stack);
        let answer = self.http.send(request).await.map_err(|_| "STS did not answer".to_owned())?;
        match answer.status {
            200 => arn(&answer.body).ok_or_else(|| "STS answered without an ARN".to_owned()),
            status => Err(format!("STS refused the proof ({status}): forged, expired or of another stack")),
        }
    }
}

/// The address of a region's STS.
pub fn host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://sts.{region}.amazonaws.com{suffix}")
}

/// Whether a query may be sent to STS: for this one call, signed for this region and within the last minute.
fn check(query: &str, region: &str, now: Timestamp) -> Result<(), String> {
    let wrong = |what: &str| format!("the proof is not used: {what}");
    if query.len() > LONGEST || query.contains(['#', ' ']) {
        return Err(wrong("it is no query"));
    }
    let url = Url::parse(&format!("https://sts/?{query}")).map_err(|_| wrong("it is no query"))?;
    let mut parts = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        let known = PARTS.iter().find(|(part, _)| *part == name);
        let fits = known.is_some_and(|(_, wanted)| wanted.is_none_or(|wanted| wanted == value));
        if !fits || parts.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(wrong("it asks for something else than `sts:GetCallerIdentity`"));
        }
    }
    let part = |name: &str| parts.get(name).map(String::as_str).ok_or_else(|| wrong("it is not whole"));
    for (name, _) in &PARTS[..PARTS.len() - 1] {
        part(name)?;
    }
    let scope: Vec<_> = part("X-Amz-Credential")?.split('/').skip(2).collect();
    if scope != [region, "sts", "aws4_request"] {
        return Err(wrong("it is signed for another region or service"));
    }
    let signed = signed_at(part("X-Amz-Date")?).ok_or_else(|| wrong("its date cannot be read"))?;
    let valid =
        part("X-Amz-Expires")?.parse::<i64>().ok().filter(|valid| (1..=VALID_SECONDS).contains(valid));
    let valid = valid.ok_or_else(|| wrong("it is valid for longer than a minute"))?;
    let age = now.duration_since(signed).as_secs();
    if !(-AHEAD_SECONDS..=valid).contains(&age) {
        return Err(wrong("it has expired"));
    }
    Ok(())
}

fn signed_at(text: &str) -> Option<Timestamp> {
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn arn(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let arn = document.descendants().find(|node| node.tag_name().name() == "Arn")?.text()?;
    let plain = arn.starts_with("arn:") && arn.len() <= 2_048 && arn.chars().all(|c| c.is_ascii_graphic());
    plain.then(|| arn.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_774_000_000, 0);

    fn query(changes: &[(&str, &str)]) -> String {
        let date = NOW.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut parts = BTreeMap::from([
            ("Action", "GetCallerIdentity"),
            ("Version", "2011-06-15"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-SignedHeaders", "host%3Bx-cosell-stack"),
            ("X-Amz-Credential", "AKIA%2F20260320%2Feu-west-1%2Fsts%2Faws4_request"),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", "60"),
            ("X-Amz-Signature", "0123abcd"),
        ]);
        parts.extend(changes.iter().copied());
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        parts.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn one_call_of_this_region_and_minute_is_redeemed() {
        assert_eq!(check(&query(&[]), "eu-west-1", NOW), Ok(()));
        assert_eq!(check(&query(&[("X-Amz-Security-Token", "t")]), "eu-west-1", NOW), Ok(()));
    }

    #[test]
    fn anything_else_never_reaches_sts() {
        for (changes, word) in [
            (vec![("Action", "AssumeRole")], "something else"),
            (vec![("RoleArn", "arn")], "something else"),
            (vec![("X-Amz-SignedHeaders", "host")], "something else"),
            (vec![("X-Amz-Signature", "")], "not whole"),
            (
                vec![("X-Amz-Credential", "AKIA%2F20260320%2Fus-east-1%2Fsts%2Faws4_request")],
                "another region",
            ),
            (vec![("X-Amz-Credential", "AKIA%2F20260320%2Feu-west-1%2Fs3%2Faws4_request")], "another region"),
            (vec![("X-Amz-Expires", "3600")], "a minute"),
            (vec![("X-Amz-Date", "20260320T094500Z")], "expired"),
            (vec![("X-Amz-Date", "20360320T094500Z")], "expired"),
            (vec![("X-Amz-Date", "yesterday")], "date"),
        ] {
            let told = check(&query(&changes), "eu-west-1", NOW).unwrap_err();
            assert!(told.contains(word), "{changes:?}: {told}");
        }
        for hostile in ["", "@evil.example/?Action=GetCallerIdentity", "Action=GetCallerIdentity#", "\u{0}"] {
            assert!(check(hostile, "eu-west-1", NOW).is_err(), "{hostile}");
        }
        let twice = query(&[]) + "&Action=GetCallerIdentity";
        assert!(check(&twice, "eu-west-1", NOW).is_err());
    }

    #[test]
    fn the_signer_is_read_from_the_answer() {
        let body = b"<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
            <Arn>arn:aws:sts::1:assumed-role/Ops/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
        assert_eq!(arn(body).as_deref(), Some("arn:aws:sts::1:assumed-role/Ops/ann"));
        assert_eq!(arn(b"<Arn>somebody</Arn>"), None);
        assert_eq!(arn(b"{}"), None);
    }
}
