//! SQS operations and what they refuse.

use super::*;

#[test]
fn a_queue_is_made_once_and_found_by_its_name() {
    let mut world = World::new();
    let create = |visibility: &str| {
        json!({ "QueueName": "a.fifo", "Attributes": {
            "FifoQueue": "true", "VisibilityTimeout": visibility, "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId", "ContentBasedDeduplication": "true" } })
    };
    let url = world.call("AmazonSQS.CreateQueue", create("360"))["QueueUrl"].clone();
    assert_eq!(url, "http://127.0.0.1:1/000000000000/a.fifo");
    assert_eq!(world.call("AmazonSQS.CreateQueue", create("360"))["QueueUrl"], url);
    assert_eq!(world.refused("AmazonSQS.CreateQueue", create("361")).0, "QueueAlreadyExists");
    assert_eq!(world.call("AmazonSQS.GetQueueUrl", json!({ "QueueName": "a.fifo" }))["QueueUrl"], url);
    let gone = world.raw("AmazonSQS.GetQueueUrl", json!({ "QueueName": "b.fifo" }));
    assert_eq!(gone.status, 400);
    assert_eq!(gone.json_type(), "com.amazonaws.sqs#QueueDoesNotExist");
    let header =
        ("x-amzn-query-error".to_owned(), "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned());
    assert!(gone.headers.contains(&header));
    assert!(gone.headers.contains(&("content-type".to_owned(), "application/x-amz-json-1.0".to_owned())));
}

impl Response {
    fn json_type(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap();
        json["__type"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_redrive_policy_is_the_same_with_a_count_as_text() {
    let mut world = World::with_queues();
    let policy =
        r#"{"maxReceiveCount":"2","deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo"}"#;
    let attributes = json!({ "FifoQueue": "true", "RedrivePolicy": policy });
    world.call("AmazonSQS.CreateQueue", json!({ "QueueName": "work.fifo", "Attributes": attributes }));
}

#[test]
fn bad_queue_attributes_are_refused() {
    let mut world = World::new();
    for (name, value, code) in [
        ("VisibilityTimeout", "43201", "InvalidAttributeValue"),
        ("DeduplicationScope", "group", "InvalidAttributeValue"),
        ("FifoThroughputLimit", "perMessageGroupId", "InvalidAttributeValue"),
        ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
        (
            "RedrivePolicy",
            r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:x.fifo","maxReceiveCount":3}"#,
            "InvalidAttributeValue",
        ),
        ("Colour", "red", "InvalidAttributeName"),
    ] {
        let body = json!({ "QueueName": "a.fifo", "Attributes": { "FifoQueue": "true", name: value } });
        assert_eq!(world.refused("AmazonSQS.CreateQueue", body).0, code, "{name}");
    }
    let unsuffixed = json!({ "QueueName": "a", "Attributes": { "FifoQueue": "true" } });
    assert_eq!(world.refused("AmazonSQS.CreateQueue", unsuffixed).0, "InvalidParameterValue");
}

#[test]
fn attributes_count_visible_and_hidden_messages() {
    let mut world = World::with_queues();
    world.send("a", "1");
    world.send("b", "2");
    world.bodies(1);
    let all = world.sqs("GetQueueAttributes", "work.fifo", json!({ "AttributeNames": ["All"] }));
    let all = &all["Attributes"];
    assert_eq!(all["ApproximateNumberOfMessages"], "1");
    assert_eq!(all["ApproximateNumberOfMessagesNotVisible"], "1");
    assert_eq!(all["QueueArn"], "arn:aws:sqs:us-east-1:000000000000:work.fifo");
    assert_eq!(all["VisibilityTimeout"], "30");
    let one =
        world.sqs("GetQueueAttributes", "work.fifo", json!({ "AttributeNames": ["FifoQueue", "Policy"] }));
    assert_eq!(one, json!({ "Attributes": { "FifoQueue": "true" } }));
    let (code, _) =
        world.sqs_refused("GetQueueAttributes", "work.fifo", json!({ "AttributeNames": ["Size"] }));
    assert_eq!(code, "InvalidAttributeName");
}

#[test]
fn a_send_answers_id_sequence_and_the_right_md5() {
    let mut world = World::with_queues();
    let first = world.send("g", "abcdefghijklmnopqrstuvwxyz");
    assert_eq!(first["MD5OfMessageBody"], "c3fcd3d76192e4007dfb496cca67e13b");
    let second = world.send("g", "abc");
    assert_eq!(second["MD5OfMessageBody"], "900150983cd24fb0d6963f7d28e17f72");
    let sequence = |v: &Value| v["SequenceNumber"].as_str().unwrap().parse::<u128>().unwrap();
    assert!(sequence(&second) > sequence(&first));
    assert_ne!(first["MessageId"], second["MessageId"]);
}

#[test]
fn a_send_that_breaks_a_rule_is_refused() {
    let mut world = World::with_queues();
    let long = "x".repeat(129);
    for (change, code) in [
        (json!({ "MessageBody": null }), "MissingParameter"),
        (json!({ "MessageGroupId": null }), "MissingParameter"),
        (json!({ "MessageDeduplicationId": null }), "InvalidParameterValue"),
        (json!({ "MessageGroupId": "a b" }), "InvalidParameterValue"),
        (json!({ "MessageDeduplicationId": long }), "InvalidParameterValue"),
        (json!({ "DelaySeconds": 1 }), "InvalidParameterValue"),
        (json!({ "MessageBody": "\u{1}" }), "InvalidMessageContents"),
        (json!({ "MessageBody": "x".repeat(1_048_577) }), "InvalidParameterValue"),
    ] {
        let mut body = json!({ "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(world.sqs_refused("SendMessage", "work.fifo", body).0, code, "{:.60}", change.to_string());
    }
    assert!(world.aws.messages("work.fifo").is_empty());
    world.send("g", &"x".repeat(128));
    let big =
        json!({ "MessageBody": "x".repeat(1_048_576), "MessageGroupId": "g", "MessageDeduplicationId": "d" });
    world.sqs("SendMessage", "work.fifo", big);
    assert_eq!(world.aws.messages("work.fifo").len(), 2);
}

fn entry(id: &str, body: &str) -> Value {
    json!({ "Id": id, "MessageBody": body, "MessageGroupId": "g", "MessageDeduplicationId": id })
}

#[test]
fn a_batch_is_judged_entry_by_entry() {
    let mut world = World::with_queues();
    let entries = json!([entry("a", "1"), { "Id": "b", "MessageBody": "2" }, entry("c", "3")]);
    let answer = world.sqs("SendMessageBatch", "work.fifo", json!({ "Entries": entries }));
    assert_eq!(answer["Successful"].as_array().unwrap().len(), 2);
    assert_eq!(answer["Successful"][0]["Id"], "a");
    assert_eq!(answer["Failed"][0]["Id"], "b");
    assert_eq!(answer["Failed"][0]["Code"], "MissingParameter");
    let received = world.receive("work.fifo", 10);
    let handles: Vec<Value> = ["x", "y"]
        .iter()
        .zip(&received)
        .map(|(id, (_, handle))| json!({ "Id": id, "ReceiptHandle": handle, "VisibilityTimeout": 0 }))
        .collect();
    let answer = world.sqs("ChangeMessageVisibilityBatch", "work.fifo", json!({ "Entries": [handles[1]] }));
    assert_eq!(answer, json!({ "Successful": [{ "Id": "y" }] }));
    let entries = json!([
        { "Id": "x", "ReceiptHandle": received[0].1 }, { "Id": "y", "ReceiptHandle": received[1].1 }
    ]);
    let answer = world.sqs("DeleteMessageBatch", "work.fifo", json!({ "Entries": entries }));
    assert_eq!(answer["Successful"], json!([{ "Id": "x" }]));
    assert_eq!(answer["Failed"][0]["Id"], "y");
    assert_eq!(world.bodies(10), ["3"]);
}

#[test]
fn a_batch_that_breaks_a_rule_of_batches_is_refused_whole() {
    let mut world = World::with_queues();
    let eleven: Vec<Value> = (0..11).map(|n| entry(&n.to_string(), "b")).collect();
    let half = "x".repeat(600_000);
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(eleven), "TooManyEntriesInBatchRequest"),
        (json!([entry("a", "1"), entry("a", "2")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b", "1")]), "InvalidBatchEntryId"),
        (json!([entry("a", &half), entry("b", &half)]), "BatchRequestTooLong"),
    ] {
        let (found, _) = world.sqs_refused("SendMessageBatch", "work.fifo", json!({ "Entries": entries }));
        assert_eq!(found, format!("AWS.SimpleQueueService.{code}"));
    }
    assert!(world.aws.messages("work.fifo").is_empty());
    let ten: Vec<Value> = (0..10).map(|n| entry(&n.to_string(), "b")).collect();
    world.sqs("SendMessageBatch", "work.fifo", json!({ "Entries": ten }));
    assert_eq!(world.aws.messages("work.fifo").len(), 10);
}

#[test]
fn a_receive_checks_its_numbers_and_gives_only_the_attributes_asked_for() {
    let mut world = World::with_queues();
    world.send("g", "b");
    for (name, value) in [
        ("MaxNumberOfMessages", 0),
        ("MaxNumberOfMessages", 11),
        ("VisibilityTimeout", 43201),
        ("WaitTimeSeconds", 21),
    ] {
        assert_eq!(
            world.sqs_refused("ReceiveMessage", "work.fifo", json!({ name: value })).0,
            "InvalidParameterValue"
        );
    }
    let asked = json!({ "MessageSystemAttributeNames": ["MessageGroupId"], "VisibilityTimeout": 5, "WaitTimeSeconds": 20 });
    let message = world.sqs("ReceiveMessage", "work.fifo", asked.clone())["Messages"][0].clone();
    assert_eq!(message["Attributes"], json!({ "MessageGroupId": "g" }));
    assert_eq!(message["MD5OfBody"], "92eb5ffee6ae2fec3ad71c777531578f");
    assert_eq!(world.sqs("ReceiveMessage", "work.fifo", asked), json!({}));
    world.pass(5);
    let again = world.sqs("ReceiveMessage", "work.fifo", json!({ "AttributeNames": ["All"] }));
    let attributes = &again["Messages"][0]["Attributes"];
    assert_eq!(attributes["ApproximateReceiveCount"], "2");
    assert_eq!(attributes["MessageDeduplicationId"], "b");
    assert_eq!(attributes["SentTimestamp"], "1767225600000");
    assert_eq!(attributes["ApproximateFirstReceiveTimestamp"], "1767225600000");
    assert_ne!(again["Messages"][0]["ReceiptHandle"], message["ReceiptHandle"]);
}

#[test]
fn purge_empties_a_queue_once_a_minute() {
    let mut world = World::with_queues();
    world.send("g", "1");
    let handle = world.receive("work.fifo", 1)[0].1.clone();
    world.sqs("PurgeQueue", "work.fifo", json!({}));
    assert!(world.aws.messages("work.fifo").is_empty());
    world.delete(&handle);
    let (code, _) = world.sqs_refused("PurgeQueue", "work.fifo", json!({}));
    assert_eq!(code, "AWS.SimpleQueueService.PurgeQueueInProgress");
    world.pass(60);
    world.sqs("PurgeQueue", "work.fifo", json!({}));
}

#[test]
fn the_wrong_json_type_is_a_serialization_error() {
    let mut world = World::with_queues();
    let (code, _) = world.sqs_refused("ReceiveMessage", "work.fifo", json!({ "MaxNumberOfMessages": "1" }));
    assert_eq!(code, "com.amazon.coral.service#SerializationException");
}
