#!/usr/bin/env python3
"""The tables of the documents say what the template, the commands and the configuration say.

    python3 tests/facts.py

Compared both ways: parameters, defaults and outputs of `template.yaml` with `functions/README.md`; the admin function's usage
with `functions/admin/README.md`; the commands of `cosell` with its page; the variables that `shared/clients/src/config*.rs`
reads for a function with those that the template sets for it; planted bugs with the promises of the protocol that they break.
Tests that the promises and `tests/scenarios/README.md` name are there. Figures in `tests/README.md` carry the date and commit
they were measured at, or `each run`. Prints `file:line: what is wrong`. Exit: 0 no fault, 1 some. Standard library only, no
network.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The configuration that each function reads.
CONFIGURATION = {"Ingress": "Ingress", "Writer": "Worker", "Poller": "Worker", "Admin": "Admin", "AdminLook": "Admin"}
# Variables in which `Admin` and `AdminLook` may differ; all others are the same.
DIFFER = {"ADMIN_RIGHT", "CRM_ADMIN_SECRET_ARN"}
# Variables that the code reads already and the template does not set yet. To become empty.
NOT_SET_YET = set()
# Pages that stay short, with their number of lines.
LONGEST = {"README.md": 150, "tests/README.md": 80}
STAMP = re.compile(r"\((\d{4}-\d{2}-\d{2}), (?:commit )?`([0-9a-f]{7,40})`|\(each run[);:]")
DATE = re.compile(r"\b20\d{2}-\d{2}-\d{2}\b")

faults = []
# Variables of NOT_SET_YET that are still not set.
awaited = set()


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def lines(path):
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def section(path, heading):
    """Number and text of each line below a heading, down to the next one of its level; a heading that is not there is a
    fault."""
    found, level = [], None
    for number, line in enumerate(lines(path), 1):
        if level and re.match(rf"#{{1,{level}}} ", line):
            return found
        if level:
            found.append((number, line))
        elif line.strip("# ") == heading and line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
    if not level:
        fault(path, 1, f"no heading *{heading}*")
    return found


def cells(line):
    """The cells of a table's row; a `\\|` belongs to its cell."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def rows(numbered, *headers):
    """Line and cells of the rows of each table whose first header is one of these."""
    inside = False
    for number, line in numbered:
        if not line.startswith("|"):
            inside = False
        elif not inside and cells(line)[0] in headers:
            inside = True
        elif inside and not line.startswith("|---"):
            yield number, cells(line)


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def compare(left, right, left_path, right_path, what):
    """Names with their lines, both ways."""
    for name in left.keys() - right.keys():
        fault(left_path, left[name], f"{what} `{name}` is missing in {right_path}")
    for name in right.keys() - left.keys():
        fault(right_path, right[name], f"{what} `{name}` is not in {left_path}")


# --- the template --------------------------------------------------------------------------------------------------------


def blocks(part):
    """Each entry of a part of the template: name, line, and its lines."""
    found, inside = {}, False
    for number, line in enumerate(lines("template.yaml"), 1):
        if re.match(r"\S", line) and not line.startswith("#"):
            inside = line.startswith(f"{part}:")
        elif inside and (entry := re.match(r"  (\w+):\s*$", line)):
            found[entry.group(1)] = (number, current := [])
        elif inside and found:
            current.append((number, line))
    if not found:
        fault("template.yaml", 1, f"no part `{part}`")
    return found


def folded(block, key):
    """The text of a key: on its line, or folded on the lines below it; `None`: there is no such key."""
    for at, (_, line) in enumerate(block):
        if not (found := re.match(rf"(\s+){key}:\s*(.*)$", line)):
            continue
        if not found.group(2).startswith((">", "|")):
            return found.group(2).strip("\"'")
        deeper = found.group(1) + " "
        below = []
        for _, further in block[at + 1 :]:
            if not further.startswith(deeper):
                break
            below.append(further.strip())
        return " ".join(below)
    return None


