//! Access tokens: requested once and kept until shortly before they expire; and the rotation of the refresh token.
//! Entra: v1 with a refresh token for Partner Center, v2 as application for Dataverse. Salesforce: an assertion or the
//! app's secret.

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
use grant::{Refused, TokenResponse};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use sync::{
    failure::{Class, Failure, System},
    in_log::in_log,
};

/// A token is not used in its last five minutes: a request takes time, and clocks differ.
const SPARE: SignedDuration = SignedDuration::from_secs(300);
/// The shortest time between two stored rotations; a refresh token lives 90 days (vendors/entra.md, *A user's
/// consent*).
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
    kept: Mutex<TokenCache>,
    /// Single-flight lock: its holder requests the token, and the callers that wait for it use the holder's result. It
    /// keeps the secret that was read last.
    asking: tokio::sync::Mutex<Option<Stored>>,
}

#[derive(Default)]
struct TokenCache {
    tokens: HashMap<String, Token>,
    /// How many requests have failed, and the failure of the last one, which callers that waited for it return too.
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
    /// Partner Center's tokens: by the refresh token of the one consent, for any audience. `stores_rotation`: for the
    /// poller.
    pub fn partner_center(
        http: Http,
        secrets: Secrets,
        clock: Clock,
        config: &config::PartnerCenterConfig,
        stores_rotation: bool,
    ) -> Self {
        let grant = Grant::refresh_token(&config.login_url, &config.tenant_id, &config.client_id);
        let arn = &config.secret_arn;
        Self::new(http, secrets, clock, System::PartnerCenter, grant, arn, stores_rotation)
    }

    /// Dataverse's tokens: for the application itself; the audience is the environment's URL.
    pub fn dynamics(http: Http, secrets: Secrets, clock: Clock, config: &config::DynamicsConfig) -> Self {
        let grant = Grant::client_credentials(&config.login_url, &config.tenant_id, &config.client_id);
        Self::new(http, secrets, clock, System::Crm, grant, &config.secret_arn, false)
    }

    /// Salesforce's tokens: sessions of the integration user.
    pub fn salesforce(http: Http, secrets: Secrets, clock: Clock, config: &config::SalesforceConfig) -> Self {
        let grant = Grant::salesforce(config);
        Self::new(http, secrets, clock, System::Crm, grant, &config.secret_arn, false)
    }

    /// The tokens of `system` by any grant; `secret_arn` is the ARN of the grant's secret.
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

    /// The time of our own clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A bearer token for an audience, not about to expire. Concurrent callers share one request.
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

    /// The origin at which the token of an audience is used (`instance_url`); requests a token if none is kept.
    pub async fn place(&self, audience: &str) -> Result<String, Failure> {
        self.bearer(audience).await?;
        let place = self.kept().tokens.get(audience).and_then(|token| token.place.clone());
        place.ok_or_else(|| self.failure(audience, None, "the token does not say where it is used"))
    }

    /// The id of the user to whom the token of an audience belongs; `None`: no token is kept, or it does not say.
    pub fn user(&self, audience: &str) -> Option<String> {
        self.kept().tokens.get(audience).and_then(|token| token.user.clone())
    }

    /// Drops a token that the vendor no longer accepts, so that the next [`Tokens::bearer`] requests a new one.
    /// Another token, which a concurrent caller got meanwhile, is kept.
    pub fn expire(&self, audience: &str, bearer: &str) {
        let mut kept = self.kept();
        if kept.tokens.get(audience).is_some_and(|token| token.bearer.expose() == bearer) {
            kept.tokens.remove(audience);
        }
    }

    /// The kept token, or how many requests have failed so far.
    fn kept_token(&self, audience: &str) -> Result<String, u64> {
        let kept = self.kept();
        let token = kept.tokens.get(audience).filter(|token| self.clock.now() < token.until);
        token.map(|token| token.bearer.expose().to_owned()).ok_or(kept.failures)
    }

    /// Requests a token. If that is refused because of the configuration, the secret is read again, and a second
    /// request is sent if it has changed.
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
            // The secret is dropped too, so that the next request reads the one that an administrator has corrected.
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

    /// Stores the refresh token that came with the answer. A failure is only logged: the stored one still works, and a
    /// later answer is stored instead.
    async fn store_rotation(&self, used: Stored, granted: &TokenResponse) -> Stored {
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
        // The secret is read again, because the current version is no longer the one that was used.
        match self.secrets.fetch(self.system, &self.secret_arn).await {
            Ok(read) => read,
            Err(_) => used,
        }
    }

    /// Every call needs a token, so the failure is wide.
    fn failure(&self, audience: &str, after: Option<SignedDuration>, words: &str) -> Failure {
        Failure {
            system: self.system,
            operation: operation(audience),
            class: Class::Retryable { after },
            wide: true,
            text: words.to_owned(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, TokenCache> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn operation(audience: &str) -> String {
    format!("{SIGN_IN}{audience}`")
}

/// The beginning of the operation of every failed sign-in.
const SIGN_IN: &str = "token for `";

/// The audience of a failed sign-in; `None`: the failure is of another operation.
pub fn refused_audience(failure: &Failure) -> Option<&str> {
    failure.operation.strip_prefix(SIGN_IN)?.strip_suffix('`')
}

/// The number in Entra's message: `AADSTS65001` is 65001.
pub fn entra_number(words: &str) -> Option<u32> {
    let (_, after) = words.split_once("AADSTS")?;
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().ok()
}
