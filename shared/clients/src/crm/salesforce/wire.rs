//! Calls to one Salesforce org, and how each call ended. Almost all use the composite resource, because a composite
//! counts as one call of the day's allowance, no matter how many parts it has.

use super::{
    composite::{Composite, Part, Parts},
    errors::{SalesforceError, SalesforceMeaning},
    records::Records,
    soap,
    soql::escaped,
};
use crate::{
    http::{Answer, Http},
    session::{Session, Unanswered},
    token::Tokens,
};
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use sync::{
    failure::{Class, Failure, Refused, System, Written},
    in_log::in_log,
};

/// A token of Salesforce is valid for the whole org.
pub const AUDIENCE: &str = "salesforce";
/// The number of rows asked for per page of a query, which is a hint.
pub(super) const PAGE: u32 = 500;

#[derive(Clone)]
pub(super) struct SalesforceWire {
    session: Session,
    tokens: Arc<Tokens>,
    /// The path before every call, such as `/services/data/v62.0`.
    root: String,
    /// Whether rows are saved although a duplicate rule gives an alert.
    allow_save: bool,
    /// Percent of the day's calls that were used, by the last answer that said so.
    used: Arc<AtomicU32>,
}

/// Why a write has no outcomes.
#[derive(Clone)]
pub(super) enum FailedComposite {
    /// Salesforce answered the request as a whole.
    Answered(SalesforceError),
    /// There was no answer, or no readable one.
    Unanswered(Unanswered),
}

impl SalesforceWire {
    pub(super) fn new(http: Http, tokens: Arc<Tokens>, version: &str) -> Self {
        let session = Session::new(http, tokens.clone(), AUDIENCE, System::Crm);
        let root = format!("/services/data/v{version}");
        SalesforceWire { session, tokens, root, allow_save: true, used: Arc::default() }
    }

    /// The same calls, with or without saving in spite of alerts of duplicate rules.
    pub(super) fn allowing_duplicates(self, allow_save: bool) -> Self {
        SalesforceWire { allow_save, ..self }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.tokens.now()
    }

    /// Percent of the day's calls that are used, by all clients of the org together.
    pub(super) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Every answer has a header with the usage.
    fn note_usage(&self, answer: &Answer) {
        if let Some(percent) = answer.header("sforce-limit-info").and_then(usage) {
            self.used.store(percent, Ordering::Relaxed);
        }
    }

    pub(super) fn skew(&self) -> Option<jiff::SignedDuration> {
        self.session.skew()
    }

    pub(super) fn retryable(&self, operation: &str, text: impl Into<String>) -> Failure {
        self.session.retryable(operation, false, text)
    }

    pub(super) fn unusable(&self, operation: &str, text: impl Into<String>) -> Failure {
        self.session.failure(operation, Class::Permanent, false, text)
    }

    pub(super) fn failed(&self, operation: &str, said: &SalesforceError) -> Failure {
        let (class, wide) = said.of_read();
        self.session.failure(operation, class, wide, said.to_string())
    }

    /// The integration user's id, from the last sign-in.
    pub(super) fn user(&self) -> Option<String> {
        self.tokens.user(AUDIENCE)
    }

    /// Sends parts that only read: each has an outcome of its own. Too many for one composite are sent in several, in
    /// order.
    pub(super) async fn look(&self, operation: &str, parts: &[Part]) -> Result<Composite, Failure> {
        let url = self.composite_url().await?;
        let mut all = Composite::default();
        for parts in Parts::apart(parts) {
            let answer = self.session.read(operation, |http| self.request(http, &url, &parts, false)).await?;
            self.note_usage(&answer);
            let mut found = Composite::read(&answer)
                .ok_or_else(|| self.failed(operation, &SalesforceError::of(&answer)))?;
            self.complete(operation, &mut found).await?;
            all.extend(found);
        }
        Ok(all)
    }

    /// Sends parts of which all are carried out or none. Too many parts for one composite are refused without sending
    /// any.
    pub(super) async fn write(&self, operation: &str, parts: &[Part]) -> Result<Composite, FailedComposite> {
        self.send(operation, Parts::together(parts).ok_or_else(too_many)?, true).await
    }

    /// Sends parts of which each is carried out or fails by itself.
    pub(super) async fn write_each(
        &self,
        operation: &str,
        parts: &[Part],
    ) -> Result<Composite, FailedComposite> {
        self.send(operation, Parts::together(parts).ok_or_else(too_many)?, false).await
    }

