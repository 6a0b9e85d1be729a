//! `/services/oauth2/token`: the JWT bearer and the client credentials flow, sessions and what ends them.
//!
//! One listener stands for both hosts: called as `localhost` it is the login host, by any other name My Domain.

use super::{ADMIN, ADMIN_USERNAME, INTEGRATION_USER, ORGANIZATION, Salesforce, USERNAME};
use crate::server::{Request, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Consumer key and secret of the app.
pub const CLIENT_ID: &str = "3MVG9.consumer-key";
pub const CLIENT_SECRET: &str = "salesforce-secret";
/// The private key whose certificate the app holds, PKCS#8 in PEM.
pub const PRIVATE_KEY_PEM: &str = include_str!("../../fixtures/keys/salesforce.pem");

/// Whether a user may use the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    Approved,
    /// "user hasn't approved this consumer"
    Missing,
    /// "user is not admin approved to access this app"
    NotByAdmin,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub user: String,
    ends: Timestamp,
}

/// A refusal: status, `error` and `error_description`.
#[derive(Clone, Copy)]
struct TokenRefusal(u16, &'static str, &'static str);

/// What the vendor says of an app that it does not find, for whatever reason.
const NO_APP: TokenRefusal =
    TokenRefusal(400, "app_not_found", "External client app is not installed in this org");

fn refused<T>(error: &'static str, text: &'static str) -> Result<T, TokenRefusal> {
    Err(TokenRefusal(400, error, text))
}

/// OAuth errors that the switch `refuse` asks for: `error`, `error_description`.
const DOCUMENTED: [TokenRefusal; 9] = [
    NO_APP,
    TokenRefusal(400, "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org"),
    TokenRefusal(400, "invalid_request", SCOPES),
    TokenRefusal(400, "invalid_scope", "the requested scope is not allowed"),
    TokenRefusal(400, "unsupported_grant_type", "grant type not supported"),
    TokenRefusal(400, "inactive_org", "organization inactive or locked"),
    TokenRefusal(400, "consent_required", "consent required"),
    TokenRefusal(400, "login_rate_exceeded", "login rate exceeded"),
    TokenRefusal(400, "temporarily_unavailable", "the service is temporarily unavailable"),
];
const SCOPES: &str =
    "refresh_token scope is required and the connected app should be installed and preauthorized";

/// The signing key of the app.
pub(super) fn key() -> RsaKeyPair {
    let inside: String = PRIVATE_KEY_PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(inside).expect("PEM");
    RsaKeyPair::from_pkcs8(&der).expect("an RSA key in PKCS#8")
}

impl Salesforce {
    pub(super) fn token(&mut self, request: &Request, now: Timestamp) -> Response {
        let (status, body) = match self.signed_in(request, now) {
            Ok(body) => (200, body),
            Err(TokenRefusal(status, error, text)) => {
                (status, json!({ "error": error, "error_description": text }))
            }
        };
        Response::new(status)
            .with("Content-Type", "application/json;charset=UTF-8")
            .with("Cache-Control", "no-cache, no-store")
            .body(body.to_string())
    }

