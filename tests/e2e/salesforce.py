"""The simulated Salesforce: its secrets, acting in it, and what it shows, in words that are every CRM's."""

from urllib.parse import urlsplit

from vendors import act, requests, state

NAMES = {
    "id": "Id",
    "name": "Name",
    "value": "Amount",
    "notes": "Description",
    "sync": "Sync_with_Partner_Center__c",
    "referral": "Referral_Identifier__c",
    "link": "Referral_Link__c",
    "audit": "Audit__c",
    "status": "StageName",
}


class Crm:
    ON_HOLD, ACTIVE = "Qualification", "Prospecting"
    name = "Salesforce"

    def __init__(self, addresses):
        self.url = addresses["salesforce"]
        self.client = addresses["salesforce_client_id"]
        self.user = addresses["salesforce_username"]
        self.administrator = addresses["salesforce_admin_username"]
        self.key = addresses["salesforce_private_key_pem"]

    def secrets(self):
        administrator = {"client_id": self.client, "username": self.administrator, "private_key": self.key}
        return {"crm": {"private_key": self.key}, "crm-admin": administrator}

    def parameters(self):
        return {
            "Crm": "salesforce",
            "SalesforceLoginUrl": self.url,
            "SalesforceClientId": self.client,
            "SalesforceUsername": self.user,
            "SalesforceHostPattern": urlsplit(self.url).netloc,
        }

    def unprovision(self):
        """The org as it was before anything of ours was made; only its administrator may make it."""
        act(self.url, "unprovision")
        act(self.url, "switches", {"only_administrators_customize": True, "multi_currency": True})

    def refer(self):
        """What a new referral has to say for this org: it has two currencies, one of them the referral's."""
        return {"over": {"details": {"currency": "EUR"}}}

    def deals(self):
        rows = self.rows("Opportunity")
        return [{word: row.get(name) for word, name in NAMES.items()} for row in rows]

    def rows(self, which):
        return list(state(self.url)["objects"].get(which, {}).values())

    def edit(self, deal, **words):
        fields = {NAMES[word]: value for word, value in words.items()}
        act(self.url, "edit", {"object": "Opportunity", "id": deal, "set": fields})

    def create(self, which, **fields):
        return act(self.url, "create", {"object": which, "columns": fields})["id"]

    def seed(self):
        """An opportunity with everything a co-sell referral needs, except Sync = Yes."""
        account = self.create(
            "Account",
            Name="Kestrel Foods Ltd",
            BillingStreet="4 Mill Lane",
            BillingCity="Leeds",
            BillingPostalCode="LS1 4AB",
            BillingCountry="GB",
        )
        contact = self.create(
            "Contact",
            FirstName="Priya",
            LastName="Shah",
            Phone="+441135550177",
            Email="priya.shah@kestrelfoods.example",
            AccountId=account,
        )
        known = [row for row in self.rows("Microsoft_Solution_Detail__c")]
        detail = next((row["Id"] for row in known if row["Solution_Identifier__c"] == "SOL-48213-KTR"), None)
        detail = detail or self.create(
            "Microsoft_Solution_Detail__c",
            Name="Juniper Peak Fleet Insight",
            Solution_Identifier__c="SOL-48213-KTR",
            Type__c="3P",
            Publisher__c="Juniper Peak Software",
        )
        deal = self.create(
            "Opportunity",
            Name="Kestrel Foods - demand planning",
            StageName=self.ACTIVE,
            CloseDate="2027-07-31",
            Amount=61000.5,
            CurrencyIsoCode="EUR",
            AccountId=account,
            Description="Need PoC support for forecasting workload.",
            How_can_Microsoft_help__c="Proof of concept or demo",
        )
        self.create("OpportunityContactRole", OpportunityId=deal, ContactId=contact, IsPrimary=True)
        self.create("Microsoft_Solution__c", Opportunity__c=deal, Solution_Detail__c=detail)
        return deal

    def writes(self):
        """Requests that changed something; a composite counts if it holds a write."""

        def changes(line):
            if line["path"].endswith("/composite"):
                return any(f'"method":"{verb}"' in line["body"] for verb in ("POST", "PATCH", "DELETE"))
            return line["method"] != "GET" and "/services/data/" in line["path"]

        return sum(changes(line) for line in requests(self.url))
