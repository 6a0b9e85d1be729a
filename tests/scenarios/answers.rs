//! Commands of the admin function and what they answer.

use crate::deal::Stage;
use serde_json::Value;

/// A command's answer, which must be good.
pub(crate) async fn command(stage: &Stage, event: Value) -> Value {
    let answer = stage.call(event.clone()).await;
    assert_eq!(answer["ok"], true, "{event}: {answer:#}");
    answer
}

/// A command's answer, whatever it is.
pub(crate) async fn told(stage: &Stage, event: Value) -> (bool, String) {
    let answer = stage.call(event).await;
    (answer["ok"] == true, words(&answer))
}

/// All lines, one below the other.
pub(crate) fn words(answer: &Value) -> String {
    let lines = answer["lines"].as_array().expect("lines");
    let line = |line: &Value| {
        format!(
            "{} {} {}",
            line["level"].as_str().unwrap_or("?"),
            line["text"].as_str().unwrap_or("?"),
            line["cure"].as_str().unwrap_or("")
        )
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
