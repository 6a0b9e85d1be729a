//! The page, on loopback only: its files, and a small API that hands commands to the admin function.
//!
//! Only a browser that opens the printed address gets in: the address's token is good for one use and becomes a strict,
//! http-only cookie of one unguessable path, below which the page is. `Host`, `Origin` and `Sec-Fetch-Site` are checked
//! on every request, so that no other page, nor a name that leads to this machine, gets an answer.

mod guard;
mod live;

use crate::admin::{Admin, Unreachable};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use guard::Guard;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::TcpListener;

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Each file of the page: where it is served, as what, and its text.
const FILES: [(&str, &str, &str); 13] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", STYLE, include_str!("page/style.css")),
    ("/app.js", SCRIPT, include_str!("page/app.js")),
    ("/kit.js", SCRIPT, include_str!("page/kit.js")),
    ("/command.js", SCRIPT, include_str!("page/command.js")),
    ("/overview.js", SCRIPT, include_str!("page/overview.js")),
    ("/deals.js", SCRIPT, include_str!("page/deals.js")),
    ("/deal.js", SCRIPT, include_str!("page/deal.js")),
    ("/parked.js", SCRIPT, include_str!("page/parked.js")),
    ("/plan.js", SCRIPT, include_str!("page/plan.js")),
    ("/map.js", SCRIPT, include_str!("page/map.js")),
    ("/setup.js", SCRIPT, include_str!("page/setup.js")),
    ("/local.js", SCRIPT, include_str!("page/local.js")),
];
/// Bytes of a request's body at most: a command with a map in it is the largest.
const MOST: usize = 1 << 20;

/// What only a local run has: the state of its simulators, and acts in them.
pub trait Simulated: Send + Sync {
    /// Both vendors' deals, and what happened last.
    fn state(&self) -> BoxFuture<'_, Value>;

    /// The decisions with a number above this one, oldest first.
    fn decisions(&self, after: u64) -> Vec<Value>;

    /// Carries out an act of Microsoft, the partner or a seller, or causes a fault. The error says what is wrong with
    /// the act.
    fn act<'a>(&'a self, act: &'a Value) -> BoxFuture<'a, Result<Value, String>>;
}

/// What a page shows.
#[derive(Clone)]
pub struct Page {
    /// Where its commands go.
    pub admin: Arc<dyn Admin>,
    /// The CRM, if it is known before the first answer: `dynamics365`, `salesforce`.
    pub crm: Option<&'static str>,
    /// The simulators; `None`: it is the page of a stack.
    pub simulated: Option<Arc<dyn Simulated>>,
}

/// A page that is being served.
pub struct Served {
    /// The address to open, with the token that is good for one use.
    pub url: String,
    /// The port on loopback where it listens.
    pub port: u16,
    server: tokio::task::JoinHandle<()>,
}

impl Served {
    /// Waits until the server ends.
    pub async fn until_stopped(self) {
        _ = self.server.await;
    }
}

/// Serves a page at this port of loopback; 0: any free one.
pub async fn serve(page: Page, port: u16) -> std::io::Result<Served> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let port = listener.local_addr()?.port();
    let guard = Arc::new(Guard::new(port, page.simulated.is_some()));
    let url = format!("http://127.0.0.1:{port}/?token={}", guard.token());
    let routes = routes(page, &guard.base()).layer(middleware::from_fn_with_state(guard, guard::look));
    let server = tokio::spawn(async move {
        _ = axum::serve(listener, routes).await;
    });
    Ok(Served { url, port, server })
}

fn routes(page: Page, base: &str) -> Router {
    let below = |at: &str| format!("{base}{at}");
    let files = FILES.into_iter().fold(Router::new(), |router, (at, kind, text)| {
        router.route(&below(at), get(move || async move { ([(header::CONTENT_TYPE, kind)], text) }))
    });
    files
        .route(&below("/api/about"), get(about))
        .route(&below("/api/admin"), post(admin))
        .route(&below("/api/local"), get(state).post(act))
        .route(&below("/api/live"), get(live::live))
        // For the command line, which knows the port and not the path.
        .route("/api/admin", post(admin))
        .route("/api/decisions", get(decisions))
        .layer(DefaultBodyLimit::max(MOST))
        .with_state(page)
}

async fn about(State(page): State<Page>) -> Json<Value> {
    let mode = if page.simulated.is_some() { "local" } else { "stack" };
    let command = format!("cosell {}", page.admin.flags());
    let may = page.admin.may().as_str();
    Json(json!({ "mode": mode, "name": page.admin.name(), "crm": page.crm, "command": command, "may": may }))
}

async fn admin(State(page): State<Page>, Json(event): Json<Value>) -> Response {
    match page.admin.invoke(&event).await {
        Ok(report) => Json(report).into_response(),
        Err(wrong @ Unreachable::SignIn(_)) => refused(StatusCode::FORBIDDEN, &wrong.to_string()),
        Err(wrong) => refused(StatusCode::BAD_GATEWAY, &wrong.to_string()),
    }
}

async fn state(State(page): State<Page>) -> Response {
    match &page.simulated {
        Some(simulated) => Json(simulated.state().await).into_response(),
        None => refused(StatusCode::NOT_FOUND, "only a local run has simulated vendors"),
    }
}

/// The decisions that `cosell tail` follows.
async fn decisions(State(page): State<Page>, RawQuery(query): RawQuery) -> Response {
    let Some(simulated) = &page.simulated else {
        return refused(StatusCode::NOT_FOUND, "only a local run tells its decisions here");
    };
    let after = query.as_deref().and_then(|query| query.strip_prefix("after="));
    match after.unwrap_or("0").parse() {
        Ok(after) => Json(json!({ "decisions": simulated.decisions(after) })).into_response(),
        Err(_) => refused(StatusCode::BAD_REQUEST, "`after`: expected a number"),
    }
}

async fn act(State(page): State<Page>, Json(act): Json<Value>) -> Response {
    let Some(simulated) = &page.simulated else {
        return refused(StatusCode::NOT_FOUND, "only a local run has simulated vendors");
    };
    match simulated.act(&act).await {
        Ok(said) => Json(said).into_response(),
        Err(wrong) => refused(StatusCode::BAD_REQUEST, &wrong),
    }
}

fn refused(status: StatusCode, words: &str) -> Response {
    (status, Json(json!({ "error": words }))).into_response()
}

#[cfg(test)]
mod tests;