    /// Sends as many composites as the parts need, each all or nothing, until one is refused.
    pub(super) async fn write_in_turn(
        &self,
        operation: &str,
        parts: &[Part],
    ) -> Result<Composite, FailedComposite> {
        let mut all = Composite::default();
        for parts in Parts::apart(parts) {
            all.extend(self.send(operation, parts, true).await?);
            if all.refusal().is_some() {
                break;
            }
        }
        Ok(all)
    }

    async fn send(
        &self,
        operation: &str,
        parts: Parts<'_>,
        all_or_none: bool,
    ) -> Result<Composite, FailedComposite> {
        let url = self
            .composite_url()
            .await
            .map_err(|failure| FailedComposite::Unanswered(Unanswered::NotSent(failure)))?;
        let sent = self.session.write(operation, |http| self.request(http, &url, &parts, all_or_none)).await;
        let answer = sent.map_err(FailedComposite::Unanswered)?;
        self.note_usage(&answer);
        let mut done = Composite::read(&answer)
            .ok_or_else(|| FailedComposite::Answered(SalesforceError::of(&answer)))?;
        if let Err(failure) = self.complete(operation, &mut done).await {
            // The writes were answered. A further page of a read was not, and is missing from what is returned.
            tracing::debug!(reason = in_log(&failure.to_string()), "what was written is not shown");
        }
        Ok(done)
    }

    /// Reads any resource below the root: its body, or the refusal.
    pub(super) async fn get(
        &self,
        operation: &str,
        path: &str,
    ) -> Result<Result<Value, SalesforceError>, Failure> {
        let url = self.below_root(path).await?;
        let answer = self.session.read(operation, |http| common(http.request(Method::GET, &url))).await?;
        self.note_usage(&answer);
        Ok(answer.json().filter(|_| answer.status == 200).ok_or_else(|| SalesforceError::of(&answer)))
    }

    /// Sends a body that is not a row, for an administrator's command. If it is unknown whether it was accepted, the
    /// failure is like any other: the command reads what exists before it tries again.
    pub(super) async fn post_raw(
        &self,
        operation: &str,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<Result<Value, SalesforceError>, Failure> {
        let url = self.below_root(path).await?;
        let build = |http: &Http| {
            common(http.request(Method::POST, &url)).header("Content-Type", kind).body(body.clone())
        };
        raw(self.session.write(operation, build).await)
    }

    /// Replaces a definition, for an administrator's command.
    pub(super) async fn patch_raw(
        &self,
        operation: &str,
        path: &str,
        body: &Value,
    ) -> Result<Result<Value, SalesforceError>, Failure> {
        let url = self.below_root(path).await?;
        let build = |http: &Http| common(http.request(Method::PATCH, &url)).json(body);
        raw(self.session.write(operation, build).await)
    }

    /// Calls the SOAP API. `envelope` puts the session into the body, because SOAP takes it from no header.
    pub(super) async fn soap(
        &self,
        operation: &str,
        envelope: impl Fn(&str) -> String,
    ) -> Result<Answer, Unanswered> {
        let place = self.tokens.place(AUDIENCE).await.map_err(Unanswered::NotSent)?;
        let url = format!("{place}/services/Soap/c/{}", self.version());
        let build = |http: &Http, session: &str| {
            let request = http.request(Method::POST, &url).header("Content-Type", "text/xml; charset=utf-8");
            request.header("SOAPAction", "\"\"").body(envelope(session))
        };
        let answer = self.session.write_signed_within(operation, build, soap::is_session_refused).await?;
        self.note_usage(&answer);
        Ok(answer)
    }

    /// The version of the API, which is part of the root.
    pub(super) fn version(&self) -> &str {
        self.root.rsplit_once('v').map_or("", |(_, version)| version)
    }

    async fn composite_url(&self) -> Result<String, Failure> {
        self.below_root("composite").await
    }

    async fn below_root(&self, path: &str) -> Result<String, Failure> {
        Ok(format!("{}{}/{path}", self.tokens.place(AUDIENCE).await?, self.root))
    }

    fn request(&self, http: &Http, url: &str, parts: &Parts<'_>, all_or_none: bool) -> RequestBuilder {
        common(http.request(Method::POST, url))
            // Unique keys prevent our duplicates, so alerts of duplicate rules need not stop a write.
            .header("Sforce-Duplicate-Rule-Header", format!("allowSave={}", self.allow_save))
            .json(&parts.json(&self.root, all_or_none))
    }

    /// One page of a query that includes deleted rows, whether more follow, and the server's time.
    pub(super) async fn query_all(
        &self,
        operation: &str,
        soql: &str,
    ) -> Result<(Records, Option<Timestamp>), QueryFailed> {
        let path = format!("queryAll?q={}", escaped(soql));
        let url = self.below_root(&path).await.map_err(QueryFailed::Failed)?;
        let build = |http: &Http| {
            let batch = format!("batchSize={PAGE}");
            common(http.request(Method::GET, &url)).header("Sforce-Query-Options", batch)
        };
        let answer = self.session.read(operation, build).await.map_err(QueryFailed::Failed)?;
        self.note_usage(&answer);
        let body = answer.json().filter(|_| answer.status == 200);
        match body.as_ref().and_then(Records::read) {
            Some(records) => Ok((records, answer.date())),
            None => {
                let said = SalesforceError::of(&answer);
                Err(match said.meaning() {
                    SalesforceMeaning::Expired => QueryFailed::Expired,
                    _ => QueryFailed::Failed(self.failed(operation, &said)),
                })
            }
        }
    }

    /// How a write ended that was answered without success. `sent`: the fields in it.
    pub(super) fn ended<'a, T>(
        &self,
        operation: &str,
        said: &SalesforceError,
        sent: impl IntoIterator<Item = &'a str>,
    ) -> Written<T> {
        match said.meaning() {
            SalesforceMeaning::Lost => Written::Lost,
            SalesforceMeaning::Later { .. } => Written::Later(self.failed(operation, said)),
            SalesforceMeaning::Unknown { wide } => {
                let class = Class::Retryable { after: said.after() };
                Written::Unknown(self.session.failure(operation, class, wide, said.to_string()))
            }
            SalesforceMeaning::Gone | SalesforceMeaning::Expired => {
                Written::Refused(Refused { field: None, text: said.to_string() })
            }
            SalesforceMeaning::Refused | SalesforceMeaning::Taken => {
                Written::Refused(Refused { field: said.field(sent), text: said.to_string() })
            }
        }
    }

