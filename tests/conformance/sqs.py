"""An SQS at an address, asked through boto3 for what the connector relies on. What is right, AWS's documentation says;
where an emulator is known to be otherwise, `KNOWN` says how and why, and a third behaviour still fails."""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request

import boto3
import fifo
from botocore.config import Config
from queues import Queues

EXPIRED = "an old handle is refused as if it were made up; AWS tells `The receipt handle has expired`"
LATE = "a handle stays good until the next receive; of FIFO queues AWS ends it with the visibility timeout"
ANYTHING = "it takes any characters and lengths in ids"
HIDDEN = "it sets any visibility of anything it has, without AWS's 12 hours"
FLIGHT = "it does not look whether the message is in flight"

# Emulator -> check -> (what it does instead, the reason).
KNOWN = {
    "ministack": {
        "delete by a former handle": ("ReceiptHandleIsInvalid", EXPIRED),
        "visibility by a former handle": ("ReceiptHandleIsInvalid", EXPIRED),
        "visibility of a deleted message": ("ReceiptHandleIsInvalid", EXPIRED),
        "delete twice": ("ReceiptHandleIsInvalid", "it forgets a handle with its message; AWS's delete is idempotent"),
        "delete after the visibility timeout": ("done", LATE),
        "it is still there": ([], LATE),
        "visibility of a message not in flight": ("done", FLIGHT),
        "visibility over 12 hours": ("done", HIDDEN),
        "visibility over 12 hours since the receive": ("done", HIDDEN),
        "receive with a visibility over 12 hours": ("done", HIDDEN),
        "group with a space": ("done", ANYTHING),
        "group of 129 characters": ("done", ANYTHING),
        "deduplication id of 129 characters": ("done", ANYTHING),
        "dead letter: deduplication id is the message id": (False, "it keeps the old one"),
    }
}


# No proxy: everything is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Time:
    """Waits, or moves the clock of the simulators where there is one."""

    def __init__(self, endpoint):
        self.clock = f"{endpoint}/_sim/clock"
        try:
            with OPENER.open(self.clock, timeout=10) as answer:
                self.movable = "now" in json.load(answer)
        except (urllib.error.HTTPError, json.JSONDecodeError):
            self.movable = False

    def pass_by(self, seconds):
        if not self.movable:
            time.sleep(seconds)
            return
        body = json.dumps({"advance_seconds": seconds}).encode()
        request = urllib.request.Request(self.clock, body, {"content-type": "application/json"})
        OPENER.open(request, timeout=10).close()


class Report:
    """One line per check, and the count."""

    def __init__(self, known):
        self.known = known
        self.counts = {"ok": 0, "not ok": 0, "known differences": 0, "not looked at": 0}

    def line(self, kind, text):
        self.counts[kind] += 1
        print(text, flush=True)

    def same(self, check, expected, seen):
        """`expected` is a value, or a set of values that are all right."""
        holds = seen in expected if isinstance(expected, set) else seen == expected
        if check in self.known:
            instead, reason = self.known.pop(check)
            if holds:
                self.line("not ok", f"not ok {check} the known difference is gone, take it out of the table")
            elif seen == instead:
                self.line("known differences", f"known {check} expected {brief(expected)} seen {brief(seen)}: {reason}")
            else:
                told = f"expected {brief(expected)} or the known {brief(instead)} seen {brief(seen)}"
                self.line("not ok", f"not ok {check} {told}")
        elif holds:
            self.line("ok", f"ok {check}")
        else:
            self.line("not ok", f"not ok {check} expected {brief(expected)} seen {brief(seen)}")

    def skip(self, check, why):
        self.line("not looked at", f"skip {check}: {why}")

    def end(self, endpoint):
        for check in self.known:
            self.line("not ok", f"not ok {check} is in the table of differences, but was not asked")
        counts = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        print(f"# {endpoint}: {counts}", flush=True)
        return 1 if self.counts["not ok"] else 0


def brief(value):
    text = " or ".join(sorted(map(str, value))) if isinstance(value, set) else str(value)
    return f"`{text if len(text) <= 120 else text[:117] + '...'}`"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--endpoint", required=True, metavar="URL")
    arguments.add_argument("--known", choices=sorted(KNOWN), help="whose known differences are let pass")
    arguments = arguments.parse_args()
    # Nothing of the caller's own AWS account: not even a profile's name.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    endpoint = arguments.endpoint.rstrip("/")
    # Bad requests must leave this machine as they are: the service shall judge them, not boto3.
    config = Config(
        connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False
    )
    sqs = boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    report = Report(dict(KNOWN.get(arguments.known, {})))
    fifo.ask(Queues(sqs), report, Time(endpoint))
    return report.end(endpoint)


if __name__ == "__main__":
    sys.exit(main())
