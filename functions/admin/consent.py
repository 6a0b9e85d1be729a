#!/usr/bin/env python3
"""The one-off consent of the service account (Secure Application Model), and the secret that comes of it.

    python3 functions/admin/consent.py --tenant TENANT --client-id ID [--output partner-center.json]

Prints an address. Open it in a private window, sign in as the service account, with MFA. The answer comes back to
http://localhost:8400/ (register it as redirect URI, type Web, at the application), is redeemed for a refresh token,
and the file is what `aws secretsmanager create-secret --secret-string file://partner-center.json` takes; delete it
afterwards. The client secret is asked for, or read from the first line of standard input. Needs Python only.

A file of that name is replaced by a new one that only you can read. The code is bound to this run (PKCE). An answer
with another `state` is refused, and the wait continues, for a quarter of an hour at most.

Exit: 0 the file is written; 1 the consent or its redemption was refused, or the file could not be written; 2 nothing
was begun: wrong arguments, no client secret, a file or a port that cannot be used; 3 no answer came in time; 130
stopped by Ctrl-C.
"""

import argparse
import base64
import contextlib
import errno
import getpass
import hashlib
import hmac
import html
import http.client
import http.server
import ipaddress
import json
import os
import queue
import re
import secrets
import socket
import socketserver
import stat
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

# Seconds: for the sign-in as a whole, for a connection that stays silent, for each step of the redemption.
WAIT = 900
IDLE = 10
REDEEM = 30
LARGEST = 1 << 20
BACK = "Go back to the terminal."


def stop(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def plain(text, *hidden):
    """What others wrote, as one line for the terminal: no control characters, bounded, without our secrets."""
    text = str(text)
    for secret in filter(None, hidden):
        text = text.replace(secret, "***")
    return "".join(c if c.isprintable() else " " for c in text)[:500].strip()


def parse(argv):
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tenant", required=True, help="Entra tenant of the Partner Center account, GUID or domain")
    arguments.add_argument("--client-id", required=True, help="application (client) id")
    arguments.add_argument("--output", default="partner-center.json", help="file to write (default %(default)s)")
    arguments.add_argument("--port", type=int, default=8400, help="port of the redirect URI (default %(default)s)")
    arguments.add_argument("--login-url", default="https://login.microsoftonline.com", help="another cloud's sign-in")
    arguments.add_argument("--audience", default="https://api.partnercenter.microsoft.com", help="the first resource")
    given = arguments.parse_args(argv)
    given.login_url = given.login_url.rstrip("/")
    # Plain HTTP on this machine only.
    if not re.match(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)", given.login_url):
        arguments.error("--login-url: the client secret goes there, so it must begin with https://")
    return given


def check_output(path):
    """Found out before anyone signs in: a refresh token that cannot be written is lost."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            stop(2, f"{path} is not a file of its own: give another --output")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        stop(2, f"{folder} is not a folder that can be written to: give another --output")


def write(path, content):
    """A new file with mode 0600 under a name of its own, then renamed: the old one's mode and readers get nothing."""
    folder, name = os.path.split(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, os.path.join(folder, name))
    except BaseException:
        os.unlink(temporary)
        raise


def read(query):
    """The fields of a redirect; none if one is repeated."""
    try:
        pairs = urllib.parse.parse_qsl(query, max_num_fields=20)
    except ValueError:
        return {}
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection: a silent one keeps no other waiting."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"

    def __init__(self, host, port, handler):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def verify_request(self, request, client_address):
        return ipaddress.ip_address(client_address[0]).is_loopback

    def handle_error(self, *_):
        """Says nothing: a caller that hangs up is no fault of ours."""


class Handler(http.server.BaseHTTPRequestHandler):
    """The redirect URI: `answers` gets the fields of the first call that carries `state`."""

    timeout = state = answers = None

    def do_GET(self):
        path, _, query = self.path.partition("?")
        fields = read(query)
        if path != "/":
            self.page(404, "Nothing is here", "")
        elif not hmac.compare_digest(fields.get("state", "").encode(), self.state.encode()):
            print("refused: an answer without this run's state; still waiting", file=sys.stderr, flush=True)
            text = "It carries no state, or another one. Open the address that the terminal shows: it still waits."
            self.page(400, "Not the answer to this sign-in", text)
        elif "error" in fields:
            told = f"{fields['error']}: {fields.get('error_description', '')}"
            self.answer(fields, "No consent", f"{told} {BACK}")
        elif "code" in fields:
            self.answer(fields, "Signed in", f"{BACK} It says whether the refresh token was written.")
        else:
            self.page(400, "Not an answer", "It has neither a code nor an error. The terminal still waits.")

    def answer(self, fields, title, text):
        """The page first: the program may end with the answer."""
        try:
            self.page(200, title, text)
        finally:
            with contextlib.suppress(queue.Full):
                self.answers.put_nowait(fields)

    def page(self, status, title, text):
        title, text = html.escape(title), html.escape(text)
        body = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{text}'
        body = body.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.send_header("content-security-policy", "default-src 'none'")
        self.send_header("x-content-type-options", "nosniff")
        self.send_header("referrer-policy", "no-referrer")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """Says nothing: the address holds the code."""


def listen(port, handler):
    """Serves both loopback addresses, as `localhost` may be either, until the program ends; returns the port."""
    for host in ("127.0.0.1", "::1"):
        try:
            server = Server(host, port, handler)
        except (OSError, OverflowError) as failed:
            # A machine may have no IPv6.
            if host == "::1" and getattr(failed, "errno", None) in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                break
            stop(2, f"cannot listen at {host}, port {port}: {failed}; end what uses it, or give another --port")
        port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return port


def wait(answers):
    """The redirect's fields. In slices: not every system lets Ctrl-C into a long wait."""
    deadline = time.monotonic() + WAIT
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=min(left, 1))
    stop(3, f"no answer came within {WAIT} seconds: nothing was written. Run it again, and open the new address")


