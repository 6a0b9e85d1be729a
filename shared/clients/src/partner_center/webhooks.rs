//! Partner Center's Webhooks API (vendors/partner-center.md, *Webhook registration*): one registration per tenant, and
//! its self-test. Names of members are compared without case, because documents and production differ.

use super::{
    common,
    refusal::{Words, member},
};
use crate::{http::Answer, session::Session};
use reqwest::Method;
use serde_json::{Value, json};
use sync::failure::{Class, Failure};

/// The path below the configured origin.
const PATH: &str = "/webhooks/v1/registration";

/// The address to which Partner Center sends events, and which events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The address; there is one per tenant.
    pub url: String,
    /// The names of the events, sorted.
    pub events: Vec<String>,
}

impl Registration {
    /// A registration of this address for these events.
    pub fn new(url: &str, events: &[&str]) -> Self {
        let mut events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        events.sort();
        Registration { url: url.to_owned(), events }
    }

    fn read(body: &Value) -> Option<Self> {
        let mut events: Vec<String> = member(body, "WebhookEvents")?
            .as_array()?
            .iter()
            .filter_map(|event| event.as_str().map(str::to_owned))
            .collect();
        events.sort();
        Some(Registration { url: member(body, "WebhookUrl")?.as_str()?.to_owned(), events })
    }
}

/// The state of a self-test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// `completed`, or another status of Partner Center.
    pub status: String,
    /// How our address answered each attempt, by the name of the HTTP status.
    pub answers: Vec<String>,
}

/// Calls the Webhooks API as the configured user.
#[derive(Clone)]
pub struct Webhooks {
    session: Session,
    base: String,
}

impl Webhooks {
    pub(super) fn new(session: Session, origin: &str) -> Self {
        Webhooks { session, base: format!("{}{PATH}", origin.trim_end_matches('/')) }
    }

    /// The registration of this tenant; `None`: there is none (404).
    pub async fn registration(&self) -> Result<Option<Registration>, Failure> {
        let operation = "read the webhook registration";
        let answer = self.read(operation, "").await?;
        match answer.status {
            200 => {
                let read = answer.json().and_then(|body| Registration::read(&body));
                read.map(Some).ok_or_else(|| self.refused(operation, &answer))
            }
            404 => Ok(None),
            _ => Err(self.refused(operation, &answer)),
        }
    }

    /// Registers: with POST if there is no registration yet, with PUT to replace the existing one.
    pub async fn register(&self, new: &Registration, exists: bool) -> Result<(), Failure> {
        let body = json!({ "WebhookUrl": new.url, "WebhookEvents": new.events });
        let method = if exists { Method::PUT } else { Method::POST };
        self.write("register the webhook", method, "", &body).await.map(drop)
    }

    /// Asks for a `test-created` event and returns the test's id. Partner Center accepts two of these requests a
    /// minute.
    pub async fn begin_self_test(&self) -> Result<String, Failure> {
        let operation = "ask for a test event";
        let answer = self.write(operation, Method::POST, "/validationEvents", &json!({})).await?;
        let id = answer.json().and_then(|body| Some(member(&body, "correlationId")?.as_str()?.to_owned()));
        id.ok_or_else(|| self.refused(operation, &answer))
    }

    /// The state of a self-test; `None`: Partner Center does not know it (yet).
    pub async fn self_test(&self, id: &str) -> Result<Option<SelfTest>, Failure> {
        let operation = "look at the test event";
        let answer = self.read(operation, &format!("/validationEvents/{id}")).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let body = answer.json().filter(|_| answer.status == 200);
        let body = body.ok_or_else(|| self.refused(operation, &answer))?;
        let status = member(&body, "status").and_then(Value::as_str).unwrap_or_default().to_owned();
        let results = member(&body, "results").and_then(Value::as_array);
        let code = |result: &Value| Some(member(result, "responseCode")?.as_str()?.to_owned());
        Ok(Some(SelfTest { status, answers: results.into_iter().flatten().filter_map(code).collect() }))
    }

    async fn read(&self, operation: &str, path: &str) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.base);
        self.session.read(operation, |http| common(http.request(Method::GET, &url))).await
    }

    async fn write(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.base);
        let build = |http: &crate::http::Http| common(http.request(method.clone(), &url)).json(body);
        let answer = self.session.write(operation, build).await?;
        if answer.is_success() { Ok(answer) } else { Err(self.refused(operation, &answer)) }
    }

    fn refused(&self, operation: &str, answer: &Answer) -> Failure {
        let after = answer.retry_after();
        let class = match answer.status {
            408 | 429 | 500.. => Class::Retryable { after },
            _ => Class::Permanent,
        };
        self.session.failure(operation, class, false, Words::of(answer).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_registration_are_read() {
        let expected = Registration::new("https://x/webhook", &["b", "a"]);
        for body in [
            json!({ "WebhookUrl": "https://x/webhook", "WebhookEvents": ["a", "b"] }),
            json!({ "webhookUrl": "https://x/webhook", "webhookEvents": ["b", "a"], "lastModifiedTimestamp": "" }),
        ] {
            assert_eq!(Registration::read(&body).as_ref(), Some(&expected));
        }
        assert_eq!(Registration::read(&json!({})), None);
    }
}
