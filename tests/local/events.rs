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

/// Decisions that nothing has to be done.
const NOTHING: [&str; 4] = ["unchanged", "foreign", "skipped", "ignored"];

impl Events {
    pub(crate) fn push(&self, at: Timestamp, kind: &str, text: String) {
        self.push_about(at, kind, text, "");
    }

    /// `about`: the id of a referral or a record.
    fn push_about(&self, at: Timestamp, kind: &str, text: String, about: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let n = kept.0;
        kept.1.push_back(json!({ "n": n, "at": at, "kind": kind, "text": text, "about": about }));
        if kept.1.len() > KEPT {
            kept.1.pop_front();
        }
    }

    /// The last 200 ([`KEPT`]), the oldest first.
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
    /// Folded into one look.
    hints: usize,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "decision" => self.decision = value.to_owned(),
            "reason" => self.reason = value.to_owned(),
            "hints" => self.hints = value.parse().unwrap_or_default(),
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
        if ["", "polled", "map", "received"].contains(&said.decision.as_str()) {
            return;
        }
        let about = if said.about.is_empty() { String::new() } else { format!(" ({})", said.about) };
        let folded = match said.hints {
            0 | 1 => String::new(),
            hints => format!("; {hints} hints were folded into this one look"),
        };
        let kind = if NOTHING.contains(&said.decision.as_str()) { "nothing" } else { "decision" };
        let text = format!("{}: {}{folded}{about}", said.decision, said.reason);
        self.push_about(Timestamp::now(), kind, text, &said.about);
    }
}
