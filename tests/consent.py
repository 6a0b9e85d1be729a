#!/usr/bin/env python3
"""The consent helper (functions/admin/consent.py), run as an administrator runs it, against a sign-in of this file.

    python3 tests/consent.py

The sign-in is a token endpoint on loopback that redeems a code once and for the verifier of its PKCE challenge only; the test
plays the browser. Exit: 0 all hold, 1 not. Standard library only, no network but loopback.
"""

import base64
import contextlib
import hashlib
import http.client
import http.server
import importlib.util
import io
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path
from unittest import mock

SCRIPT = Path(__file__).resolve().parents[1] / "functions/admin/consent.py"
TENANT, CLIENT, SECRET, CODE, TOKEN = "contoso.example", "client-1", "s3cret&=", "the-code", "the-refresh-token"
NEEDED = ["--tenant", TENANT, "--client-id", CLIENT]
# Without site-packages, which the helper does not need: a run begins sooner.
PYTHON = [sys.executable, "-B", "-S"]
# Seconds. Nothing takes that long, even on a busy machine.
LONG = 30
UNRESERVED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_SPEC = importlib.util.spec_from_file_location("helper", SCRIPT)
CONSENT = importlib.util.module_from_spec(_SPEC)
sys.dont_write_bytecode = True
_SPEC.loader.exec_module(CONSENT)


