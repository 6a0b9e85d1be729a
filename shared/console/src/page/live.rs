//! What changes, sent to the page while it is open: a local run's state at once, a stack's overview every 15 s.

use super::{Page, refused};
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{collections::HashMap, convert::Infallible, time::Duration};

/// Between two looks at a local run.
const LOCAL: Duration = Duration::from_millis(300);
/// Between two questions to an admin function.
const OVERVIEW: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Local,
    Overview,
}

/// An endless answer: the state, and the new state each time it has changed.
pub(super) async fn live(State(page): State<Page>, Query(query): Query<HashMap<String, String>>) -> Response {
    let of = match query.get("of").map(String::as_str) {
        Some("local") if page.simulated.is_some() => Of::Local,
        Some("overview") => Of::Overview,
        _ => return refused(StatusCode::NOT_FOUND, "`of`: expected overview, or local in a local run"),
    };
    let events = stream::unfold((page, None::<String>), move |(page, mut last)| async move {
        loop {
            if last.is_some() {
                tokio::time::sleep(if of == Of::Local { LOCAL } else { OVERVIEW }).await;
            }
            let seen = seen(&page, of).await.to_string();
            if last.as_ref() != Some(&seen) {
                let event = Event::default().data(&seen);
                return Some((Ok::<_, Infallible>(event), (page, Some(seen))));
            }
            last = Some(seen);
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn seen(page: &Page, of: Of) -> Value {
    match (of, &page.simulated) {
        (Of::Local, Some(simulated)) => {
            let mut state = simulated.state().await;
            // The simulated time always changes: alone it is no reason to send.
            if let Some(members) = state.as_object_mut() {
                members.remove("now");
            }
            state
        }
        _ => match page.admin.invoke(&json!({ "command": "overview" })).await {
            Ok(report) => report,
            Err(wrong) => json!({ "error": wrong.to_string() }),
        },
    }
}
