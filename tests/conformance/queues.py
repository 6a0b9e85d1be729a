"""FIFO queues through boto3: making them, sending, receiving, and what a refused call tells."""

import json
import uuid

from botocore.exceptions import ClientError

# As template.yaml deploys them.
DEPLOYED = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}


def code(call, **arguments):
    """`done`, or the code of the refusal."""
    try:
        call(**arguments)
        return "done"
    except ClientError as fault:
        return fault.response["Error"]["Code"]


class Queues:
    """Makes queues."""

    def __init__(self, sqs):
        self.sqs = sqs

    def make(self, behind=None, receives=2, **attributes):
        name = f"conformance-{uuid.uuid4()}.fifo"
        wanted = {"FifoQueue": "true", **DEPLOYED, **attributes}
        if behind:
            policy = {"deadLetterTargetArn": behind.attribute("QueueArn"), "maxReceiveCount": receives}
            wanted["RedrivePolicy"] = json.dumps(policy)
        return Queue(self.sqs, name, self.sqs.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"])


class Queue:
    def __init__(self, sqs, name, url):
        self.sqs, self.name, self.at = sqs, name, {"QueueUrl": url}

    def attribute(self, name):
        answer = self.sqs.get_queue_attributes(**self.at, AttributeNames=[name])
        return answer["Attributes"][name]

    def counts(self):
        """Visible, in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return [int(self.attribute(name)) for name in names]

    def message(self, group="g", body="b", identity=None):
        return {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": identity or str(uuid.uuid4())}

    def send(self, group="g", body="b", identity=None):
        return self.sqs.send_message(**self.at, **self.message(group, body, identity))

    def send_all(self, words):
        """`a1` goes to group `a`."""
        for word in words.split():
            self.send(word[0], word)

    def refuses(self, **change):
        """What a message with this change comes to; `None` leaves a member out."""
        message = {name: value for name, value in (self.message() | change).items() if value is not None}
        return code(self.sqs.send_message, **self.at, **message)

    def send_batch(self, *messages):
        entries = [{"Id": str(n), **message} for n, message in enumerate(messages)]
        return self.sqs.send_message_batch(**self.at, Entries=entries)

    def receive(self, most=10, hidden=60, names=("All",)):
        answer = self.sqs.receive_message(
            **self.at, MaxNumberOfMessages=most, VisibilityTimeout=hidden, MessageSystemAttributeNames=list(names)
        )
        return answer.get("Messages", [])

    def bodies(self, most=10, hidden=60):
        return [message["Body"] for message in self.receive(most, hidden)]

    def delete(self, message):
        return code(self.sqs.delete_message, **self.at, ReceiptHandle=handle(message))

    def delete_batch(self, *handles):
        entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(handles)]
        return self.sqs.delete_message_batch(**self.at, Entries=entries)

    def hide(self, message, seconds):
        return code(
            self.sqs.change_message_visibility, **self.at, ReceiptHandle=handle(message), VisibilityTimeout=seconds
        )


def handle(message):
    return message if isinstance(message, str) else message["ReceiptHandle"]


def count(message):
    return message["Attributes"]["ApproximateReceiveCount"]
