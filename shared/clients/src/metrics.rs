//! Metrics in CloudWatch's embedded metric format: one JSON line on standard output, without a call and without a
//! right.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
const NAMESPACE: &str = "CosellConnector";

/// Writes the values of several metrics at an instant, for one stack. A metric whose name ends in `Age` counts
/// seconds. A metric is paid for each hour in which it has a value, so 0 is not written: no alarm and no graph needs
/// it.
#[expect(clippy::print_stdout, reason = "CloudWatch reads them from standard output, by their own form")]
pub fn put(stack: &str, numbers: &Map<String, Value>, at: Timestamp) {
    if let Some(line) = line(stack, numbers, at) {
        println!("{line}");
    }
}

/// The line of these metrics; `None`: all are 0.
fn line(stack: &str, numbers: &Map<String, Value>, at: Timestamp) -> Option<Value> {
    let mut line: Map<_, _> = numbers.clone().into_iter().filter(|(_, n)| *n != json!(0)).collect();
    if line.is_empty() {
        return None;
    }
    let unit = |name: &str| if name.ends_with("Age") { "Seconds" } else { "Count" };
    let metrics: Vec<Value> = line.keys().map(|name| json!({ "Name": name, "Unit": unit(name) })).collect();
    let about = json!([{ "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics }]);
    line.insert("_aws".to_owned(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": about }));
    line.insert("Stack".to_owned(), json!(stack));
    Some(Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let numbers = json!({ "Parked": 2, "RefreshTokenAge": 7, "Settled": 0 });
        let line = line("s", numbers.as_object().unwrap(), Timestamp::UNIX_EPOCH).unwrap();
        let about = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["Parked"], &line["Stack"]), (&json!(2), &json!("s")));
        assert_eq!(about["Metrics"][0], json!({ "Name": "Parked", "Unit": "Count" }));
        assert_eq!(about["Metrics"][1], json!({ "Name": "RefreshTokenAge", "Unit": "Seconds" }));
        assert_eq!(about["Dimensions"][0][0], "Stack");
        assert_eq!(line["_aws"]["Timestamp"], 0);
        assert!(line.get("Settled").is_none() && about["Metrics"].as_array().unwrap().len() == 2);
    }

    #[test]
    fn what_is_0_is_not_written() {
        let numbers = json!({ "Settled": 0 });
        assert_eq!(super::line("s", numbers.as_object().unwrap(), Timestamp::UNIX_EPOCH), None);
    }
}
