//! Authorised calls to one system: a token on each, a new token after a 401, and what a missing answer means for a
//! read and for a write. What any other status means is decided in the vendor's own file.

use crate::{
    gather,
    http::{Answer, Broken, Http},
    token::Tokens,
};
use jiff::SignedDuration;
use reqwest::RequestBuilder;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use sync::failure::{Class, Failure, System};

/// Calls to one system with tokens for one audience.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) http: Http,
    tokens: Arc<Tokens>,
    audience: Arc<str>,
    system: System,
    /// By how many seconds the system's clock was ahead of ours when it last answered.
    skew: Arc<AtomicI64>,
}

/// The value until an answer has had a date.
const UNKNOWN: i64 = i64::MIN;

/// Which requests are sent a second time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Only one that was not sent: a write.
    NotSent,
    /// Also one to which no byte of an answer came: a read.
    Unanswered,
}

/// A write without an answer.
#[derive(Clone)]
pub(crate) enum Unanswered {
    /// It was not sent.
    NotSent(Failure),
    /// It was or may have been sent, so it may have happened.
    Unknown(Failure),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Failure {
        match unanswered {
            Unanswered::NotSent(failure) | Unanswered::Unknown(failure) => failure,
        }
    }
}

impl Session {
    pub(crate) fn new(http: Http, tokens: Arc<Tokens>, audience: &str, system: System) -> Self {
        Session { http, tokens, audience: audience.into(), system, skew: Arc::new(UNKNOWN.into()) }
    }

    /// The same system and sign-in for another audience.
    pub(crate) fn towards(&self, audience: &str) -> Self {
        Session { audience: audience.into(), ..self.clone() }
    }

    /// By how much the system's clock is ahead of ours; `None`: no answer has had a date yet.
    pub(crate) fn skew(&self) -> Option<SignedDuration> {
        let seconds = self.skew.load(Ordering::Relaxed);
        (seconds != UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }

    /// A failure of this system.
    pub(crate) fn failure(
        &self,
        operation: &str,
        class: Class,
        wide: bool,
        text: impl Into<String>,
    ) -> Failure {
        Failure { system: self.system, operation: operation.to_owned(), class, wide, text: text.into() }
    }

    /// A failure of this system that time may cure.
    pub(crate) fn retryable(&self, operation: &str, wide: bool, text: impl Into<String>) -> Failure {
        self.failure(operation, Class::Retryable { after: None }, wide, text)
    }

    /// Sends a read: once more if it was not sent or got no answer, and once more with a new token after a 401.
    pub(crate) async fn read(
        &self,
        operation: &str,
        build: impl Fn(&Http) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let build = |http: &Http, bearer: &str| build(http).bearer_auth(bearer);
        Ok(self.attempt(operation, Again::Unanswered, true, &build, &is_unauthorized).await?)
    }

    /// Sends a write: never again if it may have been sent. A 401 is a definite answer: the write did not happen.
    pub(crate) async fn write(
        &self,
        operation: &str,
        build: impl Fn(&Http) -> RequestBuilder,
    ) -> Result<Answer, Unanswered> {
        let build = |http: &Http, bearer: &str| build(http).bearer_auth(bearer);
        self.attempt(operation, Again::NotSent, true, &build, &is_unauthorized).await
    }

    /// As [`Session::write`], but a 401 concerns this write alone: other requests with the same token may succeed.
    pub(crate) async fn write_alone(
        &self,
        operation: &str,
        build: impl Fn(&Http) -> RequestBuilder,
    ) -> Result<Answer, Unanswered> {
        let build = |http: &Http, bearer: &str| build(http).bearer_auth(bearer);
        self.attempt(operation, Again::NotSent, false, &build, &is_unauthorized).await
    }

    /// Sends a write whose token is part of its body; `is_refused` says whether the answer refuses the token.
    pub(crate) async fn write_signed_within(
        &self,
        operation: &str,
        build: impl Fn(&Http, &str) -> RequestBuilder,
        is_refused: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Unanswered> {
        self.attempt(operation, Again::NotSent, true, &build, &is_refused).await
    }

    /// Reads and writes follow the same rule: only what certainly had no effect is sent again, and only once. `wide`:
    /// whether a refused token would be refused to every other request too.
    async fn attempt(
        &self,
        operation: &str,
        again: Again,
        wide: bool,
        build: &impl Fn(&Http, &str) -> RequestBuilder,
        is_refused: &impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Unanswered> {
        gather::leave();
        let bearer = self.bearer().await?;
        let answer = self.once(operation, again, build, &bearer).await?;
        if !is_refused(&answer) {
            return Ok(answer);
        }
        self.tokens.expire(&self.audience, &bearer);
        let fresh = self.bearer().await?;
        let answer = self.once(operation, again, build, &fresh).await?;
        if !is_refused(&answer) {
            return Ok(answer);
        }
        self.tokens.expire(&self.audience, &fresh);
        let words = answer.text(300);
        let words = if words.is_empty() { "no words" } else { &words };
        let text = format!("{} with a new token: {words}", answer.status);
        Err(Unanswered::NotSent(self.retryable(operation, wide, text)))
    }

    async fn bearer(&self) -> Result<String, Unanswered> {
        self.tokens.bearer(&self.audience).await.map_err(Unanswered::NotSent)
    }

    async fn once(
        &self,
        operation: &str,
        again: Again,
        build: &impl Fn(&Http, &str) -> RequestBuilder,
        bearer: &str,
    ) -> Result<Answer, Unanswered> {
        let send = || self.http.send(build(&self.http, bearer));
        let sent = match send().await {
            Err(Broken::NotSent(_)) => send().await,
            // The system had closed this connection: the second attempt uses another one.
            Err(Broken::Silent(_)) if again == Again::Unanswered => send().await,
            sent => sent,
        };
        if let Some(date) = sent.as_ref().ok().and_then(Answer::date) {
            self.skew.store(date.duration_since(self.tokens.now()).as_secs(), Ordering::Relaxed);
        }
        sent.map_err(|broken| match broken {
            Broken::NotSent(_) => Unanswered::NotSent(self.retryable(operation, true, broken.to_string())),
            Broken::Silent(_) | Broken::MaybeSent(_) => {
                Unanswered::Unknown(self.retryable(operation, false, broken.to_string()))
            }
        })
    }
}

fn is_unauthorized(answer: &Answer) -> bool {
    answer.status == 401
}