def variables(block):
    """The variables that an entry sets, with value and line."""
    found, depth = {}, None
    for number, line in block:
        indent = len(line) - len(line.lstrip())
        if depth is None:
            depth = indent if line.strip() == "Variables:" else None
        elif line.strip() and indent <= depth:
            depth = None
        elif entry := re.match(r"\s+([A-Z][A-Z0-9_]*):\s*(.*)$", line):
            found[entry.group(1)] = (entry.group(2), number)
    return found


def parameters():
    path, template = "functions/README.md", blocks("Parameters")
    page = {}
    for number, row in rows(section(path, "Parameters"), "parameter"):
        for name in names(row[0]):
            page[name] = number
            if name in template:
                default = folded(template[name][1], "Default")
                wanted = {"-": None, "none": ""}.get(row[1], ",".join(names(row[1])))
                if default != wanted:
                    fault(path, number, f"default of `{name}`: here {row[1]}, in template.yaml {default!r}")
    compare({name: at for name, (at, _) in template.items()}, page, "template.yaml", path, "parameter")
    grouped = {}
    inside = False
    for number, line in enumerate(lines("template.yaml"), 1):
        if line.startswith("Parameters:"):
            break
        inside = inside and not re.match(r"\s+- Label:", line) or bool(re.match(r"\s+Parameters:", line))
        if inside:
            grouped.update({name: number for name in re.findall(r"\b[A-Z]\w+\b", line.replace("Parameters:", ""))})
    for name, (number, block) in template.items():
        if name not in grouped:
            fault("template.yaml", number, f"parameter `{name}` is in no group of `ParameterGroups`")
        if "Example:" not in (folded(block, "Description") or ""):
            fault("template.yaml", number, f"the description of `{name}` has no `Example:`")


def outputs():
    path = "functions/README.md"
    page = {name: number for number, row in rows(section(path, "Outputs"), "output") for name in names(row[0])}
    compare({name: at for name, (at, _) in blocks("Outputs").items()}, page, "template.yaml", path, "output")


# --- commands ------------------------------------------------------------------------------------------------------------


def admin_commands():
    source, path = "functions/admin/src/command.rs", "functions/admin/README.md"
    usage, inside = {}, False
    for number, line in enumerate(lines(source), 1):
        inside = inside or "const USAGE" in line
        if inside and (name := re.match(r"  ([a-z]+)(\s|$)", line)):
            usage[name.group(1)] = number
        if inside and line.endswith('";'):
            break
    tables = rows(section(path, "Commands"), "only reads", "acts", "command")
    page = {name: number for number, row in tables for name in names(row[0])}
    compare(usage, page, source, path, "command")


