"""Processes and waiting: everything is bounded, and only what was started here is stopped, by its id."""

import os
import signal
import subprocess
import sys
import time

BEGAN = time.monotonic()


def say(text):
    """A heading of the progress."""
    print(f"\n=== {text} ({time.monotonic() - BEGAN:.0f} s)", flush=True)


def limit(seconds):
    """From now on the whole run ends after so long, whatever hangs; SIGTERM ends it the same way."""

    def stop(number, _frame):
        why = f"not finished within {seconds} s" if number == signal.SIGALRM else "stopped"
        raise SystemExit(f"{why}")

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.alarm(seconds)


def until(look, good, seconds, pause=0.3):
    """Looks again until `good` says so or the time is over; the last thing seen."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if good(seen) or time.monotonic() > end:
            return seen
        time.sleep(pause)


class Processes:
    """What this run started."""

    def __init__(self):
        self.started = []

    def run(self, command, seconds, cwd=None, env=None):
        """Runs a command, its output on ours. Returns how long it took; ends the run if it fails."""
        print("$ " + " ".join(str(word) for word in command), flush=True)
        began = time.monotonic()
        # Its own group, so that a time-out also ends what it started in turn.
        child = subprocess.Popen(command, cwd=cwd, env=env, start_new_session=True, stdin=subprocess.DEVNULL)
        self.started.append(child)
        try:
            code = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"`{command[0]}` not finished within {seconds} s") from None
        self.started.remove(child)
        if code != 0:
            raise SystemExit(f"`{command[0]}` failed with exit code {code}")
        return time.monotonic() - began

    def start(self, command, log, cwd=None, env=None, reads_line=False):
        """Starts a server; its output goes to a file. With `reads_line` its first line is returned."""
        out = open(log, "wb")
        first = subprocess.PIPE if reads_line else out
        child = subprocess.Popen(
            command, cwd=cwd, env=env, start_new_session=True, stdin=subprocess.DEVNULL, stdout=first, stderr=out
        )
        self.started.append(child)
        if not reads_line:
            return child
        line = child.stdout.readline()
        if not line:
            raise SystemExit(f"`{command[0]}` said nothing; see {log}")
        return line

    def ids(self):
        return [child.pid for child in self.started]

    def stop(self):
        """Ends all of them, politely first."""
        for number, wait in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            for child in self.started:
                if child.poll() is None:
                    try:
                        os.killpg(child.pid, number)
                    except ProcessLookupError:
                        pass
            end = time.monotonic() + wait
            for child in self.started:
                try:
                    child.wait(timeout=max(0.1, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    print(f"process {child.pid} does not end", file=sys.stderr)
        self.started.clear()