def document(text):
    """A JSON object, or an empty one."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def redeem(login, tenant, form):
    """The token endpoint's answer to a code."""
    hidden = (form["client_secret"], form["code"], form["code_verifier"])
    body = urllib.parse.urlencode(form).encode()
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(f"{login}/{tenant}/oauth2/token", body, timeout=REDEEM) as answer:
            token = document(answer.read(LARGEST))
    except urllib.error.HTTPError as refused:
        with contextlib.suppress(OSError, http.client.HTTPException):
            told = document(refused.read(LARGEST))
            if "error" in told:
                first = (str(told.get("error_description") or "").splitlines() or [""])[0]
                stop(1, f"not redeemed: {plain(told['error'], *hidden)}: {plain(first, *hidden)}")
        stop(1, f"not redeemed: the sign-in answered with HTTP {refused.code}")
    except (OSError, http.client.HTTPException) as failed:
        stop(1, f"not redeemed: {plain(failed, *hidden)}")
    if not isinstance(token.get("refresh_token"), str) or not token["refresh_token"]:
        stop(1, "no refresh token came with the answer")
    return token["refresh_token"]


def client_secret():
    try:
        asked = getpass.getpass("client secret: ") if sys.stdin.isatty() else sys.stdin.readline()
    except (EOFError, ValueError):
        asked = ""
    return asked.strip() or stop(2, "no client secret was given")


def sign_in(arguments, tenant, verifier):
    """Code and redirect URI of the service account's sign-in."""
    state, answers = secrets.token_urlsafe(32), queue.Queue(maxsize=1)
    port = listen(arguments.port, type("Ours", (Handler,), {"state": state, "answers": answers, "timeout": IDLE}))
    redirect = f"http://localhost:{port}/"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": arguments.client_id,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": redirect,
        "resource": arguments.audience,
        # A session from before may be without MFA.
        "prompt": "login",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    print(f"open: {arguments.login_url}/{tenant}/oauth2/authorize?{urllib.parse.urlencode(query)}", flush=True)
    answer = wait(answers)
    if "error" in answer:
        stop(1, f"no consent: {plain(answer['error'])}: {plain(answer.get('error_description', ''))}")
    return answer["code"], redirect


def main(argv=None):
    arguments = parse(argv)
    check_output(arguments.output)
    secret, tenant = client_secret(), urllib.parse.quote(arguments.tenant, safe="")
    # 64 of the characters that PKCE allows; it asks for 43 to 128.
    verifier = secrets.token_urlsafe(48)
    code, redirect = sign_in(arguments, tenant, verifier)
    form = {
        "grant_type": "authorization_code",
        "client_id": arguments.client_id,
        "client_secret": secret,
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect,
        "resource": arguments.audience,
    }
    refresh_token = redeem(arguments.login_url, tenant, form)
    try:
        write(arguments.output, {"client_secret": secret, "refresh_token": refresh_token})
    except OSError as failed:
        stop(1, f"not written: {failed}; consent again")
    print(f"written: {arguments.output}; store it in Secrets Manager, then delete it")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop(130, "stopped")
