"""The emulated AWS and the stack on it: MiniStack, secrets, `sam deploy`, and ways to look inside."""

import json
import shutil
import socket

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import build
import vendors
from build import ROOT, WORK
from processes import until

REGION = "us-east-1"
STACK = "cosell-connector-local"
# A lost answer is judged so long after its run is over; MiniStack's clock cannot be advanced.
GRACE_SECONDS = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listed(value):
    return value if isinstance(value, list) else [value]


class Stack:
    def __init__(self, processes):
        self.processes = processes
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.outputs = {}
        self.env = build.environment() | {
            "AWS_ENDPOINT_URL": self.url,
            # Not 12 digits: such a key would be an account of its own, which unsigned requests do not reach.
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(connect_timeout=3, read_timeout=90, retries={"total_max_attempts": 1}, proxies={}),
        )

    # --- from nothing to a stack ----------------------------------------------------------------------------

    def start(self):
        """MiniStack on loopback. `AUTH`: it checks every call against the caller's role."""
        scratch = WORK / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        env = self.env | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "TMPDIR": str(scratch),
        }
        self.processes.start([str(WORK / "venv-aws/bin/ministack")], WORK / "ministack.log", env=env)

        def answers():
            try:
                return self.client("sts").get_caller_identity()["Account"]
            except (BotoCoreError, ClientError) as fault:
                return fault

        seen = until(answers, lambda account: isinstance(account, str), 60)
        if not isinstance(seen, str):
            raise SystemExit(f"MiniStack does not answer: {seen}; see {WORK / 'ministack.log'}")

    def deploy(self, simulators, crm):
        secrets = self.client("secretsmanager")
        arns = {
            name: secrets.create_secret(Name=name, SecretString=json.dumps(members))["ARN"]
            for name, members in ({"partner-center": simulators.secret} | crm.secrets()).items()
        }
        parameters = {
            "Architecture": build.HOST,
            "PartnerCenterTenantId": vendors.TENANT,
            "PartnerCenterClientId": vendors.PARTNER_CLIENT,
            "PartnerCenterOrganizationId": vendors.ORGANIZATION,
            "PartnerCenterSecretArn": arns["partner-center"],
            "PartnerCenterApiUrl": simulators.partner_center,
            "PartnerCenterWebhooksApiUrl": simulators.partner_center,
            "LoginUrl": simulators.login,
            "CertificateUrlPrefixes": simulators.partner_center + "/cert/",
            "CertificateIssuerUrls": simulators.partner_center + "/issuers/",
            "CertificateRootsPem": simulators.roots_pem,
            "CrmSecretArn": arns["crm"],
            "CrmAdminSecretArn": arns["crm-admin"],
            "GraceSeconds": str(GRACE_SECONDS),
            "AlarmEmail": "operations@contoso.example",
        } | crm.parameters()
        file = WORK / "parameters.toml"
        # A JSON string is a TOML string, too.
        file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in parameters.items()))
        command = [build.SAM, "deploy", *build.SETTINGS]
        # Beside what was built, which it names by relative paths.
        built = build.folder(build.HOST)
        emulated = [str(WORK / "venv-sam/bin/python"), "-B", str(ROOT / "tests/e2e/emulated.py")]
        emulated += [str(built / "template.yaml"), str(built / "emulated.yaml")]
        self.processes.run(emulated, 60, cwd=ROOT, env=self.env)
        command += ["--template-file", str(built / "emulated.yaml")]
        command += ["--parameter-overrides", f"file://{file}"]
        took = self.processes.run(command, 300, cwd=ROOT, env=self.env)
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        self.allow_batches()
        return took

    def policies(self):
        """Role, policy and document of everything the stack's roles may do."""
        iam = self.client("iam")
        for role in self.resources("AWS::IAM::Role").values():
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                yield role, policy, iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]

    def too_much(self):
        """What a role may do with anything (traces apart, which belong to no resource), and policies not its own."""
        iam = self.client("iam")
        roles = self.resources("AWS::IAM::Role")
        attached = [iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] for role in roles.values()]
        found = [policy["PolicyName"] for policies in attached for policy in policies]
        for _role, _policy, document in self.policies():
            for statement in document["Statement"]:
                traces = all(action.startswith("xray:Put") for action in listed(statement["Action"]))
                anything = "*" in listed(statement["Resource"]) and not traces
                if anything or any("*" in action for action in listed(statement["Action"])):
                    found.append(statement)
        return found

    def allow_batches(self):
        """AWS knows no action `sqs:SendMessageBatch`, `sqs:SendMessage` covers it; MiniStack asks for it. Whoever may
        do the one may do the other; everything else the roles have to name themselves."""
        for role, policy, document in list(self.policies()):
            for statement in document["Statement"]:
                if "sqs:SendMessage" in listed(statement["Action"]):
                    statement["Action"] = [*listed(statement["Action"]), "sqs:SendMessageBatch"]
                    text = json.dumps(document)
                    self.client("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)

    def resources(self, kind):
        """Physical ids of the stack's resources of a type by their logical ids."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if one["ResourceType"] == kind}

    # --- from outside -------------------------------------------------------------------------------------------

    def webhook(self):
        """Where the API is reached on this machine; the output names an AWS host."""
        api = self.outputs["WebhookUrl"].split("//", 1)[1].split(".", 1)[0]
        return f"{self.url}/_aws/execute-api/{api}/$default/webhook/{self.token()}"

    def token(self):
        """The secret part of the webhook's address."""
        secret = self.resources("AWS::SecretsManager::Secret")["WebhookToken"]
        stored = self.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return json.loads(stored)["token"]

    def registered(self):
        """The address as Partner Center knows it."""
        return self.outputs["WebhookUrl"].replace("***", self.token())

    def admin(self, command, output="AdminFunction", **arguments):
        """A command of the admin function, or of the one that only looks; its answer."""
        event = json.dumps({"command": command} | arguments).encode()
        answer = self.client("lambda").invoke(FunctionName=self.outputs[output], Payload=event)
        return json.loads(answer["Payload"].read())

    def tick(self):
        """One more run of the poller than the Scheduler starts; how it ended."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs["PollerFunction"])
        return answer.get("FunctionError", "done")

    def send(self, group, body, deduplication):
        """A message as somebody else with access to the queue would send it."""
        self.client("sqs").send_message(
            QueueUrl=self.outputs["QueueUrl"],
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication,
        )

    def messages(self, output="QueueUrl"):
        """Messages of a queue: visible, in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)
        return tuple(int(answer["Attributes"].get(name, 0)) for name in names)

    def dead_letters(self):
        return sum(self.messages("DeadLetterQueueUrl"))

    def rows(self, partition):
        """Items of one partition of the table."""
        answer = self.client("dynamodb").query(
            TableName=self.outputs["TableName"],
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )
        read = TypeDeserializer().deserialize
        return [{name: read(value) for name, value in item.items()} for item in answer["Items"]]

    # --- when something fails ------------------------------------------------------------------------------------

    def logs(self, lines=60):
        """Prints the last lines of each function's log."""
        for name, written in self.log_lines().items():
            print(f"\n--- {name}")
            for line in written[-lines:]:
                print(line)

    def log_lines(self):
        """The lines of each log, oldest first."""
        logs, found = self.client("logs"), {}
        for name, group in self.resources("AWS::Logs::LogGroup").items():
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            events = [event for page in pages for event in page["events"]]
            events.sort(key=lambda event: event["timestamp"])
            found[name] = [line for event in events for line in event["message"].splitlines()]
        return found