    /// A write of an administrator's command that has no outcomes, as a failure.
    pub(super) fn unwritten_failure(&self, operation: &str, unwritten: FailedComposite) -> Failure {
        match unwritten {
            FailedComposite::Answered(said) => self.failed(operation, &said),
            FailedComposite::Unanswered(unanswered) => unanswered.into(),
        }
    }

    /// How a write without outcomes ended.
    pub(super) fn unwritten<T>(&self, operation: &str, unwritten: FailedComposite) -> Written<T> {
        match unwritten {
            FailedComposite::Answered(said) => self.ended(operation, &said, []),
            FailedComposite::Unanswered(Unanswered::NotSent(failure)) => Written::Later(failure),
            FailedComposite::Unanswered(Unanswered::Unknown(failure)) => Written::Unknown(failure),
        }
    }
}

fn too_many() -> FailedComposite {
    FailedComposite::Answered(SalesforceError::too_many())
}

/// Why a page could not be read.
pub(super) enum QueryFailed {
    /// Its position is too old.
    Expired,
    /// Any other failure, with its class.
    Failed(Failure),
}

fn raw(sent: Result<Answer, Unanswered>) -> Result<Result<Value, SalesforceError>, Failure> {
    let answer = sent?;
    Ok(if answer.is_success() {
        Ok(answer.json().unwrap_or(Value::Null))
    } else {
        Err(SalesforceError::of(&answer))
    })
}

fn common(request: RequestBuilder) -> RequestBuilder {
    request.header("Accept", "application/json").header("Sforce-Call-Options", "client=CosellConnector")
}

/// The org's usage in percent, from `api-usage=25/5000; per-app-api-usage=17/250(appName=x)`.
fn usage(header: &str) -> Option<u32> {
    let share = header.split(';').find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, most) = share.split_once('/')?;
    let (used, most): (u64, u64) = (used.parse().ok()?, most.parse().ok()?);
    u32::try_from(used.saturating_mul(100).checked_div(most)?).ok()
}

#[cfg(test)]
mod tests {
    use super::usage;

    #[test]
    fn the_share_of_the_days_calls_is_the_orgs() {
        assert_eq!(usage("api-usage=25/5000"), Some(0));
        assert_eq!(usage("api-usage=4500/5000; per-app-api-usage=17/250(appName=x)"), Some(90));
        assert_eq!(usage("per-app-api-usage=17/250(appName=x); api-usage=10/10"), Some(100));
        assert_eq!(usage("api-usage=1/0"), None);
        assert_eq!(usage("something else"), None);
    }
}
