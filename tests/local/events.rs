//! What happened last, for the page: what was done, delivered and written, and every decision as the functions log it.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// So many are kept.
const KEPT: usize = 200;

/// The last of them, numbered from the first.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<(u64, VecDeque<Value>)>>);

impl Events {
    pub(crate) fn push(&self, at: Timestamp, kind: &str, text: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let n = kept.0;
        kept.1.push_back(json!({ "n": n, "at": at, "kind": kind, "text": text }));
        if kept.1.len() > KEPT {
            kept.1.pop_front();
        }
    }

    /// Oldest first.
    pub(crate) fn last(&self) -> Value {
        json!(self.0.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

/// What a log line of a decision says.
#[derive(Default)]
struct Said {
    decision: String,
    reason: String,
    about: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "decision" => self.decision = value.to_owned(),
            "reason" => self.reason = value.to_owned(),
            "referral.id" | "record.id" if self.about.is_empty() => self.about = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, format!("{value:?}").trim_matches('"'));
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        // A tick without news is none, and what was received is told by what comes of it.
        if !["", "polled", "map", "received"].contains(&said.decision.as_str()) {
            let about = if said.about.is_empty() { String::new() } else { format!(" ({})", said.about) };
            self.push(Timestamp::now(), "decision", format!("{}: {}{about}", said.decision, said.reason));
        }
    }
}
