#!/usr/bin/env python3
"""Finds what comments and pages cite.

    python3 tests/citations.py

A vendor's fact is cited as `vendors/PAGE.md, *Heading*` (further ones: `, *Other*` or `and *Other*`), a page of our own as
`sync/README.md, *Heading*` or `clients/README.md, *Heading*`, also across line breaks inside a comment. Faults, each with
file and line: a page or a heading that is not there; in code a page without a heading; a section number other than an
RFC's; a page that is not in this repository. Exit: 0 none, 1 some.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / "shared"
KINDS = {".rs", ".toml", ".yaml", ".py", ".md"}

# The line break, and what begins a comment's next line.
BREAK = re.compile(r"[ \t]*\n[ \t]*(?://[/!]?|#(?!#)|>)?[ \t]*")
PAGE = re.compile(r"(?<![\w.-])((?:sync|clients)/README|(?:clients/)?vendors/[a-z0-9-]+)\.md")
HEADINGS = re.compile(r"[`)]?(?:,| and|, and) \*([^*\n]+)\*")
ABROAD = re.compile(
    r"(?<![\w/.-])(?:reference/[\w-]+\.md|(?:partner-center|dataverse|salesforce|entra|cosell-connector|local-stack"
    r"|console-and-setup|recipes|house-style|design)\.md)|\bdesign,? §|\breference,? §"
)
SECTION = re.compile(r"§")
RFC = re.compile(r"\bRFC \d+,? $")


def headings(page):
    """The headings of a page; none if there is no such page."""
    if not page.is_file():
        return None
    return set(re.findall(r"^#+ +(.+?) *$", page.read_text(encoding="utf-8"), re.MULTILINE))


def flattened(text, prose):
    """The text with line breaks as blanks, and for each character the line it came from."""
    flat, lines, at, line = [], [], 0, 1
    for found in BREAK.finditer(text):
        part = text[at : found.start()]
        flat.append(part + " ")
        lines += [line] * (len(part) + 1)
        at, line = found.end(), line + 1
        if prose:
            at = found.end() if "#" not in found.group() else found.start() + found.group().index("\n") + 1
    flat.append(text[at:])
    lines += [line] * len(text[at:])
    return "".join(flat), lines


def path_of(name):
    """`vendors/x` and `clients/vendors/x` are one page."""
    return SHARED / f"{name if name.startswith(('sync/', 'clients/')) else 'clients/' + name}.md"


def faults(file, known):
    """Line and words of each fault of a file."""
    text = file.read_text(encoding="utf-8")
    if ".md" not in text and "§" not in text:
        return
    prose = file.suffix == ".md"
    flat, lines = flattened(text, prose)
    for page in PAGE.finditer(flat):
        path, at, cited = path_of(page.group(1)), page.end(), []
        while found := HEADINGS.match(flat, at):
            cited.append(found.group(1))
            at = found.end()
        if path not in known:
            known[path] = headings(path)
        line = lines[page.start()]
        if known[path] is None:
            yield line, f"there is no page `{page.group()}`"
        elif not cited and not prose:
            yield line, f"`{page.group()}` is cited without a heading: `{page.group()}, *Heading*`"
        else:
            for heading in cited:
                if heading not in known[path]:
                    yield line, f"`{page.group()}` has no heading *{heading}*"
    if SHARED / "clients" / "vendors" not in file.parents and file != SHARED / "clients" / "README.md":
        for found in ABROAD.finditer(flat):
            yield lines[found.start()], f"`{found.group()}` is no page of this repository"
    for found in SECTION.finditer(flat):
        if not RFC.search(flat, max(0, found.start() - 20), found.start()):
            yield lines[found.start()], "a section number: cite a heading"


def tracked():
    """The files to look at: tracked ones, and new ones that are not ignored."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    files = [ROOT / name for name in names.stdout.decode().split("\0") if name]
    # This file is about section numbers, and shows them.
    return [file for file in files if file.suffix in KINDS and file.is_file() and file != Path(__file__).resolve()]


def main():
    known, count = {}, 0
    for file in tracked():
        for line, words in faults(file, known):
            print(f"{file.relative_to(ROOT)}:{line}: {words}")
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
