//! Who asks: Lambda passes no caller to the function, so a request to `sts:GetCallerIdentity` goes along, signed by the
//! user's own AWS credentials, for one minute and one stack. It is not sent from here; the admin function redeems it.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4::SigningParams,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, SystemTime};

/// The request is valid for so long.
const VALID: Duration = Duration::from_secs(60);
/// The header that binds it to a stack.
const STACK_HEADER: &str = "x-cosell-stack";
const CALL: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// STS of a region.
pub fn host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://sts.{region}.amazonaws.com{suffix}")
}

/// The signed query. `sts`: scheme and host of the region's STS, as the function reaches it; `stack`: the stack's ARN.
pub fn query(
    credentials: &Credentials,
    region: &str,
    sts: &str,
    stack: &str,
    now: SystemTime,
) -> Result<String, String> {
    let told = |why: &dyn std::fmt::Display| format!("who asks cannot be signed: {why}");
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(VALID);
    let params = SigningParams::builder().identity(&identity).region(region).name("sts").time(now);
    let params = params.settings(settings).build().map_err(|e| told(&e))?.into();
    let sts = sts.trim_end_matches('/');
    let host = sts.split_once("://").map_or(sts, |(_, host)| host);
    let url = format!("{sts}/?{CALL}");
    let headers = [("host", host), (STACK_HEADER, stack)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(b""));
    let signed = sign(request.map_err(|e| told(&e))?, &params).map_err(|e| told(&e))?;
    let (instructions, _) = signed.into_parts();
    let part = |(name, value): &(&str, std::borrow::Cow<'_, str>)| {
        format!("&{name}={}", utf8_percent_encode(value, RESERVED))
    };
    Ok(CALL.to_owned() + &instructions.params().iter().map(part).collect::<String>())
}
