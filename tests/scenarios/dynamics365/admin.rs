//! Set-up and operation: the admin function as CloudFormation, the schedule and a person call it.

mod alarms;
mod deprovision;
mod doctor;
mod evidence;
mod forms;
mod load;
mod map;
mod mend;
mod provision;
mod setup;

use crate::{
    answers::{command, told, words},
    deal::Stage,
};
use serde_json::json;

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
