"""The emulated AWS and the stack on it: MiniStack, secrets, `sam build`, `sam deploy`, and ways to look inside."""

import json
import os
import socket
from pathlib import Path

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import vendors
from processes import until

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "e2e"
REGION = "us-east-1"
STACK = "cosell-connector-local"
# A lost answer is judged so long after its run is over; MiniStack's clock cannot be advanced.
GRACE_SECONDS = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    def __init__(self, processes):
        self.processes = processes
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.outputs = {}
        # Nothing of the caller's own AWS account may be reached, and no proxy.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
        self.env = kept | {
            "AWS_ENDPOINT_URL": self.url,
            # Not 12 digits: such a key would be an account of its own, which unsigned requests do not reach.
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_BETA_RUST_CARGO_LAMBDA": "1",
            # cargo-lambda asks the first python3 on the path for zig.
            "PATH": f"{WORK / 'venv-build' / 'bin'}{os.pathsep}{os.environ['PATH']}",
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
        scratch.mkdir(parents=True, exist_ok=True)
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

    def build(self):
        """Compiles the functions as they are deployed; the same options as in production but the processor."""
        sam = str(WORK / "venv-sam/bin/sam")
        command = [sam, "build", "--config-env", "local", "--build-dir", str(WORK / "build")]
        return self.processes.run(command, 1800, cwd=ROOT, env=self.env)

    def deploy(self, simulators):
        secrets = self.client("secretsmanager")
        arns = {
            name: secrets.create_secret(Name=name, SecretString=json.dumps(members))["ARN"]
            for name, members in vendors.SECRETS.items()
        }
        parameters = {
            "Architecture": "x86_64",
            "PartnerCenterTenantId": vendors.TENANT,
            "PartnerCenterClientId": vendors.PARTNER_CLIENT,
            "PartnerCenterOrganizationId": vendors.ORGANIZATION,
            "PartnerCenterSecretArn": arns["partner-center"],
            "PartnerCenterApiUrl": simulators.partner_center,
            "LoginUrl": simulators.login,
            "CertificateUrlPrefixes": simulators.partner_center + "/cert/",
            "CertificateRootsPem": simulators.roots_pem,
            "DynamicsUrl": simulators.dataverse,
            "DynamicsTenantId": vendors.TENANT,
            "DynamicsClientId": vendors.DYNAMICS_CLIENT,
            "CrmSecretArn": arns["crm"],
            "GraceSeconds": str(GRACE_SECONDS),
        }
        file = WORK / "parameters.toml"
        # A JSON string is a TOML string, too.
        file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in parameters.items()))
        command = [str(WORK / "venv-sam/bin/sam"), "deploy", "--config-env", "local"]
        command += ["--config-file", str(ROOT / "samconfig.toml")]
        command += ["--template-file", str(WORK / "build/template.yaml"), "--parameter-overrides", f"file://{file}"]
        took = self.processes.run(command, 300, cwd=ROOT, env=self.env)
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return took

    def sizes(self):
        """Bytes of each compiled function."""
        found = sorted(WORK.glob("build/*/bootstrap"))
        return {file.parent.name: file.stat().st_size for file in found}

    # --- from outside -------------------------------------------------------------------------------------------

    def webhook(self):
        """Where the API is reached on this machine; the output names an AWS host."""
        api = self.outputs["WebhookUrl"].split("//", 1)[1].split(".", 1)[0]
        return f"{self.url}/_aws/execute-api/{api}/$default/webhook"

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
        """The last lines of each function's log."""
        logs = self.client("logs")
        resources = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        for resource in resources:
            if resource["ResourceType"] != "AWS::Logs::LogGroup":
                continue
            print(f"\n--- {resource['LogicalResourceId']}")
            events = logs.filter_log_events(logGroupName=resource["PhysicalResourceId"], limit=10000)["events"]
            for event in sorted(events, key=lambda event: event["timestamp"])[-lines:]:
                print(event["message"].rstrip())
