//! Metrics in CloudWatch's embedded metric format: one JSON line on standard output, no call, no right needed.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where they are found.
const NAMESPACE: &str = "CosellConnector";

/// Writes numbers of this instant, told apart by `stack`. A name that ends in `Age` counts seconds. A metric is paid for
/// by the hour in which it has a value, so 0 is not written: no alarm and no graph needs it.
#[expect(clippy::print_stdout, reason = "CloudWatch reads them from standard output, by their own form")]
pub fn put(stack: &str, numbers: &Map<String, Value>, at: Timestamp) {
    let numbers: Map<_, _> = numbers.clone().into_iter().filter(|(_, n)| *n != json!(0)).collect();
    if !numbers.is_empty() {
        println!("{}", line(stack, &numbers, at));
    }
}

fn line(stack: &str, numbers: &Map<String, Value>, at: Timestamp) -> Value {
    let unit = |name: &str| if name.ends_with("Age") { "Seconds" } else { "Count" };
    let metrics: Vec<Value> =
        numbers.keys().map(|name| json!({ "Name": name, "Unit": unit(name) })).collect();
    let mut line = numbers.clone();
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
        let numbers =
            Map::from_iter([("Parked".to_owned(), json!(2)), ("RefreshTokenAge".to_owned(), json!(7))]);
        let line = line("s", &numbers, Timestamp::UNIX_EPOCH);
        let about = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["Parked"], &line["Stack"]), (&json!(2), &json!("s")));
        assert_eq!(about["Metrics"][0], json!({ "Name": "Parked", "Unit": "Count" }));
        assert_eq!(about["Metrics"][1], json!({ "Name": "RefreshTokenAge", "Unit": "Seconds" }));
        assert_eq!(about["Dimensions"][0][0], "Stack");
        assert_eq!(line["_aws"]["Timestamp"], 0);
    }
}
