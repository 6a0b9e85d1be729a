"""One busy hour of a stack, event by event: webhooks through the stage's limit into FIFO groups, batches for a few writers, ticks of the
poller, vendors that take their time and stop answering at their quotas. Seeded: the same scenario gives the same figures.

Used by growth.py. It decides nothing about the product: what a change costs comes from the figures it is given.
"""

import heapq
import math
import random
from collections import deque

TICK = 60.0
WINDOW = 300
# Seconds after the last arrival in which the rest may be worked off.
REST = 3600


class Window:
    """A vendor's sliding window: requests and seconds of execution of the last 300 s."""

    def __init__(self):
        self.kept, self.requests, self.seconds = deque(), 0, 0.0
        self.most = [0, 0.0]

    def add(self, now, requests, seconds):
        """Counts a call."""
        self.kept.append((now, requests, seconds))
        self.requests += requests
        self.seconds += seconds
        self.forget(now)
        self.most = [max(self.most[0], self.requests), max(self.most[1], self.seconds)]

    def forget(self, now):
        """What is older than the window counts no more."""
        while self.kept and self.kept[0][0] <= now - WINDOW:
            _, requests, seconds = self.kept.popleft()
            self.requests -= requests
            self.seconds -= seconds


class Queue:
    """FIFO groups: a group is in one batch at a time, a batch takes up to ten messages of as many groups as it needs."""

    def __init__(self, batch):
        self.batch, self.waiting, self.ready, self.locked = batch, {}, deque(), set()

    def send(self, group, message):
        """A message waits behind those of its group."""
        if group in self.waiting:
            self.waiting[group].append(message)
            return
        self.waiting[group] = deque([message])
        if group not in self.locked:
            self.ready.append(group)

    def take(self):
        """The next batch by group; its groups are locked."""
        batch, room = {}, self.batch
        while room and self.ready:
            group = self.ready.popleft()
            messages = self.waiting[group]
            batch[group] = [messages.popleft() for _ in range(min(room, len(messages)))]
            room -= len(batch[group])
            self.locked.add(group)
            if not messages:
                del self.waiting[group]
        return batch

    def free(self, batch):
        """The batch is deleted: its groups may be taken again."""
        for group in batch:
            self.locked.discard(group)
            if group in self.waiting:
                self.ready.append(group)


