//! The Microsoft Entra sign-in endpoint at the wire: tokens for Partner Center (refresh token, client credentials)
//! and for Dataverse (client credentials), v1 and v2.

mod authorize;
mod refusal;

use crate::server::{Request, Response, Simulator};
use authorize::Code;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use refusal::LoginRefusal;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const PARTNER_TENANT: &str = "8b2f1c3e-51d0-4a1e-9a64-0c1f6a5e7d01";
pub const PARTNER_CLIENT: &str = "c0de0001-0000-4000-8000-000000000001";
pub const PARTNER_SECRET: &str = "partner-secret";
/// The refresh token of the one-off consent.
pub const REFRESH_TOKEN: &str = "refresh-0";
pub const DYNAMICS_TENANT: &str = PARTNER_TENANT;
pub const DYNAMICS_CLIENT: &str = "c0de0002-0000-4000-8000-000000000002";
pub const DYNAMICS_SECRET: &str = "dynamics-secret";
/// An administrator's application of the same environment.
pub const ADMINISTRATOR_CLIENT: &str = "c0de0003-0000-4000-8000-000000000003";
pub const ADMINISTRATOR_SECRET: &str = "administrator-secret";
pub const REFERRALS_AUDIENCE: &str = "https://api.partner.microsoft.com";
pub const WEBHOOKS_AUDIENCE: &str = "https://api.partnercenter.microsoft.com";

/// Object id of the consented user, and of the service principal of app-only tokens.
const USER: &str = "0b1ec700-0000-4000-8000-000000000001";
const PRINCIPAL: &str = "0b1ec700-0000-4000-8000-000000000002";
const SIGNING_KEY: &[u8] = b"the key of the simulated sign-in endpoint";

/// What an access token of this endpoint says.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Claims {
    /// The resource, without trailing slash.
    pub aud: String,
    pub tid: String,
    pub appid: String,
    pub oid: String,
    /// `user` if a user consented, `app` if the application acts as itself.
    pub idtyp: String,
    pub amr: Vec<String>,
    pub exp: i64,
}

/// The claims of a token; `None` if it was not signed here or is no longer valid.
pub fn verify(token: &str, now: Timestamp) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY), signed.as_bytes(), &signature).ok()?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (header["alg"] == "HS256" && claims.exp > now.as_second()).then_some(claims)
}

/// The claims of a request's bearer token, by the same rules.
pub fn bearer(request: &Request, now: Timestamp) -> Option<Claims> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { verify(token, now) } else { None }
}

/// A signed token with any claims, for tests that need a bad one.
pub fn mint(claims: &Claims) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(&json!(claims)));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Behaviour no document settles, or an admin's choice.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginSwitches {
    /// User tokens carry `amr: mfa`.
    pub mfa: bool,
    /// Every redemption answers a new refresh token; off: none comes back.
    pub rotate: bool,
    /// v2 answers a refresh token even when `offline_access` was not asked for.
    pub rotate_without_offline_access: bool,
    pub expires_in: i64,
    pub refresh_days: i64,
    /// Every request of a known tenant is refused with this AADSTS number, one of `refusal.rs`.
    pub refuse: Option<u32>,
}

