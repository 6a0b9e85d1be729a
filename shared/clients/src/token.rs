//! Access tokens, asked for once and kept until shortly before their end; refresh-token rotation. Entra: v1 with a
//! refresh token for Partner Center, v2 as application for Dataverse. Salesforce: an assertion or the app's secret.

mod assertion;
mod grant;
mod key;

pub use grant::Grant;

use crate::{
    clock::Clock,
    config,
    http::Http,
    secrets::{Secret, Secrets, Stored},
};
use grant::{Granted, Refused};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use sync::{
    failure::{Class, Failure, System},
    in_log::in_log,
};

/// A token is not used in its last minutes: the request it travels with takes time, and clocks differ.
const SPARE: SignedDuration = SignedDuration::from_secs(300);
/// A rotated refresh token is stored once in this time; each one lives 90 days (vendors/entra.md, *A user's consent*).
const ROTATION_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// The tokens of one system.
pub struct Tokens {
    http: Http,
    secrets: Secrets,
    clock: Clock,
    system: System,
    grant: Grant,
    secret_arn: String,
    stores_rotation: bool,
    kept: Mutex<Kept>,
    /// Who holds it asks; who waits for it finds the answer.
    asking: tokio::sync::Mutex<Option<Stored>>,
}

#[derive(Default)]
struct Kept {
    tokens: HashMap<String, Token>,
    /// How many requests failed, and how the last one did: who waited for it need not ask again.
    failures: u64,
    last: Option<Failure>,
}

#[derive(Clone)]
struct Token {
    bearer: Secret,
    until: Timestamp,
    place: Option<String>,
    user: Option<String>,
}

impl Tokens {
    /// Partner Center's: the refresh token of the one-off consent, for any audience. `stores_rotation`: the poller.
    pub fn partner_center(
        http: Http,
        secrets: Secrets,
        clock: Clock,
        config: &config::PartnerCenter,
        stores_rotation: bool,
    ) -> Self {
        let grant = Grant::refresh_token(&config.login_url, &config.tenant_id, &config.client_id);
        let arn = &config.secret_arn;
        Self::new(http, secrets, clock, System::PartnerCenter, grant, arn, stores_rotation)
    }

    /// Dataverse's: the application itself; the audience is the environment's URL.
    pub fn dynamics(http: Http, secrets: Secrets, clock: Clock, config: &config::Dynamics) -> Self {
        let grant = Grant::client_credentials(&config.login_url, &config.tenant_id, &config.client_id);
        Self::new(http, secrets, clock, System::Crm, grant, &config.secret_arn, false)
    }

    /// Salesforce's: the integration user's session.
    pub fn salesforce(http: Http, secrets: Secrets, clock: Clock, config: &config::Salesforce) -> Self {
        let grant = Grant::salesforce(config);
        Self::new(http, secrets, clock, System::Crm, grant, &config.secret_arn, false)
    }

