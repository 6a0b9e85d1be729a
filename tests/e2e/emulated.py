"""The built template as MiniStack takes it: an alarm on an expression becomes one on the first of its metrics, since
MiniStack knows no metric math and would refuse the stack; and the queues have no policies, which MiniStack enforces: they
deny plain HTTP, and everything here is on loopback; and they name roles, where MiniStack compares the ARN of a session.
Runs in SAM CLI's environment: emulated.py TEMPLATE RESULT."""

import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse


def simple(alarm):
    """The properties of an alarm without metric math."""
    if "Metrics" not in alarm:
        return alarm
    stat = next(one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one)
    kept = {name: value for name, value in alarm.items() if name != "Metrics"}
    return kept | stat["Metric"] | {"Period": stat["Period"], "Statistic": stat["Stat"]}


def main(template, result):
    known = yaml_parse(Path(template).read_text())
    # tests/e2e/template.py holds them.
    policies = [name for name, one in known["Resources"].items() if one["Type"] == "AWS::SQS::QueuePolicy"]
    for name in policies:
        del known["Resources"][name]
    for resource in known["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"] = simple(resource["Properties"])
    Path(result).write_text(yaml_dump(known))


if __name__ == "__main__":
    main(*sys.argv[1:])