impl Default for LoginSwitches {
    fn default() -> Self {
        LoginSwitches {
            mfa: true,
            rotate: true,
            rotate_without_offline_access: false,
            expires_in: 3600,
            refresh_days: 90,
            refuse: None,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct App {
    tenant: String,
    secret: String,
    secret_expired: bool,
    /// Resources it may ask for as itself.
    resources: Vec<String>,
    /// Resources its consented user granted.
    delegated: Vec<String>,
}

pub struct Login {
    pub switches: LoginSwitches,
    apps: BTreeMap<String, App>,
    /// Refresh token -> issued at; `None`: not used yet, age counts from the first sight of it.
    refresh_tokens: BTreeMap<String, Option<Timestamp>>,
    revoked: Vec<String>,
    /// Codes of interactive consents; `None`: redeemed.
    codes: BTreeMap<String, Option<Code>>,
    rotations: u32,
    issued: BTreeMap<String, u32>,
}

impl Login {
    /// `dynamics_scopes`: organization URLs of Dataverse, with or without trailing slash or `/.default`.
    pub fn new(dynamics_scopes: Vec<String>) -> Self {
        let audiences = vec![REFERRALS_AUDIENCE.to_owned(), WEBHOOKS_AUDIENCE.to_owned()];
        let resources: Vec<String> =
            dynamics_scopes.iter().map(|s| bare(s.strip_suffix("/.default").unwrap_or(s))).collect();
        let app = |tenant: &str, secret: &str, resources, delegated| App {
            tenant: tenant.to_owned(),
            secret: secret.to_owned(),
            secret_expired: false,
            resources,
            delegated,
        };
        let apps = BTreeMap::from([
            (PARTNER_CLIENT.to_owned(), app(PARTNER_TENANT, PARTNER_SECRET, audiences.clone(), audiences)),
            (
                ADMINISTRATOR_CLIENT.to_owned(),
                app(DYNAMICS_TENANT, ADMINISTRATOR_SECRET, resources.clone(), vec![]),
            ),
            (DYNAMICS_CLIENT.to_owned(), app(DYNAMICS_TENANT, DYNAMICS_SECRET, resources, vec![])),
        ]);
        Login {
            switches: LoginSwitches::default(),
            apps,
            refresh_tokens: BTreeMap::from([(REFRESH_TOKEN.to_owned(), None)]),
            revoked: vec![],
            codes: BTreeMap::new(),
            rotations: 0,
            issued: BTreeMap::new(),
        }
    }

    /// Other Partner Center audiences than the public ones.
    pub fn audiences(mut self, audiences: &[&str]) -> Self {
        let audiences: Vec<String> = audiences.iter().map(|a| bare(a)).collect();
        let app = self.apps.get_mut(PARTNER_CLIENT).expect("configured");
        app.resources.clone_from(&audiences);
        app.delegated = audiences;
        self
    }

    /// Moves the Dataverse application to a tenant of its own.
    pub fn dynamics_tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.apps.get_mut(DYNAMICS_CLIENT).expect("configured").tenant);
        self
    }

    /// The user changed the password: no refresh token works any more.
    pub fn revoke(&mut self) {
        self.revoked.extend(std::mem::take(&mut self.refresh_tokens).into_keys());
    }

    /// The user consented (again): a refresh token that works.
    pub fn consent(&mut self, now: Timestamp) -> String {
        self.rotations += 1;
        let token = format!("refresh-{}", self.rotations);
        self.refresh_tokens.insert(token.clone(), Some(now));
        token
    }

    /// How many access tokens were given out for a resource.
    pub fn issued(&self, resource: &str) -> u32 {
        self.issued.get(&bare(resource)).copied().unwrap_or_default()
    }

    fn token(
        &mut self,
        request: &Request,
        tenant: &str,
        v2: bool,
        now: Timestamp,
    ) -> Result<Value, LoginRefusal> {
        let form = form(request)?;
        let field = |name: &str| {
            form.get(name).filter(|v| !v.is_empty()).ok_or_else(|| {
                let text = format!("The request body must contain the following parameter: '{name}'.");
                LoginRefusal(400, "invalid_request", 900144, text)
            })
        };
        if !self.apps.values().any(|a| a.tenant.eq_ignore_ascii_case(tenant)) {
            return Err(LoginRefusal(400, "invalid_request", 90002, format!("Tenant '{tenant}' not found.")));
        }
        if let Some(number) = self.switches.refuse {
            return Err(LoginRefusal::documented(number).expect("a number of `refusal.rs`"));
        }
        let grant = field("grant_type")?;
        if !["refresh_token", "client_credentials", "authorization_code"].contains(&grant.as_str()) {
            let text = format!("The app requested an unsupported grant type '{grant}'.");
            return Err(LoginRefusal(400, "unsupported_grant_type", 70003, text));
        }
        let client = field("client_id")?;
        let app =
            self.apps.get(client).filter(|a| a.tenant.eq_ignore_ascii_case(tenant)).ok_or_else(|| {
                let text = format!("Application with identifier '{client}' was not found in the directory.");
                LoginRefusal(400, "unauthorized_client", 700016, text)
            })?;
        let secret = form.get("client_secret").ok_or_else(|| {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            LoginRefusal(401, "invalid_client", 7000218, text.into())
        })?;
        if *secret != app.secret {
            return Err(LoginRefusal(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided.".into(),
            ));
        }
        if app.secret_expired {
            let text = "The provided client secret keys for app are expired.";
            return Err(LoginRefusal(401, "invalid_client", 7000222, text.into()));
        }
        let user = grant != "client_credentials";
        let asked = if v2 { scopes(field("scope")?, user)? } else { Asked::v1(field("resource")?) };
        if !(if user { &app.delegated } else { &app.resources }).contains(&asked.resource) {
            let text =
                format!("The resource principal named {} was not found in the tenant.", asked.resource);
            return Err(LoginRefusal(400, "invalid_resource", 500011, text));
        }
        let claims = Claims {
            aud: asked.resource.clone(),
            tid: app.tenant.clone(),
            appid: client.clone(),
            oid: if user { USER } else { PRINCIPAL }.to_owned(),
            idtyp: if user { "user" } else { "app" }.to_owned(),
            amr: match (user, self.switches.mfa) {
                (true, true) => vec!["pwd".into(), "mfa".into()],
                (true, false) => vec!["pwd".into()],
                (false, _) => vec![],
            },
            exp: now.as_second() + self.switches.expires_in,
        };
        match grant.as_str() {
            "refresh_token" => self.redeem(field("refresh_token")?, now)?,
            "authorization_code" => self.take_code(&form)?,
            _ => {}
        }
        *self.issued.entry(asked.resource.clone()).or_default() += 1;
        Ok(self.answer(&claims, &asked, v2, now))
    }

    fn redeem(&mut self, token: &str, now: Timestamp) -> Result<(), LoginRefusal> {
        if self.revoked.iter().any(|t| t == token) {
            let text = "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user \
                        might have changed or reset their password.";
            return Err(LoginRefusal(400, "invalid_grant", 50173, text.into()));
        }
        let Some(since) = self.refresh_tokens.get_mut(token) else {
            let text = "Provided grant is invalid or malformed.";
            return Err(LoginRefusal(400, "invalid_grant", 70000, text.into()));
        };
        let age = now.duration_since(*since.get_or_insert(now));
        if age > SignedDuration::from_hours(24 * self.switches.refresh_days) {
            let text =
                "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.";
            return Err(LoginRefusal(400, "invalid_grant", 700082, text.into()));
        }
        Ok(())
    }

    /// v1 writes its numbers as strings, v2 as numbers.
    fn answer(&mut self, claims: &Claims, asked: &Asked, v2: bool, now: Timestamp) -> Value {
        let number = |n: i64| if v2 { json!(n) } else { json!(n.to_string()) };
        let mut answer = Map::from_iter([
            ("token_type".to_owned(), json!("Bearer")),
            ("expires_in".to_owned(), number(self.switches.expires_in)),
            ("ext_expires_in".to_owned(), number(self.switches.expires_in)),
        ]);
        if !v2 {
            answer.insert("expires_on".into(), number(claims.exp));
            answer.insert("not_before".into(), number(now.as_second() - 300));
            answer.insert("resource".into(), json!(asked.resource));
        }
        answer.insert("access_token".into(), json!(mint(claims)));
        if claims.idtyp == "user" {
            let scope = format!("{}/user_impersonation", asked.resource);
            answer.insert("scope".into(), if v2 { json!(scope) } else { json!("user_impersonation") });
            let wanted = !v2 || asked.offline_access || self.switches.rotate_without_offline_access;
            if self.switches.rotate && wanted {
                answer.insert("refresh_token".into(), json!(self.consent(now)));
            }
            answer.insert("id_token".into(), json!("eyJhbGciOiJub25lIn0.e30."));
        }
        Value::Object(answer)
    }
}

impl Simulator for Login {
    fn route(&self, request: &Request) -> String {
        let grant = form(request).ok().and_then(|f| f.get("grant_type").cloned()).unwrap_or_default();
        match endpoint(&request.path) {
            Some((_, true)) => format!("{} {{tenant}}/oauth2/v2.0/token {grant}", request.method),
            Some((_, false)) => format!("{} {{tenant}}/oauth2/token {grant}", request.method),
            None => format!("{} {}", request.method, request.path),
        }
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        match endpoint(&request.path) {
            Some((tenant, v2)) if request.method == "POST" => {
                let answer = self.token(request, &tenant, v2, now);
                let (status, body) = answer.map_or_else(|r| (r.0, r.body(now)), |body| (200, body));
                Response::new(status)
                    .with("content-type", "application/json; charset=utf-8")
                    .with("cache-control", "no-store, no-cache")
                    .body(body.to_string())
            }
            None if request.method == "GET" && request.path.ends_with("/oauth2/authorize") => {
                let tenant = request.path.trim_start_matches('/').split('/').next().unwrap_or_default();
                self.authorize(request, tenant)
            }
            _ => Response::unknown(request, "not a token endpoint"),
        }
    }

