"""Alarms, filters, dashboard and parameters of the template, held against recorded log lines (alarm-lines.json), against
the sources, and against the tables of the READMEs. Runs in SAM CLI's environment; exit code 1 if anything is not right."""

import itertools
import json
import re
import sys
import tomllib
from pathlib import Path

from samcli.yamlhelper import yaml_parse

from filters import breaches, computed, sums

ROOT = Path(__file__).resolve().parents[2]
STACK = "cosell-connector"
# What a reader may copy.
CURE = re.compile(r"(cosell --stack cosell-connector|sam logs --stack-name cosell-connector) [a-zA-Z-]+")
# The values that every installation has to give, or should think of.
VALUES = 11


class Faults(list):
    def unless(self, right, text):
        if not right:
            self.append(text)


def plain(value):
    """A value of the template without its functions: references become their names, the stack gets one."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(name, inner)] = value.items()
        if name == "Ref":
            return STACK if inner == "AWS::StackName" else inner
        if name == "Fn::Sub" and isinstance(inner, str):
            return inner.replace("${AWS::StackName}", STACK)
        if name == "Fn::GetAtt":
            return ".".join(inner) if isinstance(inner, list) else inner
        if name == "Fn::If":
            # As in a stack with everything.
            return plain(inner[1])
    return {name: plain(one) for name, one in value.items()}


def of_type(template, kind):
    found = {n: one for n, one in template["Resources"].items() if one["Type"] == kind}
    return {name: plain(one["Properties"]) for name, one in found.items()}


def text(path):
    return (ROOT / path).read_text()


def sources():
    """Product code, all of it."""
    files = [file for folder in ("functions", "shared") for file in (ROOT / folder).glob("**/src/**/*.rs")]
    return "\n".join(file.read_text() for file in files)


def rings(alarm, filters, lines):
    """Whether one period with these lines is one that the alarm counts."""
    found = sums(filters, lines)

    def value(metric):
        causes = [one["Value"] for one in metric.get("Dimensions", []) if one["Name"] == "Cause"]
        return found.get((metric["MetricName"], causes[0] if causes else None))

    return counts(alarm, {name: value(metric) for name, metric in operands(alarm).items()})


def operands(alarm):
    """The metrics that an alarm looks at, by their names in its expression; without an expression it is one."""
    if "Metrics" not in alarm:
        return {alarm["MetricName"]: alarm}
    return {one["Id"]: one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one}


def counts(alarm, values):
    """Whether an alarm counts a period in which its operands have these values."""
    if "Metrics" in alarm:
        [formula] = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
        seen = computed(formula, values)
    else:
        [seen] = values.values()
    return seen is not None and breaches(seen, alarm["ComparisonOperator"], alarm["Threshold"])


def recorded(period):
    """Lines with their logs: `times` is how often a line was written."""
    return [(one["log"] + "Log", one["line"]) for one in period for _ in range(one.get("times", 1))]


def of_lines(alarms, filters, faults):
    """Each alarm that comes from log lines has lines that ring it and lines that do not."""
    made = {one["MetricTransformations"][0]["MetricName"] for one in filters}
    examples = json.loads(text("tests/e2e/alarm-lines.json"))
    from_lines = {
        name
        for name, alarm in alarms.items()
        for metric in [alarm, *[one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics", [])]]
        if metric.get("MetricName") in made
    }
    faults.unless(set(examples) == from_lines, f"alarm-lines.json: {sorted(set(examples) ^ from_lines)}")
    for name in sorted(from_lines & set(examples)):
        for kind, wanted in (("rings", True), ("rests", False)):
            for period in examples[name][kind]:
                seen = rings(alarms[name], filters, recorded(period))
                faults.unless(seen == wanted, f"{name}: {kind}: {json.dumps(period)}")
        faults.unless(all(examples[name].values()), f"{name}: no example")


def of_functions(alarms, faults):
    """An alarm over Lambda's own metrics, which have values only for periods with an invocation: it rings when one function
    fails and others did not run, and rests when none fails, whichever ran."""
    looked_at = set()
    for name, alarm in alarms.items():
        metrics = operands(alarm)
        if all(metric["Namespace"] != "AWS/Lambda" for metric in metrics.values()):
            continue
        faults.unless(alarm["TreatMissingData"] == "notBreaching", f"{name}: rings while no function runs")
        failures = next(n for n in itertools.count() if breaches(n, alarm["ComparisonOperator"], alarm["Threshold"]))
        faults.unless(failures > 0, f"{name}: rings without a failure")
        for ran in itertools.product([None, 0], repeat=len(metrics)):
            quiet = dict(zip(metrics, ran))
            faults.unless(not counts(alarm, quiet), f"{name}: rings: {quiet}")
            for failing, metric in metrics.items():
                seen = quiet | {failing: failures}
                faults.unless(counts(alarm, seen), f"{name}: rests: {seen}")
                looked_at.add(json.dumps(metric.get("Dimensions")))
    faults.unless(len(looked_at) >= 4, f"alarms over Lambda's metrics: {sorted(looked_at)}")


def of_each(alarms, faults):
    """What every alarm has to say and do."""
    for name, alarm in alarms.items():
        faults.unless(alarm.get("AlarmName") == f"{STACK}-{name}", f"{name}: AlarmName")
        said = alarm.get("AlarmDescription", "")
        faults.unless(CURE.search(said) and len(said) < 1024, f"{name}: no command in its description: {said}")
        told = alarm.get("AlarmActions")
        faults.unless(told == ["AlarmTopicArn", "AlarmTopic"], f"{name}: AlarmActions: {told}")
        faults.unless(alarm.get("OKActions") == told, f"{name}: OKActions")
        faults.unless("TreatMissingData" in alarm, f"{name}: TreatMissingData")


def of_sources(alarms, faults):
    """Causes in the log are those of the alarms, and each metric is one that the functions write."""
    rust = sources()
    logged = set(re.findall(r'\balarm = "([^"]+)"', rust))
    dimensions = [one for alarm in alarms.values() for one in alarm.get("Dimensions", [])]
    heard = {one["Value"] for one in dimensions if one["Name"] == "Cause"}
    faults.unless(logged == heard, f"causes logged, or heard by an alarm, and not both: {sorted(logged ^ heard)}")
    for name, alarm in alarms.items():
        if any(one["Name"] == "Stack" for one in alarm.get("Dimensions", [])):
            faults.unless(f'("{alarm["MetricName"]}",' in rust, f"{name}: nothing writes {alarm['MetricName']}")


def of_dashboard(template, alarms, faults):
    dashboard = template["Resources"]["Dashboard"]["Properties"]
    faults.unless("${AWS::Region}" in dashboard["DashboardName"]["Fn::Sub"], "dashboard: no region in its name")
    body = dashboard["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    kinds = [one["type"] for one in widgets]
    faults.unless(kinds[:2] == ["text", "alarm"] and kinds[-1] == "text", f"dashboard: its order: {kinds}")
    shown = [one.removeprefix("${").removesuffix(".Arn}") for one in widgets[1]["properties"].get("alarms", [])]
    faults.unless(sorted(shown) == sorted(alarms), f"dashboard: alarms: {sorted(set(shown) ^ set(alarms))}")
    commands = widgets[-1]["properties"]["markdown"]
    faults.unless("cosell --stack" in commands and "sam remote invoke" in commands, "dashboard: no commands")
    # One with two would have no value where one of them has none.
    for formula in re.findall(r'"expression": "([^"]+)"', body):
        names = re.findall(r"[a-z]+", formula)
        faults.unless(len(names) == 1, f"dashboard: {formula!r}: an expression of one metric only")
    places = [one["y"] for one in widgets]
    faults.unless(places == sorted(places), "dashboard: its widgets are not in the order in which they are shown")
    for place in set(re.findall(r"\$\{([A-Za-z]+)[.}]", body)):
        faults.unless(place in template["Resources"], f"dashboard: there is no {place}")


def table(path, heading):
    """First cells of the table below a heading, without their backticks."""
    part = text(path).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.+?) \|", part, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Za-z0-9]+)`", row)}


def of_documents(template, alarms, filters, faults):
    """Tables name what there is, and the price table counts it."""
    listed = table("functions/admin/README.md", "Alarms")
    faults.unless(listed == set(alarms), f"functions/admin/README.md, Alarms: {sorted(listed ^ set(alarms))}")
    parameters = set(template["Parameters"])
    listed = table("functions/README.md", "Parameters")
    faults.unless(listed == parameters, f"functions/README.md, Parameters: {sorted(listed ^ parameters)}")
    deployed = tomllib.loads(text("tests/bench/prices.toml"))["deployed"]
    looks = sum(max(1, sum("MetricStat" in one for one in alarm.get("Metrics", []))) for alarm in alarms.values())
    faults.unless(deployed["alarms"] == looks, f"prices.toml: alarms: {looks} metrics are looked at")
    price = f"{len(alarms)} alarms, which look at {looks} metrics"
    faults.unless(price in text("functions/README.md"), f"functions/README.md, Cost: no {price!r}")


def of_settings(template, faults):
    """The example names what has to be given, and nothing that is no parameter."""
    example = text("samconfig.example.toml")
    tomllib.loads(example)
    named = re.findall(r'^\s*(?:# )?"([A-Za-z0-9]+)=', example, re.MULTILINE)
    unknown = set(named) - set(template["Parameters"])
    faults.unless(not unknown, f"samconfig.example.toml: no parameters: {sorted(unknown)}")
    needed = {name for name, one in template["Parameters"].items() if "Default" not in one}
    faults.unless(needed <= set(named), f"samconfig.example.toml: missing {sorted(needed - set(named))}")
    stack = tomllib.loads(example)["default"]["deploy"]["parameters"]["parameter_overrides"]
    faults.unless(len(stack) == VALUES + 2, f"samconfig.example.toml: {len(stack)} values")


def main():
    template = yaml_parse(text("template.yaml"))
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    filters = list(of_type(template, "AWS::Logs::MetricFilter").values())
    faults = Faults()
    of_each(alarms, faults)
    of_lines(alarms, filters, faults)
    of_functions(alarms, faults)
    of_sources(alarms, faults)
    of_dashboard(template, alarms, faults)
    of_documents(template, alarms, filters, faults)
    of_settings(template, faults)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
