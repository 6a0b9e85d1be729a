//! What makes a FIFO queue one: groups, deduplication, handles, receive counts, dead letters.

use super::*;

#[test]
fn a_group_keeps_its_order_and_is_locked_while_one_is_in_flight() {
    let mut world = World::with_queues();
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")] {
        world.send(group, body);
    }
    let first = world.receive("work.fifo", 1);
    assert_eq!(first[0].0, "a1");
    assert_eq!(world.bodies(10), ["b1"], "group a is locked");
    world.delete(&first[0].1);
    assert_eq!(world.bodies(10), ["a2", "a3"]);
}

#[test]
fn one_receive_takes_many_of_one_group_before_the_next_group() {
    let mut world = World::with_queues();
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        world.send(group, body);
    }
    assert_eq!(world.bodies(3), ["a1", "a2", "b1"]);
    assert!(world.bodies(10).is_empty(), "b2 waits behind b1");
}

#[test]
fn a_group_stays_locked_until_the_last_of_a_receive_is_done() {
    let mut world = World::with_queues();
    for body in ["1", "2", "3"] {
        world.send("g", body);
    }
    let received = world.receive("work.fifo", 2);
    world.delete(&received[0].1);
    assert!(world.bodies(10).is_empty());
    world.delete(&received[1].1);
    assert_eq!(world.bodies(10), ["3"]);
}

#[test]
fn a_message_that_comes_back_keeps_its_place() {
    let mut world = World::with_queues();
    for body in ["1", "2"] {
        world.send("g", body);
    }
    assert_eq!(world.bodies(1), ["1"]);
    world.pass(29);
    assert!(world.bodies(1).is_empty());
    world.pass(1);
    world.send("g", "3");
    assert_eq!(world.bodies(10), ["1", "2", "3"]);
}

#[test]
fn visibility_can_be_ended_and_prolonged() {
    let mut world = World::with_queues();
    world.send("g", "1");
    let handle = world.receive("work.fifo", 1)[0].1.clone();
    let change = |seconds: u32| json!({ "ReceiptHandle": handle, "VisibilityTimeout": seconds });
    world.sqs("ChangeMessageVisibility", "work.fifo", change(1800));
    world.pass(1799);
    assert!(world.bodies(1).is_empty());
    let (code, message) = world.sqs_refused("ChangeMessageVisibility", "work.fifo", change(43200));
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.contains("Total VisibilityTimeout"), "{message}");
    world.sqs("ChangeMessageVisibility", "work.fifo", change(0));
    let (code, _) = world.sqs_refused("ChangeMessageVisibility", "work.fifo", change(10));
    assert_eq!(code, "AWS.SimpleQueueService.MessageNotInflight");
    assert_eq!(world.bodies(1), ["1"]);
    let (code, _) = world.sqs_refused("ChangeMessageVisibility", "work.fifo", change(10));
    assert_eq!(code, "InvalidParameterValue", "a newer receive holds it");
    let (code, _) = world.sqs_refused("ChangeMessageVisibility", "work.fifo", change(43201));
    assert_eq!(code, "InvalidParameterValue");
}

#[test]
fn a_handle_ends_with_its_visibility_and_with_the_next_receive() {
    let mut world = World::with_queues();
    world.send("g", "1");
    let old = world.receive("work.fifo", 1)[0].1.clone();
    world.pass(30);
    let expired = |world: &mut World, handle: &str| {
        let (code, message) =
            world.sqs_refused("DeleteMessage", "work.fifo", json!({ "ReceiptHandle": handle }));
        assert_eq!(code, "InvalidParameterValue");
        assert!(message.ends_with("Reason: The receipt handle has expired."), "{message}");
    };
    expired(&mut world, &old);
    let new = world.receive("work.fifo", 1)[0].1.clone();
    expired(&mut world, &old);
    world.delete(&new);
    world.delete(&new);
    assert!(world.aws.messages("work.fifo").is_empty());
    let (code, _) = world.sqs_refused("DeleteMessage", "work.fifo", json!({ "ReceiptHandle": "made up" }));
    assert_eq!(code, "ReceiptHandleIsInvalid");
    let (code, _) = world.sqs_refused("DeleteMessage", "dead.fifo", json!({ "ReceiptHandle": new }));
    assert_eq!(code, "ReceiptHandleIsInvalid", "a handle belongs to its queue");
}

#[test]
fn a_duplicate_within_five_minutes_is_accepted_and_not_delivered() {
    let mut world = World::with_queues();
    let first = world.send("g", "1");
    let handle = world.receive("work.fifo", 1)[0].1.clone();
    world.delete(&handle);
    world.pass(299);
    let again = world.send("other", "1");
    assert_eq!(again["MessageId"], first["MessageId"]);
    assert_eq!(again["SequenceNumber"], first["SequenceNumber"]);
    assert!(world.bodies(10).is_empty(), "remembered although deleted, and over groups");
    world.pass(1);
    assert_ne!(
        world.send("g", "1")["MessageId"],
        first["MessageId"],
        "a duplicate does not prolong the window"
    );
    assert_eq!(world.bodies(10), ["1"]);
}

