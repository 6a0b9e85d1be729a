"""What the connector relies on in a FIFO queue, check by check. Every check makes its own queue."""

import hashlib
import json

from queues import DEPLOYED, Queue, code, count, handle

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
BAD_VALUE = "InvalidParameterValue"
# For a handle that was good once AWS's knowledge center says `InvalidParameterValue` of FIFO queues. The API reference,
# written for standard queues, lets such a delete succeed and delete nothing.
BAD_HANDLE = "ReceiptHandleIsInvalid"
# AWS documents the first; which of them a FIFO queue tells when, it does not say.
NOT_HIDDEN = {"AWS.SimpleQueueService.MessageNotInflight", BAD_VALUE}
LARGEST = 1_048_576


def ask(queues, report, time):
    queue_itself(queues, report)
    order(queues, report)
    partial(queues, report)
    deduplication(queues, report, time)
    attributes(queues, report)
    visibility(queues, report, time)
    handles(queues, report, time)
    dead_letters(queues, report)
    batches(queues, report)
    refusals(queues, report)


def queue_itself(queues, report):
    sqs, dead = queues.sqs, queues.make()
    queue = queues.make(behind=dead, receives=100, VisibilityTimeout="360")
    url = queue.at["QueueUrl"]
    report.same("found by its name", url, sqs.get_queue_url(QueueName=queue.name)["QueueUrl"])
    report.same("name in its ARN", queue.name, queue.attribute("QueueArn").split(":")[-1])
    wanted = {"FifoQueue": "true", "VisibilityTimeout": "360", **DEPLOYED}
    report.same("attributes read back", wanted, {name: queue.attribute(name) for name in wanted})
    policy = json.loads(queue.attribute("RedrivePolicy"))
    seen = (policy["deadLetterTargetArn"], str(policy["maxReceiveCount"]))
    report.same("redrive policy", (dead.attribute("QueueArn"), "100"), seen)
    other = {"FifoQueue": "true", "VisibilityTimeout": "30"}
    again = code(sqs.create_queue, QueueName=queue.name, Attributes=other)
    report.same("made again otherwise", "QueueAlreadyExists", again)
    nowhere = Queue(sqs, "none", url.replace(queue.name, "none.fifo"))
    report.same("unknown queue: by name", NO_QUEUE, code(sqs.get_queue_url, QueueName="none.fifo"))
    report.same("unknown queue: send", NO_QUEUE, nowhere.refuses())
    report.same("unknown queue: receive", NO_QUEUE, code(nowhere.receive))
    report.same("unknown queue: attributes", NO_QUEUE, code(nowhere.attribute, name="QueueArn"))
    report.same("unknown queue: delete", NO_QUEUE, nowhere.delete("x"))


def order(queues, report):
    queue = queues.make()
    queue.send_all("a1 b1 a2 a3 b2")
    report.same("counts before a receive", [5, 0], queue.counts())
    first = queue.receive(1)
    report.same("the oldest first", ["a1"], [message["Body"] for message in first])
    report.same("counts while one is in flight", [4, 1], queue.counts())
    rest = queue.receive(10)
    report.same("other groups go on, this one waits", ["b1", "b2"], [message["Body"] for message in rest])
    report.same("all groups wait", [], queue.bodies())
    report.same("delete", "done", queue.delete(first[0]))
    report.same("a group goes on after a delete", ["a2", "a3"], queue.bodies())
    queue = queues.make()
    queue.send_all("a1 b1 a2 b2 a3")
    seen = queue.bodies()
    groups = [[body for body in seen if body[0] == group] for group in "ab"]
    report.same("one receive keeps the order of each group", [["a1", "a2", "a3"], ["b1", "b2"]], groups)
    queue = queues.make()
    queue.send_all("a1 a2")
    queue.hide(queue.receive(1)[0], 0)
    queue.send_all("a3")
    report.same("one that comes back keeps its place", ["a1", "a2", "a3"], queue.bodies())


