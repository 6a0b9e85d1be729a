//! Partner Center's Referrals API (vendors/partner-center.md, *Two services*): reads one referral, lists, patches
//! under an eTag, creates. It decides nothing about deals; it returns how each call ended.

mod refusal;
pub mod webhooks;

use crate::{
    http::{Answer, Http},
    session::{Session, Unanswered},
    token::Tokens,
};
use jiff::{SignedDuration, Timestamp};
use mapping::{EngagementId, Referral, ReferralId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use refusal::Words;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use sync::{
    failure::{Class, Failure, Refused, System, Written},
    ports::{Found, Page, Referrals},
};
use uuid::Uuid;
use webhooks::Webhooks;

/// The path below the configured origin.
const PATH: &str = "/v1.0/engagements/referrals";

/// Escapes everything but what needs no escape anywhere in a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The most pages of an engagement. No real one has more: a list that never ends is the vendor's fault and must not
/// block a run.
const MOST_PAGES: usize = 50;

/// The fields without which a referral cannot be read (vendors/partner-center.md, *Lists*).
const STAMPS: &str = "$select=id,organizationId,status,substatus,updatedDateTime&";

/// Calls the Referrals API as the configured user.
#[derive(Clone)]
pub struct PartnerCenter {
    session: Session,
    base: String,
    filter_by_updated: bool,
}

impl PartnerCenter {
    /// The API at an origin. `filter_by_updated`: whether `updatedDateTime` may be part of `$filter` (unverified, a
    /// switch of the map); if not, referrals are listed newest first, and the first one that is too old ends the list.
    pub fn new(
        http: Http,
        tokens: Arc<Tokens>,
        origin: &str,
        audience: &str,
        filter_by_updated: bool,
    ) -> Self {
        let session = Session::new(http, tokens, audience, System::PartnerCenter);
        PartnerCenter { session, base: format!("{}{PATH}", origin.trim_end_matches('/')), filter_by_updated }
    }

    /// The same API, with `filter_by_updated` from another map.
    #[must_use]
    pub fn filtering(&self, filter_by_updated: bool) -> Self {
        PartnerCenter { filter_by_updated, ..self.clone() }
    }

    /// By how much its clock is ahead of ours, by its last answer.
    pub fn skew(&self) -> Option<SignedDuration> {
        self.session.skew()
    }

    /// The Webhooks API at an origin, with the same sign-in.
    pub fn webhooks(&self, origin: &str, audience: &str) -> Webhooks {
        Webhooks::new(self.session.towards(audience), origin)
    }

    fn one(&self, id: &ReferralId) -> String {
        format!("{}/{id}", self.base)
    }

    async fn get(&self, operation: &str, url: &str) -> Result<Answer, Failure> {
        self.session.read(operation, |http| common(http.request(Method::GET, url))).await
    }

    /// The failure of a read that was answered with something other than what was asked for.
    fn unread(&self, operation: &str, answer: &Answer) -> Failure {
        let text = Words::of(answer).to_string();
        match answer.status {
            429 | 503 => {
                let after = answer.retry_after();
                self.session.failure(operation, Class::Retryable { after }, true, text)
            }
            // A list is refused if our role was removed, which every call meets.
            403 | 502 | 504 => self.session.retryable(operation, true, text),
            408 | 423 | 500.. => self.session.retryable(operation, false, text),
            200..=299 => self.session.retryable(operation, false, format!("unreadable answer: {text}")),
            _ => self.session.failure(operation, Class::Permanent, false, text),
        }
    }

    /// One page of a list: its rows and where the next page begins.
    async fn list(&self, operation: &str, query: &str) -> Result<(Vec<Value>, Option<String>), Failure> {
        let answer = self.get(operation, &format!("{}?{query}", self.base)).await?;
        let body = answer.json().filter(|_| answer.status == 200);
        let Some(Value::Object(mut body)) = body else { return Err(self.unread(operation, &answer)) };
        let Some(Value::Array(rows)) = body.remove("value") else {
            return Err(self.unread(operation, &answer));
        };
        let next = match body.get("@odata.nextLink") {
            None | Some(Value::Null) => None,
            Some(link) => Some(link.as_str().and_then(next_query).ok_or_else(|| {
                let text = format!("a `nextLink` without a query: `{link}`");
                self.session.failure(operation, Class::Permanent, false, text)
            })?),
        };
        Ok((rows, next))
    }

    /// One page of the referrals that were updated since an instant. `select`: a `$select` option with its `&`, or
    /// empty.
    async fn since(&self, since: Timestamp, cursor: Option<&str>, select: &str) -> Result<Page, Failure> {
        let operation = format!("list referrals since `{since}`");
        let first = || {
            // Without `$top`, which might limit the whole answer instead of the page: then no link would lead to the
            // rest.
            let order = format!("$orderby={}", escaped("updatedDateTime desc"));
            if !self.filter_by_updated {
                return format!("{select}{order}");
            }
            format!("{select}$filter={}&{order}", escaped(&format!("updatedDateTime ge {since}")))
        };
        let query = cursor.map_or_else(first, str::to_owned);
        let (rows, next) = self.list(&operation, &query).await?;
        let mut page = Page { referrals: vec![], next: next.filter(|n| *n != query) };
        for row in rows {
            match Referral::parse(row) {
                Ok(referral) if referral.updated() < since => {
                    page.next = None;
                    break;
                }
                Ok(referral) => page.referrals.push(referral),
                // A row that is not of the documented shape is skipped, so that it does not hide the others.
                Err(fault) => tracing::warn!(reason = %fault, "a listed referral was skipped"),
            }
        }
        Ok(page)
    }

    /// How a write ended, by what came back.
    fn ended<T>(
        &self,
        operation: &str,
        came: Result<Answer, Unanswered>,
        paths: impl Fn() -> Vec<String>,
        done: impl Fn(&Answer) -> Option<T>,
    ) -> Written<T> {
        let answer = match came {
            Ok(answer) => answer,
            Err(Unanswered::NotSent(failure)) => return Written::Later(failure),
            Err(Unanswered::Unknown(failure)) => return Written::Unknown(failure),
        };
        if answer.is_success()
            && let Some(shown) = done(&answer)
        {
            return Written::Done(shown);
        }
        let words = Words::of(&answer);
        match answer.status {
            409 | 412 => Written::Lost,
            423 => Written::Later(self.unread(operation, &answer)),
            429 => Written::Later(self.unread(operation, &answer)),
            408 | 500.. => Written::Unknown(self.unread(operation, &answer)),
            400..=499 => Written::Refused(Refused { field: words.field(&paths()), text: words.to_string() }),
            // An unreadable 2xx, or a redirect, which is not expected.
            _ => Written::Unknown(self.session.retryable(
                operation,
                false,
                format!("unreadable answer: {words}"),
            )),
        }
    }
}

impl Referrals for PartnerCenter {
    async fn fetch(&self, id: &ReferralId) -> Result<Found, Failure> {
        let operation = format!("fetch referral `{id}`");
        let answer = self.get(&operation, &self.one(id)).await?;
        match answer.status {
            200 => {
                let body = answer.json().ok_or_else(|| self.unread(&operation, &answer))?;
                let referral = Referral::parse(body).map_err(|fault| {
                    self.session.failure(&operation, Class::Permanent, false, fault.to_string())
                })?;
                Ok(Found::Referral(Box::new(referral)))
            }
            404 | 410 => Ok(Found::Missing),
            403 => Ok(Found::Forbidden),
            _ => Err(self.unread(&operation, &answer)),
        }
    }

    async fn engagement(&self, id: &EngagementId) -> Result<Vec<Referral>, Failure> {
        let operation = format!("list engagement `{id}`");
        let mut query = format!("$filter={}", escaped(&format!("engagementId eq '{id}'")));
        let mut referrals = vec![];
        for _ in 0..MOST_PAGES {
            let (rows, next) = self.list(&operation, &query).await?;
            for row in rows {
                // A half that cannot be read must not count as missing, because it would then be created again.
                referrals.push(Referral::parse(row).map_err(|fault| {
                    self.session.failure(&operation, Class::Permanent, false, fault.to_string())
                })?);
            }
            match next {
                Some(next) if next != query => query = next,
                _ => return Ok(referrals),
            }
        }
        Err(self.session.failure(&operation, Class::Permanent, false, "the pages do not end"))
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<Page, Failure> {
        self.since(since, cursor, "").await
    }

    async fn stamps_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<Page, Failure> {
        self.since(since, cursor, STAMPS).await
    }

    async fn patch(&self, id: &ReferralId, etag: &str, operations: &[Value]) -> Written<Option<Referral>> {
        let build = |http: &Http| {
            common(http.request(Method::PATCH, &self.one(id)))
                .header("If-Match", etag)
                .header("Prefer", "return=representation")
                .json(&operations)
        };
        let paths = || operations.iter().filter_map(|o| Some(o.get("path")?.as_str()?.to_owned())).collect();
        let done = |answer: &Answer| {
            if answer.body.is_empty() {
                return Some(None);
            }
            let body = answer.json()?;
            // Without its eTag a state cannot be the base of the next write.
            if body.get("eTag").and_then(Value::as_str).unwrap_or_default().is_empty() {
                return Some(None);
            }
            Referral::parse(body).ok().filter(|r| r.id() == id).map(Some)
        };
        let operation = format!("patch referral `{id}`");
        let came = self.session.write(&operation, build).await;
        self.ended(&operation, came, paths, done)
    }

    async fn create(&self, body: &str, request_id: &str) -> Written<Referral> {
        let build = |http: &Http| {
            common(http.request(Method::POST, &self.base))
                .header("Prefer", "return=representation")
                .header("MS-RequestId", request_id)
                .header("Content-Type", "application/json")
                .body(body.to_owned())
        };
        let paths = || refusal::paths(&serde_json::from_str(body).unwrap_or(json!(null)));
        let done = |answer: &Answer| Referral::parse(answer.json()?).ok();
        let operation = format!("create referral (request `{request_id}`)");
        // Some accounts may read and change referrals, and get a bare 401 for a new one (vendors/partner-center.md, *Errors*).
        let came = self.session.write_alone(&operation, build).await;
        self.ended(&operation, came, paths, done)
    }
}

fn common(request: RequestBuilder) -> RequestBuilder {
    request
        .header("Accept", "application/json")
        .header("client-request-id", Uuid::new_v4().to_string())
        .header("MS-CorrelationId", Uuid::new_v4().to_string())
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The query of a `nextLink`. The documented one has another scheme and a path that does not exist
/// (vendors/partner-center.md, *Lists*), and without host and path no token is sent anywhere else.
fn next_query(link: &str) -> Option<String> {
    let query = link.split_once('?')?.1.split('#').next()?;
    (!query.is_empty()).then(|| query.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_query_of_a_next_link_is_followed() {
        let odd = "http://api.partner.microsoft.com/v1.0/referrals?$skiptoken=abc%3D&x=1#top";
        assert_eq!(next_query(odd).as_deref(), Some("$skiptoken=abc%3D&x=1"));
        assert_eq!(next_query("https://evil.example/v1.0?$skiptoken=a").as_deref(), Some("$skiptoken=a"));
        assert_eq!(next_query("https://api.partner.microsoft.com/v1.0/referrals"), None);
        assert_eq!(next_query("https://api.partner.microsoft.com/v1.0/referrals?"), None);
    }

    #[test]
    fn filters_are_escaped() {
        assert_eq!(
            escaped("updatedDateTime ge 2026-01-01T00:00:00Z"),
            "updatedDateTime%20ge%202026-01-01T00%3A00%3A00Z"
        );
    }
}
