"""CloudWatch's filter patterns of JSON lines and its metric expressions, as far as template.yaml uses them. What is not
known here is refused loudly: it has to be added with what AWS's page says of it."""

import re
from collections import defaultdict

CONDITION = re.compile(r'\$\.([A-Za-z_]+) (=|!=) (\*|"[^"*]*")')
EXPRESSION = re.compile(r"(IF|AND|FILL|[a-z]+|[0-9]+|>=|[>+*(),]|\s+)+")
FILL = re.compile(r"FILL\(([a-z]+), ([0-9]+)\)")


def matches(pattern, line):
    """Whether a line, an object, is one of the pattern's."""
    inner = re.fullmatch(r"\{ (.+) \}", pattern)
    if not inner:
        raise SystemExit(f"filter pattern {pattern!r}: only {{ … }} is known here")
    return all([holds(condition, line, pattern) for condition in inner.group(1).split(" && ")])


def holds(condition, line, pattern):
    known = CONDITION.fullmatch(condition)
    if not known or (known[2], known[3]) == ("!=", "*"):
        raise SystemExit(f"filter pattern {pattern!r}: {condition!r} is not known here")
    name, operator, wanted = known.groups()
    if wanted == "*":
        return name in line
    if operator == "!=":
        # AWS does not say what becomes of a line without it: our patterns must not depend on that.
        if name not in line and "decision" in line:
            raise SystemExit(f"filter pattern {pattern!r}: a line with a decision has no {name}: {line}")
        return name in line and line[name] != wanted[1:-1]
    return line.get(name) == wanted[1:-1]


def sums(filters, lines):
    """The sums that filters (as in the template) make of lines (log, object): by metric's name and cause."""
    found = defaultdict(int)
    for log, line in lines:
        for one in filters:
            [made] = one["MetricTransformations"]
            if one["LogGroupName"] != log:
                continue
            key = (made["MetricName"], cause(made, line))
            if matches(one["FilterPattern"], line):
                found[key] += int(made["MetricValue"])
            elif "DefaultValue" in made:
                found[key] += int(made["DefaultValue"])
    return dict(found)


def cause(made, line):
    """The value of a filter's one dimension, if it has one."""
    dimensions = made.get("Dimensions", [])
    if not dimensions:
        return None
    if "DefaultValue" in made or [one["Key"] for one in dimensions] != ["Cause"]:
        raise SystemExit(f"metric filter: dimensions {dimensions} are not known here")
    return line.get(dimensions[0]["Value"].removeprefix("$."))


def computed(expression, values):
    """What a metric expression comes to; None where one of its metrics has no value that FILL does not fill. AWS's page
    takes a missing value as 0 in sums and comparisons, and says nothing of a metric without any: our expressions must not
    depend on that. Nor on what FILL makes of a period in which none of the metrics has a value: None here."""
    if not EXPRESSION.fullmatch(expression):
        raise SystemExit(f"metric expression {expression!r} is not known here")
    known = {name: values.get(name) for name in re.findall(r"[a-z]+", expression)}
    if all(value is None for value in known.values()):
        return None
    filled = FILL.sub(lambda one: one[2] if known[one[1]] is None else one[1], expression)
    if "FILL" in filled:
        raise SystemExit(f"metric expression {expression!r}: only FILL(metric, number) is known here")
    if any(known[name] is None for name in re.findall(r"[a-z]+", filled)):
        return None
    python = re.sub(r"\bIF\(", "choice(", filled).replace("AND", "and")
    return eval(python, {"__builtins__": {}, "choice": lambda yes, one, other: one if yes else other}, known)


def breaches(value, operator, threshold):
    compare = {
        "GreaterThanThreshold": lambda: value > threshold,
        "GreaterThanOrEqualToThreshold": lambda: value >= threshold,
        "LessThanThreshold": lambda: value < threshold,
        "LessThanOrEqualToThreshold": lambda: value <= threshold,
    }
    return compare[operator]()
