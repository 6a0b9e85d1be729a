"""The plays: what somebody does outside, and what has to be seen for it. Each adds rows to the table."""

import json
import sys
import time
from datetime import datetime, timezone

import vendors
from build import ROOT
from processes import until
from vendors import act, call

sys.path.insert(0, str(ROOT / "tests"))
import log_lines

# What arrives by a webhook or the queue takes milliseconds; the rest is the start of a function and a slow machine.
SOON = 45
# `rate(1 minute)`, MiniStack's first tick included.
SCHEDULED = 150
# A write without an answer is judged after the writer's 60 s and the grace; then the hold ends.
AFTER_OUTAGE = 240


class Plays:
    def __init__(self, stack, simulators, crm):
        self.stack = stack
        self.simulators = simulators
        self.crm = crm
        self.rows = []

    def expect(self, step, expected, look, seconds=0):
        """Looks until it is as expected or the time is over."""
        look = look if callable(look) else (lambda value: lambda: value)(look)
        began = time.monotonic()
        seen = until(look, lambda seen: seen == expected, seconds)
        ok = seen == expected
        self.rows.append((step, expected, seen, ok))
        print(f"  {'ok    ' if ok else 'NOT OK'} {step} ({time.monotonic() - began:.1f} s)", flush=True)
        return ok

    def link(self, referral):
        rows = self.stack.rows(f"REFERRAL#{referral}")
        return next((json.loads(row["link"]) for row in rows if row["sk"] == "LINK"), {})

    def deal_of(self, referral):
        """The opportunity that carries the referral's id; empty if there is none."""
        return next((deal for deal in self.crm.deals() if deal["referral"] == referral), {})

    def deal(self, referral, word):
        return lambda: self.deal_of(referral).get(word)

    def referral(self, referral, *path):
        def look():
            value = self.simulators.referrals().get(referral)
            for name in path:
                value = (value or {}).get(name)
            return value

        return look

    # ----------------------------------------------------------------------------------------------------------

    def deployed(self):
        names = ["WebhookUrl", "TableName", "QueueUrl", "DeadLetterQueueUrl"]
        names += ["IngressFunction", "WriterFunction", "PollerFunction", "AdminFunction", "AdminLookFunction", "Registration"]
        self.expect("0 outputs of the stack", sorted(names), sorted(self.stack.outputs))
        self.expect("0 roles with wildcards or foreign policies", [], self.stack.too_much())
        self.expect("0 first tick (invoked)", "done", self.stack.tick)
        feeds = ["opportunities", "referrals"]
        marks = lambda: [feed for feed in feeds if self.stack.rows(f"WATERMARK#{feed}")]
        self.expect("0 ... took stock of both sides", feeds, marks)
        shown, url = self.stack.outputs["WebhookUrl"], self.stack.registered()
        self.expect("0 the address ends in a secret that nobody is shown", True, shown.endswith("/webhook/***"))
        registration = self.simulators.registration()
        self.expect("0 the deployment registered the webhook", [url, sorted(vendors.EVENTS)], registration)
        self.expect("0 ... and says so", f"registered: `{shown}`", self.stack.outputs["Registration"])
        doctor = self.stack.admin("doctor")
        faults = [line["text"] for line in doctor["lines"] if line["level"] == "fault"]
        self.expect("0 ... made the CRM's columns and tables: the doctor has no fault", (True, []), (doctor["ok"], faults))
        # It names an AWS host: on this machine it is found elsewhere.
        self.simulators.route(url, self.stack.webhook())
        self.expect("0 a second registration changes nothing", True, self.stack.admin("register")["ok"])
        usage = self.stack.admin("dance")
        self.expect("0 an unknown command gets the usage", (False, True), (usage["ok"], "usage" in usage["data"][0]))

    def register(self, method, events):
        return self.simulators.register(method, self.stack.registered(), events)

    def unsigned(self):
        """Whoever finds the address gets nothing."""
        url = self.stack.webhook()
        event = b'{"EventName":"referral-updated","ResourceUri":"https://x/1","ResourceName":"referral"}'
        signature = {"authorization": "Signature AAAA", "x-ms-signature-algorithm": "rsa-sha256"}
        foreign = signature | {"x-ms-certificate-url": f"{self.simulators.login}/cert/x.cer"}
        listed = signature | {"x-ms-certificate-url": certificate(self.simulators)}
        self.expect("1 unsigned webhook", 401, call("POST", url, event)[0])
        self.expect("1 certificate of a foreign address", 401, call("POST", url, event, foreign)[0])
        self.expect("1 bad signature, genuine certificate", 401, call("POST", url, event, listed)[0])
        self.expect("1 body over 64 KB", 413, call("POST", url, b"x" * (65 * 1024))[0])
        self.expect("1 only POST is there", 404, call("GET", url)[0])
        bare = url.rsplit("/", 1)[0]
        self.expect("1 a stranger's address", 401, call("POST", f"{bare}/{'x' * 44}", event)[0])
        self.expect("1 the address without its secret", 401, call("POST", bare, event)[0])
        self.expect("1 nothing reached the queue", (0, 0), self.stack.messages())

    def inbound(self):
        """Partner Center -> CRM: create and update, by signed webhook."""
        referral = act(self.simulators.partner_center, "refer", self.crm.refer())["id"]
        status = self.deal(referral, "status")
        self.expect("2 referral -> opportunity, on hold", self.crm.ON_HOLD, status, SOON)
        deal = self.deal_of(referral)
        self.expect("2 its name carries the mark", "✔ Harbor Line – multi-site tracking", deal.get("name"))
        self.expect("2 its value", 84000, deal.get("value"))
        record = deal.get("id", "no opportunity")
        self.expect("2 the referral names it", record, self.referral(referral, "externalReferenceId"), SOON)
        self.expect("2 the link in the table", "linked", lambda: self.link(referral).get("state"), SOON)
        act(self.simulators.partner_center, "accept", {"id": referral})
        self.expect("2 accepted -> active", self.crm.ACTIVE, status, SOON)
        self.simulators.edit_referral(referral, dealValue=92500, currency="EUR", notes="17 sites.")
        self.expect("2 value changed -> value", 92500, self.deal(referral, "value"), SOON)
        self.expect("2 notes changed -> description", "17 sites.", self.deal(referral, "notes"), SOON)
        return referral

    def outbound(self):
        """CRM -> Partner Center: a co-sell engagement and its update. The Scheduler alone starts the poller."""
        before = len(self.crm.deals())
        deal = self.crm.seed()
        self.crm.edit(deal, sync=True)

        def row():
            return next(row for row in self.crm.deals() if row["id"] == deal)

        shared = lambda: bool(row()["referral"])
        self.expect("3 Sync = Yes -> Referral Identifier", True, shared, SCHEDULED)
        own = row()["referral"] or "none"
        referrals = self.simulators.referrals()
        engagement = referrals.get(own, {}).get("engagementId", "none")
        halves = [r for r in referrals.values() if r.get("engagementId") == engagement]
        self.expect("3 an engagement of two", ["msft", vendors.ORGANIZATION], owners(halves))
        self.expect("3 its value", 61000.5, self.referral(own, "details", "dealValue"))
        self.expect("3 Referral Link", True, (row()["link"] or "").endswith(own))
        self.expect("3 Audit", True, "co-sell engagement created" in (row()["audit"] or ""))
        self.expect("3 the link in the table", "linked", lambda: self.link(own).get("state"), SOON)
        self.quiet("3 its webhooks are worked off")
        self.expect("3 ... and made nothing new", before + 1, len(self.crm.deals()))
        self.crm.edit(deal, value=72000)
        changed = self.referral(own, "details", "dealValue")
        self.expect("3 value changed -> dealValue", 72000, changed, SCHEDULED)
        self.quiet("3 its webhooks are worked off, too")
        return own

    def poison(self, referral):
        """Of the same group as the referral: it must not block what comes behind it."""
        self.stack.send(referral, "{ not a hint", f"poison-{time.time()}")
        self.simulators.edit_referral(referral, notes="18 sites.")
        self.expect("4 behind poison: notes arrive", "18 sites.", self.deal(referral, "notes"), SOON)
        self.expect("4 poison is parked", ["{ not a hint"], lambda: [p.get("body") for p in self.parked()], SOON)
        self.expect("4 dead letters", 0, self.stack.dead_letters)

    def outage(self, referral):
        """The CRM is down: messages wait, nothing is lost, and it goes on by itself."""
        crm = self.crm.url
        down = {"kind": "answer", "status": 503, "headers": {"retry-after": "5"}, "body": "", "times": 100000}
        act(crm, "faults", down)
        self.simulators.edit_referral(referral, dealValue=99000, notes="Said during the outage.")
        self.expect("5 outage: the message waits, hidden", (0, 1), self.stack.messages, SOON)
        self.expect("5 outage: the CRM is held", True, lambda: self.held("crm"), SOON)
        self.expect("5 outage: the poller survives it", "done", self.stack.tick)
        self.expect("5 outage: dead letters", 0, self.stack.dead_letters)
        self.expect("5 outage: the opportunity is as before", 92500, self.deal(referral, "value"))
        call("DELETE", f"{crm}/_sim/faults")
        value = self.deal(referral, "value")
        self.expect("5 it ends: the value arrives", 99000, value, AFTER_OUTAGE)
        notes = self.deal(referral, "notes")
        self.expect("5 ... and the notes", "Said during the outage.", notes, SOON)
        self.quiet("5 ... and the queue is empty")
        self.expect("5 dead letters", 0, self.stack.dead_letters)

    def lost(self, referral):
        """An event nobody was registered for never comes; the sweep finds what it was about."""
        self.expect("6 registered for new referrals only", 200, self.register("PUT", ["referral-created"]))
        self.simulators.edit_referral(referral, dealValue=97000)
        last = self.simulators.outbox()[-1]
        self.expect("6 its event is not sent", "unsubscribed", last["state"])
        self.expect("6 registered for all again", 200, self.register("PUT", vendors.EVENTS))
        self.expect("6 a tick (invoked)", "done", self.stack.tick)
        value = self.deal(referral, "value")
        self.expect("6 webhook lost -> the sweep brings it", 97000, value, SOON)

    def stillness(self):
        self.quiet("7 the queue is empty")
        self.settle()
        before = self.writes()
        for _ in range(3):
            self.stack.tick()
            self.quiet(None)
        self.expect("7 three more ticks: writes", 0, self.writes() - before)
        pending = [event for event in self.simulators.outbox() if event["state"] in ("pending", "dead")]
        self.expect("7 webhooks not delivered", [], pending)
        self.expect("7 parked, the poison apart", 0, len(self.parked()) - 1)
        self.expect("7 dead letters", 0, self.stack.dead_letters)
        self.expect("7 requests a vendor does not know", [], self.unknown())

    def logs(self):
        """Each line that the functions have written has the form of functions/log-lines.md."""
        # The access log has a form of its own, which the template states.
        written = {name: lines for name, lines in self.stack.log_lines().items() if name != "ApiLog"}
        for name in ("IngressLog", "WriterLog", "PollerLog", "AdminLog"):
            self.expect(f"9 {name} has lines", True, any(line.startswith("{") for line in written.get(name, [])))
        faults = {fault for lines in written.values() for line in lines for fault in log_lines.of_line(line)}
        self.expect("9 log lines of another form", [], sorted(faults))

    # ----------------------------------------------------------------------------------------------------------

    def writes(self):
        return self.simulators.writes() + self.crm.writes()

    def unknown(self):
        """Requests that a simulator did not know."""
        hosts = (self.simulators.login, self.simulators.partner_center, self.crm.url)
        return [line["route"] for host in hosts for line in vendors.requests(host) if line["status"] == 501]

    def parked(self):
        return self.stack.rows("PARKED")

    def held(self, system):
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        return any(row.get("until", "") > now for row in self.stack.rows(f"HOLD#{system}"))

    def quiet(self, step):
        """No webhook to come and no message left."""

        def left():
            pending = sum(event["state"] == "pending" for event in self.simulators.outbox())
            return pending + sum(self.stack.messages())

        if step:
            self.expect(step, 0, left, SOON)
        else:
            until(left, lambda left: left == 0, SOON)

    def settle(self):
        """Ticks until one finds nothing more to do: an echo takes one more tick to be recognised."""
        for _ in range(4):
            before = self.writes()
            self.stack.tick()
            self.quiet(None)
            if self.writes() == before:
                return


def certificate(simulators):
    return f"{simulators.partner_center}/cert/pcnotifications-dispatch.microsoft.com.cer"


def owners(referrals):
    return sorted((r["organizationId"] for r in referrals), reverse=True)
