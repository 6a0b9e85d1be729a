//! Batch operations of SQS: what refuses a batch as a whole, and entries that stand or fail by themselves.

use super::{AwsRefusal, refusal::*};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const BATCH: usize = 10;

pub(super) fn input<'a>(body: &'a Value, known: &[&str]) -> Result<Input<'a>, Failure> {
    Input::new(body, known, AwsRefusal::missing)
}

pub(super) fn batch_refusal(shape: &str, message: &str) -> AwsRefusal {
    let code = match shape {
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "BatchRequestTooLong" => "AWS.SimpleQueueService.BatchRequestTooLong",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "InvalidBatchEntryId" => "AWS.SimpleQueueService.InvalidBatchEntryId",
        "PurgeQueueInProgress" => "AWS.SimpleQueueService.PurgeQueueInProgress",
        _ => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    };
    AwsRefusal::sqs(&format!("com.amazonaws.sqs#{shape}"), code, message)
}

pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// The entries of a batch with their ids, after the checks that refuse the batch as a whole.
pub(super) fn entries<'a>(input: &Input<'a>) -> Result<Vec<(&'a str, &'a Value)>, Failure> {
    let list = input.list("Entries")?.map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return Err(
            batch_refusal("EmptyBatchRequest", "There should be at least one entry in the request.").into()
        );
    }
    if list.len() > BATCH {
        let message =
            format!("Maximum number of entries per request are {BATCH}. You have sent {}.", list.len());
        return Err(batch_refusal("TooManyEntriesInBatchRequest", &message).into());
    }
    let mut ids = BTreeSet::new();
    let mut entries = vec![];
    for entry in list {
        let id = entry["Id"].as_str().unwrap_or_default();
        if !is_plain(id) || id.len() > 80 {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                           It can be at most 80 letters long.";
            return Err(batch_refusal("InvalidBatchEntryId", message).into());
        }
        if !ids.insert(id) {
            return Err(batch_refusal("BatchEntryIdsNotDistinct", &format!("Id {id} repeated.")).into());
        }
        entries.push((id, entry));
    }
    Ok(entries)
}

/// Each entry by itself: a refused one is listed, the others stand.
pub(super) fn each(
    entries: &[(&str, &Value)],
    fields: &[&str],
    mut act: impl FnMut(&Input) -> Result<Value, Failure>,
) -> Answer {
    let (mut successful, mut failed) = (vec![], vec![]);
    let known: Vec<&str> = fields.iter().copied().chain(["Id"]).collect();
    for (id, entry) in entries {
        match input(entry, &known).and_then(|input| act(&input)) {
            Ok(mut done) => {
                done["Id"] = json!(id);
                successful.push(done);
            }
            Err(Failure::Refused(r)) => {
                failed.push(json!({ "Id": id, "SenderFault": true, "Code": r.code(), "Message": r.message }));
            }
            Err(unknown) => return Err(unknown),
        }
    }
    let mut answer = Map::new();
    for (name, list) in [("Successful", successful), ("Failed", failed)] {
        if !list.is_empty() {
            answer.insert(name.to_owned(), Value::Array(list));
        }
    }
    Ok(Value::Object(answer))
}
