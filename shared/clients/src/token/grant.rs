//! Sends one request to a token endpoint, of Entra or of Salesforce, and reads the answer.

use super::{
    assertion::{assertion, audience as audience_of, is_of},
    entra_number,
};
use crate::{
    config,
    http::{Answer, Broken, Http},
    secrets::{Secret, Stored},
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, header};
use serde_json::Value;

/// The longest message that is kept of an answer, in characters.
const WORDS: usize = 300;
/// The longest lifetime of a token that is believed, whatever the answer says.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// OAuth errors on 4xx that pass by themselves (RFC 6749 §4.1.2.1; vendors/entra.md, *Errors*; vendors/salesforce.md,
/// *Sign-in*).
const TRANSIENT: [&str; 3] = ["temporarily_unavailable", "server_error", "login_rate_exceeded"];
/// Entra's numbers of errors that pass by themselves, no matter with which OAuth error (vendors/entra.md, *Errors*): a
/// service behind Entra cannot be reached or is over its budget, the tenant is throttled, the same request was
/// repeated too often.
const TRANSIENT_NUMBERS: [u32; 5] = [90006, 90024, 90033, 90055, 50196];
/// The lifetime of a Salesforce token. Its answer names none: the org's session policy decides, and a 401 ends it
/// earlier.
const SESSION: SignedDuration = SignedDuration::from_mins(60);

/// How an access token is requested.
#[derive(Clone, Debug)]
pub struct Grant {
    url: String,
    client_id: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// v1: a user's consent, redeemed for a `resource`.
    RefreshToken,
    /// v2: the application itself, for the `.default` scope.
    ClientCredentials,
    /// Salesforce: an assertion where the secret holds a `private_key`, else the app's `client_secret`.
    Salesforce { login_url: String, username: String, host_pattern: String },
}

/// What a successful answer holds.
pub(super) struct TokenResponse {
    pub(super) bearer: Secret,
    pub(super) lasts: SignedDuration,
    pub(super) refresh_token: Option<Secret>,
    /// The origin at which the token is used, if the answer names it.
    pub(super) place: Option<String>,
    /// The id of its user, if the answer names it.
    pub(super) user: Option<String>,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Refused {
    /// Secret, application, permission or address is wrong: time does not cure it, an administrator must.
    Configuration(String),
    /// The reason passes by itself.
    Later { after: Option<SignedDuration>, words: String },
}

impl Grant {
    /// v1 with the secret's `client_secret` and `refresh_token`.
    pub fn refresh_token(login_url: &str, tenant: &str, client_id: &str) -> Self {
        let url = format!("{login_url}/{tenant}/oauth2/token");
        Grant { url, client_id: client_id.to_owned(), kind: Kind::RefreshToken }
    }

    /// v2 with the secret's `client_secret`.
    pub fn client_credentials(login_url: &str, tenant: &str, client_id: &str) -> Self {
        let url = format!("{login_url}/{tenant}/oauth2/v2.0/token");
        Grant { url, client_id: client_id.to_owned(), kind: Kind::ClientCredentials }
    }

    /// Salesforce's, with the secret's `private_key` (JWT bearer) or `client_secret` (client credentials).
    pub fn salesforce(config: &config::SalesforceConfig) -> Self {
        let kind = Kind::Salesforce {
            login_url: config.login_url.clone(),
            username: config.username.clone(),
            host_pattern: config.host_pattern.clone(),
        };
        let url = format!("{}/services/oauth2/token", config.login_url);
        Grant { url, client_id: config.client_id.clone(), kind }
    }

    /// Requests a token; once more if the request was not sent or got no answer. That is harmless, because redeeming
    /// changes nothing at Entra.
    pub(super) async fn redeem(
        &self,
        http: &Http,
        audience: &str,
        secret: &Stored,
        now: Timestamp,
    ) -> Result<TokenResponse, Refused> {
        let form = self.form(audience, secret, now)?;
        let request = || {
            let request = http.request(Method::POST, &self.url).header(header::ACCEPT, "application/json");
            http.send(
                request.form(&form.iter().map(|(name, value)| (*name, value.expose())).collect::<Vec<_>>()),
            )
        };
        let answer = match request().await {
            Err(Broken::NotSent(_) | Broken::Silent(_)) => request().await,
            answer => answer,
        };
        match answer {
            Ok(answer) => self.judge(&answer),
            Err(Broken::NotSent(words) | Broken::Silent(words) | Broken::MaybeSent(words)) => {
                Err(Refused::Later { after: None, words })
            }
        }
    }

