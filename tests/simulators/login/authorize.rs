//! The interactive consent (vendors/entra.md, *A user's consent*): the user signs in at once, with MFA if the switch
//! says so, and is sent back with a code. It is redeemed once, with the verifier of its PKCE challenge if it has one.

use super::{Login, LoginRefusal, bare};
use crate::server::{Request, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest;
use std::collections::BTreeMap;

/// A code that was not redeemed yet.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) redirect: String,
    /// `code_challenge`; empty: none was given.
    pub(super) challenge: String,
    /// The challenge is the verifier's SHA-256; else the verifier itself.
    pub(super) s256: bool,
}

impl Code {
    /// PKCE (RFC 7636). A verifier for a code without a challenge is refused too (RFC 9700, 4.8.2); what Entra does
    /// then is not documented.
    fn proved(&self, verifier: Option<&String>) -> Result<(), LoginRefusal> {
        let Some(verifier) = verifier.filter(|v| !v.is_empty()) else {
            if self.challenge.is_empty() {
                return Ok(());
            }
            let text = "The code_verifier does not match the code_challenge supplied in the authorization \
                        request for PKCE.";
            return Err(LoginRefusal(400, "invalid_grant", 50148, text.into()));
        };
        let made = if self.s256 {
            URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
        } else {
            verifier.clone()
        };
        if made == self.challenge {
            return Ok(());
        }
        let text =
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
        Err(LoginRefusal(400, "invalid_grant", 501481, text.into()))
    }
}

impl Login {
    /// `GET {tenant}/oauth2/authorize`: 302 to the redirect URI.
    pub(super) fn authorize(&mut self, request: &Request, tenant: &str) -> Response {
        let query = super::pairs(&request.query);
        let field = |name: &str| query.get(name).cloned().unwrap_or_default();
        let (client, redirect) = (field("client_id"), field("redirect_uri"));
        let known = self.apps.get(&client).is_some_and(|app| {
            app.tenant.eq_ignore_ascii_case(tenant) && app.delegated.contains(&bare(&field("resource")))
        });
        let expected = [("response_type", "code"), ("response_mode", "query")];
        if !known
            || !redirect.starts_with("http")
            || expected.iter().any(|(name, value)| field(name) != *value)
        {
            return Response::new(400).with("content-type", "text/html").body("<html>AADSTS900144</html>");
        }
        let (challenge, method) = (field("code_challenge"), field("code_challenge_method"));
        let none = challenge.is_empty() && method.is_empty();
        if !none && !(43..=128).contains(&challenge.len()) {
            return Response::new(400).with("content-type", "text/html").body("<html>AADSTS501491</html>");
        }
        if !["", "plain", "S256"].contains(&method.as_str()) {
            return Response::new(400).with("content-type", "text/html").body("<html>AADSTS50149</html>");
        }
        let code = format!("code-{}", self.codes.len() + 1);
        let issued = Code { client, redirect: redirect.clone(), challenge, s256: method == "S256" };
        self.codes.insert(code.clone(), Some(issued));
        let state = utf8_percent_encode(&field("state"), NON_ALPHANUMERIC).to_string();
        Response::new(302).with("location", format!("{redirect}?code={code}&state={state}"))
    }

    /// Takes a code: once, by its application, for its redirect URI, with the verifier of its challenge.
    pub(super) fn take_code(&mut self, form: &BTreeMap<String, String>) -> Result<(), LoginRefusal> {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        match self.codes.get_mut(&field("code")).and_then(Option::take) {
            Some(code) if code.client == field("client_id") && code.redirect == field("redirect_uri") => {
                code.proved(form.get("code_verifier"))
            }
            Some(_) => {
                let text = "The redirect URI or the application is not the one the code was issued for.";
                Err(LoginRefusal(400, "invalid_grant", 500112, text.into()))
            }
            None => {
                let text = "OAuth2 Authorization code was already redeemed, or is not known.";
                Err(LoginRefusal(400, "invalid_grant", 54005, text.into()))
            }
        }
    }
}