#[test]
fn deduplication_can_be_per_group_and_by_content() {
    let mut world = World::new();
    let attributes = [("DeduplicationScope", "messageGroup"), ("ContentBasedDeduplication", "true")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    world.aws.create_queue("c.fifo", BTreeMap::from(attributes)).unwrap();
    for group in ["a", "b", "a"] {
        world.sqs("SendMessage", "c.fifo", json!({ "MessageBody": "same", "MessageGroupId": group }));
    }
    let messages = world.aws.messages("c.fifo");
    assert_eq!(messages.iter().map(|m| m["group"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    let sha256_of_same = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
    assert_eq!(messages[0]["deduplication_id"], sha256_of_same);
    let own = json!({ "MessageBody": "same", "MessageGroupId": "a", "MessageDeduplicationId": "own" });
    world.sqs("SendMessage", "c.fifo", own);
    assert_eq!(world.aws.messages("c.fifo").len(), 3, "an explicit id wins");
}

#[test]
fn after_its_receives_a_message_is_a_dead_letter_and_its_group_goes_on() {
    let mut world = World::with_queues();
    for (group, body) in [("g", "1"), ("g", "2"), ("h", "3")] {
        world.send(group, body);
    }
    let id = world.aws.messages("work.fifo")[0]["message_id"].clone();
    for _ in 0..2 {
        assert_eq!(world.bodies(1), ["1"]);
        world.pass(30);
    }
    assert_eq!(world.bodies(1), ["2"], "the third receive finds a dead letter");
    let (now, dead) = (world.now, world.aws.messages("dead.fifo"));
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (&dead[0]["message_id"], &dead[0]["group"], &dead[0]["body"]),
        (&id, &json!("g"), &json!("1"))
    );
    let received = world.aws.receive_batch("dead.fifo", 10, None, now);
    assert_eq!(received[0].attributes["DeadLetterQueueSourceArn"], world.aws.queue_arn("work.fifo"));
    assert_eq!(received[0].attributes["MessageGroupId"], "g");
    assert_eq!(received[0].attributes["MessageDeduplicationId"], received[0].message_id);
    assert_eq!(received[0].attributes["SentTimestamp"], now.as_millisecond().to_string());
}

#[test]
fn dead_letters_keep_the_order_of_their_group() {
    let mut world = World::with_queues();
    for body in ["1", "2", "3"] {
        world.send("g", body);
    }
    for _ in 0..2 {
        assert_eq!(world.bodies(10).len(), 3);
        world.pass(30);
    }
    assert!(world.bodies(10).is_empty());
    assert!(world.aws.messages("work.fifo").is_empty());
    let bodies: Vec<_> = world.receive("dead.fifo", 10).into_iter().map(|(body, _)| body).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
}

#[test]
fn messages_end_with_the_retention_period() {
    let mut world = World::with_queues();
    world.send("g", "1");
    world.pass(345_599);
    assert_eq!(world.bodies(1), ["1"]);
    world.pass(1);
    assert!(world.bodies(1).is_empty());
    assert!(world.aws.messages("work.fifo").is_empty());
}

#[test]
fn the_pump_and_the_wire_share_one_state() {
    let mut world = World::with_queues();
    let (now, arn) = (world.now, world.aws.queue_arn("work.fifo"));
    world.aws.send(&arn, "g", "d", "{\"n\":1}", now).unwrap();
    assert!(world.aws.send("work.fifo", "g", "d", "again", now).unwrap().duplicate);
    let batch = world.aws.receive_batch(&arn, 10, Some(360), now);
    assert!(world.bodies(10).is_empty());
    let event = lambda_event(&arn, &batch);
    let record = &event["Records"][0];
    assert_eq!(record["messageId"], batch[0].message_id);
    assert_eq!(record["receiptHandle"], batch[0].receipt_handle);
    assert_eq!(record["body"], "{\"n\":1}");
    assert_eq!(record["md5OfBody"], "082c26c8a6bc75226a31da5495cc9292");
    assert_eq!(record["attributes"]["MessageGroupId"], "g");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["messageAttributes"], json!({}));
    assert_eq!((&record["eventSource"], &record["awsRegion"]), (&json!("aws:sqs"), &json!("us-east-1")));
    assert_eq!(record["eventSourceARN"], arn);
    let handle = &batch[0].receipt_handle;
    world.aws.change_visibility("work.fifo", handle, 10, now).unwrap();
    world.pass(10);
    let now = world.now;
    assert_eq!(world.aws.delete("work.fifo", handle, now).unwrap_err().code(), "InvalidParameterValue");
    let batch = world.aws.receive_batch("work.fifo", 10, None, now);
    world.aws.delete("work.fifo", &batch[0].receipt_handle, now).unwrap();
    assert!(world.aws.messages("work.fifo").is_empty());
}
