//! Who gets an answer: only the browser that opened the printed address, and in a local run the command line.

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

/// The page may load its own files only, has nothing inline, and may not be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ONCE: &str = "open the address that was printed; it is good for one use";

/// What each request is checked against.
pub(super) struct Guard {
    hosts: [String; 2],
    /// The first part of every path of the page. Browsers send a cookie of this machine to each of its ports, but below
    /// the cookie's path only: a program at another port is not sent this one.
    segment: String,
    cookie: String,
    session: String,
    /// The token of the printed address; `None`: it was used.
    token: Mutex<Option<String>>,
    /// It is a local run's page: the command line may ask it without a cookie, since all its data are made up.
    local: bool,
}

impl Guard {
    pub(super) fn new(port: u16, local: bool) -> Self {
        let random = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Guard {
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            segment: random(),
            cookie: format!("cosell_{port}"),
            session: random(),
            token: Mutex::new(Some(random())),
            local,
        }
    }

    pub(super) fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Below which path the page and its API are.
    pub(super) fn base(&self) -> String {
        format!("/{}", self.segment)
    }

    fn is_of_page(&self, path: &str) -> bool {
        let first = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        first.is_some_and(|(first, _)| same(first, &self.segment))
    }

    /// Whether this is the token, and uses it up.
    fn redeem(&self, token: &str) -> bool {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let good = kept.as_deref().is_some_and(|known| same(known, token));
        if good {
            *kept = None;
        }
        good
    }

    /// Whether the request comes from this page, or from no page at all.
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

    /// Whether the command line asks, by its header. A browser sends that header to another origin only after a
    /// preflight request, which is refused here.
    fn is_command_line(&self, request: &Request) -> bool {
        let headers = request.headers();
        self.local
            && ["/api/admin", "/api/decisions"].contains(&request.uri().path())
            && headers.contains_key(CALLER)
            && !headers.contains_key("origin")
            && !headers.contains_key("sec-fetch-site")
    }
}

/// Compares two texts in a time that does not depend on where they differ.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

/// Checks every request before it is answered, and adds the security headers to every answer.
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
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    if let Some(token) = token.filter(|_| path == "/" && request.method() == Method::GET) {
        if !guard.redeem(token) {
            return refused(StatusCode::UNAUTHORIZED, ONCE);
        }
        let base = guard.base();
        let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path={base}", guard.cookie, guard.session);
        return ([(header::SET_COOKIE, cookie)], Redirect::to(&format!("{base}/"))).into_response();
    }
    if guard.is_command_line(&request) {
        return next.run(request).await;
    }
    if !guard.is_of_page(path) {
        return refused(StatusCode::NOT_FOUND, "nothing is here: open the address that was printed last");
    }
    if guard.is_signed_in(request.headers()) {
        return next.run(request).await;
    }
    refused(StatusCode::UNAUTHORIZED, ONCE)
}
