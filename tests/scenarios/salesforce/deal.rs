//! A world with Salesforce in it, and short words for what tests do and look at.

use crate::{
    deal::{Stage, text},
    world::Options,
};
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::salesforce::SELLER;

pub(super) const SOLUTION: &str = "SOL-48213-KTR";

/// Every message is delivered twice; the pollers have made their first start.
pub(super) async fn open() -> Stage {
    Stage::with(Options { twice: true, crm: Some(CrmKind::Salesforce), ..Options::default() }).await
}

impl Stage {
    pub(super) fn objects(&self, object: &str) -> Vec<Value> {
        let rows = self.salesforce.system();
        rows.rows(object).into_iter().map(|row| json!(row)).collect()
    }

    pub(super) fn one(&self, object: &str) -> Value {
        let rows = self.objects(object);
        let answers = self.salesforce.requests().into_iter().map(|log| log.answer).next_back();
        assert_eq!(rows.len(), 1, "one {object}: {rows:#?}; the last answer: {answers:?}");
        rows.into_iter().next().expect("one")
    }

    pub(super) fn make(&self, object: &str, fields: Value) -> String {
        let now = self.now();
        self.salesforce.system().act_create(object, SELLER, fields, now).expect("a row")
    }

    pub(super) fn change(&self, object: &str, id: &str, fields: Value) {
        let now = self.now();
        self.salesforce.system().act_edit(object, id, SELLER, fields, now).expect("an edit");
    }

    /// A deal of a seller, ready to be shared without help, Sync = Yes.
    pub(super) fn shared_deal(&self, over: Value) -> String {
        let account = self.make(
            "Account",
            json!({ "Name": "Kestrel Foods Ltd", "BillingStreet": "4 Mill Lane", "BillingCity": "Leeds",
                    "BillingPostalCode": "LS1 4AB", "BillingCountry": "United Kingdom" }),
        );
        let contact = self.make(
            "Contact",
            json!({ "FirstName": "Priya", "LastName": "Shah", "Phone": "+441135550177", "AccountId": account,
                    "Email": "priya.shah@kestrelfoods.example" }),
        );
        let mut fields = json!({
            "Name": "Kestrel Foods - demand planning", "StageName": "Prospecting", "CloseDate": "2027-07-31",
            "Amount": 61000.5, "CurrencyIsoCode": "EUR", "AccountId": account, "OwnerId": SELLER,
            "Description": "Need PoC support for forecasting workload.",
        });
        for (name, value) in over.as_object().into_iter().flatten() {
            fields[name] = value.clone();
        }
        let deal = self.make("Opportunity", fields);
        self.make(
            "OpportunityContactRole",
            json!({ "OpportunityId": deal, "ContactId": contact, "IsPrimary": true }),
        );
        let detail = self.make(
            "Microsoft_Solution_Detail__c",
            json!({ "Name": "Juniper Peak Fleet Insight", "Solution_Identifier__c": SOLUTION, "Type__c": "3P" }),
        );
        self.make("Microsoft_Solution__c", json!({ "Opportunity__c": deal, "Solution_Detail__c": detail }));
        self.change("Opportunity", &deal, json!({ "Sync_with_Partner_Center__c": true }));
        deal
    }

    /// An accepted inbound deal in step on both sides: own referral and opportunity.
    pub(super) async fn inbound_opportunity(&self) -> (String, String) {
        let referral = self.refer(json!({ "details": { "currency": "EUR" } }));
        self.act(&referral, "accept");
        self.rest().await;
        self.settle().await.expect("comes to rest");
        self.forget_calls();
        (referral, text(&self.one("Opportunity"), "Id"))
    }
}
