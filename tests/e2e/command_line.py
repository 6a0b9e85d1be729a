"""What an administrator does at the deployed stack: the command line `cosell`, and the function that only looks."""

import json
import subprocess

from build import ROOT
from stack import STACK

BUILD = ["cargo", "build", "--locked", "-p", "cosell", "--features", "aws", "--bin", "cosell"]
BINARY = ROOT / "target/debug/cosell"
LOOKS = ["overview", "deals", "parked", "acts", "doctor"]


class CommandLine:
    def __init__(self, stack):
        self.stack = stack

    def run(self, *words):
        """Exit code and both outputs of a command at the stack."""
        command = [str(BINARY), "--stack", STACK, *words]
        done = subprocess.run(command, env=self.stack.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def code(self, *words):
        code, _out, err = self.run(*words)
        return code if code == 0 else f"{code}: {err.strip()[-300:]}"

    def data(self, *words):
        """The data of its answer as JSON."""
        code, out, err = self.run(*words, "--json")
        return json.loads(out)["data"] if out else f"{code}: {err.strip()[-300:]}"


def play(plays, referral):
    """Everything that only looks by either function, and one act with who asked for it."""
    stack, line = plays.stack, CommandLine(plays.stack)
    looked = {command: stack.admin(command, output="AdminLookFunction") for command in LOOKS}
    faults = {name: told["lines"] for name, told in looked.items() if not told["ok"]}
    plays.expect("8 the function that only looks answers", {}, faults)
    sides = stack.admin("explain", output="AdminLookFunction", referral=referral, sides="yes")
    plays.expect("8 ... a deal with both sides", True, sides["ok"])
    previewed = stack.admin("preview", output="AdminLookFunction", referral=referral)
    plays.expect("8 ... and what would be written", True, previewed["ok"])
    refused = stack.admin("look", output="AdminLookFunction", referral=referral)
    plays.expect("8 ... and does nothing else", (False, True), (refused["ok"], "only looks" in refused["lines"][0]["text"]))
    for words in (["overview"], ["deals"], ["parked"], ["doctor"], ["explain", referral], ["preview", referral]):
        plays.expect(f"8 cosell {words[0]}", 0, line.code(*words))
    deals = line.data("deals")
    ids = [deal["referral"] for deal in deals["deals"]] if isinstance(deals, dict) else deals
    plays.expect("8 cosell deals --json lists it", True, referral in ids)
    plays.expect("8 cosell look", 0, line.code("look", referral, "--yes"))
    acts = line.data("acts")
    last = acts["acts"][0] if isinstance(acts, dict) and acts["acts"] else {"command": acts}
    plays.expect("8 ... stands with who asked", ("look", True), (last["command"], "proven: arn:" in last.get("who", "")))
    plays.expect("8 a deal that is none: usage", 2, line.run("explain", "nothing")[0])
    plays.expect("8 no question without a terminal", 2, line.run("disconnect", referral)[0])
    plays.quiet("8 the queue is empty")
