"""What a change and a day of a stack cost: from what the bench counted (expected.json), list prices (prices.toml), template.yaml, numbers in
the code, and assumptions (growth.toml). Closed form, the bill as cost.rs has it. Used by growth.py.
"""

import json
import math
import re
import sys
import tomllib
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parents[1]
DAYS = 365 / 12
ASSUMED = tomllib.loads((BENCH / "growth.toml").read_text(encoding="utf-8"))
PRICES = tomllib.loads((BENCH / "prices.toml").read_text(encoding="utf-8"))
COUNTED = json.loads((BENCH / "expected.json").read_text(encoding="utf-8"))
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")


def number_after(path, text):
    """The number that stands after a text of a file."""
    found = re.search(re.escape(text) + r"([\d_]+)", (ROOT / path).read_text(encoding="utf-8"))
    if not found:
        sys.exit(f"growth.toml: no number after `{text}` in {path}: it moved, and [code] has to follow")
    return float(found.group(1).replace("_", ""))


V = {name: value for name, (value, *_) in ASSUMED["values"].items()}
V |= {name: number_after(*where) for name, where in ASSUMED["code"].items()}
MIX = {name: share / 100 for name, share in ASSUMED["mix"].items()}
SHARES = [share / sum(ASSUMED["profile"]) for share in ASSUMED["profile"]]
INBOUND = MIX["changed"] + MIX["burst"] + MIX["unmapped"] + MIX["created"]
# Batches with work in them, and those of them that write to the CRM.
WORKED = MIX["changed"] + MIX["burst"] / 8 + MIX["unmapped"] + MIX["created"]
WRITTEN = WORKED - MIX["unmapped"]
OUTBOUND = MIX["outbound"] + MIX["shared"]
# Webhooks of one change: our own PATCH is announced, too.
WEBHOOKS = INBOUND + OUTBOUND
TICKS = 24 * 60 / V["poll_minutes"]


def case(name):
    """What the bench counted of a case."""
    return COUNTED[name]


def by_batch(one, ten, count, batch):
    """Between a change alone and one of ten: a part of its own, and a share of what the batch costs."""
    alone, tens = one.get(count, 0.0), ten.get(count, 0.0)
    shared = (alone - tens) / 0.9
    return alone - shared + shared / batch


def batch_seconds(batch):
    """How long a writer takes for a batch of changes: list or reads, rows to the CRM, the table."""
    return (V["partner_center_ms"] + V["crm_ms"] - V["crm_row_ms"] + V["queue_ms"] + 3 * V["table_ms"] + batch * V["crm_row_ms"]) / 1e3


def batch_at(rate):
    """Changes in one batch at so many hints with work a second: one while a writer is free, more once all are busy."""
    fixed, row = batch_seconds(0), V["crm_row_ms"] / 1e3
    left = V["writers"] - rate * row
    return min(V["batch"], max(1.0, rate * fixed / left)) if left > 0 else V["batch"]


def inbound(batch):
    """A change of Partner Center, from webhook to CRM."""
    one, ten = case("writer: changed, batch of 1, upstreams 80 + 150 ms"), case("writer: changed, batch of 10, upstreams 80 + 150 ms")
    counts = {name: by_batch(one, ten, name, batch) for name in one}
    listed = 1 / batch if batch >= V["many"] else 1.0
    return counts | {"partner_center": listed, "crm": 1 / batch, "echo": 1} | events(batch, batch_seconds(batch) / batch)


def events(batch, seconds):
    """Webhook and queue of one change, and a writer's time for it."""
    processor = by_batch({"ms": V["alone_processor_ms"]}, {"ms": V["ten_processor_ms"]}, "ms", batch)
    return {"webhooks": 1, "queue": 1 + 2 / batch, "runs": 1 + 1 / batch, "writer_s": seconds, "processor_ms": processor}


def plus(counts, others, factor=1.0):
    """Sums of counts."""
    return {name: counts.get(name, 0.0) + factor * others.get(name, 0.0) for name in counts | others}


def cases(batch):
    """Each case of the mix: what one change of it costs beside the ticks that happen anyway."""
    burst, unmapped = case("writer: burst of 8 on one referral, upstreams 80 + 150 ms"), case("writer: nothing mapped changed, batch of 1")
    created = [case(f"writer: created, batch of {n}") for n in (1, 10)]
    idle = case("poller: idle tick, upstreams 0 + 0 ms")
    again = case("writer: told again after it was settled, batch of 1") | events(batch, 3 * V["table_ms"] / 1e3)
    ten = {name: 10 * n for name, n in case("poller: tick with 10 changed, upstreams 0 + 0 ms").items()}
    tenth = {name: n / 10 for name, n in plus(ten, idle, -1).items()}
    shared = plus(case("poller: tick with a new co-sell deal"), idle, -1)
    new = {name: by_batch(*created, name, batch) for name in created[0]} | {"partner_center": 2, "crm": 1, "echo": 1}
    return {
        "changed": inbound(batch),
        "burst": burst | {"partner_center": 1 / 8, "crm": 1 / 8, "echo": 1 / 8} | events(8, batch_seconds(1) / 8),
        "unmapped": unmapped | {"partner_center": 1, "crm": 0} | events(batch, batch_seconds(0)),
        "created": new | events(batch, batch_seconds(1)),
        "outbound": plus(tenth | {"partner_center": 1, "poller_s": row_seconds()}, again),
        "shared": plus(shared | {"partner_center": shared["outside"] - shared["crm"], "poller_s": 9 * row_seconds()}, again),
    }