def partial(queues, report):
    queue = queues.make()
    queue.send_all("a1 a2 a3 b1")
    got = {message["Body"]: message for message in queue.receive()}
    answer = queue.delete_batch(handle(got["a2"]), handle(got["b1"]))
    report.same("part of a batch deleted", ["0", "1"], [entry["Id"] for entry in answer["Successful"]])
    queue.hide(got["a1"], 0)
    report.same("the group waits for the rest of its batch", [], queue.bodies())
    queue.hide(got["a3"], 0)
    left = queue.receive()
    report.same("the rest comes back in order", ["a1", "a3"], [message["Body"] for message in left])
    report.same("and was counted", ["2", "2"], [count(message) for message in left])
    answer = queue.delete_batch(handle(left[0]), "made up", handle(left[1]))
    report.same("a bad handle fails alone: the others", ["0", "2"], [entry["Id"] for entry in answer["Successful"]])
    failed = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]]
    report.same("a bad handle fails alone: itself", [("1", BAD_HANDLE, True)], failed)


def deduplication(queues, report, time):
    queue = queues.make()
    first = queue.send("g", "one", "same")
    again = queue.send("g", "two", "same")
    report.same("same id, other body: same message", first["MessageId"], again["MessageId"])
    report.same("and sequence number", first["SequenceNumber"], again["SequenceNumber"])
    report.same("and the digest of what was sent", digest("two"), again["MD5OfMessageBody"])
    received = queue.receive()
    report.same("and is not delivered", ["one"], [message["Body"] for message in received])
    queue.delete(received[0])
    report.same("known although deleted", first["MessageId"], queue.send("g", "three", "same")["MessageId"])
    report.same("nothing came of it", [], queue.bodies())
    other = queue.send("other", "four", "same")
    report.same("another group: another message", True, other["MessageId"] != first["MessageId"])
    answer = queue.send_batch(queue.message("h", "1", "twin"), queue.message("h", "2", "twin"))
    ids = {entry["MessageId"] for entry in answer["Successful"]}
    report.same("twins in a batch: both accepted, one message", (2, 1), (len(answer["Successful"]), len(ids)))
    report.same("delivered", ["four", "1"], queue.bodies())
    wide = queues.make(DeduplicationScope="queue", FifoThroughputLimit="perQueue")
    first = wide.send("g", "one", "same")["MessageId"]
    report.same("scope `queue`: another group does not matter", first, wide.send("h", "two", "same")["MessageId"])
    content = queues.make(ContentBasedDeduplication="true")
    by_content = [content.refuses(MessageBody="same", MessageDeduplicationId=None) for _ in range(2)]
    report.same("by content: no id needed", ["done", "done"], by_content)
    report.same("by content: one message", ["same"], content.bodies())
    check = "after five minutes it is a new message"
    if not time.movable:
        report.skip(check, "this clock cannot be moved")
        return
    first = queue.send("late", "one", "same")["MessageId"]
    time.pass_by(240)
    queue.send("late", "two", "same")
    time.pass_by(61)
    report.same(check, True, queue.send("late", "three", "same")["MessageId"] != first)


def digest(text):
    return hashlib.md5(text.encode()).hexdigest()


def attributes(queues, report):
    queue = queues.make()
    body = 'ünï "<&> \U0001f600\ttab\nline'
    sent = [queue.send("group/1", body, "id:1"), queue.send("group/1", body, "id:2")]
    report.same("digest of the body", digest(body), sent[0]["MD5OfMessageBody"])
    numbers = [one["SequenceNumber"] for one in sent]
    report.same("sequence numbers: 20 digits, rising", (20, True), (len(numbers[0]), int(numbers[0]) < int(numbers[1])))
    message = queue.receive(1, hidden=0)[0]
    report.same("body as sent", body, message["Body"])
    report.same("message id as told", sent[0]["MessageId"], message["MessageId"])
    told = {"MessageGroupId": "group/1", "MessageDeduplicationId": "id:1", "SequenceNumber": numbers[0]}
    told["ApproximateReceiveCount"] = "1"
    report.same("attributes", told, {name: message["Attributes"].get(name) for name in told})
    again = queue.receive(1, names=("ApproximateReceiveCount",))[0]
    report.same("only what was asked for, counted up", {"ApproximateReceiveCount": "2"}, again["Attributes"])
    bare = queues.make()
    bare.send()
    report.same("none asked for", True, "Attributes" not in bare.receive(1, names=())[0])


