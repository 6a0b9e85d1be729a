"""The simulated Dynamics 365: its secrets, acting in it, and what it shows, in words that are every CRM's."""

import vendors
from vendors import act, requests, state

# The simulator's own (tests/simulators/dataverse/people.rs).
CLIENT = "c0de0002-0000-4000-8000-000000000002"
ADMINISTRATOR = {"client_id": "c0de0003-0000-4000-8000-000000000003", "client_secret": "administrator-secret"}
SELLER = "2e7b9fa1-4d66-ef11-a316-000d3a5b7c22"
CHF = "9a1f3b52-7d11-ef11-8e4e-000d3a8c1f02"

NAMES = {
    "id": "opportunityid",
    "name": "name",
    "value": "estimatedvalue",
    "notes": "description",
    "sync": "cosell_syncwithpartnercenter",
    "referral": "cosell_referralid",
    "link": "cosell_referrallink",
    "audit": "cosell_audit",
}


class Crm:
    ON_HOLD, ACTIVE = "0/2", "0/1"
    name = "Dynamics 365"

    def __init__(self, addresses):
        self.url = addresses["dataverse"]

    def secrets(self):
        return {"crm": {"client_secret": "dynamics-secret"}, "crm-admin": ADMINISTRATOR}

    def parameters(self):
        return {"DynamicsUrl": self.url, "DynamicsTenantId": vendors.TENANT, "DynamicsClientId": CLIENT}

    def unprovision(self):
        """The environment as it was before anything of ours was made; only its administrator may make it."""
        act(self.url, "unprovision")
        act(self.url, "switches", {"only_administrators_customize": True})

    def refer(self):
        """What a new referral has to say for this environment."""
        return {}

    def deals(self):
        rows = state(self.url)["tables"].get("opportunities", {}).values()
        return [shown(row) for row in rows]

    def edit(self, deal, **words):
        columns = {NAMES[word]: value for word, value in words.items()}
        act(self.url, "edit", {"table": "opportunities", "id": deal, "set": columns})

    def create(self, table, **columns):
        return act(self.url, "create", {"table": table, "columns": columns})["id"]

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
        known = state(self.url)["tables"].get("cosell_solutiondetails", {}).values()
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

    def writes(self):
        """Requests that changed something; a batch counts if it holds a change set."""
        return sum(
            line["method"] != "GET" and (not line["path"].endswith("$batch") or "changeset" in line["body"])
            for line in requests(self.url)
        )


def shown(row):
    deal = {word: row.get(name) for word, name in NAMES.items()}
    return deal | {"status": f"{row.get('statecode')}/{row.get('statuscode')}"}
