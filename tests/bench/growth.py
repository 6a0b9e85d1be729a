#!/usr/bin/env python3
"""What growth costs and where it ends: calls, bytes, table units and dollars by links and changes a day, one busy hour simulated, the limits
in their order, and how many stacks an account holds.

    python3 tests/bench/growth.py             # prints the tables as Markdown
    python3 tests/bench/growth.py --check     # fails if growth.md says otherwise
    python3 tests/bench/growth.py --update    # writes them into growth.md

Arithmetic (growth_costs.py) and a seeded simulation (growth_simulation.py): nothing is built or run. Standard library only, no network.
Exit: 0 fine, 1 a table differs.
"""

import argparse
import math
import re
import sys
from decimal import Decimal

from growth_costs import (
    ASSUMED, BENCH, DAYS, MIX, OUTBOUND, PRICES, SHARES, TEMPLATE, TICKS, V, WEBHOOKS, WRITTEN, batch_seconds, case, cases, daily_look, day,
    dollars, fixed, gigabytes, idle_month, idle_tick, month, plus, row_seconds, storage,
)
from growth_simulation import Stack

PAGE = BENCH / "growth.md"
BLOCK = re.compile(r"(<!-- growth:(\w+) -->\n).*?(<!-- /growth -->)", re.DOTALL)
LINKS, CHANGES = (100, 10_000, 1_000_000), (1, 1_000, 1_000_000)


def short(number):
    """Three digits, thousands separated."""
    if number == 0 or abs(number) >= 100:
        return f"{round(number, -max(0, len(str(int(abs(number)))) - 3)):,.0f}"
    return format(Decimal(f"{number:.2g}"), "f")


def table(head, rows):
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def case_table():
    """What one change costs, alone and in tens."""
    said = {
        "changed": "changed in Partner Center", "burst": "one of eight edits of one referral", "unmapped": "nothing mapped changed",
        "created": "new referral", "outbound": "changed in the CRM", "shared": "new co-sell deal from the CRM",
    }
    rows = []
    for name, words in said.items():
        for batch in (1, 10) if name in ("changed", "created") else (1,):
            one = cases(batch)[name]
            counts = [one.get(count, 0.0) for count in ("partner_center", "crm", "outside_bytes", "read_units", "write_units", "runs")]
            rows.append([words + (", in tens" if batch > 1 else ""), *map(short, counts), f"{dollars(one) * 1e6:.1f}"])
    head = ["case", "calls to Partner Center", "calls to the CRM", "bytes outside", "read units", "write units", "runs of Lambda", "USD a million"]
    return table(head, rows)


def grid_table():
    """Links by changes a day."""
    rows = []
    for links in LINKS:
        for changes in CHANGES:
            total, batch, _ = day(links, changes)
            brake = " ¹" if changes * max(SHARES) > links * V["own_writes_an_hour"] else ""
            bill = month(links, changes)
            processor = (total["processor_ms"] + total["webhooks"] * V["webhook_processor_ms"]) / 1e3
            rows.append([
                f"{links:,}", f"{changes:,}{brake}", f"{batch:.1f}", short(total["partner_center"]), short(total["crm"]),
                short(total["outside_bytes"] / 1e6), short(total["read_units"]), short(total["write_units"]), short(total["runs"]),
                short(processor), f"{bill:,.2f}", short(bill / DAYS / changes),
            ])
    head = ["links", "changes a day", "in a batch", "calls to Partner Center", "calls to the CRM", "MB outside", "read units", "write units",
            "runs of Lambda", "processor, s", "USD a month", "USD a change"]
    return table(head, rows)


def links_table():
    """What grows with the links alone."""
    rows = []
    for links in (100, 1_000, 10_000, 72_000, 100_000, 1_000_000):
        looks, days = daily_look(links)
        hours = max(1, links * V["table_rows"] / V["round_rows"]) * V["poll_minutes"] / 60
        rows.append([f"{links:,}", short(links * V["table_rows"]), short(hours), short(looks["crm"]), short(looks["operations"]),
                     short(looks["read_units"]), short(gigabytes(links)), f"{dollars(looks) * DAYS + storage(links):.2f}", f"{max(1, days):.1f}"])
    head = ["links", "rows of the table", "hours of one round", "looks a day: calls to each vendor", "operations of Dataverse", "read units a day",
            "GB", "USD a month", "days between two looks at a link"]
    return table(head, rows)


