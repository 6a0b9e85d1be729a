//! The function `Ingress`, where a webhook enters: Partner Center -> queue. Verifies the signature, parses, enqueues a
//! hint, answers. Has no access to the CRM, to the table or to a secret other than its own address, and calls no
//! address that the sender names unless it is on the list. Start at [`handle`].
//!
//! - [`call`]: what the gateway hands over: path, headers, body
//! - [`signature`]: whether the call is Partner Center's
//! - [`event`]: what a verified body says
//! - `answer`: what the sender gets, and what the log says

mod answer;
pub mod call;
pub mod event;
pub mod signature;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use answer::Answer;
use call::Call;
use clients::{
    certificates::{Address, Certificates, NoCertificate, NotGenuine, Unopened},
    clock::Clock,
    config,
    door::{self, Door},
    queue::Queue,
    secrets::Secrets,
};
use event::Event;
use jiff::{SignedDuration, Timestamp};
use mapping::ReferralId;
use serde_json::Value;
use signature::{Claim, NotVerified};
use std::time::Duration;
use sync::{hint::Hint, ports::Hints};

/// Bytes of a body at most. Partner Center's have some 200.
const BODY_LIMIT: usize = 64 * 1024;
/// The longest that the queue is waited for. With the look-ups of the address, the certificate and its issuers (2 s
/// each) an answer then leaves before the function's own time-out of 10 s.
const QUEUE_TIME: Duration = Duration::from_secs(3);

/// An event may be ahead of our clock by this much: clocks differ by less.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// What lives as long as the process.
pub struct App {
    queue: Queue,
    door: Door,
    certificates: Certificates,
    oldest: SignedDuration,
    clock: Clock,
}

impl App {
    /// From configuration; opens no connection yet.
    pub fn new(
        config: &config::Ingress,
        aws: &clients::aws::SdkConfig,
        clock: Clock,
    ) -> Result<Self, Unopened> {
        let certificates = Certificates::new(&config.certificates, clock.clone())?;
        let door = Door::new(Secrets::new(aws), &config.webhook_token_arn, clock.clone());
        let oldest = SignedDuration::from_hours(24 * i64::from(config.event_max_age_days));
        Ok(App { queue: Queue::new(aws, &config.queue_url), door, certificates, oldest, clock })
    }

    /// Opens what the first event needs, in parallel: the queue, the own address, and Microsoft's certificate if it is
    /// on the list.
    pub async fn open(&self) {
        tokio::join!(self.queue.open(), self.door.open(), self.expect_certificate());
    }

    async fn expect_certificate(&self) {
        let Some(address) = self.certificates.documented() else { return };
        match self.certificates.obtain(&address).await {
            Ok(_) => {}
            Err(NotGenuine::NoCertificate(reason)) => {
                tracing::info!(decision = "certificate", %reason, "certificate not fetched early");
            }
            Err(reason) => {
                tracing::warn!(decision = "certificate", %reason, "the documented certificate is not trusted");
            }
        }
    }

    /// In seconds since 1970, UTC.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or_default()
    }

    async fn decide(&self, event: &[u8]) -> Answer {
        let Ok(call) = Call::read(event) else { return Answer::NotVerified(NotVerified::Unreadable) };
        // First of all: a call to an unknown path must cost nothing more.
        match self.admit(&call.path).await {
            Ok(true) => {}
            Ok(false) => return Answer::NotVerified(NotVerified::Path),
            Err(reason) => return Answer::Unavailable { reason, too_often: false },
        }
        let Some(body) = &call.body else { return Answer::TooLarge };
        let verified = match signature::claim(&call.headers) {
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
            Ok(Event::Changed { referral, hint }) => match self.of_another_time(hint.at) {
                Some(why) => Answer::Ignored(why.to_owned()),
                None => self.enqueue(referral, hint).await,
            },
        }
    }

    /// Why an event is ignored for its time. Microsoft signs the body alone, so an event of long ago stays genuine for
    /// ever and could be sent again by anyone who has it; the sweep has seen the change that it reports.
    fn of_another_time(&self, at: Timestamp) -> Option<&'static str> {
        let age = self.clock.now().duration_since(at);
        if age > self.oldest {
            Some("older than EventMaxAgeDays: left to the sweep")
        } else if age < -AHEAD {
            Some("from the future: left to the sweep")
        } else {
            None
        }
    }

    async fn admit(&self, path: &str) -> Result<bool, String> {
        match door::segment(path) {
            Some(segment) => self.door.admits(segment).await,
            None => Ok(false),
        }
    }

    /// Verifies with the certificate that was fetched before. If the signature does not fit, fetches it again:
    /// Microsoft may have renewed it.
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
            // It was fetched as often as is allowed for now, and was not renewed: the signature is wrong.
            Err(Answer::Unavailable { too_often: true, .. }) => Err(Answer::NotVerified(reason)),
            other => other,
        }
    }

    async fn verify_anew(&self, claim: &Claim, body: &[u8], address: &Address) -> Result<(), Answer> {
        // The certificate is kept even if the signature is wrong: a forged one says nothing against the certificate it
        // names.
        let genuine = self.certificates.obtain(address).await.map_err(|why| match why {
            why if why.is_for_now() => Answer::Unavailable {
                reason: why.to_string(),
                too_often: why == NotGenuine::NoCertificate(NoCertificate::TooOften),
            },
            why => Answer::NotVerified(why.into()),
        })?;
        signature::verify(claim, body, &genuine, self.now()).map_err(Answer::NotVerified)
    }

    async fn enqueue(&self, referral: ReferralId, hint: Hint) -> Answer {
        match tokio::time::timeout(QUEUE_TIME, self.queue.send(std::slice::from_ref(&hint))).await {
            Ok(Ok(())) => Answer::Enqueued { referral, event: hint.from },
            Ok(Err(failure)) => Answer::Unavailable { reason: failure.to_string(), too_often: false },
            Err(_) => Answer::Unavailable { reason: "queue: no answer in time".to_owned(), too_often: false },
        }
    }
}

/// One call of the webhook: the gateway's event, and the answer for it. Never fails: every outcome is an answer.
pub async fn handle(app: &App, event: &[u8]) -> Value {
    let began = app.clock.now();
    let answer = app.decide(event).await;
    answer.log(app.clock.now().duration_since(began).as_millis());
    answer.response()
}
