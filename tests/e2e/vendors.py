"""The simulated Partner Center as a process: its secrets, acting in it, and what it holds. The CRM has a file of its own."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import build
from build import ROOT, WORK

# The simulators' own (tests/simulators/login.rs, partner_center/referral.rs).
TENANT = "8b2f1c3e-51d0-4a1e-9a64-0c1f6a5e7d01"
PARTNER_CLIENT = "c0de0001-0000-4000-8000-000000000001"
PARTNER_SECRET = "partner-secret"
REFRESH_TOKEN = "refresh-0"
ORGANIZATION = "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10"
WEBHOOKS_AUDIENCE = "https://api.partnercenter.microsoft.com"
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


def state(base):
    return json.loads(call("GET", f"{base}/_sim/state")[1])


def requests(base):
    return json.loads(call("GET", f"{base}/_sim/requests")[1])["requests"]


class Simulators:
    def __init__(self, addresses):
        self.login = addresses["login"]
        self.partner_center = addresses["partner_center"]
        self.roots_pem = addresses["certificate_roots_pem"]
        self.secret = {"client_secret": PARTNER_SECRET, "refresh_token": REFRESH_TOKEN}

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
        found = state(self.partner_center)["registration"] or {}
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
        self.secret = secret

    def referrals(self):
        return state(self.partner_center)["referrals"]

    def outbox(self):
        return state(self.partner_center)["outbox"]

    def edit_referral(self, referral, **details):
        act(self.partner_center, "edit", {"id": referral, "set": {f"/details/{k}": v for k, v in details.items()}})

    def writes(self):
        """Requests that changed something."""
        changing = (line for line in requests(self.partner_center) if line["method"] != "GET")
        return sum("webhooks/v1" not in line["path"] for line in changing)