def parked_table():
    """What parked rows cost: all of them are read at each tick."""
    rows = []
    for parked in (100, 1_000, 10_000, 100_000):
        units = parked * V["parked_kilobytes"] / 4
        write = V["writers"] * V["batch"] / batch_seconds(V["batch"])
        bill = dollars({"read_units": units * TICKS}) * DAYS
        rows.append([f"{parked:,}", short(units), f"{units / V['partition_reads']:.1f}", f"{bill:.2f}", short(parked / write)])
    head = ["parked", "read units a tick", "seconds at 3,000 units a second", "USD a month", "seconds of five writers to try all"]
    return table(head, rows)


SCENARIOS = [
    ("1,000 a day", {"changes": 1_000}),
    ("100,000 a day", {"changes": 100_000}),
    ("300,000 a day", {"changes": 300_000}),
    ("1,000,000 a day", {"changes": 1_000_000}),
    ("the same, `WebhookRate` 100", {"changes": 1_000_000, "webhooks": 100}),
    ("2,000,000 a day, `WebhookRate` 100", {"changes": 2_000_000, "webhooks": 100}),
    ("10,000 webhooks within ten seconds", {"changes": 1_000, "at_once": 10_000}),
    ("the same, `WebhookRate` 1000", {"changes": 1_000, "at_once": 10_000, "webhooks": 1_000}),
    ("10,000 edited at once in the CRM", {"changes": 1_000, "at_once": 10_000, "bulk_edit": True}),
]


def simulated():
    """Each scenario's figures."""
    shares = {"in": MIX["changed"] + MIX["unmapped"] + MIX["created"], "burst": MIX["burst"], "out": OUTBOUND}
    for name, special in SCENARIOS:
        base = {"links": 10_000, "seconds": 600, "webhooks": V["webhook_rate"], "tick_seconds": idle_tick()["poller_s"]}
        rate = special["changes"] * max(SHARES) / 3600
        yield name, Stack(base | shares | special | {"rate": rate}, V).run()


def simulation_table():
    """Ten minutes of the busiest hour, and what follows until all is done."""
    rows = []
    for name, seen in simulated():
        first, share = max(seen["shares"].items(), key=lambda pair: pair[1])
        rows.append([name, f"{seen['done'] / seen['ended']:.2g}", f"{seen['batch']:.1f}", f"{seen['calls']:.2f}", f"{seen['age_in']:.1f}",
                     f"{seen['oldest_in']:.0f}", f"{seen['oldest_out']:.0f}", f"{seen['refused']:.0%}", f"{seen['held']:.0f}",
                     f"{seen['ended'] / 60:.0f}", f"{first}, {share:.0%}"])
    head = ["scenario", "changes a second", "hints in a batch", "reads of Partner Center for a change", "age when done, inbound, s (p99)",
            "oldest inbound, s (p99)", "oldest outbound, s (p99)", "webhooks refused", "held by the CRM, s", "all done after, min", "busiest part"]
    return table(head, rows)


def at_peak(rate, share):
    """Changes a day in whose busiest hour a share of them comes at this rate a second."""
    return rate * 3600 / max(SHARES) / share


def vendor_limits(links):
    """Limits of the vendors: changes a day, what, kind, what happens."""
    looks = daily_look(links)[0]
    crm = sum(share * cases(1)[name]["crm"] for name, share in MIX.items())
    salesforce = V["salesforce_calls"] + 1000 * V["salesforce_licences"] - TICKS * V["salesforce_feeds"] - looks["crm"]
    ticks = TICKS * case("poller: idle tick, upstreams 0 + 0 ms")["crm"]
    overlap = 60 * (V["sweep_overlap_minutes"] + V["poll_minutes"])
    execution = V["dataverse_seconds"] / 300 / (V["crm_row_ms"] / 1e3)
    reported = ("reported", "not enforced so far (unverified)")
    return [
        (at_peak(V["page_rows"] / overlap, 1), "Partner Center: what the sweep lists is more than one page of 100", "dearer",
         "one call more a tick for each hundred"),
        (salesforce / crm, f"Salesforce, Enterprise with {V['salesforce_licences']} licences: calls of 24 hours", "stops",
         "from 80 % on feeds are read each 10 min; then 403 holds both directions until calls of a day ago no longer count"),
        ((V["older_pool"] - ticks - looks["operations"]) / crm, "Dataverse: 100,000 requests of application users in 24 hours", *reported),
        ((PRICES["power_platform"]["application_users"] - ticks - looks["operations"]) / crm, "Dataverse: the same, 500,000", *reported),
        (at_peak(V["dataverse_requests"] / 300, crm), "Dataverse: 6,000 requests in 300 s, each change alone", "later",
         "429 holds the CRM; before that batches grow and need fewer"),
        (at_peak(execution, WRITTEN), "Dataverse: 1,200 s of execution in 300 s, rows of 100 ms", "later", "429 holds the CRM"),
    ]


