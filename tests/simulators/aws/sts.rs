//! `sts:GetCallerIdentity` by a presigned query (Signature Version 4, *Authenticating Requests: Using Query Parameters*).
//! The signature is verified over what arrived; nothing else of STS is known.

use crate::server::{Request, Response};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use percent_encoding::percent_decode_str;
use ring::{
    digest::{SHA256, digest},
    hmac,
};
use std::collections::BTreeMap;

/// Access keys: the secret and whose they are.
const KEYS: [(&str, &str, &str); 2] = [
    ("test", "test", "arn:aws:iam::000000000000:user/ann"),
    ("ASIAOPS", "ops-secret", "arn:aws:sts::000000000000:assumed-role/Operations/ben"),
];

/// Answers if the query is one of `GetCallerIdentity`; anything else is unknown.
pub(super) fn call(request: &Request, now: Timestamp) -> Response {
    let sent: BTreeMap<&str, &str> =
        request.query.split('&').filter_map(|part| part.split_once('=')).collect();
    if request.method != "GET" || request.path != "/" || sent.get("Action") != Some(&"GetCallerIdentity") {
        return Response::unknown(request, "of STS only a GET of `GetCallerIdentity` is known");
    }
    match verified(request, &sent, now) {
        Ok(arn) => xml(200, answer(arn)),
        Err((code, message)) => xml(403, refusal(code, &message)),
    }
}

type StsRefusal = (&'static str, String);

fn verified(
    request: &Request,
    sent: &BTreeMap<&str, &str>,
    now: Timestamp,
) -> Result<&'static str, StsRefusal> {
    let part = |name: &str| {
        let value = sent.get(name).ok_or_else(|| ("MissingAuthenticationToken", format!("no {name}")))?;
        Ok(percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    if part("Version")? != "2011-06-15" || part("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return Err(("IncompleteSignature", "version or algorithm".into()));
    }
    let (credential, date) = (part("X-Amz-Credential")?, part("X-Amz-Date")?);
    let [id, day, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return Err(("IncompleteSignature", "credential".into()));
    };
    if region != super::REGION || service != "sts" || !date.starts_with(day) {
        return Err((
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region and day".into(),
        ));
    }
    let key = KEYS.iter().find(|(known, ..)| *known == id);
    let (_, secret, arn) =
        key.ok_or_else(|| ("InvalidClientTokenId", "The security token is invalid".into()))?;
    let valid: i64 =
        part("X-Amz-Expires")?.parse().map_err(|_| ("IncompleteSignature", "expires".to_owned()))?;
    let signed =
        DateTime::strptime("%Y%m%dT%H%M%SZ", &date).ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    let signed = signed.ok_or_else(|| ("IncompleteSignature", "date".to_owned()))?.timestamp();
    if now.duration_since(signed).as_secs() > valid {
        return Err(("SignatureDoesNotMatch", format!("Signature expired: {date} is now earlier")));
    }
    let names = part("X-Amz-SignedHeaders")?;
    let text = [
        "AWS4-HMAC-SHA256",
        &date,
        &format!("{day}/{region}/{service}/aws4_request"),
        &hex(digest(&SHA256, canonical(request, sent, &names).as_bytes()).as_ref()),
    ]
    .join("\n");
    let key = [day, region, service, "aws4_request", &text]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
        });
    match hex(&key) == part("X-Amz-Signature")? {
        true => Ok(arn),
        false => Err(("SignatureDoesNotMatch", "The request signature we calculated does not match".into())),
    }
}

fn canonical(request: &Request, sent: &BTreeMap<&str, &str>, names: &str) -> String {
    let query = sent.iter().filter(|(name, _)| **name != "X-Amz-Signature");
    let query: Vec<_> = query.map(|(name, value)| format!("{name}={value}")).collect();
    let headers =
        names.split(';').map(|name| format!("{name}:{}\n", request.header(name).unwrap_or_default()));
    let body = hex(digest(&SHA256, b"").as_ref());
    format!("GET\n/\n{}\n{}\n{names}\n{body}", query.join("&"), headers.collect::<String>())
}

fn xml(status: u16, body: String) -> Response {
    Response::new(status).with("content-type", "text/xml").body(body)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer(arn: &str) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        super::ACCOUNT
    )
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    )
}