    fn signed_in(&mut self, request: &Request, now: Timestamp) -> Result<Value, TokenRefusal> {
        if let Some(error) = &self.switches.refuse {
            return Err(*DOCUMENTED.iter().find(|known| known.1 == error).expect("an error of `token.rs`"));
        }
        let form = form(request);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let host = request.header("host").unwrap_or_default();
        let login_host = host.split(':').next() == Some("localhost");
        let (user, more) = match field("grant_type") {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                self.find_app(login_host)?;
                let user = self.bearer(field("assertion"), now)?;
                self.demand_scopes()?;
                (user, json!({ "scope": "web api" }))
            }
            "client_credentials" if login_host => {
                return refused("invalid_grant", "request not supported on this domain");
            }
            "client_credentials" => {
                self.find_app(login_host)?;
                let (client, secret) = basic(request)
                    .unwrap_or_else(|| (field("client_id").to_owned(), field("client_secret").to_owned()));
                if client != CLIENT_ID {
                    return refused("invalid_client_id", "client identifier invalid");
                }
                if secret != self.client_secret {
                    let status = self.switches.invalid_client_status;
                    return Err(TokenRefusal(status, "invalid_client", "invalid client credentials"));
                }
                let more = json!({ "scope": "api", "signature": "c2lnbmF0dXJl", "token_format": "opaque",
                    "issued_at": now.as_millisecond().to_string() });
                (INTEGRATION_USER.to_owned(), more)
            }
            _ => return refused("unsupported_grant_type", "grant type not supported"),
        };
        let active = self.row("User", &user).is_some_and(|row| row["IsActive"] == json!(true));
        if !active {
            return refused("inactive_user", "user is inactive");
        }
        match self.approvals.get(&user) {
            Some(Approval::Approved) => {}
            Some(Approval::NotByAdmin) => {
                return refused("invalid_app_access", "user is not admin approved to access this app");
            }
            _ if self.switches.external_client_app => return Err(NO_APP),
            _ => return refused("invalid_grant", "user hasn't approved this consumer"),
        }
        self.logins.retain(|(_, at)| now.as_second() - at.as_second() < 3600);
        if self.logins.iter().filter(|(who, _)| *who == user).count()
            >= self.switches.logins_per_hour as usize
        {
            return refused("login_rate_exceeded", "login rate exceeded");
        }
        self.logins.push((user.clone(), now));
        let mut body = json!({ "access_token": self.sign_in(&user, now), "instance_url": self.base,
            "id": format!("https://login.salesforce.com/id/{ORGANIZATION}/{user}"), "token_type": "Bearer" });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        Ok(body)
    }

    /// Whether the host knows the app at all: the login host knows no external client apps.
    fn find_app(&self, login_host: bool) -> Result<(), TokenRefusal> {
        let hidden = login_host && self.switches.external_client_app;
        if self.switches.app_installed && !hidden { Ok(()) } else { Err(NO_APP) }
    }

    /// The JWT bearer flow needs both scopes, although it gives no refresh token.
    fn demand_scopes(&self) -> Result<(), TokenRefusal> {
        let has = |name: &str| self.switches.app_scopes.iter().any(|scope| scope == name);
        if has("api") && (has("refresh_token") || has("offline_access")) {
            return Ok(());
        }
        refused("invalid_request", SCOPES)
    }

    /// The user a signed assertion is for.
    fn bearer(&self, assertion: &str, now: Timestamp) -> Result<String, TokenRefusal> {
        let parts: Vec<&str> = assertion.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return refused("invalid_grant", "invalid assertion");
        };
        let json = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let (Some(header), Some(claims_read), Ok(signature)) =
            (json(header), json(claims), URL_SAFE_NO_PAD.decode(signature))
        else {
            return refused("invalid_grant", "invalid assertion");
        };
        if claims_read["iss"] != CLIENT_ID {
            return refused("invalid_client_id", "client identifier invalid");
        }
        let signed = &assertion[..assertion.len() - parts[2].len() - 1];
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        if header["alg"] != "RS256" || public.verify(signed.as_bytes(), &signature).is_err() {
            return refused("invalid_grant", "invalid assertion");
        }
        let audience = claims_read["aud"].as_str().unwrap_or_default();
        let expected = if self.switches.sandbox {
            "https://test.salesforce.com"
        } else {
            "https://login.salesforce.com"
        };
        let own = audience == self.base || audience == self.base.replace("127.0.0.1", "localhost");
        if audience != expected && !(own && self.switches.own_address_is_audience) {
            return refused("invalid_grant", "audience is invalid");
        }
        // A widespread client sends it as text, rounded to the next second.
        let expires = &claims_read["exp"];
        let expires = expires.as_i64().or_else(|| expires.as_str()?.parse().ok());
        let Some(expires) = expires else {
            return refused("invalid_grant", "invalid assertion");
        };
        if expires <= now.as_second() {
            return refused("invalid_grant", "expired assertion");
        }
        if expires > (now.as_millisecond() + 999).div_euclid(1000) + self.switches.assertion_seconds {
            return refused("invalid_grant", "invalid assertion");
        }
        let users = self.rows("User");
        let user =
            users.iter().find(|row| row["Username"] == claims_read["sub"] && claims_read["sub"].is_string());
        match user.and_then(|row| row["Id"].as_str()) {
            Some(id) => Ok(id.to_owned()),
            None => refused("invalid_grant", "user hasn't approved this consumer"),
        }
    }

    /// A session of a user, as a sign-in makes it.
    pub fn sign_in(&mut self, user: &str, now: Timestamp) -> String {
        self.sessions_made += 1;
        let token = format!("{}!AQ0AQ{:08}.{}", &ORGANIZATION[..15], self.sessions_made, &user[..15]);
        let ends = now + jiff::SignedDuration::from_secs(self.switches.session_seconds);
        self.sessions.retain(|_, session| session.ends > now);
        self.sessions.insert(token.clone(), Session { user: user.to_owned(), ends });
        token
    }

    /// How many sessions were given out.
    pub fn sign_ins(&self) -> u32 {
        self.sessions_made
    }

    /// Every session ends at once.
    pub fn revoke(&mut self) {
        self.sessions.clear();
    }

    /// Whether a user may use the app, from now on.
    pub fn approve(&mut self, user: &str, approval: Approval) {
        self.approvals.insert(user.to_owned(), approval);
    }

    /// The user behind a request's session.
    pub(super) fn caller(&self, request: &Request, now: Timestamp) -> Option<String> {
        let (scheme, token) = request.header("authorization")?.split_once(' ')?;
        let known = ["bearer", "oauth"].contains(&scheme.to_ascii_lowercase().as_str());
        self.user_of(token, now).filter(|_| known)
    }

    /// The user of a session, however it came.
    pub(super) fn user_of(&self, token: &str, now: Timestamp) -> Option<String> {
        let session = self.sessions.get(token.trim()).filter(|session| session.ends > now)?;
        Some(session.user.clone())
    }
}

/// The public key the app's certificate holds, and who is approved.
pub(super) fn setup() -> (Vec<u8>, BTreeMap<String, Approval>) {
    let approvals = [INTEGRATION_USER, ADMIN].map(|user| (user.to_owned(), Approval::Approved));
    (key().public_key().as_ref().to_vec(), approvals.into())
}

/// An assertion signed with the fixture's key, for tests.
pub fn assertion(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "RS256" })), part(claims));
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    key.sign(&ring::signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).expect("signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Users that may sign in, by name: the integration user and the admin.
pub fn usernames() -> [&'static str; 2] {
    [USERNAME, ADMIN_USERNAME]
}

fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

pub(super) fn form(request: &Request) -> BTreeMap<String, String> {
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return BTreeMap::new();
    }
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let decoded = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (decoded(n), decoded(v))).collect()
}