    /// Tokens of `system` by any grant; the secret lies at `secret_arn`.
    pub fn new(
        http: Http,
        secrets: Secrets,
        clock: Clock,
        system: System,
        grant: Grant,
        secret_arn: &str,
        stores_rotation: bool,
    ) -> Self {
        Tokens {
            http,
            secrets,
            clock,
            system,
            grant,
            secret_arn: secret_arn.to_owned(),
            stores_rotation,
            kept: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Our own time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A bearer token for an audience, fresh enough to be used. Concurrent callers share one request.
    pub async fn bearer(&self, audience: &str) -> Result<String, Failure> {
        let failures = match self.kept_token(audience) {
            Ok(bearer) => return Ok(bearer),
            Err(failures) => failures,
        };
        let mut secret = self.asking.lock().await;
        match self.kept_token(audience) {
            Ok(bearer) => return Ok(bearer),
            Err(now) if now != failures => {
                let operation = operation(audience);
                if let Some(failure) = self.kept().last.clone().filter(|last| last.operation == operation) {
                    return Err(failure);
                }
            }
            Err(_) => {}
        }
        let answer = self.ask(audience, &mut secret).await;
        let mut kept = self.kept();
        match answer {
            Ok(token) => {
                kept.tokens.insert(audience.to_owned(), token.clone());
                Ok(token.bearer.expose().to_owned())
            }
            Err(failure) => {
                kept.failures += 1;
                kept.last = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Where the token of an audience is used (`instance_url`), an origin; asks for one if none is kept.
    pub async fn place(&self, audience: &str) -> Result<String, Failure> {
        self.bearer(audience).await?;
        let place = self.kept().tokens.get(audience).and_then(|token| token.place.clone());
        place.ok_or_else(|| self.failure(audience, None, "the token does not say where it is used"))
    }

    /// Whose the token of an audience is, if one is kept and says so.
    pub fn user(&self, audience: &str) -> Option<String> {
        self.kept().tokens.get(audience).and_then(|token| token.user.clone())
    }

    /// The vendor does not take this token any more: the next [`Tokens::bearer`] asks anew. Another token, which
    /// somebody else got meanwhile, stays.
    pub fn expire(&self, audience: &str, bearer: &str) {
        let mut kept = self.kept();
        if kept.tokens.get(audience).is_some_and(|token| token.bearer.expose() == bearer) {
            kept.tokens.remove(audience);
        }
    }

    /// The token, or how many requests have failed so far.
    fn kept_token(&self, audience: &str) -> Result<String, u64> {
        let kept = self.kept();
        let token = kept.tokens.get(audience).filter(|token| self.clock.now() < token.until);
        token.map(|token| token.bearer.expose().to_owned()).ok_or(kept.failures)
    }

    /// One request. Refused for a matter of configuration, the secret is read again: a second request if it has changed.
    async fn ask(&self, audience: &str, secret: &mut Option<Stored>) -> Result<Token, Failure> {
        let (used, just_read) = match secret.take() {
            Some(known) => (known, false),
            None => (self.secrets.fetch(self.system, &self.secret_arn).await?, true),
        };
        let (used, answer) = match self.grant.redeem(&self.http, audience, &used, self.clock.now()).await {
            Err(Refused::Configuration(words)) if !just_read => {
                let read = self.secrets.fetch(self.system, &self.secret_arn).await?;
                if read.version() == used.version() {
                    return Err(self.failure(audience, None, &words));
                }
                let answer = self.grant.redeem(&self.http, audience, &read, self.clock.now()).await;
                (read, answer)
            }
            answer => (used, answer),
        };
        let granted = match answer {
            Ok(granted) => granted,
            // The secret is dropped with the failure: an admin's new one is found by the next try.
            Err(Refused::Configuration(words)) => return Err(self.failure(audience, None, &words)),
            Err(Refused::Later { after, words }) => {
                *secret = Some(used);
                return Err(self.failure(audience, after, &words));
            }
        };
        *secret = Some(self.store_rotation(used, &granted).await);
        let until = self.clock.now() + (granted.lasts - SPARE).max(SignedDuration::ZERO);
        Ok(Token { bearer: granted.bearer, until, place: granted.place, user: granted.user })
    }

    /// Stores the refresh token that came with the answer. A failure is only told: the stored one still works, and
    /// the next day tries again.
    async fn store_rotation(&self, used: Stored, granted: &Granted) -> Stored {
        let rotated =
            granted.refresh_token.as_ref().filter(|new| used.member("refresh_token").as_ref() != Some(*new));
        let due = used.created().is_none_or(|at| self.clock.now().duration_since(at) >= ROTATION_PAUSE);
        let (true, true, Some(rotated)) = (self.stores_rotation, due, rotated) else { return used };
        let changed = used.with("refresh_token", rotated);
        match self.secrets.replace(self.system, &self.secret_arn, &changed).await {
            Ok(stored) => {
                let reason = if stored { "rotated" } else { "the secret was changed by somebody else" };
                tracing::info!(decision = "refresh token", reason, "refresh token");
            }
            Err(failure) => tracing::warn!(reason = in_log(&failure.to_string()), "refresh token not stored"),
        }
        // Read again next time: the version now current is not the one that was used.
        match self.secrets.fetch(self.system, &self.secret_arn).await {
            Ok(read) => read,
            Err(_) => used,
        }
    }

    /// Everybody needs the token, so its failure is everybody's.
    fn failure(&self, audience: &str, after: Option<SignedDuration>, words: &str) -> Failure {
        Failure {
            system: self.system,
            operation: operation(audience),
            class: Class::Retryable { after },
            wide: true,
            text: words.to_owned(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn operation(audience: &str) -> String {
    format!("{SIGN_IN}{audience}`")
}

/// How the operation of every failed sign-in begins.
const SIGN_IN: &str = "token for `";

/// The audience of a sign-in that failed; `None`: the failure is of what was to be done then.
pub fn refused_audience(failure: &Failure) -> Option<&str> {
    failure.operation.strip_prefix(SIGN_IN)?.strip_suffix('`')
}

/// The number in Entra's words: `AADSTS65001` is 65001.
pub fn entra_number(words: &str) -> Option<u32> {
    let (_, after) = words.split_once("AADSTS")?;
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().ok()
}