def own_limits(links):
    """Limits of AWS and of the product: changes a day, what, kind, what happens."""
    overlap = 60 * (V["sweep_overlap_minutes"] + V["poll_minutes"])
    rows = (V["poll_seconds"] - V["poll_tail"]) / V["poll_seconds"] / row_seconds()
    tens, bench = V["writers"] * V["batch"] / batch_seconds(V["batch"]), V["writers"] * V["batch"] / V["bench_batch_s"]
    units = day(links, 1_000_000)[0]["write_units"] / 1_000_000
    spare = V["new_concurrency"] - V["writers"] - 2
    return [
        (at_peak(V["remembered"] / overlap, 1), f"the sweep remembers {V['remembered']:,.0f} states of its overlap", "dearer",
         "one read unit a tick for each further one"),
        (at_peak(V["webhook_rate"], WEBHOOKS), f"`WebhookRate`, {V['webhook_rate']:.0f} a second", "later",
         "429; the sweep brings it at a later tick. It may be set to 1,000"),
        (at_peak(rows, OUTBOUND), f"the poller, row after row: {rows:.1f} a second", "later",
         "changes of the CRM wait, and the sweep with them; alarm `behind` after 30 min"),
        (links * V["own_writes_an_hour"] / max(SHARES), f"the brake: {V['own_writes_an_hour']:.0f} writes to each link in the busiest hour", "stops",
         "the link is parked: `oscillates`"),
        (at_peak(tens, WRITTEN), f"five writers in tens, rows of 100 ms: {tens:.0f} changes a second", "later", "the queue grows"),
        (at_peak(bench, WRITTEN), f"five writers in tens of 245 ms, as the bench measured: {bench:.0f} a second", "later", "the queue grows"),
        (at_peak(spare / 0.03, WEBHOOKS), f"Lambda in a new account: {spare:.0f} of 10 runs are left for webhooks of 30 ms", "later",
         "429; the sweep brings it"),
        (at_peak(V["table_writes"], units), "DynamoDB: write units of a new table on demand, 4,000 a second", "later", "throttled while it doubles"),
        (at_peak(V["fifo_calls"], WEBHOOKS), "SQS FIFO: 2,400 calls a second", "later", "503, tried again"),
        (at_peak(V["partition_reads"] * V["batch"], WRITTEN), "DynamoDB: 3,000 read units a second of one key (holds, map), one a batch", "later",
         "throttled"),
        (math.inf, "Scheduler: two schedules a stack, whatever changes", "never",
         f"{short(V['scheduler_calls'] / (1 / 60 + 1 / 300))} stacks fill the quota of 500 a second"),
    ]


def limits():
    """All of them, the first one first, at 10,000 links."""
    return sorted(vendor_limits(10_000) + own_limits(10_000))


def limit_table():
    """The limits of a stack in their order, then those of one link."""
    one = V["batch"] / batch_seconds(1)
    units = case("writer: changed, batch of 1, upstreams 0 + 0 ms")["write_units"]
    link = [
        (V["own_writes_an_hour"] * 24, "the brake: writes of ours to one link"),
        (one * 86400, "its hints, ten at a time, one batch after the other"),
        (V["partition_writes"] / units * 86400, f"DynamoDB: 1,000 write units a second of its row, {units:.0f} a change"),
        (V["fifo_group_calls"] * 86400, "SQS: 300 calls a second of its message group"),
    ]
    whole = table(["changes a day", "limit", "kind", "what happens"], [["-" if at == math.inf else short(at), *words] for at, *words in limits()])
    return whole + "\n" + table(["of one link, a day", "limit"], [[short(at), words] for at, words in sorted(link)])


def results():
    """What the tables come to."""
    stopping = [(at, what) for at, what, kind, _ in limits() if kind in ("later", "stops")]
    first = stopping[0]
    dynamics = next(pair for pair in stopping if not pair[1].startswith("Salesforce"))
    vendor = next(pair for pair in stopping if pair[1].startswith("Dataverse"))
    idle = month(10_000, 1e-6)
    alone, busy = ((month(10_000, changes) - idle) / DAYS * 1e6 / changes for changes in (1_000, 1e6))
    rows = TICKS * V["round_rows"] / V["table_rows"]
    return (
        f"- First limit with Salesforce: {first[1].removeprefix('Salesforce, ')}, at {short(first[0])} changes a day.\n"
        f"- First limit with Dynamics 365: {dynamics[1]}, at {short(dynamics[0])} changes a day; it delays and loses nothing.\n"
        f"- First limit that Microsoft enforces: {vendor[1].removeprefix('Dataverse: ')}, at {short(vendor[0])} changes a day.\n"
        f"- First limit by links: from {short(rows)} links on, closed ones included, the daily look takes longer than a day.\n"
        f"- An idle month costs {idle_month() + fixed():.2f} USD without links and {idle:.2f} USD with 10,000.\n"
        f"- A million changes cost {alone:.2f} USD more at 1,000 a day, and {busy:.2f} USD at a million a day.\n"
        f"- One account holds {most_stacks()} stacks by its first quota: 1,000 tenants are {math.ceil(1000 / most_stacks())} accounts.\n"
    )


