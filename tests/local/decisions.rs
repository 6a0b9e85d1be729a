//! The decisions of this process's functions, as `cosell tail` follows them: read from their log lines, as those of a
//! deployed stack are.

use console::decision;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
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

/// So many are kept: an import of hundreds between two looks.
const KEPT: usize = 2_000;

/// The last of them, numbered from the first.
#[derive(Clone, Default)]
pub(crate) struct Decisions(Arc<Mutex<(u64, VecDeque<Value>)>>);

impl Decisions {
    /// Those after the one of this number, oldest first.
    pub(crate) fn after(&self, after: u64) -> Vec<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().filter(|one| one["n"].as_u64() > Some(after)).cloned().collect()
    }
}

/// A log line as it would be written.
#[derive(Default)]
struct Line(Map<String, Value>);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Decisions {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if let Some(decision) = decision::read(Timestamp::now(), &Value::Object(line.0)) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.0 += 1;
            let mut told = decision.json();
            told["n"] = json!(kept.0);
            kept.1.push_back(told);
            if kept.1.len() > KEPT {
                kept.1.pop_front();
            }
        }
    }
}
