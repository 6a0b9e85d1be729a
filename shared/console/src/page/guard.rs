//! Who gets an answer: the browser that opened the printed address, and nobody else.

use super::refused;
use crate::local::CALLER;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Nothing from elsewhere, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a page's requests are held against.
pub(super) struct Guard {
    hosts: [String; 2],
    cookie: String,
    session: String,
    /// Until it was used.
    token: Mutex<Option<String>>,
    /// The command line may ask without a cookie: all of a local run is made up.
    local: bool,
}

impl Guard {
    pub(super) fn new(port: u16, local: bool) -> Self {
        let random = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Guard {
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            cookie: format!("cosell_{port}"),
            session: random(),
            token: Mutex::new(Some(random())),
            local,
        }
    }

    pub(super) fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Whether this is the token, which is good for one use.
    fn redeem(&self, token: &str) -> bool {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let good = kept.as_deref().is_some_and(|known| same(known, token));
        if good {
            *kept = None;
        }
        good
    }

    /// It is asked by a page of this one's, or by no page at all.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text("host").is_some_and(|host| self.hosts.iter().any(|own| own == host));
        let origin = !headers.contains_key("origin")
            || text("origin").and_then(|o| o.strip_prefix("http://")) == text("host");
        let site = !headers.contains_key("sec-fetch-site")
            || matches!(text("sec-fetch-site"), Some("same-origin" | "none"));
        host && origin && site
    }

    fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && same(value, &self.session))
    }

    /// A browser never sends this header to another page's address without asking first, and gets no leave.
    fn is_command_line(&self, request: &Request) -> bool {
        let headers = request.headers();
        self.local
            && ["/api/admin", "/api/decisions"].contains(&request.uri().path())
            && headers.contains_key(CALLER)
            && !headers.contains_key("origin")
            && !headers.contains_key("sec-fetch-site")
    }
}

/// As long for a wrong text as for the right one.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

/// Before every request.
pub(super) async fn look(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut answer = answered(&guard, request, next).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

async fn answered(guard: &Guard, request: Request, next: Next) -> Response {
    if !guard.is_own(request.headers()) {
        return refused(StatusCode::FORBIDDEN, "asked from elsewhere");
    }
    let query = request.uri().query().unwrap_or_default();
    let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    if let Some(token) = token.filter(|_| request.uri().path() == "/" && request.method() == Method::GET) {
        if guard.redeem(token) {
            let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/", guard.cookie, guard.session);
            return ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response();
        }
        if guard.is_signed_in(request.headers()) {
            return Redirect::to("/").into_response();
        }
    }
    if guard.is_signed_in(request.headers()) || guard.is_command_line(&request) {
        return next.run(request).await;
    }
    refused(StatusCode::UNAUTHORIZED, "open the address that was printed; it is good for one use")
}
