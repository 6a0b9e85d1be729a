//! One measured case: what was done, what was counted, what it took.

use crate::{
    function::Function,
    tally::{Counts, Tally},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// After its answer a function goes back to sleep; only then the scheduler has told all its time.
const ASLEEP: Duration = Duration::from_millis(2);

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) function: String,
    pub(crate) case: String,
    pub(crate) events: u64,
    pub(crate) counts: Counts,
    walls: Vec<Duration>,
    processor: Option<Duration>,
}

impl Figure {
    pub(crate) fn new(function: &str, case: impl Into<String>) -> Self {
        Figure {
            function: function.to_owned(),
            case: case.into(),
            events: 0,
            counts: Counts::default(),
            walls: vec![],
            processor: Some(Duration::ZERO),
        }
    }

    /// One invocation with so many events, counted and clocked. What happens between two of them is not.
    pub(crate) async fn invoke(
        &mut self,
        tally: &Tally,
        function: &mut Function,
        events: usize,
        event: &Value,
    ) -> anyhow::Result<Value> {
        let asleep = || tokio::time::sleep(ASLEEP);
        asleep().await;
        let before = function.processor();
        tally.take();
        let logged = function.logged();
        let answer = function.invoke(event).await?;
        asleep().await;
        self.counts += tally.take();
        self.counts.log_bytes += function.logged().saturating_sub(logged);
        let used = function.processor().zip(before).map(|(now, before)| now.saturating_sub(before));
        self.processor = self.processor.zip(used).map(|(sum, used)| sum + used);
        self.events += events as u64;
        self.walls.push(answer.wall);
        self.walls.sort_unstable();
        Ok(answer.body)
    }

    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.function, self.case)
    }

    pub(crate) fn invocations(&self) -> usize {
        self.walls.len()
    }

    /// Of the walls, in milliseconds.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let last = self.walls.len().saturating_sub(1);
        let at = (last as f64 * part).round() as usize;
        self.walls.get(at).map_or(0.0, |wall| wall.as_secs_f64() * 1e3)
    }

    /// Events that one environment, which works off one run after the other, gets through in a second.
    pub(crate) fn per_second(&self) -> f64 {
        let events = self.events as f64 / self.invocations().max(1) as f64;
        events * 1e3 / self.quantile(0.5).max(f64::MIN_POSITIVE)
    }

    /// Microseconds of processor for each event.
    pub(crate) fn processor(&self) -> Option<f64> {
        self.processor.map(|time| time.as_secs_f64() * 1e6 / self.events.max(1) as f64)
    }

    pub(crate) fn each(&self, count: u64) -> f64 {
        count as f64 / self.events.max(1) as f64
    }

    /// Everything for each event.
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({
            "function": self.function, "case": self.case, "events": self.events,
            "invocations": self.invocations(), "wall_ms_p50": round(self.quantile(0.5)),
            "wall_ms_p99": round(self.quantile(0.99)), "processor_us": self.processor().map(round),
            "events_per_second": round(self.per_second()),
        });
        json["each"] = self.counted();
        json
    }

    /// Only what does not depend on the machine.
    pub(crate) fn counted(&self) -> Value {
        let counts = serde_json::to_value(self.counts).unwrap_or_default();
        let each = counts.as_object().into_iter().flatten().filter_map(|(name, count)| {
            let each = round(self.each(count.as_u64()?));
            (each > 0.0).then(|| (name.clone(), json!(each)))
        });
        Value::Object(each.collect::<Map<String, Value>>())
    }
}

/// Rounds to three decimals.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// How a function starts, and what it holds at the end.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Start {
    pub(crate) function: String,
    pub(crate) bytes: Option<u64>,
    /// Milliseconds from its start until it asked for an event, over several starts.
    pub(crate) init_ms: Vec<f64>,
    /// Milliseconds of its first event.
    pub(crate) first_ms: Option<f64>,
    pub(crate) peak_bytes: Option<u64>,
}

impl Start {
    pub(crate) fn median_init(&self) -> f64 {
        let mut sorted = self.init_ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}
