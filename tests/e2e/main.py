"""From nothing to a table: starts everything, deploys, plays, prints, and stops what it started."""

import argparse
import json
import os
import sys
import time
import traceback

import build
import command_line
from build import ROOT, WORK
import dynamics365
import salesforce
from plays import Plays
from processes import Processes, limit, say
from stack import Stack
from vendors import Simulators

SIMULATORS = ["cargo", "run", "--quiet", "--locked", "-p", "simulators", "--bin", "simulators"]


CRMS = {"dynamics365": dynamics365.Crm, "salesforce": salesforce.Crm}


def prepare(processes, times, crm):
    say("simulators: compiling")
    command = ["cargo", "build", "--locked", "-p", "simulators", "--bin", "simulators"]
    times["simulators compiled"] = processes.run(command, 1200, cwd=ROOT)
    say("cosell: compiling")
    times["cosell compiled"] = processes.run(command_line.BUILD, 1200, cwd=ROOT)
    line = processes.start(SIMULATORS, WORK / "simulators.log", cwd=ROOT, reads_line=True)
    addresses = json.loads(line)
    simulators, crm = Simulators(addresses), CRMS[crm](addresses)
    stack = Stack(processes)
    times["functions compiled"], times["sam build"] = build.functions(processes, build.HOST)
    say(f"MiniStack: starting on {stack.url}")
    stack.start()
    crm.unprovision()
    say("consent")
    simulators.consent()
    say("stack: sam deploy")
    times["sam deploy"] = stack.deploy(simulators, crm)
    return stack, simulators, crm


def play(plays):
    plays.deployed()
    plays.unsigned()
    referral = plays.inbound()
    plays.outbound()
    plays.poison(referral)
    plays.outage(referral)
    plays.lost(referral)
    command_line.play(plays, referral)
    plays.stillness()
    plays.logs()


def table(rows):
    """step | expected | seen | ok"""
    shown = [("step", "expected", "seen", "ok")]
    shown += [(step, brief(expected), brief(seen), "ok" if ok else "NOT OK") for step, expected, seen, ok in rows]
    widths = [max(len(row[n]) for row in shown) for n in range(3)]
    for row in shown:
        print(" | ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[3]]))


def brief(value):
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--crm", default="dynamics365", choices=CRMS)
    arguments.add_argument("--keep", action="store_true")
    arguments = arguments.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    # Nothing of the caller's own AWS account: not even a profile's name.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    limit(int(os.environ.get("E2E_SECONDS", "2400")))
    processes, times, began = Processes(), {}, time.monotonic()
    stack, plays, failed = None, None, True
    try:
        stack, simulators, crm = prepare(processes, times, arguments.crm)
        plays = Plays(stack, simulators, crm)
        say("playing")
        played = time.monotonic()
        play(plays)
        times["played"] = time.monotonic() - played
        failed = not all(row[3] for row in plays.rows)
    except (Exception, KeyboardInterrupt):
        traceback.print_exc()
    except SystemExit as stopped:
        print(f"\ngave up: {stopped}", file=sys.stderr)
    finally:
        if plays:
            say("result")
            table(plays.rows)
        if failed and plays:
            say("logs of the functions")
            report(stack)
        print("\n".join(build.sizes(build.HOST)))
        print(", ".join(f"{name} {took:.0f} s" for name, took in times.items()), end="; ")
        print(f"all {time.monotonic() - began:.0f} s: {'FAILED' if failed else 'ok'}", flush=True)
        if arguments.keep and plays:
            keep(stack, simulators, crm, processes)
        else:
            processes.stop()
    return 1 if failed else 0


def report(stack):
    try:
        stack.logs()
    except Exception as fault:  # the first failure matters more than this one
        print(f"no logs: {fault!r}; see {WORK / 'ministack.log'}")


def keep(stack, simulators, crm, processes):
    print(f"""
left running:
  AWS             {stack.url} (AWS_ENDPOINT_URL, key and secret `test`)
  webhook         {stack.webhook()}
  Partner Center  {simulators.partner_center}/_sim/state
  {crm.name:<15} {crm.url}/_sim/state
stop with: kill {" ".join(str(number) for number in processes.ids())}""")


if __name__ == "__main__":
    sys.exit(main())
