//! Set-up with Salesforce: what is missing is named and made, and broken set-ups are told by their cause.

mod doctor;
mod provision;
mod twins;

use crate::deal::Stage;
use local::world::Options;
use mapping::CrmKind;
use serde_json::{Value, json};
use simulators::salesforce::SELLER;

/// Every message is delivered twice; everything of ours is there.
async fn open() -> Stage {
    Stage::with(Options { twice: true, crm: Some(CrmKind::Salesforce), ..Options::default() }).await
}

/// An org as it is before anything of ours was made; only its administrator may make it. Microsoft's package, with this
/// namespace, may be there.
async fn bare(package: Option<&str>) -> Stage {
    let stage = open().await;
    let mut org = stage.salesforce.system();
    org.unprovision();
    if let Some(namespace) = package {
        org.install_package(namespace);
    }
    org.switches.only_administrators_customize = true;
    drop(org);
    stage
}

/// All rows of an object.
fn rows(stage: &Stage, object: &str) -> Vec<Value> {
    stage.salesforce.system().rows(object).into_iter().map(|row| json!(row)).collect()
}

/// The row with this in a field.
fn row(stage: &Stage, object: &str, field: &str, value: &str) -> Value {
    let all = rows(stage, object);
    let found = all.iter().find(|row| row[field] == value).cloned();
    found.unwrap_or_else(|| panic!("no {object} with {field} {value}: {all:#?}"))
}

/// A seller's deal with everything a referral needs, Sync = Yes.
fn shared_deal(stage: &Stage) -> String {
    let now = stage.now();
    let make = |object: &str, fields: Value| {
        stage.salesforce.system().act_create(object, SELLER, fields, now).expect("a row")
    };
    let account = json!({ "Name": "Kestrel Foods Ltd", "BillingStreet": "4 Mill Lane", "BillingCity": "Leeds",
                          "BillingPostalCode": "LS1 4AB", "BillingCountry": "United Kingdom" });
    let account = make("Account", account);
    let contact = json!({ "FirstName": "Priya", "LastName": "Shah", "Phone": "+441135550177", "AccountId": account,
                          "Email": "priya.shah@kestrelfoods.example" });
    let contact = make("Contact", contact);
    let deal = json!({ "Name": "Kestrel Foods - demand planning", "StageName": "Prospecting", "CloseDate": "2027-07-31",
                       "Amount": 61000.5, "CurrencyIsoCode": "EUR", "AccountId": account, "OwnerId": SELLER,
                       "Description": "Need PoC support for forecasting workload." });
    let deal = make("Opportunity", deal);
    let role = json!({ "OpportunityId": deal, "ContactId": contact, "IsPrimary": true });
    make("OpportunityContactRole", role);
    let detail = json!({ "Name": "Juniper Peak Fleet Insight", "Solution_Identifier__c": "SOL-48213-KTR",
                         "Type__c": "3P" });
    let detail = make("Microsoft_Solution_Detail__c", detail);
    make("Microsoft_Solution__c", json!({ "Opportunity__c": deal, "Solution_Detail__c": detail }));
    let sync = json!({ "Sync_with_Partner_Center__c": true });
    stage.salesforce.system().act_edit("Opportunity", &deal, SELLER, sync, now).expect("an edit");
    deal
}
