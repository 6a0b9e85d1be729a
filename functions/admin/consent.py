#!/usr/bin/env python3
"""The one-off consent of the service account (Secure Application Model), and the secret that comes of it.

    python3 functions/admin/consent.py --tenant TENANT --client-id ID [--output partner-center.json]

Prints an address. Open it in a private window, sign in as the service account, with MFA. The answer comes back to
http://localhost:8400/ (register it as redirect URI, type Web, at the application), is redeemed for a refresh token,
and the file is what `aws secretsmanager create-secret --secret-string file://partner-center.json` takes; delete it
afterwards. The client secret is asked for, or read from the first line of standard input. Needs Python only.
"""

import argparse
import getpass
import http.server
import json
import os
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request


def parse():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tenant", required=True, help="Entra tenant of the Partner Center account, GUID or domain")
    arguments.add_argument("--client-id", required=True, help="application (client) id")
    arguments.add_argument("--output", default="partner-center.json", help="file to write (default %(default)s)")
    arguments.add_argument("--port", type=int, default=8400, help="port of the redirect URI (default %(default)s)")
    arguments.add_argument("--login-url", default="https://login.microsoftonline.com", help="another cloud's sign-in")
    arguments.add_argument("--audience", default="https://api.partnercenter.microsoft.com", help="the first resource")
    return arguments.parse_args()


def listen(port, state, answer):
    """A server at the redirect URI: `answer` gets the query of the call that carries our state."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            if query.get("state") == state:
                answer.update(query)
            words = b"Done: go back to the terminal." if "code" in query else b"No consent: see the terminal."
            self.send_response(200)
            self.send_header("content-type", "text/plain")
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_):
            """Says nothing: the address holds the code."""

    return http.server.HTTPServer(("127.0.0.1", port), Handler)


def redeem(login, tenant, form):
    body = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(f"{login}/{tenant}/oauth2/token", body, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        told = json.loads(refused.read() or b"{}")
        sys.exit(f"not redeemed: {told.get('error')}: {told.get('error_description', '').splitlines()[0]}")


def main():
    arguments = parse()
    ask = getpass.getpass("client secret: ") if sys.stdin.isatty() else sys.stdin.readline()
    client_secret = ask.strip()
    state, answer = secrets.token_urlsafe(16), {}
    server = listen(arguments.port, state, answer)
    redirect = f"http://localhost:{server.server_port}/"
    query = {
        "client_id": arguments.client_id,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": redirect,
        "resource": arguments.audience,
        # A session from before may be without MFA.
        "prompt": "login",
        "state": state,
    }
    tenant = urllib.parse.quote(arguments.tenant)
    print(f"open: {arguments.login_url}/{tenant}/oauth2/authorize?{urllib.parse.urlencode(query)}", flush=True)
    while not answer:
        server.handle_request()
    server.server_close()
    if "code" not in answer:
        sys.exit(f"no consent: {answer.get('error')}: {answer.get('error_description', '')}")
    form = {
        "grant_type": "authorization_code",
        "client_id": arguments.client_id,
        "client_secret": client_secret,
        "code": answer["code"],
        "redirect_uri": redirect,
        "resource": arguments.audience,
    }
    token = redeem(arguments.login_url, tenant, form)
    if not token.get("refresh_token"):
        sys.exit("no refresh token came with the answer")
    with os.fdopen(os.open(arguments.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"client_secret": client_secret, "refresh_token": token["refresh_token"]}, file)
    print(f"written: {arguments.output}; store it in Secrets Manager, then delete it")


if __name__ == "__main__":
    main()