def s256(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class Entra(http.server.ThreadingHTTPServer):
    """The token endpoint: `answer`, if it is set, instead of the right one."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Redeem)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked, self.forms, self.answer = None, [], None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def redeemed(self, path, form):
        """Status, kind and body."""
        self.forms.append(form)
        if self.answer:
            return self.answer
        verifier = form.get("code_verifier", "")
        expected = {
            "grant_type": "authorization_code",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "code": CODE,
            "redirect_uri": self.asked["redirect_uri"],
            "resource": self.asked["resource"],
            "code_verifier": verifier,
        }
        if self.asked.get("code_challenge_method") != "S256" or s256(verifier) != self.asked.get("code_challenge"):
            return 400, "application/json", json.dumps({"error": "invalid_grant", "error_description": "AADSTS501481: x"})
        if path != f"/{TENANT}/oauth2/token" or form != expected or len(self.forms) > 1:
            return 400, "application/json", json.dumps({"error": "invalid_request", "error_description": f"{form}"})
        return 200, "application/json", json.dumps({"access_token": "a", "refresh_token": TOKEN})


class Redeem(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        status, kind, answer = self.server.redeemed(self.path, dict(urllib.parse.parse_qsl(body)))
        self.send_response(status)
        self.send_header("content-type", kind)
        if status == 302:
            self.send_header("location", f"{self.server.url}/elsewhere")
        self.end_headers()
        self.wfile.write(answer.encode())

    def do_GET(self):
        self.server.forms.append({"code_verifier": "followed"})
        self.send_error(404)

    def log_message(self, *_):
        pass


class Helper:
    """The helper as a process: its address once it is printed, and how it ended."""

    def __init__(self, entra, output, constants="", umask=-1):
        arguments = [*NEEDED, "--port", "0", "--login-url", entra.url, "--output", str(output)]
        command = [*PYTHON, str(SCRIPT)]
        if constants:
            code = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import consent; {constants}; consent.main()"
            command = [*PYTHON, "-c", code]
        pipe = subprocess.PIPE
        self.entra = entra
        self.process = subprocess.Popen(
            command + arguments, stdin=pipe, stdout=pipe, stderr=pipe, text=True, umask=umask
        )
        self.process.stdin.write(SECRET + "\n")
        self.process.stdin.close()
        self.process.stdin = None
        self.first = self.process.stdout.readline()
        self.address = urllib.parse.urlsplit(self.first.removeprefix("open: ").strip())
        self.asked = entra.asked = dict(urllib.parse.parse_qsl(self.address.query))
        self.port = urllib.parse.urlsplit(self.asked["redirect_uri"]).port

    def get(self, fields=None, path="/", method="GET", host="127.0.0.1"):
        """Status, headers and page of a browser's call."""
        query = fields if isinstance(fields, str) else urllib.parse.urlencode(fields or {})
        browser = http.client.HTTPConnection(host, self.port, timeout=LONG)
        try:
            browser.request(method, f"{path}?{query}")
            answer = browser.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            browser.close()

    def back(self, host="127.0.0.1", **fields):
        return self.get({"state": self.asked["state"], **fields}, host=host)

    def ended(self):
        """Exit code, standard output, standard error."""
        out, err = self.process.communicate(timeout=LONG)
        return self.process.returncode, self.first + out, err

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Consent(unittest.TestCase):
    def setUp(self):
        quiet = mock.patch.dict(os.environ, {"no_proxy": "*"})
        quiet.start()
        self.addCleanup(quiet.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "partner-center.json"
        self.entra = Entra()
        self.addCleanup(self.entra.server_close)
        self.addCleanup(self.entra.shutdown)

    def helper(self, output=None, **options):
        helper = Helper(self.entra, output or self.file, **options)
        self.addCleanup(helper.stop)
        return helper

    def assert_ended(self, helper, code, words):
        """Exit code and words; no secret in what was printed. Returns standard error."""
        status, out, err = helper.ended()
        self.assertEqual(status, code, err)
        self.assertIn(words, out + err)
        verifiers = [form["code_verifier"] for form in self.entra.forms]
        for secret in [SECRET, CODE, TOKEN, *verifiers]:
            self.assertNotIn(secret, out + err)
        return err

    def assert_stops(self, code, words, act, *arguments, said=SECRET):
        """The same of a part of the helper, in this process: a run takes a while to begin."""
        told = io.StringIO()
        with mock.patch("sys.stdin", io.StringIO(said)), contextlib.redirect_stderr(told):
            with self.assertRaises(SystemExit) as stopped:
                act(*arguments)
        self.assertEqual(stopped.exception.code, code, told.getvalue())
        self.assertIn(words, told.getvalue())
        self.assertNotIn(SECRET, told.getvalue())
        self.assertTrue(told.getvalue().replace("\n", "").isprintable(), repr(told.getvalue()))

    def assert_written(self, helper):
        self.assert_ended(helper, 0, "written: ")
        self.assertEqual(json.loads(self.file.read_text()), {"client_secret": SECRET, "refresh_token": TOKEN})
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.folder), [self.file.name], "no temporary file stays")

    # --- the sign-in ----------------------------------------------------------------------------------------------

    def test_the_code_is_redeemed_with_the_verifier_of_the_challenge(self):
        helper = self.helper(umask=0)
        self.assertEqual((helper.address.path, helper.asked["response_type"]), (f"/{TENANT}/oauth2/authorize", "code"))
        status, headers, page = helper.back(code=CODE)
        self.assertEqual(status, 200)
        self.assertIn("Signed in", page)
        self.assertNotIn(CODE, page)
        self.assertEqual((headers["cache-control"], headers["referrer-policy"]), ("no-store", "no-referrer"))
        self.assert_written(helper)
        verifier = self.entra.forms[0]["code_verifier"]
        self.assertTrue(43 <= len(verifier) <= 128 and set(verifier) <= UNRESERVED, len(verifier))
        self.assertEqual(helper.asked["code_challenge"], s256(verifier))

    def test_each_run_has_a_state_and_a_challenge_of_its_own(self):
        one, other = self.helper().asked, self.helper(output=self.folder / "other.json").asked
        for name in ("state", "code_challenge"):
            self.assertGreaterEqual(len(one[name]), 43)
            self.assertNotEqual(one[name], other[name])

    @unittest.skipUnless(socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"), "no IPv6 here")
    def test_localhost_may_be_either_loopback_address(self):
        helper = self.helper()
        self.assertEqual(helper.back(host="::1", code=CODE)[0], 200)
        self.assert_written(helper)

    # --- what is not the answer -----------------------------------------------------------------------------------

    def test_a_wrong_state_is_refused_and_the_wait_continues(self):
        helper = self.helper()
        right = helper.asked["state"]
        for fields in (
            {"code": "stranger", "state": "wrong"},
            {"code": "stranger"},
            {"code": "stranger", "state": ""},
            {"code": "stranger", "state": right[:-1]},
            {"code": "stranger", "state": "\u00e9"},
            {"error": "access_denied", "state": "wrong"},
            f"code=stranger&state={right}&state=wrong",
            f"code=stranger&code=other&state={right}",
            {"state": right},
        ):
            status, _, page = helper.get(fields)
            self.assertEqual(status, 400, fields)
            self.assertIn("still waits", page)
            self.assertNotIn("Signed in", page)
        self.assertIsNone(helper.process.poll())
        self.assertEqual(self.entra.forms, [])
        helper.back(code=CODE)
        self.assert_written(helper)

    def test_only_the_redirect_path_is_answered_and_only_to_get(self):
        helper = self.helper()
        fields = {"code": "stranger", "state": helper.asked["state"]}
        for path in ("/favicon.ico", "/x/", "/;", "http://localhost/"):
            self.assertEqual(helper.get(fields, path=path)[0], 404, path)
        for method in ("POST", "HEAD", "PUT", "OPTIONS"):
            self.assertGreaterEqual(helper.get(fields, method=method)[0], 400, method)
        self.assertEqual(self.entra.forms, [])
        helper.back(code=CODE)
        self.assert_written(helper)

    def test_a_refusal_is_shown_escaped_and_ends_the_run(self):
        self.file.write_text("old")
        helper = self.helper()
        told = "<script>alert(1)</script> \x1b[2J\u202eturned"
        status, headers, page = helper.back(error="access_denied", error_description=told, code="stranger")
        self.assertEqual(status, 200)
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", page)
        self.assertNotIn("<script", page)
        self.assertEqual(headers["content-security-policy"], "default-src 'none'")
        err = self.assert_ended(helper, 1, "no consent: access_denied: <script>")
        self.assertTrue(err.replace("\n", "").isprintable(), repr(err))
        self.assertEqual((self.entra.forms, self.file.read_text()), ([], "old"))

    # --- time -----------------------------------------------------------------------------------------------------

    def test_idle_connections_keep_no_one_waiting(self):
        helper = self.helper()
        idle = [socket.create_connection(("127.0.0.1", helper.port)) for _ in range(20)]
        idle[0].sendall(b"GET /?code=")
        helper.back(code=CODE)
        self.assert_written(helper)
        for connection in idle:
            connection.close()

    def test_an_idle_connection_is_closed(self):
        helper = self.helper(constants="consent.IDLE = 0.2")
        for said in (b"", b"GET / HTTP/1.1\r\nhost: "):
            with socket.create_connection(("127.0.0.1", helper.port), timeout=LONG) as idle:
                idle.sendall(said)
                self.assertEqual(idle.recv(1), b"", "closed without an answer")

    def test_the_whole_ends_in_time(self):
        helper = self.helper(constants="consent.WAIT = 0.5")
        with contextlib.suppress(OSError, http.client.HTTPException):
            helper.get({"code": "stranger", "state": "wrong"})
        self.assert_ended(helper, 3, "no answer came within 0.5 seconds: nothing was written")
        self.assertEqual(os.listdir(self.folder), [])

    # --- the file -------------------------------------------------------------------------------------------------

    def test_an_old_file_is_replaced_and_its_readers_see_nothing(self):
        self.file.write_text("old")
        self.file.chmod(0o644)
        with self.file.open() as reader:
            helper = self.helper()
            helper.back(code=CODE)
            self.assert_written(helper)
            self.assertEqual(reader.read(), "old")

    def test_what_is_no_file_is_refused_before_the_sign_in(self):
        link, other = self.folder / "link", self.folder / "other"
        other.write_text("other")
        link.symlink_to(other)
        outputs = (link, self.folder, "/dev/stdout", self.folder / "missing" / "file", other / "file")
        for output in outputs:
            with self.subTest(output=output):
                self.assert_stops(2, "give another --output", CONSENT.main, [*NEEDED, "--output", str(output)])
        self.assertEqual((link.is_symlink(), other.read_text()), (True, "other"))

    # --- the redemption -------------------------------------------------------------------------------------------

    def test_what_the_sign_in_answers_is_shown_on_one_line_without_secrets(self):
        told = {"error": "invalid_client", "error_description": f"AADSTS7000215: {SECRET}\x1b[2J of {CODE}.\r\nTrace ID: 1"}
        kind = "application/json"
        for answer, words in (
            ((401, kind, json.dumps(told)), "not redeemed: invalid_client: AADSTS7000215: *** [2J of ***."),
            ((400, kind, json.dumps({"error": "invalid_grant"})), "not redeemed: invalid_grant"),
            ((502, "text/html", "<html>"), "not redeemed: the sign-in answered with HTTP 502"),
            ((400, kind, "[1]"), "HTTP 400"),
            ((302, kind, ""), "HTTP 302"),
            ((200, kind, json.dumps({"access_token": "a"})), "no refresh token came"),
            ((200, "text/html", "<html>"), "no refresh token came"),
        ):
            with self.subTest(words=words):
                self.entra.answer = answer
                form = {"client_secret": SECRET, "code": CODE, "code_verifier": "v" * 43}
                self.assert_stops(1, words, CONSENT.redeem, self.entra.url, TENANT, form)
        self.assertEqual(len(self.entra.forms), 7, "a redirect is not followed")

    def test_a_redemption_that_is_refused_or_unreachable_writes_nothing(self):
        self.file.write_text("old")
        self.entra.answer = (400, "application/json", json.dumps({"error": "invalid_grant"}))
        helper = self.helper()
        helper.back(code=CODE)
        self.assert_ended(helper, 1, "not redeemed: invalid_grant")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        form = {"client_secret": SECRET, "code": CODE, "code_verifier": "v" * 43}
        self.assert_stops(1, "not redeemed: ", CONSENT.redeem, url, TENANT, form)
        self.assertEqual((os.listdir(self.folder), self.file.read_text()), ([self.file.name], "old"))

    # --- the command line -----------------------------------------------------------------------------------------

    def test_the_command_line(self):
        asked = subprocess.run([*PYTHON, str(SCRIPT), "--help"], capture_output=True, text=True, timeout=LONG)
        self.assertEqual(asked.returncode, 0)
        for word in ("--tenant", "--client-id", "--output", "--port", "--login-url", "--audience", "Exit: 0", "PKCE"):
            self.assertIn(word, asked.stdout)
        self.assertNotIn("--client-secret", asked.stdout)
        output = ["--output", str(self.file)]
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for further, said, words in (
                (["--what"], SECRET, "unrecognized"),
                (["--login-url", "http://login.example"], SECRET, "must begin with https://"),
                (["--login-url", "http://localhost@login.example"], SECRET, "must begin with https://"),
                (["--port", str(taken.getsockname()[1])], SECRET, "cannot listen"),
                (["--port", "70000"], SECRET, "cannot listen"),
                ([], " \n", "no client secret"),
                ([], "", "no client secret"),
            ):
                with self.subTest(further=further, said=said):
                    self.assert_stops(2, words, CONSENT.main, [*NEEDED, *output, *further], said=said)


if __name__ == "__main__":
    unittest.main()