    fn state(&self) -> Value {
        json!({
            "apps": self.apps, "refresh_tokens": self.refresh_tokens, "revoked": self.revoked,
            "issued": self.issued, "switches": self.switches,
        })
    }

    /// `revoke`, `consent`, `switches`, `expire_secret {"client_id"}`, `secret {"client_id", "secret"}`.
    fn control(&mut self, verb: &str, body: &Value, now: Timestamp) -> Option<Result<Value, String>> {
        let client = body["client_id"].as_str().unwrap_or(PARTNER_CLIENT);
        Some(match verb {
            "revoke" => {
                self.revoke();
                Ok(json!({ "revoked": self.revoked }))
            }
            "consent" => Ok(json!({ "refresh_token": self.consent(now) })),
            "switches" => merged(&self.switches, body).and_then(|s: LoginSwitches| {
                let unknown = s.refuse.filter(|number| LoginRefusal::documented(*number).is_none());
                if let Some(number) = unknown {
                    return Err(format!("no refusal {number}"));
                }
                self.switches = s;
                Ok(json!(self.switches))
            }),
            "expire_secret" | "secret" => match self.apps.get_mut(client) {
                None => Err(format!("no application `{client}`")),
                Some(app) => {
                    app.secret_expired = verb == "expire_secret";
                    if let Some(secret) = body["secret"].as_str() {
                        secret.clone_into(&mut app.secret);
                    }
                    Ok(json!(app))
                }
            },
            _ => return None,
        })
    }
}

/// Switches with some of them changed by a control call; unknown names are refused.
pub(crate) fn merged<T: Serialize + for<'a> Deserialize<'a>>(
    switches: &T,
    body: &Value,
) -> Result<T, String> {
    let mut all = json!(switches);
    for (name, value) in body.as_object().ok_or("expected an object of switches")? {
        all[name] = value.clone();
    }
    serde_json::from_value(all).map_err(|e| e.to_string())
}

/// What a caller asked a token for.
struct Asked {
    resource: String,
    offline_access: bool,
}

impl Asked {
    fn v1(resource: &str) -> Self {
        Asked { resource: bare(resource), offline_access: false }
    }
}

/// v2: exactly one resource scope, besides the sign-in scopes when a user stands behind the request.
fn scopes(scope: &str, user: bool) -> Result<Asked, LoginRefusal> {
    let refuse = |text: String| LoginRefusal(400, "invalid_scope", if user { 70011 } else { 1002012 }, text);
    let (sign_in, of_resource): (Vec<&str>, Vec<&str>) =
        scope.split_whitespace().partition(|s| ["offline_access", "openid", "profile"].contains(s));
    if !user && !sign_in.is_empty() {
        return Err(refuse(format!("The provided value for scope {scope} is not valid.")));
    }
    let [one] = of_resource[..] else {
        return Err(refuse(format!(
            "The provided value for the input parameter 'scope' is not valid: {scope}"
        )));
    };
    let resource =
        one.strip_suffix("/.default").or_else(|| one.strip_suffix("/user_impersonation").filter(|_| user));
    match resource {
        Some(r) if !r.ends_with('/') => {
            Ok(Asked { resource: bare(r), offline_access: sign_in.contains(&"offline_access") })
        }
        _ => Err(refuse(format!("The provided value for the input parameter 'scope' is not valid: {one}"))),
    }
}

/// Tenant, and whether this is the v2 endpoint.
fn endpoint(path: &str) -> Option<(String, bool)> {
    let (tenant, rest) = path.strip_prefix('/')?.split_once('/')?;
    let v2 = match rest {
        "oauth2/token" => false,
        "oauth2/v2.0/token" => true,
        _ => return None,
    };
    Some((tenant.to_owned(), v2))
}

fn form(request: &Request) -> Result<BTreeMap<String, String>, LoginRefusal> {
    let bad = |text: &str| LoginRefusal(400, "invalid_request", 9002313, format!("Invalid request. {text}"));
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(bad("The body must be form encoded."));
    }
    let text = std::str::from_utf8(&request.body).map_err(|_| bad("Request is malformed or invalid."))?;
    let form = pairs(text);
    if form.len() != text.split('&').filter(|pair| !pair.is_empty()).count() {
        return Err(bad("A parameter is repeated."));
    }
    Ok(form)
}

