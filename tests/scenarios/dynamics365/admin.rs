//! Set-up and operation: the admin function as CloudFormation, the schedule and a person call it.

mod deprovision;
mod doctor;
mod evidence;
mod forms;
mod load;
mod map;
mod mend;
mod provision;
mod setup;

use crate::deal::Stage;
use serde_json::{Value, json};

/// A command's answer, which must be good.
async fn command(stage: &Stage, event: Value) -> Value {
    let answer = stage.call(event.clone()).await;
    assert_eq!(answer["ok"], true, "{event}: {answer:#}");
    answer
}

/// A command's answer, whatever it is.
async fn told(stage: &Stage, event: Value) -> (bool, String) {
    let answer = stage.call(event).await;
    (answer["ok"] == true, words(&answer))
}

/// All lines, one below the other.
fn words(answer: &Value) -> String {
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

#[tokio::test]
async fn bad_input_gets_the_usage_text() {
    let stage = Stage::open().await;
    for event in [
        json!(null),
        json!({}),
        json!("doctor"),
        json!({ "command": "dance" }),
        json!({ "command": "explain" }),
    ] {
        let answer = stage.call(event.clone()).await;
        assert_eq!(answer["ok"], false, "{event}");
        assert!(answer["data"].to_string().contains("usage:"), "{event}: {answer}");
    }
    stage.close().await;
}
