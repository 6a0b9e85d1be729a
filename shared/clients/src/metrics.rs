//! Metrics in CloudWatch's embedded metric format: one JSON line on standard output, no call, no right needed.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where they are found.
const NAMESPACE: &str = "CosellConnector";

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Time.
    Seconds,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Count => "Count",
            Unit::Seconds => "Seconds",
        }
    }
}

/// Writes numbers of this instant.
#[expect(clippy::print_stdout, reason = "CloudWatch reads them from standard output, by their own form")]
pub fn put(stack: &str, numbers: &[(&str, f64, Unit)], at: Timestamp) {
    if !numbers.is_empty() {
        println!("{}", line(stack, numbers, at));
    }
}

fn line(stack: &str, numbers: &[(&str, f64, Unit)], at: Timestamp) -> Value {
    let metrics: Vec<Value> =
        numbers.iter().map(|(name, _, unit)| json!({ "Name": name, "Unit": unit.name() })).collect();
    let mut line: Map<String, Value> =
        numbers.iter().map(|(name, number, _)| ((*name).to_owned(), json!(number))).collect();
    let about = json!([{ "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics }]);
    line.insert("_aws".to_owned(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": about }));
    line.insert("Stack".to_owned(), json!(stack));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let line = line("s", &[("Parked", 2.0, Unit::Count)], Timestamp::UNIX_EPOCH);
        assert_eq!(line["Parked"], 2.0);
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0],
            json!({ "Name": "Parked", "Unit": "Count" })
        );
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0][0], "Stack");
        assert_eq!(line["Stack"], "s");
    }
}