def row_seconds():
    """One row of the poller's feed: one PATCH and three calls to the table, after the row before it."""
    return (V["partner_center_ms"] + 3 * V["table_ms"]) / 1e3


def dollars(counts):
    """The bill of counts, as cost.rs has it: it waits as long as it waits, and computes as slowly as so little memory lets it."""
    each, lamb, deployed = PRICES["each_million"], PRICES["lambda"], PRICES["deployed"]
    got = lambda name: counts.get(name, 0.0)
    slower = lamb["megabytes_of_one_processor"] / deployed["writer_megabytes"]
    seconds = got("writer_s") + got("poller_s") + got("processor_ms") / 1e3 * slower
    ingress = (V["queue_ms"] / 2 + V["webhook_processor_ms"] * lamb["megabytes_of_one_processor"] / deployed["ingress_megabytes"]) / 1e3
    gigabyte_seconds = seconds * deployed["writer_megabytes"] / 1024 + got("webhooks") * ingress * deployed["ingress_megabytes"] / 1024
    millions = (
        got("webhooks") * each["api_requests"] + got("runs") * each["lambda_requests"] + got("queue") * each["queue_requests"]
        + got("read_units") * each["read_units"] + got("write_units") * each["write_units"] + got("scheduler") * each["scheduler_invocations"]
    )
    return millions / 1e6 + gigabyte_seconds * lamb["gigabyte_second"] + got("log_bytes") / 1e9 * PRICES["month"]["log_gigabyte"]


def rest_of_tick(rate, links):
    """What ticks of an hour cost beside an idle one, because the sweep lists again what was changed: at so many changes a second."""
    told = rate * 60 * (V["sweep_overlap_minutes"] + V["poll_minutes"])
    listed = links * -math.expm1(-told / links)
    pages = max(1, math.ceil(listed / V["page_rows"]))
    mark = math.ceil(0.3 + min(listed, V["remembered"]) * V["remembered_bytes"] / 1024)
    return {
        "partner_center": pages - 1, "outside_bytes": listed * V["listed_bytes"], "read_units": max(0.0, listed - V["remembered"]),
        "write_units": pages * mark - 1, "poller_s": (pages - 1) * V["partner_center_ms"] / 1e3,
    }


def idle_tick():
    """A tick that finds nothing."""
    idle = case("poller: idle tick, upstreams 80 + 150 ms")
    waits = (V["partner_center_ms"] + idle["crm"] * V["crm_ms"] + (idle["table_reads"] + idle["table_writes"]) * V["table_ms"]) / 1e3
    own = {"partner_center": 1, "runs": 1, "scheduler": 1, "poller_s": waits, "processor_ms": V["tick_processor_ms"]}
    return idle | own | {"queue": PRICES["deployed"]["idle_polls_a_minute"] * V["poll_minutes"]}


def daily_look(links):
    """The daily round: rows of the table by pages, one page a tick, and a look at each link from both sides."""
    rows = links * V["table_rows"]
    share = min(1.0, TICKS * V["round_rows"] / rows)
    one = inbound(V["batch"])
    looks = {
        "partner_center": 1, "crm": 1, "operations": V["look_operations"], "outside_bytes": V["look_bytes"], "queue": 0.1 + 0.2, "runs": 0.1,
        "read_units": one["read_units"] + (V["link_kilobytes"] + (V["table_rows"] - 1) * V["other_kilobytes"]) / 4,
        "writer_s": batch_seconds(1) / V["batch"], "processor_ms": V["ten_processor_ms"], "log_bytes": one["log_bytes"],
    }
    return plus({}, looks, links * share), 1 / share


def day(links, changes):
    """A day of a stack: ticks, changes hour by hour, the daily look."""
    total, batches = plus({}, idle_tick(), TICKS), 0.0
    for share in SHARES:
        rate = changes * share / 3600
        batch = batch_at(rate * WORKED)
        batches += share * batch
        for name, one in cases(batch).items():
            total = plus(total, one, changes * share * MIX[name])
        total = plus(total, rest_of_tick(rate * (1 - MIX["burst"] * 7 / 8), links), TICKS / 24)
    total["read_units"] += total.get("echo", 0) * V["echo_units"]
    looks, days = daily_look(links)
    return plus(total, looks), batches, days


def idle_month():
    """Dollars of a month in which nothing happens, by use; `fixed` comes on top."""
    return dollars(plus({}, idle_tick(), TICKS)) * DAYS


def fixed():
    """Dollars of a month whatever happens: secrets, alarms, metrics."""
    month, deployed = PRICES["month"], PRICES["deployed"]
    return sum(deployed[f"{what}s"] * month[what] for what in ("secret", "alarm", "metric", "dashboard"))


def gigabytes(links):
    """Of the table."""
    return links * (V["link_kilobytes"] + (V["table_rows"] - 1) * V["other_kilobytes"]) / 1e6


def storage(links):
    """Dollars of a month for the table and its recovery points."""
    return gigabytes(links) * (V["storage_gigabyte"] + V["recovery_gigabyte"])


def month(links, changes):
    """Dollars of a month."""
    return dollars(day(links, changes)[0]) * DAYS + fixed() + storage(links)
