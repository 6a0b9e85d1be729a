"""What has to stand in the template for the sake of safety, and what must not. Reads it as SAM CLI does and runs in its
environment; exit code 1 if anything is not as expected."""

import json
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TLS = {"Bool": {"aws:SecureTransport": "false"}}
TOKEN = {"Fn::GetAtt": ["WebhookToken", "Id"]}


def listed(value):
    return value if isinstance(value, list) else [value]


def normal(value):
    """`!GetAtt A.B` in both of its spellings."""
    if isinstance(value, dict):
        if isinstance(value.get("Fn::GetAtt"), str):
            return {"Fn::GetAtt": value["Fn::GetAtt"].split(".", 1)}
        return {name: normal(one) for name, one in value.items()}
    return [normal(one) for one in value] if isinstance(value, list) else value


def faults(template):
    resources, parameters = template["Resources"], template["Parameters"]
    of = lambda kind: {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}

    def must(told, holds):
        if not holds:
            yield told

    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    for name, role in of("AWS::IAM::Role").items():
        yield from must(f"{name}: path and boundary are parameters", role.get("Path") == {"Ref": "RolePath"})
        yield from must(f"{name}: path and boundary are parameters", role.get("PermissionsBoundary") == boundary)
    readers = {
        name
        for name, role in of("AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if TOKEN in listed(statement.get("Resource"))
    }
    yield from must(f"readers of the token: {sorted(readers)}", readers == {"IngressRole", "AdminRole", "AdminLookRole"})
    functions = of("AWS::Serverless::Function")
    knowing = {name for name, one in functions.items() if "WEBHOOK_TOKEN_ARN" in one["Environment"]["Variables"]}
    yield from must(f"functions that know of it: {sorted(knowing)}", knowing == {"Ingress", "Admin", "AdminLook"})
    for name, one in functions.items():
        for event in one.get("Events", {}).values():
            own = event["Type"] != "ScheduleV2" or "RoleArn" in event["Properties"]
            yield from must(f"{name}: its schedule makes a role without path and boundary", own)
    secret = of("AWS::SecretsManager::Secret")["WebhookToken"]["GenerateSecretString"]
    left = [chr(c) for c in range(33, 127) if chr(c) not in secret["ExcludeCharacters"]]
    yield from must("the token is letters and digits", all(c.isalnum() for c in left) and len(left) == 62)
    yield from must("the token has 256 bits", len(left) ** secret["PasswordLength"] >= 2**256)

    stage = of("AWS::ApiGatewayV2::Stage")["ApiStage"]
    shown = set(re.findall(r"\$context\.[A-Za-z.]+", stage["AccessLogSettings"]["Format"]))
    expected = {"requestTime", "routeKey", "identity.sourceIp", "status", "requestId"}
    yield from must(f"the access log shows {sorted(shown)}", shown == {f"$context.{name}" for name in expected})
    json.loads(stage["AccessLogSettings"]["Format"])
    yield from must("the rate is a parameter", stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "WebhookRate"})
    keys = sorted(route["RouteKey"] for route in of("AWS::ApiGatewayV2::Route").values())
    yield from must(f"routes {keys}", keys == ["POST /webhook", "POST /webhook/{token}"])
    url = json.dumps(template["Outputs"]["WebhookUrl"]["Value"])
    yield from must("the output hides the token", "/webhook/***" in url and "WebhookToken" not in url)

    for queue in of("AWS::SQS::Queue"):
        denies = [
            statement
            for policy in of("AWS::SQS::QueuePolicy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if {"Ref": queue} in policy["Queues"] and statement["Effect"] == "Deny" and statement["Condition"] == TLS
        ]
        yield from must(f"{queue}: TLS only", len(denies) == 1 and denies[0]["Principal"] == "*")
    for name, default in {"WebhookRate": 10, "EventMaxAgeDays": 7, "AllowDataDeletion": "no", "RolePath": "/"}.items():
        yield from must(f"{name}: {default} by default", parameters[name]["Default"] == default)
    told = set(re.findall(r"^\| `([A-Za-z0-9]+)` \|", (ROOT / "functions/README.md").read_text(), re.MULTILINE))
    for name in sorted(set(parameters) - told):
        yield f"{name}: not in the table of functions/README.md"


def main():
    wrong = sorted(set(faults(normal(yaml_parse((ROOT / "template.yaml").read_text())))))
    for one in wrong:
        print(f"template.yaml: {one}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