def visibility(queues, report, time):
    queue = queues.make(VisibilityTimeout="1")
    queue.send("a", "a1")
    message = queue.receive(1, hidden=1)[0]
    report.same("visibility lengthened", "done", queue.hide(message, 60))
    time.pass_by(2)
    report.same("still hidden after its first timeout", [], queue.bodies())
    report.same("visibility 0", "done", queue.hide(message, 0))
    report.same("visibility of a message not in flight", NOT_HIDDEN, queue.hide(message, 60))
    queue.hide(message, 0)
    report.same("received again at once", ["2"], [count(message) for message in queue.receive(1, hidden=1)])
    time.pass_by(2)
    third = queue.receive(1)
    report.same("received again after the timeout", ["3"], [count(message) for message in third])
    report.same("visibility over 12 hours", BAD_VALUE, queue.hide(third[0], 43_201))
    time.pass_by(1)
    report.same("visibility over 12 hours since the receive", BAD_VALUE, queue.hide(third[0], 43_200))
    queue.hide(third[0], 60)
    entries = [{"Id": "good", "ReceiptHandle": handle(third[0])}, {"Id": "bad", "ReceiptHandle": "made up"}]
    entries = [entry | {"VisibilityTimeout": 0} for entry in entries]
    answer = queue.sqs.change_message_visibility_batch(**queue.at, Entries=entries)
    ids = tuple([entry["Id"] for entry in answer[kind]] for kind in ("Successful", "Failed"))
    report.same("visibility in a batch: entry by entry", (["good"], ["bad"]), ids)


def handles(queues, report, time):
    queue, other = queues.make(), queues.make()
    queue.send("a", "a1")
    former = queue.receive(1)[0]
    queue.hide(former, 0)
    message = queue.receive(1)[0]
    report.same("every receive has its own handle", True, handle(former) != handle(message))
    report.same("delete by a former handle", BAD_VALUE, queue.delete(former))
    report.same("visibility by a former handle", NOT_HIDDEN, queue.hide(former, 0))
    report.same("neither did anything", [0, 1], queue.counts())
    report.same("delete by a made-up handle", BAD_HANDLE, queue.delete("made up"))
    report.same("delete by another queue's handle", BAD_HANDLE, other.delete(message))
    report.same("delete by the newest handle", "done", queue.delete(message))
    report.same("delete twice", "done", queue.delete(message))
    report.same("visibility of a deleted message", NOT_HIDDEN, queue.hide(message, 0))
    report.same("all gone", [0, 0], queue.counts())
    queue.send("b", "b1")
    late = queue.receive(1, hidden=1)[0]
    time.pass_by(2)
    report.same("delete after the visibility timeout", BAD_VALUE, queue.delete(late))
    report.same("it is still there", ["b1"], queue.bodies())


