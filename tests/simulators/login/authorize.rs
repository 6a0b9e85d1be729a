//! The interactive consent (vendors/entra.md, *A user's consent*): the user signs in at once, with MFA if the switch
//! says so, and is sent back with a code that is redeemed once.

use super::{Login, Refusal, bare};
use crate::server::{Request, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;

/// A code that was not redeemed yet.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) redirect: String,
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
        let code = format!("code-{}", self.codes.len() + 1);
        self.codes.insert(code.clone(), Some(Code { client, redirect: redirect.clone() }));
        let state = utf8_percent_encode(&field("state"), NON_ALPHANUMERIC).to_string();
        Response::new(302).with("location", format!("{redirect}?code={code}&state={state}"))
    }

    /// Takes a code: once, by its application, for its redirect URI.
    pub(super) fn take_code(&mut self, form: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        match self.codes.get_mut(&field("code")).and_then(Option::take) {
            Some(code) if code.client == field("client_id") && code.redirect == field("redirect_uri") => {
                Ok(())
            }
            Some(_) => {
                let text = "The redirect URI or the application is not the one the code was issued for.";
                Err(Refusal(400, "invalid_grant", 500112, text.into()))
            }
            None => {
                let text = "OAuth2 Authorization code was already redeemed, or is not known.";
                Err(Refusal(400, "invalid_grant", 54005, text.into()))
            }
        }
    }
}