def kebab(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def variants(files, enum):
    """The words of a clap enum: word, the enum of its own subcommands if it has some, file and line."""
    for file in files:
        inside, attributes = False, ""
        for number, line in enumerate(lines(file), 1):
            if re.match(rf"(pub(\(\w+\))? )?enum {enum}\b", line):
                inside = True
            elif inside and line.startswith("}"):
                return
            elif inside and re.match(r"    #\[", line):
                attributes += line
            elif inside and (variant := re.match(r"    ([A-Z]\w*)(?:\((?:\w+::)*(\w+)\)| \{|,|$)", line)):
                named = re.search(r'\bname = "([^"]+)"', attributes)
                if "hide = true" not in attributes:
                    below = variant.group(2) if "subcommand" in attributes else None
                    yield named.group(1) if named else kebab(variant.group(1)), below, file, number
                attributes = ""


def console_commands():
    folders = ["shared/console/src", "shared/cosell/src"]
    files = [str(p.relative_to(ROOT)) for f in folders for p in sorted((ROOT / f).rglob("command*.rs"))]
    files += [str(p.relative_to(ROOT)) for f in folders for p in sorted((ROOT / f).rglob("command/**/*.rs"))]
    pages = [p for p in ("shared/cosell/README.md", "shared/console/README.md") if (ROOT / p).is_file()]
    code = {}
    for word, below, file, number in variants(files, "Command"):
        if below:
            for second, _, file, number in variants(files, below):
                code[f"{word} {second}"] = (file, number)
        else:
            code[word] = (file, number)
    if not code:
        fault("shared/console/src/command.rs", 1, "no enum `Command`")
    seen = {}
    for path in pages:
        if "## Commands" not in lines(path):
            continue
        for number, row in rows(section(path, "Commands"), "command"):
            for text in names(row[0]):
                words = text.replace("\\|", "|").split()
                pair = " ".join(words[:2])
                seen[pair if any(known.split()[0] == words[0] and " " in known for known in code) else words[0]] = (path, number)
    for command in code.keys() - seen.keys():
        fault(*code[command], f"command `{command}` is missing in {' and '.join(pages)}")
    for command in seen.keys() - code.keys():
        fault(*seen[command], f"command `{command}` is not in the enum `Command`")


# --- variables -----------------------------------------------------------------------------------------------------------


def configuration():
    """For each function of the configuration's files: the variables that it names, and the functions that it calls."""
    found = {}
    files = [ROOT / "shared/clients/src/config.rs", *sorted((ROOT / "shared/clients/src/config").rglob("*.rs"))]
    for file in files:
        path, owner, name = str(file.relative_to(ROOT)), None, None
        for number, line in enumerate(lines(path), 1):
            if path.endswith("tests.rs") or line.startswith("mod tests"):
                break
            if impl := re.match(r"impl(?:<[^>]*>)? (?:\w+ for )?(\w+)", line):
                owner = impl.group(1)
            if line.startswith("}"):
                owner = name = None
            if function := re.match(r"\s*(?:pub(?:\([^)]*\))? )?fn (\w+)", line):
                name = (owner, function.group(1))
                found[name] = ([], set())
            if name and not line.lstrip().startswith("//"):
                found[name][0].extend((v, path, number) for v in re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"', line))
                calls = {(o, f) for o, f in re.findall(r"\b([A-Z]\w+)::(\w+)\(", line)}
                found[name][1].update(calls | {("Reader", f) for f in re.findall(r"\b(?:reader|self)\.(\w+)\(", line)})
    return found


def read_by(functions, start):
    """The variables that a function and all it calls name."""
    todo, seen, named = [start], set(), {}
    while todo:
        at = todo.pop()
        if at in functions and at not in seen:
            seen.add(at)
            named.update({name: (path, number) for name, path, number in functions[at][0]})
            todo += functions[at][1]
    return named


def environment():
    code, resources = configuration(), blocks("Resources")
    of_all, used = variables([(n, line) for n, line in enumerate(lines("template.yaml"), 1) if n < of_resources()]), set()
    for name, kind in CONFIGURATION.items():
        if name not in resources:
            if name != "AdminLook":
                fault("template.yaml", 1, f"no function `{name}`")
            continue
        number, block = resources[name]
        sets, reads = of_all | variables(block), read_by(code, (kind, "read"))
        if not reads:
            fault("shared/clients/src/config.rs", 1, f"no variable is found that `{kind}::read` reads")
        for variable in sorted(reads.keys() - sets.keys()):
            path, at = reads[variable]
            if variable in NOT_SET_YET:
                awaited.add(variable)
                continue
            fault(path, at, f"`{variable}` is read by `{name}`, and template.yaml does not set it there")
        for variable in sorted(sets.keys() - reads.keys()):
            if variable not in of_all:
                fault("template.yaml", sets[variable][1], f"`{variable}` is set for `{name}`, which does not read it")
        used |= reads.keys()
    for variable in sorted(of_all.keys() - used):
        fault("template.yaml", of_all[variable][1], f"`{variable}` is set for all functions, and none reads it")
    if "AdminLook" in resources:
        look, act = variables(resources["AdminLook"][1]), variables(resources["Admin"][1])
        for variable in sorted((look.keys() | act.keys()) - DIFFER):
            if look.get(variable, (None,))[0] != act.get(variable, (None,))[0]:
                at = (look.get(variable) or act.get(variable))[1]
                fault("template.yaml", at, f"`{variable}` differs between `Admin` and `AdminLook`")


def of_resources():
    """The line at which the resources begin: what is set before it is set for all functions."""
    return next((n for n, line in enumerate(lines("template.yaml"), 1) if line.startswith("Resources:")), 0)


# --- figures -------------------------------------------------------------------------------------------------------------


def figures():
    path = "tests/README.md"
    for number, row in rows(enumerate(lines(path), 1), "statement"):
        if re.search(r"(?<!\w)\d", row[1]) and not STAMP.search(row[1]):
            fault(path, number, "a figure without *(DATE, `COMMIT`)* or *(each run)*")
        if len(DATE.findall(row[1])) != len([date for date, _ in STAMP.findall(row[1]) if date]):
            fault(path, number, "a date without its commit: *(DATE, `COMMIT`)*")
    shallow = git("rev-parse", "--is-shallow-repository").strip() != "false"
    for page in git("ls-files", "tests/README.md", "tests/*/README.md").splitlines():
        for number, line in enumerate(lines(page), 1):
            for date, commit in STAMP.findall(line):
                if commit and not shallow and not git("cat-file", "-t", commit).startswith("commit"):
                    fault(page, number, f"`{commit}` ({date}) is no commit of this repository")
    for page, longest in LONGEST.items():
        if len(lines(page)) > longest:
            fault(page, longest + 1, f"{len(lines(page))} lines, more than {longest}")


# --- tests and bugs ------------------------------------------------------------------------------------------------------


def planted():
    """The planted bugs, each with its file and line."""
    found = {path.stem: (str(path.relative_to(ROOT)), 1) for path in sorted((ROOT / "tests/model/bugs").glob("*.toml"))}
    source, inside = "shared/sync/src/planted.rs", False
    if (ROOT / source).is_file():
        for number, line in enumerate(lines(source), 1):
            inside = line.startswith("bugs! {") or inside and not line.startswith("}")
            if inside and (name := re.match(r"    ([A-Z]\w+),$", line)):
                found[name.group(1)] = (source, number)
    return found


def promises():
    """Each planted bug and each test that a page names is there, and each bug breaks a promise."""
    path, bugs, named = str(Path("shared", "sync", "README.md")), planted(), {}
    for number, row in rows(section(path, "Invariants"), ""):
        named.update({name: number for name in names(row[3])})
    for bug in bugs.keys() - named.keys():
        fault(*bugs[bug], f"planted bug `{bug}` breaks no promise of {path}")
    for bug in named.keys() - bugs.keys():
        fault(path, named[bug], f"`{bug}` is no planted bug")
    for number, line in enumerate(lines("tests/README.md"), 1):
        for count in re.findall(r"(\d+) planted bugs", line):
            if int(count) != len(bugs):
                fault("tests/README.md", number, f"{count} planted bugs, and there are {len(bugs)}")
    there = {name for file in git("ls-files", "-co", "--exclude-standard", "tests/*.rs").splitlines() if (ROOT / file).is_file()
             for name in re.findall(r"\bfn (\w+)", (ROOT / file).read_text(encoding="utf-8"))}
    for page in (path, "tests/scenarios/README.md"):
        for number, line in enumerate(lines(page), 1):
            # Of a promise the last cell; a row of the scenarios' page is of tests throughout.
            for name in names(line if page != path else cells(line)[-1] if line.startswith("| P") else ""):
                if not (test := re.fullmatch(r"(?:\w+::)*([a-z0-9]+(?:_[a-z0-9]+){2,})(_?…)?(\w*)", name)):
                    continue
                start, cut, end = test.groups()
                if not any(fn == start or cut and fn.startswith(start) and fn.endswith(end) for fn in there):
                    fault(page, number, f"there is no test `{name}`")


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout


def main():
    for check in (parameters, outputs, admin_commands, console_commands, environment, figures, promises):
        check()
    for text in sorted(set(faults)):
        print(text, file=sys.stderr)
    for variable in sorted(NOT_SET_YET):
        print(f"`{variable}`: " + ("read, and not set yet" if variable in awaited else "is set: take it off NOT_SET_YET"))
    print("facts: " + (f"{len(set(faults))} faults" if faults else "the pages agree with template, commands and configuration"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
