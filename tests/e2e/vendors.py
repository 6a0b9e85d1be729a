"""The simulated vendors as a process: their secrets, acting in them, and what they hold."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import build
from build import ROOT, WORK

# The simulators' own (tests/simulators/login.rs, partner_center/referral.rs, dataverse/people.rs).
TENANT = "8b2f1c3e-51d0-4a1e-9a64-0c1f6a5e7d01"
PARTNER_CLIENT = "c0de0001-0000-4000-8000-000000000001"
PARTNER_SECRET = "partner-secret"
REFRESH_TOKEN = "refresh-0"
DYNAMICS_CLIENT = "c0de0002-0000-4000-8000-000000000002"
ORGANIZATION = "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10"
WEBHOOKS_AUDIENCE = "https://api.partnercenter.microsoft.com"
SELLER = "2e7b9fa1-4d66-ef11-a316-000d3a5b7c22"
CHF = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f02"

SECRETS = {
    "partner-center": {"client_secret": PARTNER_SECRET, "refresh_token": REFRESH_TOKEN},
    "crm": {"client_secret": "dynamics-secret"},
    "crm-admin": {"client_id": "c0de0003-0000-4000-8000-000000000003", "client_secret": "administrator-secret"},
}
EVENTS = ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"]

# No proxy: everything is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, url, body=None, headers=None, seconds=30):
    """Status and body of a request; an object goes as JSON, bytes as they are."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | (headers or {})
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with OPENER.open(request, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def act(base, verb, body=None):
    """A control call; what it answers."""
    status, text = call("POST", f"{base}/_sim/{verb}", {} if body is None else body)
    if status >= 300:
        raise SystemExit(f"simulator: {verb}: {status} {text}")
    return json.loads(text) if text else {}


class Simulators:
    def __init__(self, addresses):
        self.login = addresses["login"]
        self.partner_center = addresses["partner_center"]
        self.dataverse = addresses["dataverse"]
        self.roots_pem = addresses["certificate_roots_pem"]

    # --- Partner Center ---------------------------------------------------------------------------------------

    def register(self, method, url, events):
        """Registers the webhook through Partner Center's own API."""
        form = {
            "grant_type": "refresh_token",
            "client_id": PARTNER_CLIENT,
            "client_secret": PARTNER_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "resource": WEBHOOKS_AUDIENCE,
        }
        kind = {"content-type": "application/x-www-form-urlencoded"}
        status, text = call("POST", f"{self.login}/{TENANT}/oauth2/token", urllib.parse.urlencode(form).encode(), kind)
        if status != 200:
            raise SystemExit(f"login: {status} {text}")
        token = {"authorization": "Bearer " + json.loads(text)["access_token"]}
        body = {"WebhookUrl": url, "WebhookEvents": events}
        return call(method, f"{self.partner_center}/webhooks/v1/registration", body, token)[0]

    def registration(self):
        """Address and events, sorted; empty if there is none."""
        found = self.state(self.partner_center)["registration"] or {}
        return [found.get("url"), sorted(found.get("events", []))]

    def route(self, url, to):
        act(self.partner_center, "route", {"from": url, "to": to})

    def consent(self):
        """The service account's consent by the helper an admin uses; its file is the secret."""
        file = WORK / "partner-center.json"
        file.unlink(missing_ok=True)
        command = [sys.executable, str(ROOT / "functions/admin/consent.py"), "--tenant", TENANT, "--port", "0"]
        command += ["--client-id", PARTNER_CLIENT, "--login-url", self.login, "--output", str(file)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=build.environment()) as helper:
            helper.stdin.write(PARTNER_SECRET + "\n")
            helper.stdin.flush()
            address = helper.stdout.readline().removeprefix("open: ").strip()
            # The browser: signs in and is sent back to the helper.
            OPENER.open(address, timeout=30).read()
            if helper.wait(timeout=30) != 0:
                raise SystemExit("consent: the helper failed")
        secret = json.loads(file.read_text())
        file.unlink()
        SECRETS["partner-center"] = secret

    def referrals(self):
        return self.state(self.partner_center)["referrals"]

    def outbox(self):
        return self.state(self.partner_center)["outbox"]

    def edit_referral(self, referral, **details):
        act(self.partner_center, "edit", {"id": referral, "set": {f"/details/{k}": v for k, v in details.items()}})

    # --- Dynamics 365 -----------------------------------------------------------------------------------------

    def unprovision(self):
        """The environment as it was before anything of ours was made; only its administrator may make it."""
        act(self.dataverse, "unprovision")
        act(self.dataverse, "switches", {"only_administrators_customize": True})

    def opportunities(self):
        return list(self.state(self.dataverse)["tables"].get("opportunities", {}).values())

    def opportunity_of(self, referral):
        """The opportunity that carries the referral's id; empty if there is none."""
        return next((row for row in self.opportunities() if row.get("cosell_referralid") == referral), {})

    def create(self, table, **columns):
        return act(self.dataverse, "create", {"table": table, "columns": columns})["id"]

    def edit(self, opportunity, **columns):
        act(self.dataverse, "edit", {"table": "opportunities", "id": opportunity, "set": columns})

    def seed(self):
        """An opportunity with everything a co-sell referral needs, except Sync = Yes."""
        account = self.create(
            "accounts",
            name="Kestrel Foods Ltd",
            address1_line1="4 Mill Lane",
            address1_city="Leeds",
            address1_postalcode="LS1 4AB",
            address1_country="GB",
        )
        contact = self.create(
            "contacts",
            firstname="Priya",
            lastname="Shah",
            telephone1="+441135550177",
            emailaddress1="priya.shah@kestrelfoods.example",
        )
        known = self.state(self.dataverse)["tables"].get("cosell_solutiondetails", {}).values()
        detail = next(
            (row["cosell_solutiondetailid"] for row in known if row["cosell_solutionid"] == "SOL-48213-KTR"), None
        ) or self.create(
            "cosell_solutiondetails",
            cosell_solutionid="SOL-48213-KTR",
            cosell_name="Juniper Peak Fleet Insight",
            cosell_type="3P",
            cosell_publisher="Juniper Peak Software",
        )
        columns = {
            "name": "Kestrel Foods - demand planning",
            "estimatedvalue": 61000.5,
            "estimatedclosedate": "2027-07-31",
            "description": "Need PoC support for forecasting workload.",
            "cosell_helprequested": 100000003,
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({CHF})",
            "customerid_account@odata.bind": f"/accounts({account})",
            "parentaccountid@odata.bind": f"/accounts({account})",
            "parentcontactid@odata.bind": f"/contacts({contact})",
            "ownerid@odata.bind": f"/systemusers({SELLER})",
        }
        deal = self.create("opportunities", **columns)
        solution = {
            "cosell_name": "Juniper Peak Fleet Insight",
            "cosell_OpportunityId@odata.bind": f"/opportunities({deal})",
            "cosell_SolutionDetailId@odata.bind": f"/cosell_solutiondetails({detail})",
        }
        self.create("cosell_solutions", **solution)
        return deal

    # --- both -------------------------------------------------------------------------------------------------

    def state(self, base):
        return json.loads(call("GET", f"{base}/_sim/state")[1])

    def requests(self, base):
        return json.loads(call("GET", f"{base}/_sim/requests")[1])["requests"]

    def writes(self):
        """Requests that changed something; a batch counts if it holds a change set."""
        logs = self.requests(self.partner_center) + self.requests(self.dataverse)
        changing = (
            line
            for line in logs
            if line["method"] != "GET" and (not line["path"].endswith("$batch") or "changeset" in line["body"])
        )
        return sum("webhooks/v1" not in line["path"] for line in changing)

    def unknown(self):
        """Requests that a simulator did not know."""
        logs = (self.requests(base) for base in (self.login, self.partner_center, self.dataverse))
        return [line["route"] for log in logs for line in log if line["status"] == 501]