def account():
    """Stacks that an account holds in one region, by each quota."""
    rows = []
    for what, (quota, words) in ASSUMED["account"].items():
        count = {"stack": 1, "secret": PRICES["deployed"]["secrets"], "concurrent runs": int(V["writers"]) + 3}.get(what)
        count = count or len(re.findall(rf"Type: {what}\b", TEMPLATE))
        rows.append((quota // count, what, count, quota, words))
    return sorted(rows)


def most_stacks():
    """By the first quota that a deployment meets."""
    return min(stacks for stacks, what, *_ in account() if what != "concurrent runs")


def tenant_table():
    """Quotas of an account, then a month of 1,000 idle tenants in four shapes."""
    polls = PRICES["deployed"]["idle_polls_a_minute"] * 60 * 24 * DAYS * PRICES["each_million"]["queue_requests"] / 1e6
    secrets = PRICES["deployed"]["secrets"] * PRICES["month"]["secret"]
    slow, alarms = polls + (idle_month() - polls) / 15, fixed() - secrets
    accounts = math.ceil(1000 / most_stacks())
    shapes = [
        ("a stack each, as shipped", 1000 * (idle_month() + fixed())),
        ("a stack each, `PollSchedule` 15 minutes", 1000 * (slow + fixed())),
        ("a stack each, one set of alarms and metrics for each account (not shipped)", 1000 * (idle_month() + secrets) + accounts * alarms),
        ("one stack, tenants by key prefix (does not exist)", 1000 * (idle_month() - polls + secrets) + polls + alarms),
    ]
    code = lambda what: f"`{what}`" if ":" in what else what
    quotas = [[f"{stacks:,}", code(what), count, f"{quota:,}", words] for stacks, what, count, quota, words in account()]
    shown = table(["stacks", "quota", "in a stack", "in an account", ""], quotas)
    bills = table(["1,000 idle tenants", "USD a month"], [[words, f"{bill:,.0f}"] for words, bill in shapes])
    minutes = idle_tick()["poller_s"] * 1000 / 60
    most = V["poll_seconds"] / 60
    poller = f"One poller that asks 1,000 tenants in turn needs {minutes:.0f} minutes for an idle tick; it is stopped after {most:.0f}.\n"
    return f"{shown}\n{bills}\n{poller}"


def assumption_table():
    """Every assumed value with its source."""
    rows = [[f"{value:,}", what, source] for value, what, source in ASSUMED["values"].values()]
    return table(["value", "what", "source"], rows)


TABLES = {
    "results": results, "cases": case_table, "grid": grid_table, "links": links_table, "parked": parked_table, "simulation": simulation_table,
    "limits": limit_table, "tenants": tenant_table, "assumptions": assumption_table,
}


def stale(page, made):
    """The blocks of the page that are missing or differ from what is computed."""
    shown = {found.group(2): found.group(0) for found in BLOCK.finditer(page)}
    return [name for name, text in made.items() if shown.get(name) != f"<!-- growth:{name} -->\n{text}<!-- /growth -->"]


def main():
    """Prints, compares or writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the tables of growth.md with what is computed")
    parser.add_argument("--update", action="store_true", help="write them into growth.md")
    asked = parser.parse_args()
    made = {name: make() for name, make in TABLES.items()}
    if not (asked.check or asked.update):
        print("\n".join(f"## {name}\n\n{text}" for name, text in made.items()))
        return 0
    page = PAGE.read_text(encoding="utf-8")
    if asked.update:
        page = BLOCK.sub(lambda block: f"{block.group(1)}{made[block.group(2)]}{block.group(3)}", page)
        PAGE.write_text(page, encoding="utf-8")
    differ = stale(page, made)
    for name in differ:
        print(f"tests/bench/growth.md: block `{name}` is not what is computed: python3 tests/bench/growth.py --update", file=sys.stderr)
    print(f"growth.md: {len(made)} tables, {len(differ)} differ" if differ else f"growth.md: {len(made)} tables as computed")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