class Stack:
    """One stack in one scenario."""

    def __init__(self, scenario, numbers):
        self.s, self.n = scenario, numbers
        self.dice = random.Random(1)
        self.events, self.order = [], 0
        self.queue, self.crm = Queue(int(numbers["batch"])), Window()
        self.tokens, self.filled, self.rate = numbers["burst"], 0.0, scenario["webhooks"]
        self.free_writers, self.held_until, self.told = int(numbers["writers"]), 0.0, 0
        self.outbound, self.poller_until, self.missed = deque(), 0.0, {}
        self.done = {"in": [], "out": []}
        self.count = dict.fromkeys(("webhooks", "refused", "batches", "hints", "held", "lists", "reads"), 0)
        self.busy = {"writers": 0.0, "poller": 0.0}

    def push(self, at, kind, *what):
        """Something that happens later."""
        self.order += 1
        heapq.heappush(self.events, (at, self.order, kind, what))

    def vendor(self, milliseconds, calls=1):
        """How long the slowest of so many calls at once takes, in seconds."""
        return max(milliseconds / 1e3 * math.exp(self.dice.gauss(0, self.n["spread"])) for _ in range(calls))

    def arrivals(self):
        """Edits on both sides: Poisson at the hour's rate, some in bursts of eight, and what comes all at once."""
        at, span, rate = 0.0, self.s["seconds"], self.s["rate"]
        while True:
            at += self.dice.expovariate(rate)
            if at > span:
                break
            which, draw = self.dice.randrange(self.s["links"]), self.dice.random()
            if draw < self.s["out"]:
                self.push(at, "edit", which)
            elif draw < self.s["out"] + self.s["burst"] / 8:
                for nth in range(8):
                    self.push(at + nth * 0.5, "event", which, at + nth * 0.5, True)
            elif draw < self.s["out"] + self.s["burst"] / 8 + self.s["in"]:
                self.push(at, "event", which, at, True)
        for nth in range(self.s.get("at_once", 0)):
            which = 0 if nth % 10 == 0 else self.dice.randrange(self.s["links"])
            at = 1.0 if self.s.get("bulk_edit") else 1.0 + nth / 1e3
            self.push(at, *(("edit", which) if self.s.get("bulk_edit") else ("event", which, at, True)))
        for nth in range(int((span + REST) / TICK)):
            self.push(1 + nth * TICK, "tick")

    def run(self):
        """Plays it to its end; the figures."""
        self.arrivals()
        actions = {"event": self.event, "edit": self.edit, "echo": self.echo, "tick": self.tick, "end": self.end, "wake": lambda _now: None}
        while self.events:
            now, _, kind, what = heapq.heappop(self.events)
            actions[kind](now, *what)
            self.start(now)
        return self.figures()

    def event(self, now, group, since, news):
        """A webhook: taken while the stage has a token, else left to the sweep."""
        self.told += 1
        message = (since, self.told, news)
        self.count["webhooks"] += 1
        self.tokens = min(self.n["burst"], self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            self.count["refused"] += 1
            if news:
                self.missed.setdefault(group, message)
            return
        self.tokens -= 1
        self.queue.send(group, message)

    def edit(self, now, group):
        """A change in the CRM waits for the poller."""
        self.outbound.append((now, group))

    def echo(self, now, group, since):
        """Our own PATCH is done, and its webhook comes back."""
        self.done["out"].append((since, now))
        self.event(now, group, now, False)

    def tick(self, now):
        """The sweep sends what was missed; each row of the feed is settled after the one before."""
        if now < self.poller_until:
            return
        for group, message in self.missed.items():
            self.queue.send(group, message)
        self.missed = {}
        at = now + self.s["tick_seconds"]
        while self.outbound and self.outbound[0][0] <= now and at < now + self.n["poll_seconds"] - self.n["poll_tail"]:
            since, group = self.outbound.popleft()
            at += self.vendor(self.n["partner_center_ms"]) + 3 * self.n["table_ms"] / 1e3
            self.push(at, "echo", group, since)
        self.poller_until = at
        self.busy["poller"] += at - now

    def start(self, now):
        """Each free writer takes a batch, unless the CRM holds everything."""
        while self.free_writers and self.queue.ready:
            if now < self.held_until:
                return
            self.crm.forget(now)
            if self.crm.requests >= self.n["dataverse_requests"] or self.crm.seconds >= self.n["dataverse_seconds"]:
                self.held_until = now + self.n["retry_after_s"]
                self.count["held"] += self.n["retry_after_s"]
                self.push(self.held_until, "wake")
                return
            batch = self.queue.take()
            took = self.work(now, batch)
            self.free_writers -= 1
            self.busy["writers"] += took
            self.push(now + took, "end", batch)

    def work(self, now, batch):
        """How long a batch takes: one page of the list or a read of each referral, then one batch of rows to the CRM."""
        news = [messages for messages in batch.values() if any(message[2] for message in messages)]
        took = (self.n["queue_ms"] + 3 * self.n["table_ms"]) / 1e3
        self.count["batches"] += 1
        self.count["hints"] += sum(map(len, batch.values()))
        if not news:
            return took
        reads, rows = len(news), len(news)
        if reads >= self.n["many"]:
            took += self.vendor(self.n["partner_center_ms"])
            self.count["lists"] += 1
            # The page has the newest hundred: what more has changed since is read one by one.
            first = self.told - min(message[1] for messages in news for message in messages)
            reads = 0 if first < self.n["page_rows"] else reads
        if reads:
            took += self.vendor(self.n["partner_center_ms"], reads)
            self.count["reads"] += reads
        execution = rows * self.n["crm_row_ms"] / 1e3
        took += self.vendor(self.n["crm_ms"] - self.n["crm_row_ms"]) + execution
        self.crm.add(now, 1, execution)
        return took

    def end(self, now, batch):
        """A batch is done."""
        self.free_writers += 1
        self.queue.free(batch)
        for messages in batch.values():
            self.done["in"] += [(since, now) for since, _, news in messages if news]

    def figures(self):
        """What the scenario shows."""
        n = self.n
        ended = max([self.s["seconds"], *(now for pairs in self.done.values() for _, now in pairs)])
        shares = {
            "stage's rate": self.count["webhooks"] / (n["burst"] + ended * self.rate),
            "writers": self.busy["writers"] / n["writers"] / ended,
            "poller": self.busy["poller"] / ended,
            "CRM's requests": self.crm.most[0] / n["dataverse_requests"],
            "CRM's execution": self.crm.most[1] / n["dataverse_seconds"],
        }
        return {
            "done": sum(len(pairs) for pairs in self.done.values()),
            "ended": ended,
            "batch": self.count["hints"] / max(1, self.count["batches"]),
            "age_in": late([now - since for since, now in self.done["in"]]),
            "oldest_in": oldest(self.done["in"]),
            "oldest_out": oldest(self.done["out"]),
            "refused": self.count["refused"] / max(1, self.count["webhooks"]),
            "held": self.count["held"],
            "calls": (self.count["lists"] + self.count["reads"]) / max(1, len(self.done["in"])),
            "shares": shares,
        }


def oldest(pairs):
    """The age of the oldest change under way, looked at each second: its 99th percentile."""
    pairs = sorted(pairs)
    open_, ages, at = [], [], 0
    for second in range(int(max((now for _, now in pairs), default=0)) + 1):
        while at < len(pairs) and pairs[at][0] <= second:
            heapq.heappush(open_, pairs[at])
            at += 1
        while open_ and open_[0][1] <= second:
            heapq.heappop(open_)
        ages.append(second - open_[0][0] if open_ else 0.0)
    return late(ages)


def late(ages):
    """The 99th percentile."""
    return sorted(ages)[int(len(ages) * 0.99)] if ages else 0.0
