"""Drives a fresh Salesforce simulator with PyPI's `simple-salesforce`; exit code 1 if a check failed. What is expected is
the vendor's documented behaviour, never what the simulator happens to do."""

import argparse
import datetime
import json
import sys
import traceback
import urllib.parse

import requests
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

KEY = "Referral_Identifier__c"


class Loopback(requests.adapters.HTTPAdapter):
    """The client insists on https and on the vendor's names: here everything goes to the simulator."""

    def __init__(self, address):
        super().__init__()
        self.host = urllib.parse.urlsplit(address).netloc

    def send(self, request, **options):
        parts = urllib.parse.urlsplit(request.url)
        login = parts.hostname == "login.salesforce.com"
        request.url = urllib.parse.urlunsplit(("http", self.host, *parts[2:]))
        if login:
            request.headers["Host"] = self.host.replace("127.0.0.1", "localhost")
        options["verify"] = False
        return super().send(request, **options)


FAILED = []


def check(name, run):
    try:
        run()
        print(f"ok {name}")
    except Exception as fault:  # noqa: BLE001: whatever it is, the next check goes on
        FAILED.append(name)
        print(f"not ok {name}: {type(fault).__name__}: {str(fault)[:300]}")
        traceback.print_exc(limit=2, file=sys.stderr)


def refused(kind, code, run):
    try:
        run()
    except kind as fault:
        assert code in json.dumps(fault.content), fault.content
    else:
        raise AssertionError(f"not refused: {code}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--simulators", required=True, help="file with the JSON line the simulators print")
    with open(arguments.parse_args().simulators, encoding="utf-8") as file:
        given = json.load(file)
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Loopback(given["salesforce"]))

    # It signs in at login.salesforce.com, where connected apps of before Spring '26 are found.
    session.post(given["salesforce"] + "/_sim/switches", json={"external_client_app": False}).raise_for_status()

    def login(**other):
        wanted = {
            "username": given["salesforce_username"],
            "consumer_key": given["salesforce_client_id"],
            "privatekey": given["salesforce_private_key_pem"],
            "session": session,
        }
        return SalesforceLogin(**{**wanted, **other})

    token, instance = login()
    sf = Salesforce(instance=instance, session_id=token, session=session, version="62.0")
    deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-02-28", "Amount": 125000.5}

    def sign_in():
        assert "http://" + instance == given["salesforce"]
        for wrong in ({"username": "nobody@example.com"}, {"consumer_key": "other"}, {"domain": "test"}):
            try:
                login(**wrong)
            except SalesforceAuthenticationFailed:
                continue
            raise AssertionError(wrong)
        other = Salesforce(instance=instance, session_id="wrong", session=session)
        refused(SalesforceExpiredSession, "INVALID_SESSION_ID", lambda: other.query("SELECT Id FROM Account"))

    def rows():
        made = sf.Opportunity.create(deal)
        assert made["success"] and len(made["id"]) == 18
        assert sf.Opportunity.update(made["id"], {"NextStep": "Demo"}) == 204
        row = sf.Opportunity.get(made["id"])
        assert (row["NextStep"], row["Probability"], row["IsClosed"]) == ("Demo", 10.0, False)
        assert row["SystemModstamp"].endswith(".000+0000")
        assert sf.Opportunity.delete(made["id"]) == 204
        refused(SalesforceResourceNotFound, "ENTITY_IS_DELETED", lambda: sf.Opportunity.get(made["id"]))

    def upserts():
        assert sf.Opportunity.upsert(f"{KEY}/ref-1", deal) == 201
        assert sf.Opportunity.upsert(f"{KEY}/REF-1", deal) == 200
        row = sf.Opportunity.get_by_custom_id(KEY, "ref-1")
        assert row[KEY] == "ref-1"
        twice = {**deal, KEY: "ref-1"}
        refused(SalesforceMalformedRequest, "DUPLICATE_VALUE", lambda: sf.Opportunity.create(twice))
        refused(SalesforceMalformedRequest, "REQUIRED_FIELD_MISSING", lambda: sf.Opportunity.create({"Name": "x"}))

    def queries():
        for n in range(2100):
            if n % 200 == 0:
                many = [{**deal, "attributes": {"type": "Opportunity"}, "Name": f"Many {n + m}"} for m in range(200)]
                answer = sf.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": many})
                assert all(item["success"] for item in answer)
        found = sf.query_all("SELECT Id, Name FROM Opportunity WHERE Name LIKE 'Many %' ORDER BY Id")
        assert found["totalSize"] == len(found["records"]) == 2200, found["totalSize"]
        first = sf.query("SELECT Id FROM Opportunity WHERE Name LIKE 'Many %'")
        assert not first["done"] and len(first["records"]) == 2000
        refused(SalesforceMalformedRequest, "MALFORMED_QUERY", lambda: sf.query("SELECT Id FORM Opportunity"))
        refused(SalesforceMalformedRequest, "No such column", lambda: sf.query("SELECT Foo__c FROM Opportunity"))

    def changes():
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
        start = end - datetime.timedelta(minutes=20)
        assert len(sf.Opportunity.updated(start, end)["ids"]) >= 2200
        assert len(sf.Opportunity.deleted(start, end)["deletedRecords"]) == 1

    def metadata():
        assert any(o["name"] == "Microsoft_Solution__c" for o in sf.describe()["sobjects"])
        fields = {f["name"]: f for f in sf.Opportunity.describe()["fields"]}
        assert fields[KEY]["externalId"] and fields["StageName"]["restrictedPicklist"]
        assert sf.limits()["DailyApiRequests"]["Max"] > sf.limits()["DailyApiRequests"]["Remaining"]

    for name, run in list(locals().items()):
        if name in ("sign_in", "rows", "upserts", "queries", "changes", "metadata"):
            check(name, run)
    print(f"{6 - len(FAILED)} of 6")
    sys.exit(1 if FAILED else 0)


main()