/// Names and values of a form or a query.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let decode = |s: &str| percent_decode_str(&s.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn bare(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORG: &str = "https://contoso-sales.crm.dynamics.com";

    fn call(login: &mut Login, path: &str, form: &[(&str, &str)], now: Timestamp) -> (u16, Value) {
        let body: Vec<String> = form.iter().map(|(n, v)| format!("{n}={}", v.replace(' ', "+"))).collect();
        let headers = BTreeMap::from([("content-type".into(), "application/x-www-form-urlencoded".into())]);
        let body = body.join("&").replace(":", "%3A").into();
        let request =
            Request { method: "POST".into(), path: path.into(), query: String::new(), headers, body };
        let response = login.handle(&request, now);
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    fn refresh<'a>(token: &'a str, resource: (&'a str, &'a str)) -> [(&'a str, &'a str); 5] {
        [
            ("grant_type", "refresh_token"),
            ("client_id", PARTNER_CLIENT),
            ("client_secret", PARTNER_SECRET),
            ("refresh_token", token),
            resource,
        ]
    }

    fn paths() -> (String, String) {
        (format!("/{PARTNER_TENANT}/oauth2/token"), format!("/{PARTNER_TENANT}/oauth2/v2.0/token"))
    }

    #[test]
    fn a_refresh_token_serves_both_audiences_and_rotates() {
        let (now, (v1, v2)) = (Timestamp::now(), paths());
        let mut login = Login::new(vec![]);
        let (status, first) =
            call(&mut login, &v1, &refresh(REFRESH_TOKEN, ("resource", REFERRALS_AUDIENCE)), now);
        assert_eq!(status, 200, "{first}");
        let mut keys: Vec<&String> = first.as_object().expect("object").keys().collect();
        keys.sort();
        let documented = "access_token expires_in expires_on ext_expires_in id_token not_before refresh_token resource \
                          scope token_type";
        assert_eq!(keys, documented.split(' ').collect::<Vec<_>>());
        assert_eq!((&first["expires_in"], &first["resource"]), (&json!("3600"), &json!(REFERRALS_AUDIENCE)));
        let claims = verify(first["access_token"].as_str().expect("token"), now).expect("valid");
        assert_eq!((&*claims.aud, &*claims.idtyp, &*claims.amr[1]), (REFERRALS_AUDIENCE, "user", "mfa"));
        let rotated = first["refresh_token"].as_str().expect("a new one");
        let scope = format!("{WEBHOOKS_AUDIENCE}/.default offline_access");
        let (status, second) = call(&mut login, &v2, &refresh(rotated, ("scope", &scope)), now);
        assert_eq!((status, &second["expires_in"]), (200, &json!(3600)));
        let (status, third) =
            call(&mut login, &v2, &refresh(REFRESH_TOKEN, ("scope", &scope[..scope.len() - 15])), now);
        assert_eq!((status, third.get("refresh_token")), (200, None), "the old one still works");
        assert_eq!((login.issued(WEBHOOKS_AUDIENCE), login.issued(REFERRALS_AUDIENCE)), (2, 1));

        login.revoke();
        let (status, body) = call(&mut login, &v1, &refresh(rotated, ("resource", REFERRALS_AUDIENCE)), now);
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
        let again = login.consent(now);
        assert_eq!(call(&mut login, &v1, &refresh(&again, ("resource", REFERRALS_AUDIENCE)), now).0, 200);
        let late = now + SignedDuration::from_hours(91 * 24);
        let (status, body) = call(&mut login, &v1, &refresh(&again, ("resource", REFERRALS_AUDIENCE)), late);
        assert_eq!((status, &body["error_codes"]), (400, &json!([700082])));
    }

    #[test]
    fn an_application_gets_its_organization_only() {
        let (now, (_, v2)) = (Timestamp::now(), paths());
        let mut login = Login::new(vec![format!("{ORG}/")]);
        let scope = format!("{ORG}/.default");
        let good = [
            ("grant_type", "client_credentials"),
            ("client_id", DYNAMICS_CLIENT),
            ("client_secret", DYNAMICS_SECRET),
            ("scope", &*scope),
        ];
        let (status, body) = call(&mut login, &v2, &good, now);
        let mut keys: Vec<&String> = body.as_object().expect("object").keys().collect();
        keys.sort();
        assert_eq!((status, keys.len()), (200, 4));
        assert_eq!(keys, ["access_token", "expires_in", "ext_expires_in", "token_type"]);
        let claims = verify(body["access_token"].as_str().expect("token"), now).expect("valid");
        assert_eq!((&*claims.aud, &*claims.idtyp, &*claims.appid), (ORG, "app", DYNAMICS_CLIENT));
        for (at, value, status, error, code) in [
            (2, "wrong", 401, "invalid_client", 7000215),
            (1, "c0de0009-0000-4000-8000-000000000009", 400, "unauthorized_client", 700016),
            (0, "password", 400, "unsupported_grant_type", 70003),
            (0, "", 400, "invalid_request", 900144),
            (3, "https://other.crm.dynamics.com/.default", 400, "invalid_resource", 500011),
            (3, ORG, 400, "invalid_scope", 1002012),
            (3, &format!("{ORG}//.default"), 400, "invalid_scope", 1002012),
            (3, &format!("{ORG}/.default offline_access"), 400, "invalid_scope", 1002012),
        ] {
            let mut form = good;
            form[at].1 = value;
            let (got, body) = call(&mut login, &v2, &form, now);
            assert_eq!(
                (got, &body["error"], &body["error_codes"]),
                (status, &json!(error), &json!([code])),
                "{value}"
            );
            let text = body["error_description"].as_str().expect("text");
            assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        }
        let (status, body) = call(&mut login, "/another/oauth2/v2.0/token", &good, now);
        assert_eq!((status, &body["error_codes"]), (400, &json!([90002])));
        let expire = json!({ "client_id": DYNAMICS_CLIENT });
        login.control("expire_secret", &expire, now).expect("a verb").expect("expires");
        assert_eq!(call(&mut login, &v2, &good, now).1["error_codes"], json!([7000222]));
        assert_eq!(call(&mut login, "/x/oauth2/authorize", &good, now).0, 501);
    }

    /// The status of a consent with these further parameters, and its code.
    fn consented(login: &mut Login, further: &str, now: Timestamp) -> (u16, String) {
        let query = format!(
            "client_id={PARTNER_CLIENT}&resource={WEBHOOKS_AUDIENCE}&response_type=code&response_mode=query\
             &redirect_uri=http://localhost:8400/&state=s{further}"
        );
        let path = format!("/{PARTNER_TENANT}/oauth2/authorize");
        let request =
            Request { method: "GET".into(), path, query, headers: BTreeMap::new(), body: "".into() };
        let response = login.handle(&request, now);
        let location = response.headers.iter().find(|(name, _)| name == "location");
        let location = location.map(|(_, value)| value.clone()).unwrap_or_default();
        let mut answer = pairs(location.split_once('?').map_or("", |(_, query)| query));
        (response.status, answer.remove("code").unwrap_or_default())
    }

    /// The sample of RFC 7636, appendix B.
    #[test]
    fn a_code_is_redeemed_with_the_verifier_of_its_challenge_only() {
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let (now, (v1, _)) = (Timestamp::now(), paths());
        let mut login = Login::new(vec![]);
        let s256 = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let plain = format!("&code_challenge={VERIFIER}");
        for (further, verifier, expected) in [
            ("", "", 0),
            ("", VERIFIER, 501481),
            (s256.as_str(), VERIFIER, 0),
            (s256.as_str(), CHALLENGE, 501481),
            (s256.as_str(), "", 50148),
            (plain.as_str(), VERIFIER, 0),
            (plain.as_str(), CHALLENGE, 501481),
        ] {
            let (status, code) = consented(&mut login, further, now);
            assert_eq!(status, 302, "{further}");
            let form = [
                ("grant_type", "authorization_code"),
                ("client_id", PARTNER_CLIENT),
                ("client_secret", PARTNER_SECRET),
                ("code", &*code),
                ("redirect_uri", "http://localhost:8400/"),
                ("resource", WEBHOOKS_AUDIENCE),
                ("code_verifier", verifier),
            ];
            let (_, body) = call(&mut login, &v1, &form, now);
            let number = body["error_codes"][0].as_u64().unwrap_or_default();
            assert_eq!(number, expected, "{further} {verifier}");
            let (_, again) = call(&mut login, &v1, &form, now);
            assert_eq!(again["error_codes"], json!([54005]), "a code works once");
        }
        for further in [
            "&code_challenge=short",
            "&code_challenge_method=S256",
            &format!("{plain}&code_challenge_method=S1"),
        ] {
            assert_eq!(consented(&mut login, further, now).0, 400, "{further}");
        }
    }

    #[test]
    fn a_refusal_is_answered_by_its_number() {
        let (now, (v1, _)) = (Timestamp::now(), paths());
        let mut login = Login::new(vec![]);
        let mut ask = |number: Value| {
            login.control("switches", &json!({ "refuse": number }), now).expect("a verb")?;
            let form = refresh(REFRESH_TOKEN, ("resource", REFERRALS_AUDIENCE));
            Ok::<_, String>(call(&mut login, &v1, &form, now))
        };
        let (status, body) = ask(json!(650_057)).expect("known");
        assert_eq!((status, &body["error"]), (400, &json!("invalid_resource")));
        assert_eq!(body["error_codes"], json!([650_057]));
        assert!(ask(json!(1)).is_err());
        assert_eq!(ask(Value::Null).expect("none").0, 200);
    }

    #[test]
    fn forged_and_expired_tokens_are_nothing() {
        let now = Timestamp::now();
        let claims = Claims {
            aud: "a".into(),
            tid: "t".into(),
            appid: "c".into(),
            oid: "o".into(),
            idtyp: "app".into(),
            amr: vec![],
            exp: now.as_second() + 1,
        };
        let token = mint(&claims);
        assert_eq!(verify(&token, now), Some(claims));
        assert_eq!(verify(&token, now + SignedDuration::from_secs(1)), None);
        let (head, rest) = token.split_once('.').expect("parts");
        let (_, tag) = rest.split_once('.').expect("parts");
        let other = URL_SAFE_NO_PAD.encode(r#"{"aud":"b"}"#);
        assert_eq!(verify(&format!("{head}.{other}.{tag}"), now), None);
        assert_eq!(verify("nonsense", now), None);
    }
}
