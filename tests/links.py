"""Every relative link and anchor of a tracked Markdown file leads somewhere, and no line of prose is too long to read.

    python3 tests/links.py

Prints `file:line: what is wrong` for each fault. Exit code: 0 none, 1 some. Standard library only, no network: links with a
scheme are left alone. A file counts as there if git tracks it, or would: what is not ignored.
"""

import re
import subprocess
import sys
import urllib.parse
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 200
FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s+<?([^\s>]+)>?")
ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*:|^//")


def tracked():
    """Paths below the root, with every folder that holds one."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    files = {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    return files, folders


def prose(text):
    """Number and text of each line outside fenced code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def bare(line):
    """A line without its code spans."""
    return re.sub(r"(`+)(?:(?!\1).)+?\1", lambda code: " " * len(code.group()), line)


def anchors(text):
    """What GitHub makes of the headings: lower case, no punctuation, hyphens, a number from the second one on."""
    found, seen = set(), {}
    for _, line in prose(text):
        found.update(ANCHOR.findall(line))
        heading = HEADING.match(line)
        if not heading:
            continue
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        times = seen.get(slug, 0)
        seen[slug] = times + 1
        found.add(f"{slug}-{times}" if times else slug)
    return found


def leads_nowhere(target, page, pages, files, folders):
    """Why a link does not work; `None`: it does, or is none of ours."""
    if SCHEME.match(target):
        return None
    path, _, anchor = urllib.parse.unquote(target).partition("#")
    place = page
    if path:
        parts = [] if path.startswith("/") else list(PurePosixPath(page).parent.parts)
        for part in PurePosixPath(path.lstrip("/")).parts:
            if part != "..":
                parts.append(part)
            elif parts:
                parts.pop()
            else:
                return f"`{target}` leaves the repository"
        place = "/".join(parts) or "."
        if place not in files and place not in folders:
            return f"`{target}` is not there"
    if anchor and place in pages and anchor not in pages[place]:
        return f"`{target}`: `{place}` has no heading `#{anchor}`"
    if anchor and place not in pages:
        return f"`{target}`: only pages have anchors"
    return None


def faults(page, text, pages, files, folders):
    for number, line in prose(text):
        shown = bare(line)
        for target in LINK.findall(shown) + REFERENCE.findall(shown):
            wrong = leads_nowhere(target, page, pages, files, folders)
            if wrong:
                yield number, wrong
    for number, line in enumerate(text.splitlines(), 1):
        length = len(re.sub(r"\]\([^)]*\)|https?://\S+", "", line))
        if length > LONGEST and not line.lstrip().startswith("|"):
            yield number, f"a line of {length} characters, more than {LONGEST}"


def main():
    files, folders = tracked()
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(files) if name.endswith(".md")}
    pages = {name: anchors(text) for name, text in texts.items()}
    wrong = [(page, *fault) for page, text in texts.items() for fault in faults(page, text, pages, files, folders)]
    for page, number, what in wrong:
        print(f"{page}:{number}: {what}", file=sys.stderr)
    print(f"{len(texts)} pages: " + (f"{len(wrong)} faults" if wrong else "every link leads somewhere"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
