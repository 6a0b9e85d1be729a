"""What has to stand in the template for the sake of safety, and what must not. Reads it as SAM CLI does and runs in its
environment; exit code 1 if anything is not as expected."""

import json
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TLS = {"Bool": {"aws:SecureTransport": "false"}}
# What hides a message, takes it away, or counts towards the dead-letter queue.
RECEIVING = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
# What decides whether a deployment registers the webhook and which columns it makes.
DECIDES = {"Crm", "CrmAdminSecretArn", "DynamicsUrl", "OverwriteRegistration", "SalesforceLoginUrl"}
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


def must(told, holds):
    if not holds:
        yield told


def receivers(of, queue):
    """The roles that may receive from a queue."""
    return [
        name
        for name, role in of("AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if {"Fn::GetAtt": [queue, "Arn"]} in listed(statement.get("Resource"))
        and RECEIVING & set(listed(statement["Action"]))
    ]


def of_queues(of):
    """Each queue denies what is not TLS, and receiving to all but the role that does it. A dead-letter queue takes the
    messages of its own queue only."""
    queues = of("AWS::SQS::Queue")
    for queue, properties in queues.items():
        arn = {"Fn::GetAtt": [queue, "Arn"]}
        denied = [
            (statement["Condition"], set(listed(statement["Action"])))
            for policy in of("AWS::SQS::QueuePolicy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if {"Ref": queue} in policy["Queues"]
            and (statement["Effect"], statement["Principal"], statement["Resource"]) == ("Deny", "*", arn)
        ]
        yield from must(f"{queue}: TLS only", (TLS, {"sqs:*"}) in denied)
        roles = receivers(of, queue)
        others = {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": [roles[0] if roles else None, "Arn"]}}}
        yield from must(f"{queue}: only {roles} may receive", len(roles) == 1 and (others, RECEIVING) in denied)
        if "RedrivePolicy" in properties:
            [dead, _part] = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
            name = properties["QueueName"]["Fn::Sub"]
            own = {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:" + name}
            allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [own]}
            yield from must(f"{dead}: takes from {queue} only", queues[dead].get("RedriveAllowPolicy") == allowed)


def faults(template):
    resources, parameters = template["Resources"], template["Parameters"]
    of = lambda kind: {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}

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

    yield from of_queues(of)
    yield from must("who receives from a queue", receivers(of, "Hints") == ["WriterRole"])
    yield from must("who receives from a queue", receivers(of, "HintsDlq") == ["AdminRole"])
    decides = DECIDES | set(re.findall(r'"Ref": "(\w+)"', json.dumps(template["Conditions"]["RegistersWebhook"])))
    for name in sorted(decides):
        holds = resources["Setup"]["Properties"].get(name) == {"Ref": name}
        yield from must(f"Setup: it does not run when {name} changes", holds)
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
