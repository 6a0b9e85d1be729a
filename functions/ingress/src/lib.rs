//! Partner Center -> queue: verify, parse, enqueue, answer. Knows no secret, no CRM, no table, and calls nothing
//! that the sender names unless it is on the list.

mod answer;
pub mod event;
pub mod genuine;
pub mod signature;
pub mod trust;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use answer::Answer;
use clients::{
    certificates::{self, Address, Certificates, NoCertificate},
    clock::Clock,
    config,
    http::{BuildError, Http},
    queue::Queue,
};
use event::Event;
use genuine::Genuine;
use lambda_http::{Body, Request, Response};
use mapping::ReferralId;
use signature::{Claim, NotVerified};
use std::{convert::Infallible, time::Duration};
use sync::{hint::Hint, ports::Hints};
use trust::{BadRoots, Trust};

/// Partner Center's bodies have some 200 bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// For the queue, so that with the certificate's fetch an answer leaves before the function's own 10 s are over.
const QUEUE_TIME: Duration = Duration::from_secs(6);

/// What lives as long as the process.
pub struct App {
    queue: Queue,
    certificates: Certificates<Genuine>,
    trust: Trust,
    clock: Clock,
}

/// Why there is no app.
#[derive(Debug, thiserror::Error)]
pub enum BadApp {
    /// The configured roots.
    #[error(transparent)]
    Roots(#[from] BadRoots),
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] BuildError),
}

impl App {
    /// From configuration; opens no connection yet.
    pub fn new(
        config: &config::Ingress,
        aws: &clients::aws::SdkConfig,
        clock: Clock,
    ) -> Result<Self, BadApp> {
        let trust =
            config.certificate_roots_pem.as_deref().map_or_else(|| Ok(Trust::bundled()), Trust::from_pem)?;
        let http = Http::new(certificates::TIME_LIMIT)?;
        let list = config.certificate_url_prefixes.clone();
        let certificates = Certificates::new(http, list, clock.clone());
        Ok(App { queue: Queue::new(aws, &config.queue_url), certificates, trust, clock })
    }

    /// Opens what the first event needs, in parallel: the queue, and Microsoft's certificate if it is on the list.
    pub async fn open(&self) {
        tokio::join!(self.queue.open(), self.expect_certificate());
    }

    async fn expect_certificate(&self) {
        let Some(address) = self.certificates.documented() else { return };
        match self.certificates.fetch(&address).await {
            Ok(file) => match self.trust.genuine(&file, self.now()) {
                Ok(genuine) => self.certificates.keep(&address, genuine),
                Err(reason) => {
                    tracing::warn!(decision = "certificate", %reason, "the documented certificate is not trusted");
                }
            },
            Err(e) => tracing::info!(decision = "certificate", reason = %e, "certificate not fetched early"),
        }
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or_default()
    }

    async fn decide(&self, request: Request) -> Answer {
        let body: &[u8] = request.body().as_ref();
        if body.len() > BODY_LIMIT {
            return Answer::TooLarge;
        }
        let verified = match signature::claim(request.headers()) {
            Ok(claim) => self.verify(&claim, body).await,
            Err(reason) => Err(Answer::NotVerified(reason)),
        };
        if let Err(answer) = verified {
            return answer;
        }
        match Event::parse(signature::text(body)) {
            Err(reason) => Answer::Malformed(reason),
            Ok(Event::Test) => Answer::Ignored("test-created".to_owned()),
            Ok(Event::Other(name)) => Answer::Ignored(name),
            Ok(Event::Changed { referral, hint }) => self.enqueue(referral, hint).await,
        }
    }

    /// With the certificate that is known; if it does not fit, once more with the one that lies there now.
    async fn verify(&self, claim: &Claim, body: &[u8]) -> Result<(), Answer> {
        let address = self.certificates.on_list(&claim.certificate_url);
        let address = address.ok_or(Answer::NotVerified(NotVerified::Address))?;
        let Some(known) = self.certificates.genuine(&address) else {
            return self.verify_anew(claim, body, &address).await;
        };
        let Err(reason) = signature::verify(claim, body, &known, self.now()) else {
            return Ok(());
        };
        match self.verify_anew(claim, body, &address).await {
            // Asked often enough whether it was renewed: it was not.
            Err(Answer::Unavailable { too_often: true, .. }) => Err(Answer::NotVerified(reason)),
            other => other,
        }
    }

    async fn verify_anew(&self, claim: &Claim, body: &[u8], address: &Address) -> Result<(), Answer> {
        let file = self.certificates.fetch(address).await.map_err(|e| match e {
            NoCertificate::NotThere(_) => Answer::NotVerified(NotVerified::NoCertificate),
            NoCertificate::TooOften => Answer::Unavailable { reason: e.to_string(), too_often: true },
            NoCertificate::NotNow(_) => Answer::Unavailable { reason: e.to_string(), too_often: false },
        })?;
        let now = self.now();
        let genuine = self.trust.genuine(&file, now).map_err(|e| Answer::NotVerified(e.into()))?;
        let verdict = signature::verify(claim, body, &genuine, now);
        // A forged signature says nothing against the certificate it names.
        self.certificates.keep(address, genuine);
        verdict.map_err(Answer::NotVerified)
    }

    async fn enqueue(&self, referral: ReferralId, hint: Hint) -> Answer {
        match tokio::time::timeout(QUEUE_TIME, self.queue.send(std::slice::from_ref(&hint))).await {
            Ok(Ok(())) => Answer::Enqueued { referral, event: hint.from },
            Ok(Err(failure)) => Answer::Unavailable { reason: failure.to_string(), too_often: false },
            Err(_) => Answer::Unavailable { reason: "queue: no answer in time".to_owned(), too_often: false },
        }
    }
}

/// One call of the webhook. Never fails: every outcome is an answer.
pub async fn handle(app: &App, request: Request) -> Result<Response<Body>, Infallible> {
    let began = app.clock.now();
    let answer = app.decide(request).await;
    answer.log(app.clock.now().duration_since(began).as_millis());
    Ok(answer.response())
}