    /// The token of an answer, after a check of the origin at which it is to be used.
    fn judge(&self, answer: &Answer) -> Result<TokenResponse, Refused> {
        let mut granted = judge(answer)?;
        if let Kind::Salesforce { host_pattern, .. } = &self.kind {
            granted.lasts = SESSION;
            let body = answer.json().unwrap_or_default();
            // The identity URL ends with the user's id.
            granted.user = body["id"].as_str().and_then(|id| id.rsplit('/').next()).map(str::to_owned);
            let place = body["instance_url"].as_str().map(str::to_owned);
            let place = place.map(|place| place.trim_end_matches('/').to_owned());
            match place.filter(|place| config::secure(place).is_some() && is_of(host_pattern, place)) {
                Some(place) => granted.place = Some(place),
                None => {
                    let words = format!(
                        "its `instance_url` is not https, or not of SalesforceHostPattern `{host_pattern}`"
                    );
                    return Err(Refused::Configuration(words));
                }
            }
        }
        Ok(granted)
    }

    fn form(
        &self,
        audience: &str,
        secret: &Stored,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, Secret)>, Refused> {
        let member = |name: &'static str| {
            let missing = || Refused::Configuration(format!("the secret has no `{name}`"));
            secret.member(name).ok_or_else(missing).map(|value| (name, value))
        };
        let open = |name: &'static str, value: &str| (name, Secret::new(value));
        if let Kind::Salesforce { login_url, username, .. } = &self.kind {
            return Ok(match secret.member("private_key") {
                Some(key) => {
                    let audience = audience_of(login_url);
                    let signed = assertion(&self.client_id, username, audience, &key, now);
                    let signed = signed.map_err(Refused::Configuration)?;
                    vec![
                        open("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                        ("assertion", signed),
                    ]
                }
                None => vec![
                    open("grant_type", "client_credentials"),
                    open("client_id", &self.client_id),
                    member("client_secret")?,
                ],
            });
        }
        let mut form = vec![open("client_id", &self.client_id), member("client_secret")?];
        match self.kind {
            Kind::Salesforce { .. } => {}
            Kind::RefreshToken => {
                form.extend([open("grant_type", "refresh_token"), open("resource", audience)]);
                form.push(member("refresh_token")?);
            }
            Kind::ClientCredentials => {
                // Without a double slash, with which Entra would look for another resource.
                let scope = format!("{}/.default", audience.trim_end_matches('/'));
                form.extend([open("grant_type", "client_credentials"), open("scope", &scope)]);
            }
        }
        Ok(form)
    }
}

fn judge(answer: &Answer) -> Result<TokenResponse, Refused> {
    let body = answer.json().unwrap_or(Value::Null);
    if answer.status == 200 {
        let unreadable = || {
            let words = format!("status 200 without a token: {}", answer.unread());
            Refused::Later { after: None, words }
        };
        let bearer = body["access_token"].as_str().filter(|t| !t.is_empty()).ok_or_else(unreadable)?;
        // v1 writes its numbers as text, v2 as numbers.
        let seconds = body["expires_in"].as_i64().or_else(|| body["expires_in"].as_str()?.parse().ok());
        let lasts = SignedDuration::from_secs(seconds.unwrap_or(0).max(0)).min(LONGEST);
        let refresh_token = body["refresh_token"].as_str().filter(|t| !t.is_empty()).map(Secret::new);
        return Ok(TokenResponse {
            bearer: Secret::new(bearer),
            lasts,
            refresh_token,
            place: None,
            user: None,
        });
    }
    let error = body["error"].as_str().unwrap_or_default();
    let words = match body["error_description"].as_str() {
        // The AADSTS number and a sentence; ids and times, which follow on the same line or the next, are cut off.
        Some(text) => {
            let line = text.lines().next().unwrap_or_default();
            let line = line.split(" Trace ID:").next().unwrap_or_default();
            format!("{error}: {}", line.chars().take(WORDS).collect::<String>())
        }
        None if answer.is_success() => format!("status {}: {}", answer.status, answer.unread()),
        None if !error.is_empty() => error.chars().take(WORDS).collect(),
        None => format!("status {}: {}", answer.status, answer.text(WORDS)),
    };
    Err(if ends_by_waiting(answer.status, error, &words) {
        Refused::Later { after: answer.retry_after(), words }
    } else {
        Refused::Configuration(words)
    })
}

/// An OAuth error on 4xx is a matter of configuration, unless it is known to pass. Any other answer is an outage.
fn ends_by_waiting(status: u16, error: &str, words: &str) -> bool {
    let configured = (400..500).contains(&status) && !matches!(status, 408 | 429) && !error.is_empty();
    !configured
        || TRANSIENT.contains(&error)
        || entra_number(words).is_some_and(|number| TRANSIENT_NUMBERS.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn both_spellings_of_the_lifetime_are_read() {
        for seconds in ["3600", "\"3600\""] {
            let body = format!(r#"{{"access_token":"t","expires_in":{seconds}}}"#);
            assert_eq!(judge(&answer(200, &body)).ok().unwrap().lasts, SignedDuration::from_hours(1));
        }
    }

    fn refused(status: u16, error: &str, text: &str) -> Refused {
        let body = serde_json::json!({ "error": error, "error_description": text }).to_string();
        judge(&answer(status, &body)).err().expect("a refusal")
    }

    #[test]
    fn an_oauth_error_is_a_matter_of_configuration() {
        for (status, error, text) in [
            (400, "invalid_resource", "AADSTS650057: Invalid resource."),
            (400, "invalid_resource", "AADSTS500011: The resource principal was not found."),
            (400, "unauthorized_client", "AADSTS700016: Application was not found."),
            (400, "invalid_request", "AADSTS90002: Tenant not found."),
            (400, "invalid_grant", "AADSTS65001: No consent."),
            (400, "invalid_grant", "AADSTS70043: Sign-in frequency."),
            (400, "invalid_grant", "AADSTS50173: revoked."),
            (401, "invalid_client", "AADSTS7000215: Invalid client secret."),
            (400, "interaction_required", "AADSTS50076: MFA."),
            (400, "consent_required", "AADSTS65004: declined."),
            (400, "invalid_scope", "AADSTS70011: The scope is not valid."),
            (400, "app_not_found", "External client app is not installed in this org"),
            (400, "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org"),
            (400, "invalid_request", "refresh_token scope is required"),
            (400, "unsupported_grant_type", "grant type not supported"),
            (400, "inactive_org", "organization inactive"),
            (403, "a word of tomorrow", ""),
        ] {
            match refused(status, error, text) {
                Refused::Configuration(words) => assert_eq!(words, format!("{error}: {text}")),
                Refused::Later { words, .. } => panic!("it would wait: {words}"),
            }
        }
        let bare = judge(&answer(400, r#"{"error":"invalid_scope"}"#));
        assert!(matches!(bare, Err(Refused::Configuration(words)) if words == "invalid_scope"));
    }

    #[test]
    fn what_passes_by_itself_is_waited_for() {
        for (status, error, text) in [
            (400, "login_rate_exceeded", "login rate exceeded"),
            (400, "temporarily_unavailable", "AADSTS90033: A transient error has occurred."),
            (400, "server_error", ""),
            (400, "invalid_grant", "AADSTS50196: A client loop has been detected."),
            (400, "invalid_request", "AADSTS90055: Too many requests."),
            (429, "invalid_request", "AADSTS90002: Tenant not found."),
            (408, "invalid_grant", ""),
            (500, "invalid_grant", ""),
            (503, "invalid_client", ""),
        ] {
            let waits = matches!(refused(status, error, text), Refused::Later { .. });
            assert!(waits, "{status} {error} {text}");
        }
        for body in ["<html>blocked by a proxy</html>", "[]", r#"{"error":{"code":"x"}}"#] {
            assert!(matches!(judge(&answer(403, body)), Err(Refused::Later { .. })), "{body}");
        }
    }

    #[test]
    fn a_revoked_grant_is_told_from_an_outage() {
        for gap in ["\\r\\n", " "] {
            let text = format!("AADSTS50173: revoked.{gap}Trace ID: 1");
            let revoked = format!(r#"{{"error":"invalid_grant","error_description":"{text}"}}"#);
            match judge(&answer(400, &revoked)) {
                Err(Refused::Configuration(words)) => {
                    assert_eq!(words, "invalid_grant: AADSTS50173: revoked.")
                }
                _ => panic!("not a matter of credentials"),
            }
        }
        let html = answer(502, "<html>bad gateway</html>");
        assert!(matches!(judge(&html), Err(Refused::Later { words, .. }) if words.contains("502")));
    }

    #[test]
    fn an_answer_without_a_token_is_told_without_its_text() {
        for body in ["{\"access_token\":7,\"note\":\"hush\"}", "{\"access_token\":\"hush"] {
            match judge(&answer(200, body)) {
                Err(Refused::Later { words, .. }) => {
                    assert!(words.contains("bytes") && !words.contains("hush"), "{words}");
                }
                _ => panic!("not a matter of time"),
            }
        }
        let mended = b"{\"access_token\":\"t\",\"expires_in\":60,\"note\":\"\\ud83d\xff\"}";
        assert!(judge(&Answer { body: mended.to_vec(), ..answer(200, "") }).is_ok());
    }
}
