//! The documented ways of both hosts to fail at no fault of the caller: ready to be scripted, and a rate limit.

use super::{
    PartnerCenter,
    answer::{PartnerCenterRefusal, throttled},
};
use crate::server::{FaultKind, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const RETRY_AFTER: i64 = 57;

/// The names [`fault`] knows.
pub const FAULTS: [&str; 7] = [
    "throttled",
    "throttled_as_error",
    "unavailable",
    "general_exception",
    "unauthenticated",
    "resource_modified",
    "slow",
];

/// A fault as the vendor would cause it, for `Server::fault` and `POST /_sim/faults`.
pub fn fault(name: &str) -> Option<FaultKind> {
    let error = |status: u16, code: &'static str, message: &str| {
        Response::from(PartnerCenterRefusal::new(status, code, message))
    };
    let response = match name {
        "throttled" => throttled(RETRY_AFTER),
        "throttled_as_error" => throttled_as_error(RETRY_AFTER),
        "unavailable" => error(503, "serviceNotAvailable", "The service is temporarily not available.")
            .with("retry-after", RETRY_AFTER.to_string()),
        "general_exception" => error(500, "generalException", "An unspecified error has occurred."),
        "unauthenticated" => error(401, "unauthenticated", "The access token is missing or not valid."),
        "resource_modified" => error(409, "resourceModified", "The referral changed since it was last read."),
        "slow" => return Some(FaultKind::Delay { ms: 3000, after_commit: false }),
        _ => return None,
    };
    Some(FaultKind::Answer {
        status: response.status,
        headers: response.headers.into_iter().collect::<BTreeMap<_, _>>(),
        body: String::from_utf8_lossy(&response.body).into_owned(),
    })
}

/// The same in the body of the referrals host; which of the two it sends is not documented, nor the code.
fn throttled_as_error(seconds: i64) -> Response {
    let text = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
    Response::from(PartnerCenterRefusal::new(429, "serviceNotAvailable", &text))
        .with("retry-after", seconds.to_string())
}

impl PartnerCenter {
    /// The refusal of a call beyond the limit of the switches; other calls are counted.
    pub(super) fn throttle(&mut self, now: Timestamp) -> Option<Response> {
        let limit = self.switches.calls_per_minute?;
        self.calls.retain(|at| now.duration_since(*at) < MINUTE);
        let Some(first) = self.calls.first().filter(|_| self.calls.len() >= limit as usize) else {
            self.calls.push(now);
            return None;
        };
        let seconds = (MINUTE - now.duration_since(*first)).as_secs().max(1);
        let plain = !self.switches.throttle_as_error;
        Some(if plain { throttled(seconds) } else { throttled_as_error(seconds) })
    }
}