def dead_letters(queues, report):
    dead = queues.make()
    queue = queues.make(behind=dead, receives=2)
    sent = queue.send("a", "a1", "identity")
    queue.send_all("a2")
    for receive in ("1", "2"):
        got = queue.receive(1)
        report.same(f"receive {receive} of 2", [("a1", receive)], [(one["Body"], count(one)) for one in got])
        queue.hide(got[0], 0)
    report.same("after its receives the group goes on without it", ["a2"], queue.bodies())
    letters = dead.receive()
    report.same("it is a dead letter", ["a1"], [letter["Body"] for letter in letters])
    letter = letters[0]
    report.same("dead letter: message id", sent["MessageId"], letter["MessageId"])
    report.same("dead letter: group", "a", letter["Attributes"]["MessageGroupId"])
    source = letter["Attributes"].get("DeadLetterQueueSourceArn")
    report.same("dead letter: where from", queue.attribute("QueueArn"), source)
    same = letter["Attributes"]["MessageDeduplicationId"] == sent["MessageId"]
    report.same("dead letter: deduplication id is the message id", True, same)
    report.same("known although dead", sent["MessageId"], queue.send("a", "a3", "identity")["MessageId"])
    queue = queues.make(behind=dead, receives=1)
    queue.send_all("c1 c2")
    for message in reversed(queue.receive()):
        queue.hide(message, 0)
    report.same("two dead letters: none left", [], queue.bodies())
    report.same("two dead letters: in order", ["c1", "c2"], dead.bodies())


def batches(queues, report):
    queue = queues.make()
    groupless = {"MessageBody": "b", "MessageDeduplicationId": "x"}
    answer = queue.send_batch(queue.message("g", "1"), groupless, queue.message("g", "3"))
    report.same("a bad entry: the others", ["0", "2"], [entry["Id"] for entry in answer["Successful"]])
    failed = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]]
    report.same("a bad entry: itself", [("1", "MissingParameter", True)], failed)
    report.same("a bad entry: what is delivered", ["1", "3"], queue.bodies())
    queue = queues.make()
    queue.send_batch(*[queue.message("g", str(n)) for n in range(10)])
    report.same("ten in order", [str(n) for n in range(10)], queue.bodies())
    half = "x" * (LARGEST // 2 + 1)
    whole = {
        "BatchRequestTooLong": [{"Id": str(n), **queue.message("g", half)} for n in range(2)],
        "TooManyEntriesInBatchRequest": [{"Id": str(n), **queue.message()} for n in range(11)],
        "EmptyBatchRequest": [],
        "BatchEntryIdsNotDistinct": [{"Id": "same", **queue.message()} for _ in range(2)],
        "InvalidBatchEntryId": [{"Id": "a b", **queue.message()}],
    }
    for name, entries in whole.items():
        seen = code(queue.sqs.send_message_batch, **queue.at, Entries=entries)
        report.same(f"batch refused whole: {name}", f"AWS.SimpleQueueService.{name}", seen)
    report.same("nothing of these came in", [0, 10], queue.counts())
    seen = code(queue.sqs.delete_message_batch, **queue.at, Entries=[])
    report.same("empty batch of deletes", "AWS.SimpleQueueService.EmptyBatchRequest", seen)


def refusals(queues, report):
    queue = queues.make()
    report.same("no group", "MissingParameter", queue.refuses(MessageGroupId=None))
    report.same("no deduplication id", BAD_VALUE, queue.refuses(MessageDeduplicationId=None))
    report.same("no body", "MissingParameter", queue.refuses(MessageBody=None))
    report.same("a delay", BAD_VALUE, queue.refuses(DelaySeconds=5))
    report.same("group with a space", BAD_VALUE, queue.refuses(MessageGroupId="a b"))
    report.same("group of 129 characters", BAD_VALUE, queue.refuses(MessageGroupId="x" * 129))
    report.same("deduplication id of 129 characters", BAD_VALUE, queue.refuses(MessageDeduplicationId="x" * 129))
    report.same("one byte too large", BAD_VALUE, queue.refuses(MessageBody="x" * (LARGEST + 1)))
    before = sum(queue.counts())
    report.same("as large as allowed", "done", queue.refuses(MessageBody="x" * LARGEST, MessageGroupId="large"))
    report.same("only that came in", before + 1, sum(queue.counts()))
    for most in (0, 11):
        report.same(f"receive {most}", BAD_VALUE, code(queue.receive, most=most))
    empty = queues.make()
    report.same("receive with a visibility over 12 hours", BAD_VALUE, code(empty.receive, hidden=43_201))
    report.same("nothing to receive", [], empty.receive())
