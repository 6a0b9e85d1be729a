#!/usr/bin/env python3
"""Every log line has the fields, types and decisions that functions/log-lines.md states.

    python3 tests/log_lines.py                   the macros in functions/ and shared/: fields and words, both ways
    python3 tests/log_lines.py FILE...           lines of a log as well, one JSON object each

Prints `file:line: what is wrong`. Exit: 0 no fault, 1 some. Standard library only, no network.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "functions/log-lines.md"
TYPES = {"text": str, "number": (int, float), "yes or no": bool}
# What the subscriber adds to each line.
ADDED = {"level", "message"}
MACRO = re.compile(r"\btracing::(?:trace|debug|info|warn|error)!\(")
DECISION = re.compile(r'(?:Ended::done|Way::Nothing)\(\s*"([^"]+)"')
# Lines of the Lambda runtime, and metrics, which have a form of their own.
OTHERS = re.compile(r"^(START|END|REPORT|INIT_START|EXTENSION|XRAY) ")


def table(heading):
    """First and second cell of each row of the page's table with this heading."""
    rows, inside = {}, False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[:1] == [heading]:
            inside = True
        elif inside and cells and cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[1]
        elif inside and not cells:
            return rows
    return rows


FIELDS, DECISIONS = table("field"), table("decision")


def macros(text):
    """Line number and argument text of each tracing macro."""
    for found in MACRO.finditer(text):
        depth, at, quoted = 1, found.end(), False
        while depth:
            if text[at] == '"' and text[at - 1] != "\\":
                quoted = not quoted
            elif not quoted:
                depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        yield text.count("\n", 0, found.start()) + 1, text[found.end() : at - 1]


def arguments(text):
    """The arguments of a macro, split at the commas of its own level; without comments."""
    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
    parts, depth, quoted = [""], 0, False
    for before, char in zip(" " + text, text):
        if char == '"' and before != "\\":
            quoted = not quoted
        if not quoted:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(char, 0)
        if char == "," and not quoted and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def of_source(path, fields, decisions):
    """Faults of one file; what it uses is added to `fields` and `decisions`."""
    text, faults = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests {")[0], []
    named = [(text.count("\n", 0, found.start()) + 1, found[1]) for found in DECISION.finditer(text)]
    for number, body in macros(text):
        for part in arguments(body):
            if part.startswith('"'):
                continue
            name = re.match(r"[%?]?([\w.]+)", part)[1]
            fields.add(name)
            if name not in FIELDS:
                faults.append((number, f"the field `{name}` is not in functions/log-lines.md"))
            if word := re.fullmatch(r'decision = "([^"]+)"', part):
                named.append((number, word[1]))
    for number, word in named:
        decisions.add(word)
        if word not in DECISIONS:
            faults.append((number, f"the decision `{word}` is not in functions/log-lines.md"))
    return [f"{path.relative_to(ROOT)}:{number}: {text}" for number, text in faults]


def of_code():
    faults, fields, decisions = [], set(ADDED), set()
    for path in sorted([*ROOT.glob("functions/*/src/**/*.rs"), *ROOT.glob("shared/*/src/**/*.rs")]):
        if "tests.rs" != path.name:
            faults += of_source(path, fields, decisions)
    unused = [("field", name) for name in FIELDS.keys() - fields]
    unused += [("decision", word) for word in DECISIONS.keys() - decisions]
    return faults + [f"{PAGE.relative_to(ROOT)}:1: no line has the {what} `{name}`" for what, name in sorted(unused)]


def of_line(line):
    """What is wrong with a line of a function's log; nothing, or a sentence each."""
    if not line.strip() or OTHERS.match(line):
        return []
    try:
        # A name that stands twice would hide one of its two values.
        pairs = json.loads(line, object_pairs_hook=list)
        names = [name for name, _ in pairs]
    except (ValueError, TypeError):
        return [f"no JSON object: {line[:200]}"]
    if "_aws" in names:
        return []
    faults = [f"`{name}` stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
    for name, value in pairs:
        if name not in FIELDS:
            faults.append(f"the field `{name}` is not in functions/log-lines.md")
        elif not isinstance(value, TYPES[FIELDS[name]]) or isinstance(value, bool) != (FIELDS[name] == "yes or no"):
            faults.append(f"`{name}` is {value!r}: expected {FIELDS[name]}")
        elif name == "decision" and value not in DECISIONS:
            faults.append(f"the decision `{value}` is not in functions/log-lines.md")
    if not {"level"} <= set(names) or not {"message", "decision", "alarm", "reason"} & set(names):
        faults.append("neither decision, alarm, reason nor message")
    return [f"{fault}: {line.strip()[:300]}" for fault in faults]


def main():
    faults = of_code()
    for name in sys.argv[1:]:
        for number, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines(), 1):
            faults += [f"{name}:{number}: {fault}" for fault in of_line(line)]
    for text in faults:
        print(text, file=sys.stderr)
    print(f"log lines: {len(FIELDS)} fields, {len(DECISIONS)} decisions, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        sys.exit()
    sys.exit(main())
